"""Proportions and their differences, from counts.

References: Wilson 1927, J Am Stat Assoc 22:209; Clopper and Pearson 1934, Biometrika
26:404; Newcombe 1998, Stat Med 17:873 (independent) and 17:2635 (paired).
"""

from __future__ import annotations

import dataclasses
import math

from numpy.typing import ArrayLike
from scipy import special

from outcomes.stats.checks import (
    as_flags,
    check_count,
    check_events_of_total,
    check_level,
    check_same_length,
)
from outcomes.stats.result import Interval, Result

WILSON = "Wilson score"
CLOPPER_PEARSON = "Clopper-Pearson"
NEWCOMBE = "Newcombe hybrid score"
NEWCOMBE_PAIRED = "Newcombe hybrid score, paired"

# A proportion with its lower and upper limit.
Limits = tuple[float, float, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PairedCounts(Result):
    """A yes/no feature of two paired members, such as before and after.

    ``first_only`` counts the pairs in which only the first member has the feature.
    """

    both: int
    first_only: int
    second_only: int
    neither: int

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            checked = check_count(getattr(self, field.name), field.name)
            object.__setattr__(self, field.name, checked)

    @property
    def total(self) -> int:
        """The number of pairs."""
        return self.both + self.first_only + self.second_only + self.neither

    @property
    def first(self) -> int:
        """Pairs whose first member has the feature."""
        return self.both + self.first_only

    @property
    def second(self) -> int:
        """Pairs whose second member has the feature."""
        return self.both + self.second_only


def count_pairs(first: ArrayLike, second: ArrayLike) -> PairedCounts:
    """The four cells from one row per pair; every value must be true or false."""
    one, other = as_flags(first, "first"), as_flags(second, "second")
    check_same_length(first=one, second=other)
    return PairedCounts(
        both=int((one & other).sum()),
        first_only=int((one & ~other).sum()),
        second_only=int((~one & other).sum()),
        neither=int((~one & ~other).sum()),
    )


def wilson(events: int, total: int, level: float = 0.95) -> Interval:
    """Wilson score interval; without observations nothing is given.

    Own code, five operations: scipy's ``proportion_ci`` first makes a binomial test,
    and neither scipy nor statsmodels answers for a total of zero.
    """
    events, total = check_events_of_total(events, total)
    level = check_level(level)
    if total == 0:
        return _nothing(WILSON, level)
    share, lower, upper = _wilson_limits(events, total, level)
    return Interval(value=share, lower=lower, upper=upper, method=WILSON, level=level)


def clopper_pearson(events: int, total: int, level: float = 0.95) -> Interval:
    """Exact binomial interval from beta quantiles; without observations none.

    Two-sided also at 0 and ``total`` events, as R's ``binom.test``: 0 of 19 gives an
    upper limit of 0.176.
    """
    events, total = check_events_of_total(events, total)
    level = check_level(level)
    if total == 0:
        return _nothing(CLOPPER_PEARSON, level)
    tail = (1 - level) / 2
    lower = special.betaincinv(events, total - events + 1, tail) if events else 0.0
    upper = (
        special.betainccinv(events + 1, total - events, tail) if events < total else 1.0
    )
    return Interval(
        value=events / total,
        lower=float(lower),
        upper=float(upper),
        method=CLOPPER_PEARSON,
        level=level,
    )


def exact_odds(
    first: int, second: int, level: float = 0.95
) -> tuple[float | None, float | None, float | None]:
    """first / second with the odds p/(1-p) of Clopper-Pearson's limits p of the share.

    Each share and its complement are found by themselves, so that odds of 2**53 are
    no infinity by rounding. None where there is none: nothing to divide by.
    """
    tail = (1 - check_level(level)) / 2
    lower, upper = 0.0, None
    if first:
        share = special.betaincinv(first, second + 1, tail)
        lower = float(share / special.betainccinv(second + 1, first, tail))
    if second:
        share = special.betainccinv(first + 1, second, tail)
        upper = float(share / special.betaincinv(second, first + 1, tail))
    return (first / second if second else None), lower, upper


def newcombe_difference(
    events_1: int, total_1: int, events_2: int, total_2: int, level: float = 0.95
) -> Interval:
    """Share 1 minus share 2 of independent groups; an empty group gives nothing."""
    events_1, total_1 = check_events_of_total(events_1, total_1)
    events_2, total_2 = check_events_of_total(events_2, total_2)
    level = check_level(level)
    if total_1 == 0 or total_2 == 0:
        return _nothing(NEWCOMBE, level)
    return _square_and_add(
        _wilson_limits(events_1, total_1, level),
        _wilson_limits(events_2, total_2, level),
        correlation=0.0,
        method=NEWCOMBE,
        level=level,
    )


def paired_newcombe_difference(pairs: PairedCounts, level: float = 0.95) -> Interval:
    """Share of first members minus share of second members, from paired counts.

    Newcombe's method 10: the Wilson limits are joined under the correlation phi of
    the table, with his continuity correction where phi is positive. Zero margins make
    phi zero. No pairs give no interval.
    """
    level = check_level(level)
    if pairs.total == 0:
        return _nothing(NEWCOMBE_PAIRED, level)
    return _square_and_add(
        _wilson_limits(pairs.first, pairs.total, level),
        _wilson_limits(pairs.second, pairs.total, level),
        correlation=_corrected_phi(pairs),
        method=NEWCOMBE_PAIRED,
        level=level,
    )


def standard_normal_limit(level: float) -> float:
    """The z that encloses ``level`` of the standard normal; 1.96 for 0.95."""
    return float(special.ndtri((1 + check_level(level)) / 2))


def _wilson_limits(events: int, total: int, level: float) -> Limits:
    z = standard_normal_limit(level)
    share = events / total
    denominator = 1 + z * z / total
    centre = (share + z * z / (2 * total)) / denominator
    spread = math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    half_width = z / denominator * spread
    # Rounding must not move a limit off the boundary that theory gives.
    lower = 0.0 if events == 0 else centre - half_width
    upper = 1.0 if events == total else centre + half_width
    return share, lower, upper


def _corrected_phi(pairs: PairedCounts) -> float:
    margins = (
        pairs.first
        * (pairs.total - pairs.first)
        * pairs.second
        * (pairs.total - pairs.second)
    )
    if margins == 0:
        return 0.0
    excess: float = pairs.both * pairs.neither - pairs.first_only * pairs.second_only
    if excess > 0:
        excess = max(excess - pairs.total / 2, 0.0)
    return excess / math.sqrt(margins)


def _square_and_add(
    first: Limits, second: Limits, *, correlation: float, method: str, level: float
) -> Interval:
    """Join the limits of two proportions to limits of their difference."""
    p1, l1, u1 = first
    p2, l2, u2 = second
    return Interval(
        value=p1 - p2,
        lower=max(p1 - p2 - _length(p1 - l1, u2 - p2, correlation), -1.0),
        upper=min(p1 - p2 + _length(u1 - p1, p2 - l2, correlation), 1.0),
        method=method,
        level=level,
    )


def _length(a: float, b: float, correlation: float) -> float:
    return math.sqrt(max(a * a - 2 * correlation * a * b + b * b, 0.0))


def _nothing(method: str, level: float) -> Interval:
    return Interval(value=None, lower=None, upper=None, method=method, level=level)
