"""Kaplan-Meier: survival, its interval, median, numbers at risk.

Own code: SciPy's ``ecdf`` takes no counts; statsmodels' ``SurvfuncRight`` takes them as
analysis weights and then gives standard errors other than those of the rows (0.067 for
0.057); lifelines prints an interval of 1.00-1.00 where there were no events.

References: Kaplan and Meier 1958; Greenwood 1926; Kalbfleisch and Prentice (log-log
limits); Brookmeyer and Crowley 1982 (median).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from outcomes.stats.beta_product import beta_product_limits
from outcomes.stats.checks import (
    FloatArray,
    as_floats,
    check_level,
    check_not_negative,
)
from outcomes.stats.errors import StatError
from outcomes.stats.event_table import EventTable, table_from_counts, table_from_rows
from outcomes.stats.proportions import standard_normal_limit
from outcomes.stats.result import Interval, Result

IntervalKind = Literal["log-log", "log", "plain"]
CurveInterval = Literal["log-log", "log", "plain", "beta-product"]
Limits = tuple[float | None, ...]

NO_EVENTS = (
    "no events: the curve stays at 1 and has no interval; "
    "give the exact upper limit of the proportion or of the rate instead"
)
BETA_PRODUCT = "Kaplan-Meier, beta product"
# A product of fractions that should give exactly 0.5 misses it by some 1e-16 each.
_ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True, kw_only=True)
class MedianTime(Interval):
    """The day on which half remain, as R finds it; None while it is not reached.

    Where the curve stays at exactly one half it is the middle of that piece, otherwise
    the first day below. The limits are the same of the limits of the curve; a limit
    that is never reached is None.
    """

    reached: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class SurvivalCurve(Result):
    """A step function: the value at ``days[i]`` holds until the next day.

    Before the first day survival is 1. ``days`` has every day with an event or a
    censored case, as R's ``survfit`` does. ``lower`` and ``upper`` are None where
    survival is 1 or 0, because Greenwood's variance says nothing there, unless
    ``interval`` is "beta-product", which has limits everywhere. ``note`` is set when
    the whole curve has no interval.
    """

    days: tuple[float, ...]
    survival: tuple[float, ...]
    lower: Limits
    upper: Limits
    at_risk: tuple[int, ...]
    events: tuple[int, ...]
    censored: tuple[int, ...]
    n: int
    n_events: int
    median: MedianTime
    method: str
    interval: CurveInterval = "log-log"
    level: float = 0.95
    note: str | None = None

    def at_risk_at(self, times: Sequence[float] | ArrayLike) -> tuple[int, ...]:
        """Cases at risk just before each time (censored on that day included)."""
        asked = checked_times(times)
        place = np.searchsorted(np.asarray(self.days), asked, side="left")
        return tuple((*self.at_risk, 0)[i] for i in place)

    def survival_at(self, times: Sequence[float] | ArrayLike) -> tuple[Interval, ...]:
        """Survival with its limits at each time.

        Where survival is 1 or 0 the limits are those of the beta product, and the
        method of the point says so. After the last observed day nothing is known, so
        the value is None, unless the curve has already fallen to zero.
        """
        asked = checked_times(times)
        place = np.searchsorted(np.asarray(self.days), asked, side="right") - 1
        exact = beta_product_limits(
            np.array([self.n, *self.at_risk]), np.array([0, *self.events]), self.level
        )
        return tuple(
            self._point(
                int(i), float(t), float(exact[0][i + 1]), float(exact[1][i + 1])
            )
            for i, t in zip(place, asked, strict=True)
        )

    def _point(self, place: int, time: float, low: float, high: float) -> Interval:
        """``low`` and ``high``: the beta product's limits, where there are no others."""
        value: float | None = 1.0
        lower: float | None = low
        upper: float | None = high
        method = BETA_PRODUCT
        if place >= 0:
            value = self.survival[place]
            if self.lower[place] is not None:
                lower, upper = self.lower[place], self.upper[place]
                method = self.method
        if time > self.days[-1] and self.survival[-1] > 0:
            value = lower = upper = None
        return Interval(
            value=value, lower=lower, upper=upper, method=method, level=self.level
        )


def kaplan_meier(
    days: ArrayLike,
    events: ArrayLike,
    weights: ArrayLike | None = None,
    level: float = 0.95,
    interval: CurveInterval = "log-log",
) -> SurvivalCurve:
    """Kaplan-Meier curve from one row per case.

    ``days`` is the time to the event or to the end of observation, ``events`` 1 for
    an event and 0 for a censored case, ``weights`` a whole number of cases per row.
    An event on day 0 lowers the curve on day 0. S(t) is the product of 1 - d/n, its
    variance Greenwood's; R: ``survfit(Surv(days, events) ~ 1, conf.type="log-log")``.

    Raises StatError for lengths that differ, no cases, NaN, infinite or negative days.
    """
    return curve_of(table_from_rows(days, events, weights), level, interval)


