"""Follow-up reduced to counts per day: what every survival estimator starts from.

Rows (one case each) and counts (already grouped, for example by the database) both
become the same table, so an estimator cannot give two answers for one data set.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outcomes.stats.checks import (
    CountArray,
    FloatArray,
    as_counts,
    as_flags,
    as_floats,
    as_repetition,
    check_not_empty,
    check_not_negative,
    check_same_length,
)
from outcomes.stats.errors import StatError


@dataclasses.dataclass(frozen=True, kw_only=True)
class EventTable:
    """Distinct days in ascending order with what happened on each.

    ``at_risk`` counts the cases followed until this day or longer: a case censored on
    a day is still at risk on that day.
    """

    days: FloatArray
    events: CountArray
    censored: CountArray

    @property
    def leaving(self) -> CountArray:
        """Cases whose follow-up ends on each day."""
        return self.events + self.censored

    @property
    def at_risk(self) -> CountArray:
        """Cases under observation just before each day."""
        return np.cumsum(self.leaving[::-1])[::-1]

    @property
    def n(self) -> int:
        """All cases."""
        return int(self.leaving.sum())

    @property
    def n_events(self) -> int:
        """All events."""
        return int(self.events.sum())

    def at_risk_on(self, days: FloatArray) -> CountArray:
        """Cases at risk just before any days, whether or not they are in the table."""
        padded = np.append(self.at_risk, 0)
        return padded[np.searchsorted(self.days, days, side="left")]

    def events_on(self, days: FloatArray) -> CountArray:
        """Events on any days, 0 where the table has no such day."""
        place = np.searchsorted(self.days, days, side="left")
        found = np.append(self.days, np.inf)[place] == days
        return np.where(found, np.append(self.events, 0)[place], 0)

    def swapped(self) -> EventTable:
        """Censoring as the event, for follow-up time."""
        return EventTable(days=self.days, events=self.censored, censored=self.events)


def table_from_rows(
    days: ArrayLike, events: ArrayLike, weights: ArrayLike | None = None
) -> EventTable:
    """One row per case; ``weights`` are whole numbers of cases a row stands for.

    Raises StatError for different lengths, no cases, NaN, infinite or negative days,
    events other than 0 and 1, and weights that are not whole numbers.
    """
    days, flags = as_floats(days, "days"), as_flags(events, "events")
    check_same_length(days=days, events=flags)
    counts = as_repetition(weights, days, "days")
    return _grouped(days, np.where(flags, counts, 0), np.where(flags, 0, counts))


def table_from_counts(
    days: ArrayLike, events: ArrayLike, censored: ArrayLike
) -> EventTable:
    """Counts of events and of censored cases per day; days may repeat, in any order."""
    days = as_floats(days, "days")
    event_counts = as_counts(events, "events")
    censored_counts = as_counts(censored, "censored")
    check_same_length(days=days, events=event_counts, censored=censored_counts)
    return _grouped(days, event_counts, censored_counts)


def _grouped(days: FloatArray, events: CountArray, censored: CountArray) -> EventTable:
    check_not_empty(days, "days")
    check_not_negative(days, "days")
    if not (events.any() or censored.any()):
        raise StatError("there are no cases: all counts are 0")
    distinct, place = distinct_days(days)
    event_sums = sum_by(place, events, len(distinct))
    censored_sums = sum_by(place, censored, len(distinct))
    kept = event_sums + censored_sums > 0
    return EventTable(
        days=distinct[kept], events=event_sums[kept], censored=censored_sums[kept]
    )


def distinct_days(days: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
    """Candidate days in ascending order and the place of each row among them.

    Many whole days are counted in an array indexed by the day, which is an order of
    magnitude faster than sorting; every day up to the last is then a candidate.
    """
    if days.max() < len(days) and (days == np.floor(days)).all():
        return np.arange(days.max() + 1), days.astype(np.intp)
    distinct, place = np.unique(days, return_inverse=True)
    return distinct, place


def sum_by(place: NDArray[np.intp], counts: CountArray, length: int) -> CountArray:
    """Sums of ``counts`` by place; exact, as whole numbers below 2**53 are."""
    return np.bincount(place, weights=counts, minlength=length).astype(np.int64)
