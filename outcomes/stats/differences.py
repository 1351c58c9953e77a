"""Differences of independent estimates, from the limits that each of them has.

Reference: Zou and Donner 2008, Stat Med 27:1693 (MOVER: the squared distances of the
limits add up). Newcombe's difference of proportions is the same with Wilson limits.
"""

from __future__ import annotations

import math

from outcomes.stats.errors import StatError
from outcomes.stats.result import Interval


def difference(first: Interval, second: Interval) -> Interval:
    """First minus second, such as survival of two groups on one day.

    lower = d - sqrt((v1 - l1)^2 + (u2 - v2)^2), upper likewise. A limit that needs one
    which an estimate does not have is None. Raises StatError for different levels.
    """
    if first.level != second.level:
        raise StatError("the estimates have limits of different levels")
    if first.value is None or second.value is None:
        value = lower = upper = None
    else:
        value = first.value - second.value
        below = _together(first.value, first.lower, second.value, second.upper)
        above = _together(first.value, first.upper, second.value, second.lower)
        lower = None if below is None else value - below
        upper = None if above is None else value + above
    return Interval(
        value=value,
        lower=lower,
        upper=upper,
        method=f"difference by MOVER of {first.method}",
        level=first.level,
    )


def _together(
    value: float, limit: float | None, other: float, other_limit: float | None
) -> float | None:
    if limit is None or other_limit is None:
        return None
    return math.hypot(value - limit, other - other_limit)
