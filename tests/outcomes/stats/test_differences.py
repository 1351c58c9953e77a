"""Differences of survival against the same formula in R."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.stats.differences import difference
from outcomes.stats.errors import StatError
from outcomes.stats.proportions import newcombe_difference, wilson
from outcomes.stats.result import Interval
from outcomes.stats.survival import kaplan_meier

GIVEN = Interval(value=0.8, lower=0.6, upper=0.9, method="given")


def test_difference_of_survival_equals_r() -> None:
    """Two groups of six of ``lung``, on day 300.

    > library(survival)
    > one <- summary(survfit(Surv(c(306,455,1010,210,883,1022), c(1,1,0,1,1,0)) ~ 1,
    +   conf.type = "log-log"), times = 300)
    > two <- summary(survfit(Surv(c(310,361,218,166,170,654), c(1,1,1,1,1,1)) ~ 1,
    +   conf.type = "log-log"), times = 300)
    > d <- one$surv - two$surv
    > d; d - sqrt((one$surv - one$lower)^2 + (two$upper - two$surv)^2)
    > d + sqrt((one$upper - one$surv)^2 + (two$surv - two$lower)^2)
    [1] 0.333333333333333
    [1] -0.303906877470161
    [1] 0.747276933552226
    """
    one = kaplan_meier([306, 455, 1010, 210, 883, 1022], [1, 1, 0, 1, 1, 0])
    two = kaplan_meier([310, 361, 218, 166, 170, 654], [1] * 6)
    found = difference(*(curve.survival_at([300])[0] for curve in (one, two)))
    expected = (0.333333333333333, -0.303906877470161, 0.747276933552226)
    assert (found.value, found.lower, found.upper) == pytest.approx(expected, abs=1e-12)
    assert found.method == "difference by MOVER of Kaplan-Meier, log-log"


@given(st.integers(0, 9), st.integers(10, 20), st.integers(0, 9), st.integers(10, 20))
def test_of_wilson_limits_it_is_newcombe(a: int, n: int, b: int, m: int) -> None:
    found, known = (
        difference(wilson(a, n), wilson(b, m)),
        newcombe_difference(a, n, b, m),
    )
    assert (found.value, found.lower, found.upper) == pytest.approx(
        (known.value, known.lower, known.upper), abs=1e-12
    )


def test_a_limit_that_does_not_exist_is_not_invented() -> None:
    certain = Interval(value=1.0, lower=None, upper=None, method="given")
    half = Interval(value=0.5, lower=0.4, upper=None, method="given")
    assert difference(certain, GIVEN).lower is None
    found = difference(GIVEN, half)
    assert (found.lower, found.upper) == (None, pytest.approx(0.3 + 0.02**0.5))


def test_without_a_value_there_is_no_difference() -> None:
    nothing = Interval(value=None, lower=None, upper=None, method="given")
    for pair in ((nothing, GIVEN), (GIVEN, nothing)):
        found = difference(*pair)
        assert (found.value, found.lower, found.upper) == (None, None, None)


def test_levels_must_agree() -> None:
    other = Interval(value=0.8, lower=0.6, upper=0.9, method="given", level=0.9)
    with pytest.raises(StatError, match="levels"):
        difference(GIVEN, other)
