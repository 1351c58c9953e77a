"""Hodges-Lehmann and A12 against R 4.2.2 and their definitions."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from outcomes.stats.errors import StatError
from outcomes.stats.rank_effects import UNREACHABLE, a12, hodges_lehmann, pseudomedian

TERM = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
EARLY = [1.15, 0.88, 0.90, 0.74, 1.21]
DEPRESSION = [0.952, -0.147, 1.022, 0.43, 0.62, 0.59, 0.49, -0.08, 0.01]
GRADES_1 = [1, 1, 2, 2, 2, 3, 3, 4, 2, 1]
GRADES_2 = [2, 3, 3, 4, 4, 5, 3, 2, 5]
MONTHS_1 = [
    35, 12, 25, 20, 4, 4, 46, 0, 1, 2, 2, 8, 3, 84, 12, 4, 8, 24, 24, 35, 17, 3, 41,
    16, 11, 35, 3, 27, 15, 66, 55, 19, 12, 31, 7, 29, 13, 57, 11, 18, 11, 2, 23, 51,
    10, 10, 7, 2, 34, 34, 11, 10, 11, 6, 24, 85, 3, 14, 15, 25,
]  # fmt: skip
MONTHS_2 = [
    21, 30, 28, 56, 11, 16, 11, 62, 13, 6, 32, 93, 39, 70, 28, 30, 70, 48, 48, 15, 10,
    51, 19, 19, 60, 6, 30, 7, 25, 2, 80, 74, 27, 6, 20, 5, 59, 16, 42, 6, 22, 50, 83,
    22, 0, 34, 16, 4, 3, 23, 2, 10, 17, 57, 4, 59, 28, 50, 80, 22, 32, 3, 30, 27, 3,
    12, 38, 19, 6, 14,
]  # fmt: skip

measured = st.lists(
    st.floats(-100, 100).map(lambda x: round(x, 3)), min_size=1, max_size=12
)
grades = st.lists(st.integers(1, 5), min_size=1, max_size=15)


def limits(interval) -> tuple[float, float, float]:
    return interval.value, interval.lower, interval.upper


# ---- Hodges-Lehmann shift ---------------------------------------------------------


def test_shift_without_ties_equals_r():
    """wilcox.test(x, y, conf.int = TRUE) of the help page.

    > w <- wilcox.test(x, y, conf.int = TRUE); c(w$estimate, w$conf.int)
    [1]  0.305 -0.150  0.760
    """
    found = hodges_lehmann(TERM, EARLY)
    assert limits(found) == pytest.approx((0.305, -0.15, 0.76), abs=1e-12)
    assert found.method == "Hodges-Lehmann shift"


def test_shift_with_ties_equals_r():
    """Order statistics of the differences, where wilcox.test only searches to 1e-4.

    > hl <- function(x, y, q) { d <- sort(outer(x, y, "-"))
    +   c(median(d), d[q], d[length(d) + 1 - q]) }
    > hl(g1, g2, qwilcox(.025, length(g1), length(g2)))
    [1] -1 -2  0
    > n <- length(x); m <- length(y)   # 60 and 70 months with symptoms
    > hl(x, y, ceiling(n*m/2 - qnorm(.975) * sqrt(n*m*(n+m+1)/12) - .5))
    [1]  -7 -14  -1
    > w <- wilcox.test(x, y, conf.int = TRUE); c(w$estimate, w$conf.int)
    [1]  -6.99996596895865 -13.99992436117436  -1.00006028334306
    """
    assert limits(hodges_lehmann(GRADES_1, GRADES_2)) == (-1, -2, 0)
    assert limits(hodges_lehmann(MONTHS_1, MONTHS_2)) == (-7, -14, -1)


@given(measured, measured)
def test_shift_is_the_median_of_all_differences(first, second):
    differences = np.subtract.outer(first, second)
    found = hodges_lehmann(first, second)
    assert found.value == pytest.approx(float(np.median(differences)), abs=1e-9)
    if found.lower is not None:
        assert np.abs(differences - found.lower).min() < 1e-9
        assert found.lower <= found.value + 1e-9


@given(measured, measured, st.floats(-50, 50))
def test_shift_moves_with_the_values_and_swaps_sign(first, second, by):
    found = hodges_lehmann(first, second)
    moved = hodges_lehmann([value + by for value in first], second)
    swapped = hodges_lehmann(second, first)
    assert moved.value == pytest.approx(found.value + by, abs=1e-6)
    assert swapped.value == pytest.approx(-found.value, abs=1e-9)
    if found.lower is not None:
        assert swapped.upper == pytest.approx(-found.lower, abs=1e-9)


@given(grades, grades, st.randoms())
def test_shift_and_a12_take_counts_and_any_order(first, second, random):
    for effect in (hodges_lehmann, a12):
        once = effect(first, second)
        assert once == effect(Counter(first), Counter(second))
        assert once == effect(random.sample(first, len(first)), second)


@given(
    st.sets(st.integers(-90, 90), min_size=5, max_size=12),
    st.sets(st.integers(-90, 90), min_size=5, max_size=12),
)
def test_limits_of_the_shift_invert_the_test(first, second):
    """Shifted to just inside the limits the exact p exceeds 5 %, just outside not."""
    x, y = np.array(sorted(first)) + 0.0, np.array(sorted(second)) + 0.0
    # Distinct fractions keep every shifted sample free of ties.
    x = x + np.arange(len(x)) * 1e-3
    y = y + np.arange(len(y)) * 1.7e-5
    found = hodges_lehmann(x, y)
    tiny = 1e-6

    def p_value(shift: float) -> float:
        return stats.mannwhitneyu(x - shift, y, method="exact").pvalue

    assert p_value(found.lower + tiny) > 0.05 - 1e-9
    assert p_value(found.lower - tiny) <= 0.05 + 1e-9
    assert p_value(found.upper - tiny) > 0.05 - 1e-9
    assert p_value(found.upper + tiny) <= 0.05 + 1e-9


def test_shift_covers_near_its_level():
    random = np.random.default_rng(5)
    covered = 0
    for _ in range(300):
        found = hodges_lehmann(random.normal(1, 1, 19), random.normal(0, 1, 19))
        covered += found.lower <= 1 <= found.upper
    assert covered / 300 == pytest.approx(0.95, abs=0.035)


def test_limits_widen_with_the_level():
    narrow, wide = (hodges_lehmann(TERM, EARLY, level) for level in (0.8, 0.99))
    assert wide.lower < narrow.lower < narrow.upper < wide.upper


def test_too_few_values_have_no_limits():
    """qwilcox(.025, 2, 3) is 0: R prints limits of 80 % and calls them 95 %."""
    found = hodges_lehmann([1, 2], [4, 6, 9])
    assert (found.value, found.lower, found.upper) == (-4.5, None, None)
    assert UNREACHABLE in found.method
    assert hodges_lehmann([1, 2], [4, 6, 9], level=0.6).lower is not None


def test_many_values_need_no_table_of_all_pairs():
    """40,000 by 60,000 pairs would be 19 GB; the answer is known by construction."""
    first, second = np.arange(40_000.0), np.arange(60_000.0) + 0.5
    found = hodges_lehmann(first, second)
    assert found.value == pytest.approx(-10_000.5, abs=1e-9)
    assert found.lower < found.value < found.upper


# ---- paired -----------------------------------------------------------------------


def test_pseudomedian_equals_r():
    """wilcox.test(x, y, paired = TRUE, conf.int = TRUE) of the help page.

    > w <- wilcox.test(x, y, paired = TRUE, conf.int = TRUE)
    > c(w$estimate, w$conf.int)
    [1] 0.460 0.010 0.786
    > pm <- function(d) { w <- outer(d, d, "+") / 2; w <- sort(w[lower.tri(w, TRUE)])
    +   n <- length(d); m <- length(w)
    +   k <- ceiling(m/2 - qnorm(.975) * sqrt(n * (n+1) * (2*n+1) / 24) - .5)
    +   c(median(w), w[k], w[m + 1 - k]) }
    > pm(y[1:60] - x)   # the months above
    [1] 10.5  2.0 18.5
    """
    found = pseudomedian(DEPRESSION)
    assert limits(found) == pytest.approx((0.46, 0.01, 0.786), abs=1e-12)
    found = pseudomedian(np.array(MONTHS_2[:60]) - np.array(MONTHS_1))
    assert limits(found) == pytest.approx((10.5, 2.0, 18.5), abs=1e-12)
    assert found.method == "Hodges-Lehmann pseudomedian"


@given(measured)
def test_pseudomedian_is_the_median_of_walsh_averages(rows):
    means = np.add.outer(rows, rows) / 2
    expected = np.median(means[np.tril_indices(len(rows))])
    assert pseudomedian(rows).value == pytest.approx(float(expected), abs=1e-9)


@given(grades, st.randoms())
def test_pseudomedian_takes_counts_and_any_order(rows, random):
    once = pseudomedian(rows)
    assert once == pseudomedian(Counter(rows))
    assert once == pseudomedian(random.sample(rows, len(rows)))


def test_five_pairs_cannot_reach_95_percent():
    found = pseudomedian([1, 2, 3, 4, 5])
    assert (found.value, found.lower) == (3, None)
    assert UNREACHABLE in found.method
    assert pseudomedian([1, 2, 3, 4, 5], level=0.9).lower == 1


def test_unchanged_pairs_stay_in_the_estimate():
    assert pseudomedian({0: 12, 2: 7}).value == 1
    assert pseudomedian({0: 19}).value == 0


def test_pseudomedian_covers_near_its_level():
    random = np.random.default_rng(6)
    covered = 0
    for _ in range(300):
        found = pseudomedian(random.normal(0.5, 1, 19))
        covered += found.lower <= 0.5 <= found.upper
    assert covered / 300 == pytest.approx(0.95, abs=0.035)


# ---- A12 --------------------------------------------------------------------------


def test_a12_equals_r():
    """Newcombe's method 5 solved in base R.

    > nm <- function(a, m, n, l = .95) { z <- qnorm((1 + l) / 2); s <- (m + n)/2 - 1
    +   v <- function(t) t*(1-t)*(1 + s*(1-t)/(2-t) + s*t/(1+t)) / (m*n)
    +   f <- function(t) (t - a)^2 - z^2 * v(t)
    +   c(if (a == 0) 0 else uniroot(f, c(0, min(a, 1 - 1e-9)), tol = 1e-15)$root,
    +     if (a == 1) 1 else uniroot(f, c(max(a, 1e-9), 1), tol = 1e-15)$root) }
    > nm(35/50, 10, 5)
    [1] 0.389277783268229 0.888964548307307
    > nm(1, 19, 19)
    [1] 0.893268239830994 1.000000000000000
    > nm(0, 19, 19)
    [1] 0.000000000000000 0.106731760169006
    > (sum(outer(g1, g2, ">")) + .5 * sum(outer(g1, g2, "=="))) / 90
    [1] 0.188888888888889
    """
    found = a12(TERM, EARLY)
    assert limits(found) == pytest.approx((0.7, 0.389277783268229, 0.888964548307307))
    assert found.method == "A12, Newcombe method 5"
    apart = a12(range(20, 39), range(19))
    assert limits(apart) == pytest.approx((1, 0.893268239830994, 1))
    assert limits(a12(range(19), range(20, 39))) == pytest.approx(
        (0, 0, 0.106731760169006), abs=1e-12
    )
    assert a12(GRADES_1, GRADES_2).value == pytest.approx(0.188888888888889)


@given(grades, grades)
def test_a12_is_u_over_all_pairs(first, second):
    u = stats.mannwhitneyu(first, second, method="asymptotic").statistic
    found = a12(first, second)
    assert found.value == pytest.approx(u / (len(first) * len(second)))
    assert 0 <= found.lower <= found.value <= found.upper <= 1
    assert found.lower < found.upper


@given(grades, grades)
def test_a12_mirrors_when_the_groups_swap(first, second):
    one, other = a12(first, second), a12(second, first)
    assert one.value == pytest.approx(1 - other.value)
    assert one.lower == pytest.approx(1 - other.upper)
    narrow, wide = a12(first, second, 0.8), a12(first, second, 0.99)
    assert wide.lower <= narrow.lower
    assert narrow.upper <= wide.upper


def test_a12_covers_near_its_level():
    """Normal groups half a standard deviation apart: P(X > Y) = Phi(0.5 / sqrt 2)."""
    random = np.random.default_rng(8)
    truth = stats.norm.cdf(0.5 / np.sqrt(2))
    covered = 0
    for _ in range(600):
        found = a12(random.normal(0.5, 1, 19), random.normal(0, 1, 19))
        covered += found.lower <= truth <= found.upper
    assert covered / 600 == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("effect", [hodges_lehmann, a12])
def test_an_empty_group_is_refused_by_name(effect):
    with pytest.raises(StatError, match="second is empty"):
        effect([1], [])
    with pytest.raises(StatError, match="level must lie between 0 and 1"):
        effect([1], [2], level=1)
