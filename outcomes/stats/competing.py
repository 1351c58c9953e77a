"""Aalen-Johansen cumulative incidence with competing causes.

Own code: lifelines moves tied times by random amounts, so its incidence changes from
run to run and differs from the exact one; statsmodels' ``CumIncidenceRight`` gives no
standard error once it takes counts (``freq_weights``). 1 - Kaplan-Meier over-states the incidence where death competes.

References: Aalen and Johansen 1978; Gaynor et al. 1993 and Marubini and Valsecchi
1995 (variance by the delta method, which equals the infinitesimal jackknife of R);
Choudhury 2002 (log-log limits).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from outcomes.stats.checks import (
    CountArray,
    FloatArray,
    as_counts,
    as_floats,
    check_level,
    check_not_empty,
    check_not_negative,
    check_same_length,
)
from outcomes.stats.errors import StatError
from outcomes.stats.event_table import distinct_days, sum_by
from outcomes.stats.result import Interval, Result
from outcomes.stats.survival import (
    IntervalKind,
    Limits,
    checked_times,
    limits,
    none_for_nan,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CumulativeIncidence(Result):
    """Probability of one cause by each day, in the presence of the other causes.

    A step function as the survival curve: 0 before the first day, the value at
    ``days[i]`` holds until the next day. Limits are None where incidence is 0 or 1.
    """

    cause: int
    days: tuple[float, ...]
    incidence: tuple[float, ...]
    standard_error: Limits
    lower: Limits
    upper: Limits
    at_risk: tuple[int, ...]
    events: tuple[int, ...]
    n: int
    n_events: int
    method: str
    level: float = 0.95
    note: str | None = None

    def incidence_at(self, times: Sequence[float] | ArrayLike) -> tuple[Interval, ...]:
        """Incidence with limits at each time; None after the last observed day."""
        asked = checked_times(times)
        place = np.searchsorted(np.asarray(self.days), asked, side="right") - 1
        return tuple(
            self._point(int(i), bool(t > self.days[-1]))
            for i, t in zip(place, asked, strict=True)
        )

    def _point(self, place: int, unknown: bool) -> Interval:
        value: float | None = 0.0
        lower = upper = None
        if unknown:
            value = None
        elif place >= 0:
            value = self.incidence[place]
            lower, upper = self.lower[place], self.upper[place]
        return Interval(
            value=value, lower=lower, upper=upper, method=self.method, level=self.level
        )


def aalen_johansen(
    days: ArrayLike,
    causes: ArrayLike,
    level: float = 0.95,
    interval: IntervalKind = "log-log",
) -> dict[int, CumulativeIncidence]:
    """Cumulative incidence of every cause from one row per case.

    ``causes`` is 0 for a censored case and 1, 2, … for the first event by its cause;
    R: ``survfit(Surv(days, factor(causes)) ~ 1)``. Tied days are taken as they are.
    Raises StatError for lengths that differ, no cases, NaN, infinite or negative days.
    """
    times, codes = as_floats(days, "days"), as_counts(causes, "causes")
    check_same_length(days=times, causes=codes)
    # Cause 1 is the one of interest: it gets its curve at 0 when it never happened.
    labels = sorted({1, *np.unique(codes).tolist()} - {0})
    counts = {label: (codes == label).astype(np.int64) for label in labels}
    return aalen_johansen_from_counts(times, counts, codes == 0, level, interval)


def aalen_johansen_from_counts(
    days: ArrayLike,
    events_by_cause: Mapping[int, ArrayLike],
    censored: ArrayLike,
    level: float = 0.95,
    interval: IntervalKind = "log-log",
) -> dict[int, CumulativeIncidence]:
    """The same from counts per day: one sequence per cause and one of censored cases.

    A cause that was looked for but never happened is given with zeros and gets a
    curve at 0 without limits.
    """
    level = check_level(level)
    if interval not in get_args(IntervalKind):
        raise StatError(f"interval must be log-log, log or plain, not {interval!r}")
    times, *columns = _checked_counts(days, events_by_cause, censored)
    distinct, place = distinct_days(times)
    sums = np.array([sum_by(place, column, len(distinct)) for column in columns])
    kept = sums.sum(axis=0) > 0
    if not kept.any():
        raise StatError("there are no cases: all counts are 0")
    sums, distinct = sums[:, kept], distinct[kept]
    leaving = sums.sum(axis=0)
    at_risk = np.cumsum(leaving[::-1])[::-1]
    all_events = leaving - sums[-1]
    return {
        cause: _incidence(cause, distinct, events, all_events, at_risk, level, interval)
        for cause, events in zip(events_by_cause, sums[:-1], strict=True)
    }


def _checked_counts(
    days: ArrayLike, events_by_cause: Mapping[int, ArrayLike], censored: ArrayLike
) -> list[np.ndarray]:
    """Days, counts of each cause in the order given, censored counts."""
    if not events_by_cause:
        raise StatError("events_by_cause is empty")
    times = as_floats(days, "days")
    check_not_empty(times, "days")
    check_not_negative(times, "days")
    named = {
        f"events of cause {cause}": as_counts(counts, f"events of cause {cause}")
        for cause, counts in events_by_cause.items()
    }
    named["censored"] = as_counts(censored, "censored")
    check_same_length(days=times, **named)
    return [times, *named.values()]


def _incidence(
    cause: int,
    days: FloatArray,
    events: CountArray,
    all_events: CountArray,
    at_risk: CountArray,
    level: float,
    interval: IntervalKind,
) -> CumulativeIncidence:
    surviving = np.cumprod((at_risk - all_events) / at_risk)
    before = np.concatenate([[1.0], surviving[:-1]])
    incidence = np.minimum(np.cumsum(before * (events / at_risk)), 1)
    # A sum that should be 1 misses it by rounding and would pass for 0.999…; whether
    # it should is a matter of counts: every case had this event.
    everybody = (at_risk == all_events) & (np.cumsum(all_events - events) == 0)
    incidence[everybody] = 1.0
    variance = _variance(incidence, before, events, all_events, at_risk)
    happened = incidence > 0
    relative = np.zeros(len(days))
    np.divide(variance, incidence**2, out=relative, where=happened)
    lower, upper = limits(incidence, relative, level, interval)
    error = np.where(happened, np.sqrt(variance), np.nan)
    return CumulativeIncidence(
        cause=cause,
        days=tuple(days.tolist()),
        incidence=tuple(incidence.tolist()),
        standard_error=none_for_nan(error),
        lower=none_for_nan(lower),
        upper=none_for_nan(upper),
        at_risk=tuple(at_risk.tolist()),
        events=tuple(events.tolist()),
        n=int(at_risk[0]),
        n_events=int(events.sum()),
        method=f"Aalen-Johansen, {interval}",
        level=level,
        note=None if events.any() else "no events of this cause: no interval",
    )


def _variance(
    incidence: FloatArray,
    before: FloatArray,
    events: CountArray,
    all_events: CountArray,
    at_risk: CountArray,
) -> FloatArray:
    """Variance of the incidence F of one cause at every day t, summed over days i <= t.

    sum (F(t)-F(i))^2 d/(n(n-d)) + sum S(i-)^2 e(n-e)/n^3
    - 2 sum (F(t)-F(i)) S(i-) e/n^2, with d all events, e those of the cause. The
    squares are multiplied out so that one pass of running sums gives every t.
    """
    n, d, e = at_risk.astype(float), all_events.astype(float), events.astype(float)
    # Where everyone left has an event, F(t) - F(i) is 0 for all later t.
    hazard = np.divide(d, n * (n - d), out=np.zeros(len(n)), where=n > d)
    own = np.cumsum(before**2 * e * (n - e) / n**3)
    cross = before * e / n**2
    square = (
        incidence**2 * np.cumsum(hazard)
        - 2 * incidence * np.cumsum(incidence * hazard)
        + np.cumsum(incidence**2 * hazard)
    )
    mixed = incidence * np.cumsum(cross) - np.cumsum(incidence * cross)
    # Rounding may leave -1e-20 where the incidence is known exactly.
    return np.asarray(np.maximum(square + own - 2 * mixed, 0))
