"""Beta product limits: exact without censoring, near the product with it, covering."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.stats.beta_product import beta_product_limits
from outcomes.stats.proportions import clopper_pearson
from outcomes.stats.survival import kaplan_meier


@given(st.lists(st.integers(0, 12), min_size=1, max_size=40))
def test_without_censoring_they_are_clopper_and_pearson(days) -> None:
    curve = kaplan_meier(days, [1] * len(days), interval="beta-product")
    left = len(days)
    for place, ended in enumerate(curve.events):
        left -= ended
        exact = clopper_pearson(left, len(days))
        assert curve.lower[place] == pytest.approx(exact.lower, rel=1e-9, abs=1e-12)
        assert curve.upper[place] == pytest.approx(exact.upper, rel=1e-9)
    assert curve.method == "Kaplan-Meier, beta-product"


def test_with_censoring_as_a_product_drawn_in_r() -> None:
    """R: set.seed(1); w <- rbeta(4e6, 20, 1) * rbeta(4e6, 14, 2)
    quantile(w * rbeta(4e6, 9, 1), 0.025); quantile(w, 0.975)
    """
    lower, upper = beta_product_limits(np.array([20, 15, 9]), np.array([1, 2, 0]), 0.95)
    assert lower[1] == pytest.approx(0.507938, abs=0.004)
    assert upper[1] == pytest.approx(0.962301, abs=0.001)
    assert (lower[2], upper[2]) == (0, upper[1])


def test_nineteen_without_an_event_have_limits_at_every_point() -> None:
    curve = kaplan_meier([100] * 4 + [400] * 15, [0] * 19)
    before, between, after = curve.survival_at([50, 200, 500])
    assert before.lower == pytest.approx(0.025 ** (1 / 19))
    assert between.lower == pytest.approx(0.025 ** (1 / 15))
    assert (before.upper, between.upper) == (1, 1)
    assert (after.value, after.lower, after.upper) == (None, None, None)
    whole = kaplan_meier([100] * 4 + [400] * 15, [0] * 19, interval="beta-product")
    assert (whole.lower, whole.upper) == ((between.lower, 0), (1, 1))
    assert whole.note is None


def test_a_curve_at_zero_has_an_upper_limit() -> None:
    (point,) = kaplan_meier([1, 2, 3], [1, 1, 1]).survival_at([5])
    assert (point.value, point.lower) == (0, 0)
    assert point.upper == pytest.approx(clopper_pearson(0, 3).upper)


def test_the_limits_cover_where_log_log_has_none() -> None:
    """1,000 samples of 19 with true survival 0.95, a third censored before."""
    source, truth = np.random.default_rng(8), 0.95
    hits = without = 0
    for _ in range(1000):
        times = source.exponential(-1 / np.log(truth), 19)
        ends = np.where(source.random(19) < 1 / 3, source.random(19), 2)
        days, events = np.minimum(times, ends), times <= ends
        curve = kaplan_meier(days, events, interval="beta-product")
        (point,) = curve.survival_at([1.0])
        hits += point.lower <= truth <= point.upper
        without += kaplan_meier(days, events).survival_at([1.0])[0].method != (
            "Kaplan-Meier, log-log"
        )
    assert hits / 1000 >= 0.95
    assert without / 1000 > 0.3


def test_a_million_cases_with_one_event_lose_no_digits() -> None:
    lower, upper = beta_product_limits(
        np.array([10**6, 10**6 - 1]), np.array([1, 0]), 0.95
    )
    exact = clopper_pearson(10**6 - 1, 10**6)
    assert 1 - upper[0] == pytest.approx(1 - exact.upper, rel=1e-6)
    assert 1 - lower[0] == pytest.approx(1 - exact.lower, rel=1e-6)
