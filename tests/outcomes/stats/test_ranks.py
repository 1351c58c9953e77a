"""Rank tests against R 4.2.2, SciPy and counting by hand."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from outcomes.stats.attainable import unreachable
from outcomes.stats.errors import StatError
from outcomes.stats.ranks import (
    ALL_EQUAL,
    NO_CHANGE,
    NORMAL,
    kruskal_wallis,
    mann_whitney,
    wilcoxon_signed_rank,
)

EXACT = "permutation of midranks: exact, all arrangements"
# The examples of R's help page of wilcox.test.
PERMEABILITY_TERM = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
PERMEABILITY_EARLY = [1.15, 0.88, 0.90, 0.74, 1.21]
DEPRESSION = [0.952, -0.147, 1.022, 0.43, 0.62, 0.59, 0.49, -0.08, 0.01]
GRADES_1 = [1, 1, 2, 2, 2, 3, 3, 4, 2, 1]
GRADES_2 = [2, 3, 3, 4, 4, 5, 3, 2, 5]
# Seven improved by one grade, four unchanged.
MOSTLY_IMPROVED = {1: 7, 0: 4}
MIXED = [1, 1, -1, 2, 3, 0, 0, 1, 2, -1, 1, 1, 0, 2]

grades = st.lists(st.integers(1, 5), min_size=1, max_size=15)
differences = st.lists(st.integers(-4, 4), min_size=1, max_size=12)


# ---- Mann-Whitney -----------------------------------------------------------------


def test_mann_whitney_without_ties_is_exact_as_in_r():
    """wilcox.test(x, y)

    > x <- c(0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46)
    > y <- c(1.15, 0.88, 0.90, 0.74, 1.21)
    > w <- wilcox.test(x, y); c(w$statistic, w$p.value)
    [1] 35 0.254412254412254
    """
    found = mann_whitney(PERMEABILITY_TERM, PERMEABILITY_EARLY)
    assert (found.statistic, found.method, found.tied) == (35, EXACT, False)
    assert found.p_value == pytest.approx(0.254412254412254, rel=1e-10)


def test_mann_whitney_with_ties_is_corrected_as_in_r():
    """wilcox.test(g1, g2) and, from counts, two groups of 100.

    > g1 <- c(1, 1, 2, 2, 2, 3, 3, 4, 2, 1); g2 <- c(2, 3, 3, 4, 4, 5, 3, 2, 5)
    > w <- wilcox.test(g1, g2); c(w$statistic, w$p.value)
    [1] 17 0.0208230369269061
    > b1 <- rep(1:5, c(20, 30, 25, 15, 10)); b2 <- rep(1:5, c(10, 25, 30, 20, 25))
    > w <- wilcox.test(b1, b2); c(w$statistic, w$p.value)
    [1] 4125 0.00135859843163728
    """
    found = mann_whitney(GRADES_1, GRADES_2, "normal")
    assert (found.statistic, found.tied) == (17, True)
    assert found.p_value == pytest.approx(0.0208230369269061, rel=1e-10)
    assert found.method == "normal approximation, tie and continuity correction"
    first = {1: 20, 2: 30, 3: 25, 4: 15, 5: 10}
    second = {1: 10, 2: 25, 3: 30, 4: 20, 5: 25}
    found = mann_whitney(first, second)
    assert found.statistic == 4125
    assert found.p_value == pytest.approx(0.00135859843163728, rel=1e-10)


def test_mann_whitney_of_large_groups_is_approximate():
    """wilcox.test uses the normal approximation from 50 in a group.

    > w <- wilcox.test(1:50 + 0.5, 11:50); c(w$statistic, w$p.value)
    [1] 820 0.144968396647758
    """
    found = mann_whitney(np.arange(1, 51) + 0.5, np.arange(11, 51))
    assert found.method == NORMAL
    assert found.statistic == 820
    assert found.p_value == pytest.approx(0.144968396647758, rel=1e-10)


@given(st.sets(st.integers(0, 60), min_size=2, max_size=9), st.integers(1, 8))
def test_mann_whitney_equals_counting_every_split(values, cut):
    values, cut = sorted(values, key=lambda v: v * 37 % 61), min(cut, len(values) - 1)
    first, second = values[:cut], values[cut:]

    def u(group) -> int:
        return sum(x > y for x in group for y in set(values) - set(group))

    splits = [u(group) for group in itertools.combinations(values, cut)]
    tails = (
        sum(other <= u(first) for other in splits),
        sum(other >= u(first) for other in splits),
    )
    expected = min(1, 2 * min(tails) / len(splits))
    found = mann_whitney(first, second)
    assert found.smallest_p == pytest.approx(min(1, 2 / len(splits)))
    if found.smallest_p > 0.05 + 1e-12:
        assert (found.p_value, found.reason) == (None, unreachable(found.smallest_p))
    else:
        assert found.p_value == pytest.approx(expected)


def test_mann_whitney_with_ties_is_exact_as_in_coin():
    """coin::wilcox_test, exact by the shift algorithm, and 2 against 40.

    > f <- function(x, y) pvalue(wilcox_test(c(x, y) ~ factor(rep(1:2, c(length(x),
    +   length(y)))), distribution = "exact"))
    > f(g1, g2)
    [1] 0.019041330186841
    > f(c(5, 5), rep(1:5, c(12, 11, 9, 5, 3)))
    [1] 0.0116144018583043
    """
    found = mann_whitney(GRADES_1, GRADES_2)
    assert (found.method, found.tied, found.estimable) == (EXACT, True, True)
    assert found.p_value == pytest.approx(0.019041330186841, abs=1e-12)
    few = mann_whitney([5, 5], {1: 12, 2: 11, 3: 9, 4: 5, 5: 3})
    assert few.p_value == pytest.approx(0.0116144018583043, abs=1e-12)
    assert few.method == EXACT


@given(grades, grades)
def test_mann_whitney_with_ties_equals_counting_every_split(first, second):
    first, second = first[:5], second[:5]
    pooled = stats.rankdata([*first, *second])
    middle = len(first) * (len(pooled) + 1) / 2
    sums = [abs(sum(d) - middle) for d in itertools.combinations(pooled, len(first))]
    found = mann_whitney(first, second)
    if len({*first, *second}) == 1:
        assert found.reason == ALL_EQUAL
        return
    observed = abs(pooled[: len(first)].sum() - middle)
    assert found.smallest_p == pytest.approx(np.mean(np.array(sums) == max(sums)))
    if found.estimable:
        assert found.p_value == pytest.approx(np.mean(np.array(sums) >= observed))


def test_a_small_group_against_thousands_is_dealt():
    many = {value: 400 + 3 * value for value in range(60)}
    found = mann_whitney([50, 55, 58, 59], many)
    assert found.method == EXACT
    ranks = stats.rankdata(np.repeat(list(many), list(many.values())))
    drawn = np.random.default_rng(0).choice(ranks, (200_000, 4)).sum(axis=1)
    middle = 4 * ranks.mean()
    sums = ranks[np.cumsum(list(many.values())) - 1][[50, 55, 58, 59]].sum()
    share = np.mean(np.abs(drawn - middle) >= sums - middle)
    assert found.p_value == pytest.approx(share, rel=0.25)
    assert mann_whitney({3: 20, 9: 10}, many).method == NORMAL


@given(grades, grades)
def test_mann_whitney_changes_sides_when_the_groups_swap(first, second):
    one, other = mann_whitney(first, second), mann_whitney(second, first)
    if one.reason == ALL_EQUAL:
        assert one == other
        return
    assert one.statistic + other.statistic == len(first) * len(second)
    assert one.reason == other.reason
    if one.estimable:
        assert one.p_value == pytest.approx(other.p_value)


@given(grades, grades, st.randoms())
def test_mann_whitney_takes_counts_and_any_order(first, second, random):
    once = mann_whitney(first, second)
    assert once == mann_whitney(Counter(first), Counter(second))
    assert once == mann_whitney(random.sample(first, len(first)), second)


def test_equal_values_are_not_p_1():
    found = mann_whitney([2, 2, 2], [2, 2])
    assert (found.estimable, found.p_value, found.reason) == (False, None, ALL_EQUAL)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [([], [1], "first is empty"), ([1], [math.nan], "second contains NaN")],
)
def test_mann_whitney_refuses_by_name(first, second, message):
    with pytest.raises(StatError, match=message):
        mann_whitney(first, second)


# ---- Wilcoxon signed-rank ---------------------------------------------------------


def test_signed_rank_without_ties_equals_r():
    """wilcox.test(x, y, paired = TRUE) of the help page.

    > w <- wilcox.test(x, y, paired = TRUE); c(w$statistic, w$p.value)
    [1] 40 0.0390625
    """
    found = wilcoxon_signed_rank(DEPRESSION)
    assert (found.statistic, found.p_value) == (40, pytest.approx(0.0390625))
    assert (found.positive, found.negative, found.zero) == (7, 2, 0)
    assert found.method == "zeros dropped, exact by sign flips"
    assert not found.tied


def test_signed_rank_normal_approximation_equals_r():
    """wilcox.test drops zeros and, with ties, takes the normal approximation.

    > d <- c(1, 1, 1, 1, 1, 2, 1, 0, 0, 0, 0)
    > w <- wilcox.test(d); c(w$statistic, w$p.value)
    [1] 28 0.0147087694431172
    > d <- c(1, 1, -1, 2, 3, 0, 0, 1, 2, -1, 1, 1, 0, 2)
    > w <- wilcox.test(d); c(w$statistic, w$p.value)
    [1] 58 0.0247096888099684
    > d <- c(rep(c(1, 2, -1, 3, -2, 1), 9), 4, -3, 5, 2, 1, 1)
    > w <- wilcox.test(d); c(w$statistic, w$p.value)
    [1] 1290.5 0.00492075763821758
    """
    found = wilcoxon_signed_rank({1: 6, 2: 1, 0: 4}, distribution="normal")
    assert (found.statistic, found.tied) == (28, True)
    assert found.p_value == pytest.approx(0.0147087694431172, rel=1e-10)
    found = wilcoxon_signed_rank(MIXED, distribution="normal")
    assert found.p_value == pytest.approx(0.0247096888099684, rel=1e-10)
    sixty = [1, 2, -1, 3, -2, 1] * 9 + [4, -3, 5, 2, 1, 1]
    found = wilcoxon_signed_rank(sixty)
    assert found.statistic == 1290.5
    assert found.p_value == pytest.approx(0.00492075763821758, rel=1e-10)
    assert found.method == (
        "zeros dropped, normal approximation, tie and continuity correction"
    )


def test_signed_rank_exact_under_ties_and_zeros_equals_r():
    """All sign flips listed in base R.

    > ex <- function(d, pratt = FALSE) {
    +   r <- if (pratt) rank(abs(d))[d != 0] else rank(abs(d[d != 0]))
    +   s <- d[d != 0]; t <- sum(r[s > 0])
    +   v <- as.matrix(expand.grid(rep(list(0:1), length(r)))) %*% r
    +   c(t, min(1, 2 * min(mean(v <= t + 1e-9), mean(v >= t - 1e-9)))) }
    > d <- c(1, 1, -1, 2, 3, 0, 0, 1, 2, -1, 1, 1, 0, 2)
    > ex(d)
    [1] 58.0000000000  0.0283203125
    > ex(d, pratt = TRUE)
    [1] 85.0000000000  0.0322265625
    """
    found = wilcoxon_signed_rank(MIXED)
    assert (found.statistic, found.p_value) == (58, pytest.approx(0.0283203125))
    found = wilcoxon_signed_rank(MIXED, zeros="pratt")
    assert (found.statistic, found.p_value) == (85, pytest.approx(0.0322265625))
    assert found.method == "zeros ranked (Pratt), exact by sign flips"
    assert found.zero == 3


def test_scipys_p_moves_with_its_method_and_ours_does_not():
    """Seven of eleven improved by one grade: of 2^7 sign flips two are as extreme."""
    rows = [1] * 7 + [0] * 4

    def scipys(method: str) -> float:
        return stats.wilcoxon(rows, zero_method="pratt", method=method).pvalue

    assert round(scipys("approx"), 4) == 0.0082
    assert round(scipys("exact"), 4) == 0.042
    for zeros in ("wilcox", "pratt"):
        found = wilcoxon_signed_rank(MOSTLY_IMPROVED, zeros=zeros)
        assert found.p_value == 2 / 2**7
        assert found.method.endswith("exact by sign flips")


@given(differences, st.sampled_from(["wilcox", "pratt"]))
def test_exact_signed_rank_equals_listing_every_flip(rows, zeros):
    found = wilcoxon_signed_rank(rows, zeros=zeros, distribution="exact")
    ranked = [d for d in rows if d] if zeros == "wilcox" else rows
    if not any(rows):
        assert (found.estimable, found.reason) == (False, NO_CHANGE)
        return
    ranks = [
        rank
        for rank, d in zip(stats.rankdata(np.abs(ranked)), ranked, strict=True)
        if d != 0
    ]
    flips = [
        sum(itertools.compress(ranks, signs))
        for signs in itertools.product([0, 1], repeat=len(ranks))
    ]
    tails = (
        sum(flip <= found.statistic for flip in flips),
        sum(flip >= found.statistic for flip in flips),
    )
    assert found.smallest_p == pytest.approx(min(1, 2 / len(flips)))
    if len(ranks) < 6:
        assert (found.p_value, found.reason) == (None, unreachable(found.smallest_p))
    else:
        assert found.p_value == pytest.approx(min(1, 2 * min(tails) / len(flips)))


@given(differences.filter(lambda rows: any(rows)))
def test_normal_signed_rank_equals_scipy(rows):
    found = wilcoxon_signed_rank(rows, distribution="normal")
    reference = stats.wilcoxon(
        rows, zero_method="wilcox", method="approx", correction=True
    )
    assert found.p_value == pytest.approx(reference.pvalue, rel=1e-9)


@given(differences, st.sampled_from(["wilcox", "pratt"]), st.randoms())
def test_signed_rank_laws(rows, zeros, random):
    """Order and form of the input do not matter; reversing time keeps p."""
    once = wilcoxon_signed_rank(rows, zeros=zeros)
    assert once == wilcoxon_signed_rank(Counter(rows), zeros=zeros)
    assert once == wilcoxon_signed_rank(random.sample(rows, len(rows)), zeros=zeros)
    reversed_ = wilcoxon_signed_rank([-d for d in rows], zeros=zeros)
    assert once.p_value == pytest.approx(reversed_.p_value)


def test_no_change_is_said_instead_of_p_1():
    found = wilcoxon_signed_rank({0: 19}, zeros="pratt")
    assert (found.estimable, found.p_value, found.reason) == (False, None, NO_CHANGE)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"zeros": "zsplit"}, "unknown handling: 'zsplit'"),
        ({"distribution": "approx"}, "unknown handling: 'wilcox', 'approx'"),
        ({"distribution": "exact"}, "exact signed ranks take at most 1000"),
    ],
)
def test_signed_rank_refuses_by_name(how, message):
    with pytest.raises(StatError, match=message):
        wilcoxon_signed_rank({1: 900, -1: 101}, **how)


# ---- Kruskal-Wallis ---------------------------------------------------------------


def test_kruskal_wallis_equals_r():
    """The help page of kruskal.test, and three groups of grades.

    > k <- kruskal.test(list(c(2.9, 3.0, 2.5, 2.6, 3.2), c(3.8, 2.7, 4.0, 2.4),
    +                        c(2.8, 3.4, 3.7, 2.2, 2.0)))
    > c(k$statistic, k$parameter, k$p.value)
    [1] 0.771428571428572 2 0.679964773578894
    > k <- kruskal.test(list(g1, g2, c(1, 1, 1, 2, 2, 3)))
    > c(k$statistic, k$parameter, k$p.value)
    [1] 8.93617369930357 2 0.0114692372495911
    """
    found = kruskal_wallis(
        [[2.9, 3.0, 2.5, 2.6, 3.2], [3.8, 2.7, 4.0, 2.4], [2.8, 3.4, 3.7, 2.2, 2.0]],
        "chi-squared",
    )
    assert found.statistic == pytest.approx(0.771428571428572, rel=1e-10)
    assert (found.df, found.tied) == (2, False)
    assert found.p_value == pytest.approx(0.679964773578894, rel=1e-10)
    found = kruskal_wallis([GRADES_1, GRADES_2, {1: 3, 2: 2, 3: 1}], "chi-squared")
    assert found.statistic == pytest.approx(8.93617369930357, rel=1e-10)
    assert found.p_value == pytest.approx(0.0114692372495911, rel=1e-10)
    assert found.tied


@given(grades, grades)
def test_kruskal_wallis_of_two_groups_is_the_uncorrected_mann_whitney(first, second):
    found = kruskal_wallis([first, second], "chi-squared")
    if found.estimable:
        reference = stats.mannwhitneyu(
            first, second, method="asymptotic", use_continuity=False
        )
        # H is a difference of large sums: near 0 its rounding shows in p.
        assert found.p_value == pytest.approx(reference.pvalue, abs=1e-6)


@given(st.lists(grades, min_size=2, max_size=4), st.randoms())
def test_kruskal_wallis_does_not_depend_on_the_order_of_groups(groups, random):
    one = kruskal_wallis(groups)
    other = kruskal_wallis(random.sample(groups, len(groups)))
    if one.estimable:
        assert one.p_value == pytest.approx(other.p_value)


def test_kruskal_wallis_of_small_groups_is_by_arrangements():
    """coin::kruskal_test(y ~ g, distribution = approximate(1e6)): p 0.00723

    Exact here; with more values, sampled.
    """
    small = kruskal_wallis([GRADES_1, GRADES_2, {1: 3, 2: 2, 3: 1}])
    plain = kruskal_wallis([GRADES_1, GRADES_2, {1: 3, 2: 2, 3: 1}], "chi-squared")
    assert small.statistic == plain.statistic
    assert small.method == EXACT
    assert small.p_value == pytest.approx(0.00723, abs=0.0003)
    many = [range(0, 90, 3), range(1, 90, 3), [7, 8]]
    assert kruskal_wallis(many).method == (
        "permutation of midranks: 10,000 sampled arrangements, seed 0"
    )
    two = kruskal_wallis([GRADES_1, GRADES_2]), mann_whitney(GRADES_1, GRADES_2)
    assert two[0].p_value == pytest.approx(two[1].p_value, abs=0.005)
    large = [{1: 10, 2: 10}, {1: 5, 2: 15}]
    assert kruskal_wallis(large) == kruskal_wallis(large, "chi-squared")


def test_unknown_distributions_are_refused():
    for test in (
        lambda: mann_whitney([1], [2], "exact"),
        lambda: kruskal_wallis([[1], [2]], "normal"),
    ):
        with pytest.raises(StatError, match="unknown handling"):
            test()


def test_kruskal_wallis_of_equal_values_is_not_p_1():
    assert kruskal_wallis([[1, 1], [1], [1]]).reason == ALL_EQUAL


@pytest.mark.parametrize(
    ("groups", "message"),
    [([[1, 2]], "at least two groups"), ([[1], []], "group 2 is empty")],
)
def test_kruskal_wallis_refuses_by_name(groups, message):
    with pytest.raises(StatError, match=message):
        kruskal_wallis(groups)


# ---- nearly all values tied -------------------------------------------------------


def test_one_value_among_a_hundred_decides_nothing():
    """Groups of 50 hide how little there is: the approximation would say p = 0.32.

    > w <- wilcox.test(c(rep(0, 49), 1), rep(0, 50)); w$p.value
    [1] 0.327086119
    > pvalue(coin::wilcox_test(c(rep(0, 49), 1, rep(0, 50)) ~ factor(rep(1:2, each = 50)),
    +        distribution = "exact"))
    [1] 1
    """
    first, second = {0: 49, 1: 1}, {0: 50}
    found = mann_whitney(first, second)
    assert mann_whitney(first, second, "normal").p_value == pytest.approx(0.327086119)
    assert (found.p_value, found.smallest_p) == (None, pytest.approx(1))
    three = kruskal_wallis([first, second, {0: 60}])
    # Most extreme in a group of 50: 100 of the 160 cases are in one.
    assert (three.p_value, three.smallest_p) == (None, pytest.approx(0.625))
    assert kruskal_wallis([first, second], "chi-squared").estimable


def test_few_values_beside_the_commonest_are_dealt():
    """Six of 100 against none of 100: exact, as Fisher's test of the same table.

    > fisher.test(matrix(c(94, 6, 100, 0), 2, byrow = TRUE))$p.value
    [1] 0.028930282
    """
    found = mann_whitney({0: 94, 1: 6}, {0: 100})
    assert found.p_value == pytest.approx(0.028930282)
    assert found.method == EXACT
    enough = mann_whitney({0: 90, 1: 10}, {0: 100})
    assert enough.method == NORMAL
    assert enough.smallest_p < 0.01
