"""Welch's test and quartiles against R 4.2.2, SciPy and NumPy."""

import math
import statistics
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from outcomes.stats.errors import StatError
from outcomes.stats.means import (
    Moments,
    moments,
    quartiles,
    welch,
    welch_from_moments,
)

AGES_1 = [44, 51, 39, 62, 55, 47, 38, 70, 29, 50, 46]
AGES_2 = [60, 58, 49, 71, 66, 52, 63]
ages = st.lists(st.integers(0, 100), min_size=2, max_size=20)


def test_welch_equals_r():
    """t.test(a, b) of two groups of ages.

    > a <- c(44, 51, 39, 62, 55, 47, 38, 70, 29, 50, 46)
    > b <- c(60, 58, 49, 71, 66, 52, 63)
    > t <- t.test(a, b); c(t$statistic, t$parameter, t$p.value)
    [1] -2.5708144325323 15.8855097866457 0.0206041994201261
    > t$conf.int
    [1] -21.14257594241247  -2.02625522641869
    > t.test(a, b, conf.level = 0.9)$conf.int
    [1] -19.4550676720323  -3.7137634967989
    > c(mean(a), sd(a), mean(b), sd(b))
    [1] 48.27272727272727 11.42007801278878 59.85714285714285  7.69043933353987
    """
    found = welch(AGES_1, AGES_2)
    assert found.statistic == pytest.approx(-2.5708144325323, rel=1e-10)
    assert found.df == pytest.approx(15.8855097866457, rel=1e-10)
    assert found.p_value == pytest.approx(0.0206041994201261, rel=1e-10)
    assert found.difference.lower == pytest.approx(-21.14257594241247, rel=1e-10)
    assert found.difference.upper == pytest.approx(-2.02625522641869, rel=1e-10)
    narrow = welch(AGES_1, AGES_2, level=0.9).difference
    assert (narrow.lower, narrow.upper) == pytest.approx(
        (-19.4550676720323, -3.7137634967989), rel=1e-10
    )
    reduced = moments(AGES_1)
    assert reduced.size == 11
    assert reduced.mean == pytest.approx(48.27272727272727)
    assert reduced.sd == pytest.approx(11.42007801278878)


varied_ages = ages.filter(lambda rows: len(set(rows)) > 1)


@given(varied_ages, varied_ages)
def test_welch_equals_scipy_and_its_moments(first, second):
    found = welch(first, second)
    reference = stats.ttest_ind(first, second, equal_var=False)
    assert found.p_value == pytest.approx(reference.pvalue, rel=1e-6)
    interval = reference.confidence_interval()
    assert found.difference.lower == pytest.approx(interval.low, rel=1e-6, abs=1e-9)
    assert found == welch_from_moments(moments(first), moments(second))


def test_one_group_without_spread_is_compared():
    """t.test needs spread in one group only.

    > t <- t.test(c(5, 5, 5), c(6, 7, 9)); c(t$statistic, t$parameter, t$p.value)
    [1] -2.64575131106459  2.00000000000000  0.11808289631180
    """
    found = welch([5, 5, 5], [6, 7, 9])
    assert found.statistic == pytest.approx(-2.64575131106459)
    assert found.df == pytest.approx(2)
    assert found.p_value == pytest.approx(0.11808289631180)


@given(ages, ages, st.randoms())
def test_welch_takes_counts_any_order_and_swaps_sign(first, second, random):
    once = welch(first, second)
    assert once == welch(Counter(first), Counter(second))
    assert once == welch(random.sample(first, len(first)), second)
    if once.estimable:
        swapped = welch(second, first)
        assert swapped.difference.lower == pytest.approx(-once.difference.upper)
        assert swapped.p_value == pytest.approx(once.p_value)


