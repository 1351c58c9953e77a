"""How long and how completely cases were followed.

References: Schemper and Smith 1996 (reverse Kaplan-Meier); Clark, Altman and
De Stavola 2002 (completeness index).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from outcomes.stats.checks import (
    as_flags,
    as_floats,
    check_not_empty,
    check_not_negative,
    check_same_length,
)
from outcomes.stats.errors import StatError
from outcomes.stats.event_table import EventTable, table_from_counts, table_from_rows
from outcomes.stats.result import Result
from outcomes.stats.survival import IntervalKind, MedianTime, curve_of

_METHOD = "reverse Kaplan-Meier"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Completeness(Result):
    """Observed follow-up as a share of what could have been observed.

    ``value`` is None when no follow-up was possible at all.
    """

    value: float | None
    observed: float
    potential: float
    method: str = "Clark completeness"


def reverse_kaplan_meier_median(
    days: ArrayLike,
    events: ArrayLike,
    level: float = 0.95,
    interval: IntervalKind = "log-log",
) -> MedianTime:
    """Median potential follow-up in days: censoring is the event, the event censors.

    R: ``survfit(Surv(days, 1 - events) ~ 1)``. Not reached when more than half of the
    cases had the event before their observation ended.
    """
    return _median_follow_up(table_from_rows(days, events), level, interval)


def reverse_kaplan_meier_median_from_counts(
    days: ArrayLike,
    events: ArrayLike,
    censored: ArrayLike,
    level: float = 0.95,
    interval: IntervalKind = "log-log",
) -> MedianTime:
    """The same median from counts per day."""
    return _median_follow_up(table_from_counts(days, events, censored), level, interval)


def _median_follow_up(
    table: EventTable, level: float, interval: IntervalKind
) -> MedianTime:
    median = curve_of(table.swapped(), level, interval).median
    return dataclasses.replace(median, method=f"{_METHOD}, {interval}")


def clark_completeness(
    days: ArrayLike, events: ArrayLike, potential_days: ArrayLike
) -> Completeness:
    """Sum of observed over sum of potential follow-up.

    ``potential_days`` runs from time zero to the common cut-off date; a case with the
    event could only be followed until the event, so its potential is its own days.
    """
    observed = as_floats(days, "days")
    flags = as_flags(events, "events")
    potential = as_floats(potential_days, "potential_days")
    check_same_length(days=observed, events=flags, potential_days=potential)
    check_not_empty(observed, "days")
    check_not_negative(observed, "days")
    possible = np.where(flags, observed, potential)
    if (observed > possible).any():
        raise StatError("days exceed potential_days: observed after the cut-off")
    return clark_completeness_from_sums(float(observed.sum()), float(possible.sum()))


def clark_completeness_from_sums(observed: float, potential: float) -> Completeness:
    """The same index from the two sums."""
    sums = as_floats([observed, potential], "observed and potential")
    check_not_negative(sums, "observed and potential")
    days, possible = sums.tolist()
    if days > possible * (1 + 1e-12):
        raise StatError("observed exceeds potential")
    value = min(days / possible, 1.0) if possible else None
    return Completeness(value=value, observed=days, potential=possible)
