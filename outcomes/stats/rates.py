"""Events per person-time, with exact Poisson limits.

References: Garwood 1936 (exact limits by chi-squared quantiles); Przyborowski and
Wilenski 1940 (comparison of two Poisson counts by the conditional binomial).
"""

from __future__ import annotations

import dataclasses

from scipy.stats import binom, binomtest, chi2

from outcomes.stats.attainable import is_reachable, smallest_of_ends, unreachable
from outcomes.stats.checks import (
    LARGEST_MAGNITUDE,
    as_number,
    check_count,
    check_level,
)
from outcomes.stats.errors import StatError
from outcomes.stats.proportions import exact_odds
from outcomes.stats.result import Interval


@dataclasses.dataclass(frozen=True, kw_only=True)
class RateRatio(Interval):
    """Ratio of two rates with the exact p value, or the reason why there is none.

    ``estimable`` speaks of the ratio: with events too few for any p of 0.05 or less its
    limits stand and ``reason`` says why ``p_value`` is None; ``smallest_p`` is the
    smallest that so many events could have had. With no events in the second group the ratio is infinite: ``value`` and ``upper``
    are None and ``lower`` still stands.
    """

    estimable: bool
    p_value: float | None = None
    reason: str | None = None
    smallest_p: float | None = None


def incidence_rate(
    events: int, person_time: float, level: float = 0.95, per: float = 100.0
) -> Interval:
    """Events per ``per`` units of person-time.

    Limits: chi2(a/2; 2x)/2T and chi2(1-a/2; 2x+2)/2T, the lower one 0 for no events;
    R: ``poisson.test(events, person_time)``. Everything is None without person-time.
    """
    events, level = check_count(events, "events"), check_level(level)
    time, per = _amount(person_time, "person_time"), _amount(per, "per")
    if per == 0:
        raise StatError(f"per must be above 0, not {per!r}")
    if time == 0:
        return Interval(
            value=None, lower=None, upper=None, method="exact Poisson", level=level
        )
    tail = (1 - level) / 2
    lower = float(chi2.ppf(tail, 2 * events)) / 2 if events else 0.0
    upper = float(chi2.isf(tail, 2 * events + 2)) / 2
    scale = per / time
    return Interval(
        value=events * scale,
        lower=lower * scale,
        upper=upper * scale,
        method="exact Poisson",
        level=level,
    )


def rate_ratio(
    events: int,
    person_time: float,
    reference_events: int,
    reference_person_time: float,
    level: float = 0.95,
) -> RateRatio:
    """Rate of the first group divided by the rate of the reference group.

    Exact: given all events, those of the first group are binomial, so Clopper-Pearson
    limits p give ratios p/(1-p) times the inverse ratio of person-time; R:
    ``poisson.test(c(a, b), c(time_a, time_b))``. Not estimable without any event or
    without person-time in a group.
    """
    first = check_count(events, "events")
    second = check_count(reference_events, "reference_events")
    level = check_level(level)
    time = _amount(person_time, "person_time")
    reference_time = _amount(reference_person_time, "reference_person_time")
    if not (time and reference_time):
        return _refused("no person-time in a group", level)
    if first + second == 0:
        return _refused("no events in either group", level)
    all_events, share = first + second, time / (time + reference_time)
    p_value = float(binomtest(first, all_events, share).pvalue)
    smallest = smallest_of_ends(binom.logpmf([0, all_events], all_events, share))
    reached = is_reachable(smallest)
    scale = reference_time / time
    value, lower, upper = (
        None if odds is None else odds * scale
        for odds in exact_odds(first, second, level)
    )
    return RateRatio(
        value=value,
        lower=lower,
        upper=upper,
        method="exact conditional binomial",
        level=level,
        estimable=True,
        p_value=p_value if reached else None,
        reason=None if reached else unreachable(smallest),
        smallest_p=smallest,
    )


def _refused(reason: str, level: float) -> RateRatio:
    return RateRatio(
        value=None,
        lower=None,
        upper=None,
        method="exact conditional binomial",
        level=level,
        estimable=False,
        reason=reason,
    )


def _amount(value: float, name: str) -> float:
    """Zero, or large enough to divide by; less is no time but an error of units."""
    time = as_number(value, name)
    if time < 0:
        raise StatError(f"{name} must be at least 0, not {value!r}")
    if 0 < time < 1 / LARGEST_MAGNITUDE:
        raise StatError(f"{name} must be 0 or at least {1 / LARGEST_MAGNITUDE:g}")
    return time
