"""Restricted mean survival time against R, by integration and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from outcomes.stats.errors import StatError
from outcomes.stats.restricted_mean import ALL_AT_ONCE, restricted_mean
from outcomes.stats.survival import kaplan_meier


@pytest.mark.parametrize(
    ("until", "mean", "error"),
    [
        (100, 93.66482190689128, 1.30210653736741),
        (365, 264.06865884536347, 7.78710765873515),
        (None, 377.619568818105, 19.748672495709),
    ],
)
def test_restricted_mean_as_r(lung, until, mean, error) -> None:
    """R: summary(f, rmean = until)$table[c("rmean", "se(rmean)")]; 1022 is the last"""
    result = restricted_mean(
        kaplan_meier(lung["days"], lung["event"]), until, interval="plain"
    )
    assert result.value == pytest.approx(mean, abs=1e-9)
    assert result.standard_error == pytest.approx(error, abs=1e-9)
    assert result.lower == pytest.approx(mean - 1.959963984540054 * error)
    assert result.until == (until or 1022)
    assert result.reason is None


def test_restricted_mean_of_a_curve_that_reaches_zero() -> None:
    """R: summary(survfit(Surv(c(2, 4), c(1, 1)) ~ 1), rmean = 4): 3.0, 0.7071068"""
    result = restricted_mean(kaplan_meier([2, 4], [1, 1]), 10)
    assert result.value == 3
    assert result.standard_error == pytest.approx(0.5**0.5)
    assert 0 < result.lower < 3 < result.upper < 10


def test_restricted_mean_says_why_it_is_silent() -> None:
    beyond = restricted_mean(kaplan_meier([2, 4], [1, 0]), 5)
    assert (beyond.value, beyond.lower, beyond.standard_error) == (None, None, None)
    assert beyond.reason == "observation ends on day 4, before day 5"
    nothing = restricted_mean(kaplan_meier([2, 4], [0, 0]), 3)
    assert (nothing.value, nothing.lower, nothing.upper) == (3, None, None)
    assert nothing.reason == "no events before day 3"


def test_restricted_mean_on_the_logit_scale_as_r(lung) -> None:
    """R: x <- summary(f, rmean = 500)$table; m <- x["rmean"]; s <- x["se(rmean)"]
    > plogis(qlogis(m/500) + c(-1, 1) * qnorm(.975) * s/500 / (m/500 * (1-m/500))) * 500
    [1] 288.894703475083 332.872595311657
    """
    curve = kaplan_meier(lung["days"], lung["event"])
    result = restricted_mean(curve, 500)
    limits = (288.894703475083, 332.872595311657)
    assert (result.lower, result.upper) == pytest.approx(limits, abs=1e-9)
    assert result.method == "restricted mean, Kaplan-Meier area, logit"
    with pytest.raises(StatError, match="interval must be logit or plain"):
        restricted_mean(curve, 500, interval="log")  # type: ignore[arg-type]
    with pytest.raises(StatError, match="times contains NaN"):
        restricted_mean(curve, float("nan"))


def test_events_all_on_the_last_day_leave_no_error() -> None:
    """R: summary(survfit(Surv(c(5, 5, 5), c(1, 1, 1)) ~ 1), rmean = 9): 5, error 0."""
    result = restricted_mean(kaplan_meier([5, 5, 5], [1, 1, 1]), 9)
    assert (result.value, result.standard_error) == (5, 0)
    assert (result.lower, result.upper, result.reason) == (None, None, ALL_AT_ONCE)


@given(
    st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=2, max_size=25),
    st.integers(1, 20),
    st.sampled_from(["logit", "plain"]),
)
def test_restricted_mean_is_the_area_within_its_limits(rows, until, interval) -> None:
    days, events = zip(*rows, strict=True)
    curve = kaplan_meier(days, events)
    result = restricted_mean(curve, until, interval)
    assume(result.value is not None)
    every_day = [curve.survival_at([day])[0].value for day in range(until)]
    assert result.value == pytest.approx(sum(every_day))
    if result.lower is not None:
        assert 0 <= result.lower < result.value < result.upper <= until


def test_restricted_mean_of_nineteen_cases_covers() -> None:
    """Five events in 100 years, five years long; symmetric limits cover 89 %."""
    source = np.random.default_rng(19)
    truth = (1 - math.exp(-0.25)) / 0.05
    covered = {"logit": [], "plain": []}
    for _ in range(400):
        event, end = source.exponential(20, 19), source.uniform(2, 8, 19)
        curve = kaplan_meier(np.minimum(event, end), event <= end)
        for kind, found in covered.items():
            mean = restricted_mean(curve, 5, kind)  # type: ignore[arg-type]
            if mean.lower is not None:
                found.append(mean.lower <= truth <= mean.upper)
    assert np.mean(covered["logit"]) > 0.93
    assert np.mean(covered["plain"]) < 0.92
