"""Incidence rates and their ratio against R's poisson.test."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.rates import confint_poisson

from outcomes.stats.attainable import is_reachable, unreachable
from outcomes.stats.errors import StatError
from outcomes.stats.rates import incidence_rate, rate_ratio

counts = st.integers(0, 200)
times = st.floats(0.1, 1e5)


@pytest.mark.parametrize(
    ("events", "level", "lower", "upper"),
    [
        (3, 0.95, 0.761911481398524, 10.797134322342762),
        (3, 0.90, 1.00700917138418, 9.54883808858710),
        (0, 0.95, 0.0, 4.54295499275115),
    ],
)
def test_rate_per_100_person_years_as_r(events, level, lower, upper) -> None:
    """R: poisson.test(events, 81.2, conf.level = level)$conf.int * 100"""
    rate = incidence_rate(events, 81.2, level)
    assert rate.value == pytest.approx(events / 81.2 * 100)
    assert rate.lower == pytest.approx(lower, abs=1e-10)
    assert rate.upper == pytest.approx(upper, abs=1e-10)
    assert (rate.method, rate.level) == ("exact Poisson", level)


def test_second_opinion_statsmodels() -> None:
    rate = incidence_rate(7, 123.0, per=1)
    theirs = confint_poisson(7, 123.0, method="exact-c")
    assert (rate.lower, rate.upper) == pytest.approx(theirs)


def test_without_person_time_there_is_no_rate() -> None:
    for events in (0, 2):
        rate = incidence_rate(events, 0)
        assert (rate.value, rate.lower, rate.upper) == (None, None, None)


def test_rate_ratio_as_r() -> None:
    """R: poisson.test(c(11, 6), c(800, 1083))"""
    ratio = rate_ratio(11, 800, 6, 1083)
    assert ratio.value == pytest.approx(2.481875)
    assert ratio.lower == pytest.approx(0.841343464782514, abs=1e-9)
    assert ratio.upper == pytest.approx(8.173160472790956, abs=1e-9)
    assert ratio.p_value == pytest.approx(0.0845369158986006, abs=1e-12)
    assert ratio.estimable


def test_rate_ratio_with_no_events_in_one_group_as_r() -> None:
    """R: poisson.test(c(0, 5), c(81.2, 70.5)); Inf for the reverse"""
    ratio = rate_ratio(0, 81.2, 5, 70.5)
    assert (ratio.value, ratio.lower) == (0, 0)
    assert ratio.upper == pytest.approx(0.947477548218836, abs=1e-9)
    assert ratio.p_value == pytest.approx(0.0216779235831743, abs=1e-12)
    reverse = rate_ratio(5, 70.5, 0, 81.2)
    assert (reverse.value, reverse.upper) == (None, None)
    assert reverse.lower == pytest.approx(1 / ratio.upper)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((0, 81.2, 0, 70.5), "no events in either group"),
        ((1, 0, 2, 70.5), "no person-time in a group"),
    ],
)
def test_rate_ratio_not_estimable(arguments, reason) -> None:
    ratio = rate_ratio(*arguments)
    assert not ratio.estimable
    assert ratio.reason == reason
    assert (ratio.value, ratio.lower, ratio.upper, ratio.p_value) == (None,) * 4


@pytest.mark.parametrize(
    "arguments", [(-1, 5), (1.5, 5), (1, -5), (1, math.nan), (1, math.inf), (True, 5)]
)
def test_rate_refuses(arguments) -> None:
    with pytest.raises(StatError, match="events|person_time"):
        incidence_rate(*arguments)


@given(counts, times, times)
def test_the_unit_of_time_scales_the_rate(events, time, scale) -> None:
    rate, scaled = incidence_rate(events, time), incidence_rate(events, time * scale)
    assert scaled.value * scale == pytest.approx(rate.value)
    assert scaled.upper * scale == pytest.approx(rate.upper)


@given(counts, times, counts, times)
def test_swapping_groups_inverts_the_ratio(a, time_a, b, time_b) -> None:
    ratio, swapped = rate_ratio(a, time_a, b, time_b), rate_ratio(b, time_b, a, time_a)
    assert ratio.estimable == swapped.estimable
    if a and b:
        assert swapped.value == pytest.approx(1 / ratio.value)
        assert swapped.lower == pytest.approx(1 / ratio.upper)
        assert swapped.p_value == pytest.approx(ratio.p_value, rel=1e-6, nan_ok=True)
        assert ratio.lower < ratio.value < ratio.upper


@given(st.integers(1, 12), times, times)
def test_no_p_where_no_split_of_the_events_has_a_small_one(n, time, other) -> None:
    """R: min(sapply(0:n, function(x) binom.test(x, n, t / (t + u))$p.value))"""
    share = time / (time + other)
    smallest = min(binomtest(x, n, share).pvalue for x in range(n + 1))
    for events in range(n + 1):
        ratio = rate_ratio(events, time, n - events, other)
        assert ratio.smallest_p == pytest.approx(smallest)
        if is_reachable(ratio.smallest_p):
            assert ratio.p_value == pytest.approx(binomtest(events, n, share).pvalue)
        else:
            assert (ratio.p_value, ratio.reason) == (
                None,
                unreachable(ratio.smallest_p),
            )
            assert ratio.estimable and ratio.lower is not None


@pytest.mark.parametrize("mean", [0.5, 3, 12])
def test_coverage_is_at_least_nominal(mean) -> None:
    """The exact interval never covers less than it says."""
    drawn = np.random.default_rng(11).poisson(mean, 3000)
    covered = {
        events: incidence_rate(events, 1, per=1).lower
        <= mean
        <= incidence_rate(events, 1, per=1).upper
        for events in map(int, np.unique(drawn))
    }
    assert np.mean([covered[int(events)] for events in drawn]) >= 0.945


@pytest.mark.parametrize("tiny", [5e-324, 1e-300, 1e-71])
def test_person_time_too_small_to_divide_by_is_refused(tiny: float) -> None:
    """The rate would be infinite, and without events not a number."""
    for refused in (
        lambda: incidence_rate(0, tiny),
        lambda: incidence_rate(3, 10, per=tiny),
        lambda: rate_ratio(1, tiny, 1, 1),
        lambda: rate_ratio(1, 1, 1, tiny),
    ):
        with pytest.raises(StatError, match="must be 0 or at least 1e-70"):
            refused()


@pytest.mark.parametrize("time", [1e-70, 1e-12, 1e12, 1e70])
@pytest.mark.parametrize("events", [0, 1, 10**6, 10**15])
def test_rates_of_any_size_are_numbers(events: int, time: float) -> None:
    rate = incidence_rate(events, time)
    assert 0 <= rate.lower <= rate.value <= rate.upper < math.inf
    for other in (1e-70, 1.0, 1e70):
        ratio = rate_ratio(events, time, 1, other)
        assert 0 <= ratio.lower <= ratio.value <= ratio.upper < math.inf
