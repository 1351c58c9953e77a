"""Type I error of tests of values, tables and pairs.

How it is counted stands in ``alarms``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy.stats import chi2

from outcomes.stats.choose import (
    compare_differences,
    compare_groups,
    compare_pairs,
    compare_table,
)
from outcomes.stats.means import welch
from outcomes.stats.proportions import PairedCounts
from outcomes.stats.ranks import kruskal_wallis, wilcoxon_signed_rank
from outcomes.stats.tables import pearson
from tests.simulations.alarms import Draw, Situation, said, table

VALUES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda random, n: random.normal(size=n),
    "exponential": lambda random, n: random.exponential(size=n),
    "log-normal": lambda random, n: random.lognormal(size=n),
    "five grades": lambda random, n: random.choice(5, n, p=[0.4, 0.3, 0.15, 0.1, 0.05]),
}


def means(sizes: Sequence[int], kind: str) -> Draw:
    def draw(random: np.random.Generator) -> tuple[float | None, float | None]:
        groups = [VALUES[kind](random, n) for n in sizes]
        chosen = compare_groups("continuous", groups)
        return welch(*groups).p_value, chosen.test.p_value

    return draw


def ranks(sizes: Sequence[int], kind: str) -> Draw:
    def draw(random: np.random.Generator) -> tuple[float | None, float | None]:
        groups = [VALUES[kind](random, n) for n in sizes]
        chosen = compare_groups("ordinal", groups)
        return kruskal_wallis(groups, "chi-squared").p_value, chosen.test.p_value

    return draw


def tables(sizes: Sequence[int], share: float) -> Draw:
    def draw(random: np.random.Generator) -> tuple[float | None, float | None]:
        events = [int(random.binomial(n, share)) for n in sizes]
        counts = [[x, n - x] for x, n in zip(events, sizes, strict=True)]
        return pearson(counts).p_value, compare_table(counts).test.p_value

    return draw


def pairs(n: int, changed: float) -> Draw:
    """A yes/no feature that changes in a share of pairs, as often either way."""

    def draw(random: np.random.Generator) -> tuple[float | None, float | None]:
        same, one, other = random.multinomial(
            n, [1 - changed, changed / 2, changed / 2]
        ).tolist()
        counts = PairedCounts(both=same, first_only=one, second_only=other, neither=0)
        asymptotic = (
            float(chi2.sf((one - other) ** 2 / (one + other), 1))
            if one + other
            else None
        )
        return asymptotic, compare_pairs(counts).test.p_value

    return draw


def differences(n: int, kind: str) -> Draw:
    """Differences as often up as down: whole steps of a score, or a continuous one."""

    def draw(random: np.random.Generator) -> tuple[float | None, float | None]:
        values = random.normal(0, 1.5, n)
        values = np.rint(values) if kind == "steps" else values
        plain = wilcoxon_signed_rank(values, distribution="normal")
        return plain.p_value, compare_differences("score", values).test.p_value

    return draw


def run(repetitions: int, seed: int) -> str:
    """Four Markdown tables."""
    parts = (
        ("Welch, or Mann-Whitney", _of_means()),
        ("Kruskal-Wallis, Mann-Whitney", _of_ranks()),
        ("Pearson, or Fisher", _of_tables()),
        ("pairs", _of_pairs()),
    )
    return "\n".join(table(name, found, repetitions, seed) for name, found in parts)


def _of_means() -> Iterator[Situation]:
    for sizes in ((2, 40), (5, 40), (19, 19), (20, 40)):
        for kind in ("normal", "exponential", "log-normal"):
            yield Situation(said(sizes), kind, means(sizes, kind), 0.5)


def _of_ranks() -> Iterator[Situation]:
    for sizes in ((3, 3, 4), (5, 5, 20), (25, 25, 25), (8, 392), (60, 60)):
        share = 0.2 if sizes == (5, 5, 20) else 0.5
        yield Situation(said(sizes), "five grades", ranks(sizes, "five grades"), share)


def _of_tables() -> Iterator[Situation]:
    for sizes in ((4, 4), (19, 19), (8, 392), (10, 10, 10)):
        for share in (0.1, 0.5):
            what = f"share {share:g} in all"
            yield Situation(said(sizes), what, tables(sizes, share))


def _of_pairs() -> Iterator[Situation]:
    for n in (8, 19, 50):
        told = f"{n} pairs"
        yield Situation(told, "McNemar, 40 % differ", pairs(n, 0.4))
        for kind in ("steps", "continuous"):
            what = f"signed ranks, {kind}"
            yield Situation(told, what, differences(n, kind), 0.5)
