"""Type I error of tests of curves: log-rank, also within strata, and Gray's.

How it is counted stands in ``alarms``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from outcomes.stats.choose_curves import (
    compare_curves,
    compare_curves_in_strata,
    compare_incidence,
)
from outcomes.stats.gray import gray_test_from_counts
from outcomes.stats.logrank import logrank_from_counts, logrank_stratified_from_counts
from tests.simulations.alarms import Draw, Situation, said, table

SIZES = ((1, 4), (1, 40), (2, 40), (8, 392), (19, 19), (25, 25), (5, 5, 20))
# Upper end of uniform censoring where the event comes at rate 1: about a fifth, half
# and four fifths of the cases have it.
FOLLOW_UP = {"few": 0.4, "half": 1.6, "most": 5.0}
DAYS = 1000


def followed(
    random: np.random.Generator, n: int, end: float, rate: float = 1.0
) -> tuple:
    """Days, events, competing events (a third of all) and censored, one row a case."""
    times, ends = random.exponential(1 / rate, n), random.uniform(0, end, n)
    days = np.ceil(np.minimum(times, ends) * DAYS)
    event = times <= ends
    competing = event & (random.random(n) < 1 / 3)
    return days, event.astype(int), competing.astype(int), (~event).astype(int)


def _group(random: np.random.Generator, n: int, end: float, rate: float = 1.0) -> tuple:
    days, event, _competing, censored = followed(random, n, end, rate)
    return days, event, censored


def curves(sizes: Sequence[int], ends: Sequence[float]) -> Draw:
    def draw(random: np.random.Generator) -> tuple[float | None, float | None]:
        groups = [_group(random, n, end) for n, end in zip(sizes, ends, strict=True)]
        return logrank_from_counts(groups).p_value, compare_curves(groups).test.p_value

    return draw


def in_strata(strata: Sequence[Sequence[int]], end: float) -> Draw:
    """Strata whose hazards differ up to threefold, and not between groups."""

    def draw(random: np.random.Generator) -> tuple[float | None, float | None]:
        rates = np.linspace(0.5, 1.5, len(strata))
        tables = [
            [_group(random, n, end, rate) for n in sizes]
            for sizes, rate in zip(strata, rates, strict=True)
        ]
        plain = logrank_stratified_from_counts(tables)
        return plain.p_value, compare_curves_in_strata(tables).test.p_value

    return draw


def incidence(sizes: Sequence[int], end: float) -> Draw:
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


def run(repetitions: int, seed: int) -> str:
    """Three Markdown tables; costly tests are repeated less often."""
    parts = (
        ("log-rank", _of_curves()),
        ("stratified log-rank", _of_strata()),
        ("Gray", _of_incidence()),
    )
    return "\n".join(table(name, found, repetitions, seed) for name, found in parts)


def _of_curves() -> Iterator[Situation]:
    for sizes in SIZES:
        for name, end in FOLLOW_UP.items():
            quick = min(sizes) <= 2 or (min(sizes) >= 25 and name != "few")
            ends = [end] * len(sizes)
            share = 1.0 if quick else 0.2
            yield Situation(said(sizes), name, curves(sizes, ends), share)
    for sizes in ((10, 30), (30, 30)):
        unequal = curves(sizes, (0.4, 1.6))
        what = "unequal follow-up: few v half"
        yield Situation(said(sizes), what, unequal, 0.2)


def _of_strata() -> Iterator[Situation]:
    for strata, told in (
        ([(2, 6)] * 4, "4 strata of 2 v 6"),
        ([(1, 3)] * 10, "10 strata of 1 v 3"),
        ([(10, 10)] * 3, "3 strata of 10 v 10"),
    ):
        for name in ("half", "most"):
            yield Situation(told, name, in_strata(strata, FOLLOW_UP[name]), 0.2)


def _of_incidence() -> Iterator[Situation]:
    for sizes in ((2, 40), (8, 60), (19, 19), (25, 25), (40, 40)):
        what = "half, a third of them competing"
        yield Situation(said(sizes), what, incidence(sizes, 1.6), 0.2)
