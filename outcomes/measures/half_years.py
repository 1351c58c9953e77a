"""Counts by half year from the operation: what coarse curves are made from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

DAYS_IN_HALF_YEAR = 365.25 / 2


def last_day(step: int) -> int:
    """The day on which a half year ends, its number counted from 1: 183, 365, 548."""
    return round(step * DAYS_IN_HALF_YEAR)


def half_years(days: Sequence[float], *counts: Sequence[int]) -> list[list[int]]:
    """Counts by half year, one list for each; day 365 still belongs to the second."""
    steps = 1 + int(max(days, default=0) // DAYS_IN_HALF_YEAR)
    ends = [last_day(step) for step in range(1, steps + 1)]
    found = [[0] * steps for _count in counts]
    for row, count in zip(found, counts, strict=True):
        for day, n in zip(days, count, strict=True):
            row[bisect_left(ends, day)] += n
    return found
