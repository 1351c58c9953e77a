"""How often equal groups are called different, before and after the rule.

Equal groups are drawn again and again; a test at 5 % may call 5 % of them different.
"before" is the large-sample test, "after" what the choosers of the statistics take.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable

import numpy as np

HEAD = "samples (error) | before, % | after, % | no p, % |\n|---|---|---|---|---|---|"
# p of the large-sample test and of the chosen one; None where there is none.
Draw = Callable[[np.random.Generator], tuple[float | None, float | None]]


@dataclasses.dataclass(frozen=True)
class Situation:
    """Equal groups: their sizes, what happens to them, and a share of the samples."""

    sizes: str
    what: str
    draw: Draw
    share: float = 1.0


@dataclasses.dataclass
class Alarms:
    """How often p was below 0.05, and how often there was none."""

    before: int = 0
    after: int = 0
    without: int = 0
    total: int = 0

    def row(self, *names: str) -> str:
        counts = (self.before, self.after, self.without)
        shares = [f"{100 * count / self.total:.1f}" for count in counts]
        # Of a share of 5 %, in percentage points.
        error = 100 * math.sqrt(0.05 * 0.95 / self.total)
        samples = f"{self.total} (± {error:.1f})"
        return "| " + " | ".join([*names, samples, *shares]) + " |"


def alarms(draw: Draw, repetitions: int, seed: int) -> Alarms:
    """Draws and counts."""
    random, found = np.random.default_rng(seed), Alarms()
    for _ in range(repetitions):
        before, after = draw(random)
        found.total += 1
        found.before += before is not None and before < 0.05
        found.after += after is not None and after < 0.05
        found.without += after is None
    return found


def table(
    test: str, situations: Iterable[Situation], repetitions: int, seed: int
) -> str:
    """A Markdown table; a row has its own share of the samples, as some are costly."""
    lines = [f"| {test} | what | {HEAD}"]
    for one in situations:
        times = max(1, round(repetitions * one.share))
        lines.append(alarms(one.draw, times, seed).row(one.sizes, one.what))
    return "\n".join([*lines, ""])


def said(sizes: Iterable[int]) -> str:
    """``19 v 19``."""
    return " v ".join(map(str, sizes))
