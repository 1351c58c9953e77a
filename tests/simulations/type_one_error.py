"""How often equal groups are called different, before and after the rule.

Equal groups are drawn again and again; a test at 5 % may call 5 % of them different.
"before" is the large-sample test, "after" what ``choose_curves`` and ``choose`` take.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from outcomes.stats.choose import compare_groups
from outcomes.stats.choose_curves import compare_curves, compare_incidence
from outcomes.stats.gray import gray_test_from_counts
from outcomes.stats.logrank import logrank_from_counts
from outcomes.stats.means import welch

SIZES = ((1, 4), (1, 40), (2, 40), (8, 392), (19, 19), (25, 25))
# Upper end of uniform censoring where the event comes at rate 1: about a fifth, half
# and four fifths of the cases have it.
FOLLOW_UP = {"few": 0.4, "half": 1.6, "most": 5.0}
DAYS = 1000
VALUES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda random, n: random.normal(size=n),
    "exponential": lambda random, n: random.exponential(size=n),
    "log-normal": lambda random, n: random.lognormal(size=n),
}
HEAD = "samples | before, % | after, % | no p, % |\n|---|---|---|---|---|---|"
Draw = Callable[[np.random.Generator], tuple[float | None, float | None]]


@dataclasses.dataclass
class Alarms:
    """How often p was below 0.05, and how often there was none."""

    before: int = 0
    after: int = 0
    without: int = 0
    total: int = 0

    def row(self, *names: str) -> str:
        cells = [100 * self.before, 100 * self.after, 100 * self.without]
        shares = [f"{count / self.total:.1f}" for count in cells]
        return "| " + " | ".join([*names, str(self.total), *shares]) + " |"


def followed(random: np.random.Generator, n: int, end: float) -> tuple:
    """Days, events, competing events (a third of all) and censored, one row a case."""
    times, ends = random.exponential(1, n), random.uniform(0, end, n)
    days = np.ceil(np.minimum(times, ends) * DAYS)
    event = times <= ends
    competing = event & (random.random(n) < 1 / 3)
    return days, event.astype(int), competing.astype(int), (~event).astype(int)


def curves(sizes: tuple[int, int], ends: tuple[float, float]) -> Draw:
    def draw(random: np.random.Generator) -> tuple[float | None, float | None]:
        groups = [
            (days, event, censored)
            for days, event, _competing, censored in (
                followed(random, n, end) for n, end in zip(sizes, ends, strict=True)
            )
        ]
        return logrank_from_counts(groups).p_value, compare_curves(groups).test.p_value

    return draw


def incidence(sizes: tuple[int, int], end: float) -> Draw:
    def draw(random: np.random.Generator) -> tuple[float | None, float | None]:
        groups = [
            (days, event - competing, competing, censored)
            for days, event, competing, censored in (
                followed(random, n, end) for n in sizes
            )
        ]
        plain, chosen = gray_test_from_counts(groups), compare_incidence(groups)
        return plain.p_value, chosen.test.p_value

    return draw


def means(sizes: tuple[int, int], kind: str) -> Draw:
    def draw(random: np.random.Generator) -> tuple[float | None, float | None]:
        groups = [VALUES[kind](random, n) for n in sizes]
        chosen = compare_groups("continuous", groups)
        return welch(*groups).p_value, chosen.test.p_value

    return draw


def alarms(draw: Draw, repetitions: int, seed: int) -> Alarms:
    random, found = np.random.default_rng(seed), Alarms()
    for _ in range(repetitions):
        before, after = draw(random)
        found.total += 1
        found.before += before is not None and before < 0.05
        found.after += after is not None and after < 0.05
        found.without += after is None
    return found


def run(repetitions: int, seed: int) -> str:
    """Markdown tables; costly tests are repeated a tenth as often, of means a half."""
    tables = [
        _of_curves(repetitions, seed),
        _of_incidence(repetitions // 10, seed),
        _of_means(repetitions // 2, seed),
    ]
    return "\n\n".join("\n".join(lines) for lines in tables) + "\n"


def _of_curves(repetitions: int, seed: int) -> list[str]:
    lines = [f"| log-rank | events | {HEAD}"]
    for sizes in SIZES:
        for name, end in FOLLOW_UP.items():
            listed = min(sizes) <= 2 or (min(sizes) >= 25 and name != "few")
            times = repetitions if listed else repetitions // 10
            found = alarms(curves(sizes, (end, end)), times, seed)
            lines.append(found.row(_said(sizes), name))
    unequal = alarms(curves((10, 30), (0.4, 1.6)), repetitions // 10, seed)
    return [*lines, unequal.row("10 v 30", "few v half: unequal follow-up")]


def _of_incidence(repetitions: int, seed: int) -> list[str]:
    lines = [f"| Gray | events | {HEAD}"]
    for sizes in ((2, 40), (8, 60), (19, 19), (25, 25)):
        found = alarms(incidence(sizes, 1.6), repetitions, seed)
        lines.append(found.row(_said(sizes), "half, a third competing"))
    return lines


def _of_means(repetitions: int, seed: int) -> list[str]:
    lines = [f"| Welch, Mann-Whitney | values | {HEAD}"]
    for sizes in ((2, 40), (5, 40), (19, 19), (20, 40)):
        for kind in VALUES:
            found = alarms(means(sizes, kind), repetitions, seed)
            lines.append(found.row(_said(sizes), kind))
    return lines


def _said(sizes: tuple[int, int]) -> str:
    return f"{sizes[0]} v {sizes[1]}"