def test_welch_covers_near_its_level():
    random = np.random.default_rng(9)
    covered = 0
    for _ in range(600):
        found = welch(random.normal(3, 1, 19), random.normal(0, 3, 11)).difference
        covered += found.lower <= 3 <= found.upper
    assert covered / 600 == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ([1], [1, 2], "a group has fewer than 2 values"),
        ([5, 5], [7, 7, 7], "the values do not vary within the groups"),
        # Their mean is not 0.1 in floating point; R calls this "essentially constant".
        ([0.1] * 3, [0.3] * 3, "the values do not vary within the groups"),
    ],
)
def test_welch_without_spread_is_not_estimable(first, second, reason):
    found = welch(first, second)
    assert (found.estimable, found.p_value, found.reason) == (False, None, reason)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((0, 1, 1), "a size above 0"),
        ((5, 1, -1), "a variance of at least 0"),
        ((5, 1, math.inf), "variance contains NaN or infinite"),
        ((5, "1", 1), "mean must be numbers"),
    ],
)
def test_impossible_moments_are_refused(numbers, message):
    size, mean, variance = numbers
    with pytest.raises(StatError, match=message):
        Moments(size=size, mean=mean, variance=variance)


@pytest.mark.parametrize("size", [1, 2.5])
def test_welch_needs_a_whole_number_of_cases(size):
    with pytest.raises(StatError, match="size must be"):
        welch_from_moments(
            Moments(size=size, mean=1, variance=1), Moments(size=3, mean=1, variance=1)
        )


def test_one_value_has_no_standard_deviation():
    with pytest.raises(StatError, match="ages needs at least 2 values"):
        moments([5], name="ages")


# ---- quartiles --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantile_type", "expected"),
    [
        (2, (3.0, 6.5, 13.0)),
        (6, (2.75, 6.5, 15.0)),
        (7, (3.5, 6.5, 11.75)),
        (8, (2.91666666666667, 6.5, 13.66666666666666)),
    ],
)
def test_quartiles_equal_r(quantile_type, expected):
    """quantile(c(2, 3, 5, 8, 13, 21), c(.25, .5, .75), type = type)

    > quantile(c(2, 3, 5, 8, 13, 21), c(.25, .5, .75), type = 2)
     3.0  6.5 13.0
    > quantile(c(2, 3, 5, 8, 13, 21), c(.25, .5, .75), type = 6)
     2.75  6.50 15.00
    > quantile(c(2, 3, 5, 8, 13, 21), c(.25, .5, .75), type = 7)
     3.50  6.50 11.75
    > quantile(c(2, 3, 5, 8, 13, 21), c(.25, .5, .75), type = 8)
     2.91666666666667  6.50000000000000 13.66666666666666
    """
    found = quartiles([21, 2, 8, 3, 13, 5], quantile_type)
    assert (found.quartile_1, found.median, found.quartile_3) == pytest.approx(expected)
    assert (found.n, found.method) == (6, f"quantile type {quantile_type}")


@given(ages)
def test_type_7_is_the_inclusive_method_of_the_standard_library(rows):
    expected = statistics.quantiles(rows, n=4, method="inclusive")
    found = quartiles(Counter(rows))
    assert (found.quartile_1, found.median, found.quartile_3) == pytest.approx(
        tuple(expected)
    )


@given(ages)
def test_type_6_is_the_exclusive_method_of_the_standard_library(rows):
    """The two differ only where NumPy will not go beyond the smallest and largest."""
    if len(rows) >= 3:
        expected = statistics.quantiles(rows, n=4, method="exclusive")
        found = quartiles(rows, 6)
        assert (found.quartile_1, found.median, found.quartile_3) == pytest.approx(
            tuple(expected)
        )


@pytest.mark.parametrize("nothing", [[], {}, {3: 0}])
def test_nothing_has_no_median(nothing):
    found = quartiles(nothing)
    assert (found.n, found.median, found.quartile_1) == (0, None, None)


def test_an_unknown_type_is_refused():
    with pytest.raises(StatError, match="quantile type 3 is not 2, 6, 7 or 8"):
        quartiles([1, 2], 3)