def kaplan_meier_from_counts(
    days: ArrayLike,
    events: ArrayLike,
    censored: ArrayLike,
    level: float = 0.95,
    interval: CurveInterval = "log-log",
) -> SurvivalCurve:
    """The same curve from counts per day, as a database can group them."""
    return curve_of(table_from_counts(days, events, censored), level, interval)


def curve_of(
    table: EventTable, level: float = 0.95, interval: CurveInterval = "log-log"
) -> SurvivalCurve:
    """Kaplan-Meier curve of an event table."""
    level = check_level(level)
    if interval not in get_args(CurveInterval):
        known = "log-log, log, plain or beta-product"
        raise StatError(f"interval must be {known}, not {interval!r}")
    survival, variance_sum = _survival_and_greenwood(table)
    if interval == "beta-product":
        lower, upper = beta_product_limits(table.at_risk, table.events, level)
    else:
        lower, upper = limits(survival, variance_sum, level, interval)
    method = f"Kaplan-Meier, {interval}"
    return SurvivalCurve(
        days=tuple(table.days.tolist()),
        survival=tuple(survival.tolist()),
        lower=none_for_nan(lower),
        upper=none_for_nan(upper),
        at_risk=tuple(table.at_risk.tolist()),
        events=tuple(table.events.tolist()),
        censored=tuple(table.censored.tolist()),
        n=table.n,
        n_events=table.n_events,
        median=_median(table.days, survival, lower, upper, method, level),
        method=method,
        interval=interval,
        level=level,
        note=NO_EVENTS if np.isnan(lower).all() and not table.n_events else None,
    )


def _survival_and_greenwood(table: EventTable) -> tuple[FloatArray, FloatArray]:
    """S and the sum of d/(n(n-d)), which is infinite once S is zero."""
    at_risk, events = table.at_risk, table.events
    staying = at_risk - events
    survival = np.cumprod(staying / at_risk, dtype=np.float64)
    terms = np.full(len(events), np.inf)
    np.divide(events, at_risk * staying.astype(float), out=terms, where=staying > 0)
    return survival, np.cumsum(terms)


def limits(
    share: FloatArray, relative_variance: FloatArray, level: float, interval: str
) -> tuple[FloatArray, FloatArray]:
    """Limits of a share strictly between 0 and 1; NaN elsewhere.

    ``relative_variance`` is the variance divided by the squared share.
    """
    inside = (share > 0) & (share < 1)
    value = np.where(inside, share, 0.5)
    half = standard_normal_limit(level) * np.sqrt(
        np.where(inside, relative_variance, 1)
    )
    if interval == "log-log":
        exponent = half / np.log(value)
        lower, upper = value ** np.exp(-exponent), value ** np.exp(exponent)
    elif interval == "log":
        lower, upper = value * np.exp(-half), value * np.exp(half)
    else:
        lower, upper = value * (1 - half), value * (1 + half)
    return (
        np.where(inside, np.maximum(lower, 0), np.nan),
        np.where(inside, np.minimum(upper, 1), np.nan),
    )


def _median(
    days: FloatArray,
    survival: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    method: str,
    level: float,
) -> MedianTime:
    value = _day_at_half(days, survival)
    return MedianTime(
        value=value,
        lower=_day_at_half(days, lower),
        upper=_day_at_half(days, upper),
        method=method,
        level=level,
        reached=value is not None,
    )


def _day_at_half(days: FloatArray, curve: FloatArray) -> float | None:
    """NaN in a limit compares as above one half, which is where it stands."""
    reached = np.flatnonzero(curve <= 0.5 + _ROUNDING)
    if not len(reached):
        return None
    first = int(reached[0])
    below = np.flatnonzero(curve < 0.5 - _ROUNDING)
    # A curve that ends at one half has no middle there.
    until = first if curve[first] < 0.5 - _ROUNDING or not len(below) else int(below[0])
    return float(days[first] + days[until]) / 2


def checked_times(times: Sequence[float] | ArrayLike) -> FloatArray:
    """Finite times of at least zero, in the order asked."""
    asked = as_floats(times, "times")
    check_not_negative(asked, "times")
    return asked


def none_for_nan(values: FloatArray) -> Limits:
    """Plain numbers, None where a limit does not exist."""
    plain = values.astype(object)
    plain[np.isnan(values)] = None
    return tuple(plain.tolist())
