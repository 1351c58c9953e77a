"""The log-rank test by permutation against all arrangements in R."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from outcomes.stats.attainable import unreachable
from outcomes.stats.logrank import logrank, logrank_stratified
from outcomes.stats.logrank_permutation import (
    permutation_logrank,
    permutation_logrank_from_counts,
    permutation_logrank_stratified,
    permutation_logrank_stratified_from_counts,
    scale_of,
    whole_scores,
)
from outcomes.stats.permutation import LARGEST_SUM

group = st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=5)
EXACT = "permutation of log-rank scores: exact, all arrangements"


def as_rows(cases: list[tuple[int, bool]]) -> tuple:
    return tuple(list(column) for column in zip(*cases, strict=True))


def test_aml_as_r(aml) -> None:
    """R: exact <- function(t, e, g) {
      s <- e - sapply(t, function(u) sum(sapply(unique(t[e == 1 & t <= u]),
             function(v) sum(t == v & e == 1) / sum(t >= v))))
      sums <- abs(combn(length(t), sum(g == 1), function(i) sum(s[i])))
      c(mean(sums >= abs(sum(s[g == 1])) - 1e-9), mean(sums >= max(sums) - 1e-9)) }
    exact(aml$time, aml$status, as.integer(aml$x))
    [1] 6.46930132729029e-02 7.39602301050679e-07
    """
    inside = aml["group"] == "Maintained"
    result = permutation_logrank(
        [(aml["days"][part], aml["event"][part]) for part in (inside, ~inside)]
    )
    assert result.p_value == pytest.approx(6.46930132729029e-02, abs=1e-12)
    assert result.smallest_p == pytest.approx(7.39602301050679e-07, abs=1e-15)
    assert (result.name, result.method, result.df) == ("log-rank", EXACT, None)
    assert result.observed == (7, 11)


def test_ties_as_r() -> None:
    """R: exact(c(2, 2, 3, 5, 5, 5, 7, 9, 9, 12), c(1, 0, 1, 1, 1, 0, 1, 1, 0, 1),
            c(1, 1, 1, 2, 1, 1, 2, 2, 2, 2))
    [1] 0.20634920634920634 0.00793650793650794
    """
    first = ([2, 2, 3, 5, 5], [1, 0, 1, 1, 0])
    second = ([5, 7, 9, 9, 12], [1, 1, 1, 0, 1])
    result = permutation_logrank([first, second])
    assert result.p_value == pytest.approx(0.20634920634920634, abs=1e-12)
    assert result.smallest_p == pytest.approx(0.00793650793650794, abs=1e-12)


def test_one_event_among_five_cases_has_no_p() -> None:
    """The chi-squared says 0.046; 1 in 5 of the arrangements is as extreme.

    R: pvalue(coin::logrank_test(Surv(1:5, c(1, 0, 0, 0, 0)) ~ factor(c(1, 2, 2, 2, 2)),
                                 distribution = "exact"))
    [1] 0.2
    """
    groups = [([1], [1]), ([2, 3, 4, 5], [0, 0, 0, 0])]
    assert logrank(groups).p_value == pytest.approx(0.0455, abs=5e-5)
    result = permutation_logrank(groups)
    assert (result.estimable, result.p_value) == (False, None)
    assert result.reason == unreachable(0.2)
    assert result.smallest_p == pytest.approx(0.2)
    assert result.statistic == pytest.approx(4)


def test_where_the_log_rank_says_nothing_so_does_it() -> None:
    nothing = [([365] * 19, [0] * 19), ([400] * 19, [0] * 19)]
    assert permutation_logrank(nothing) == logrank(nothing)
    apart = [([1, 2], [0, 0]), ([3, 4], [1, 1])]
    assert permutation_logrank(apart) == logrank(apart)


def test_a_group_that_left_before_the_first_event_is_not_dealt() -> None:
    late = [([5, 6, 7, 9], [1, 1, 0, 1]), ([5, 8, 9, 9], [0, 1, 1, 0])]
    with_early = permutation_logrank([*late, ([1, 2], [0, 0])])
    alone = permutation_logrank(late)
    assert with_early.p_value == alone.p_value
    assert with_early.statistic == alone.statistic
    assert with_early.observed == (*alone.observed, 0)


@given(group, group)
def test_every_arrangement_counts_once(first, second) -> None:
    groups = [as_rows(first), as_rows(second)]
    result = permutation_logrank(groups)
    if result.statistic is None:
        return
    pooled = [*first, *second]
    sums = []
    for chosen in itertools.combinations(range(len(pooled)), len(first)):
        one = [pooled[place] for place in chosen]
        other = [case for place, case in enumerate(pooled) if place not in chosen]
        test = logrank([as_rows(one), as_rows(other)])
        sums.append(abs(test.observed[0] - test.expected[0]))
    plain = logrank(groups)
    observed = abs(plain.observed[0] - plain.expected[0])
    smallest = np.mean(np.array(sums) >= max(sums) - 1e-9)
    assert result.smallest_p == pytest.approx(smallest)
    assert (result.p_value is None) == (smallest > 0.05)
    if result.p_value is not None:
        assert result.p_value == pytest.approx(
            np.mean(np.array(sums) >= observed - 1e-9)
        )


@settings(max_examples=8)
@given(group, group, group)
def test_counts_and_names_of_groups_change_nothing(a, b, c) -> None:
    groups = [as_rows(cases) for cases in (a, b, c)]
    ours = permutation_logrank(groups, seed=4)
    counts = [
        (days, np.array(events, int), 1 - np.array(events, int))
        for days, events in groups
    ]
    assert permutation_logrank_from_counts(counts, seed=4) == ours
    swapped = permutation_logrank(groups[::-1], seed=4)
    assert swapped.p_value == ours.p_value
    assert swapped.reason == ours.reason


def test_three_groups_as_their_arrangements() -> None:
    """R: all 1680 ways to deal nine cases to three groups of three.

    s <- e - cumsum(e / 9:1); t <- 1:9; e <- c(rep(1, 8), 0)
    v <- function(g) sum(tapply(s, g, sum)^2 / 3)
    p <- unique(combinat::permn(rep(1:3, each = 3))); mean(sapply(p, v) >= v(g) - 1e-9)
    Here listed in Python.
    """
    days, events = np.arange(1, 10), np.array([1] * 8 + [0])
    scores = events - np.cumsum(events / np.arange(9, 0, -1))
    observed = [0, 1, 0, 0, 1, 2, 1, 2, 2]

    def apart(groups) -> float:
        return sum(scores[np.array(groups) == g].sum() ** 2 for g in range(3))

    arrangements = set(itertools.permutations(observed))
    assert len(arrangements) == 1680
    share = np.mean([apart(g) >= apart(observed) - 1e-9 for g in arrangements])
    groups = [
        (days[np.array(observed) == g], events[np.array(observed) == g])
        for g in range(3)
    ]
    result = permutation_logrank(groups)
    assert result.p_value == pytest.approx(share)
    assert result.method == EXACT


def test_scores_are_whole_where_they_can_be() -> None:
    assert scale_of(np.array([3, 1]), 2) == (3, True)
    scores = whole_scores(np.array([1, 0, 1]), np.array([3, 2, 1]), 3, True)
    assert scores.tolist() == [2, 2, -1, -1, -1, -4]
    at_risk = np.arange(400, 0, -1)
    unit, exact = scale_of(at_risk, 400)
    assert (unit, exact) == (LARGEST_SUM // 800, False)
    scores = whole_scores(np.ones(400, dtype=int), at_risk, unit, exact)
    hazard = np.cumsum(1 / at_risk)
    assert scores[:400] / unit == pytest.approx(1 - hazard)


# ---- strata -----------------------------------------------------------------------

STRATA = ([3, 5, 4, 1], [1, 1, 1, 1], [1, 1, 1, 2])
OTHERS = ([7, 2, 6, 8, 9, 10], [0, 1, 0, 1, 1, 0], [1, 1, 2, 2, 2, 2])


def test_two_strata_as_r() -> None:
    """R: all ways within the strata, and coin's statistic of scores within blocks.

    > exact <- function(t, e, g, s) {
    +   sc <- ave(seq_along(t), s, FUN = function(i) e[i] - sapply(t[i], function(u)
    +     sum(sapply(unique(t[i][e[i] == 1 & t[i] <= u]), function(v)
    +       sum(t[i] == v & e[i] == 1) / sum(t[i] >= v)))))
    +   ways <- lapply(split(seq_along(t), s), function(i)
    +     combn(length(i), sum(g[i] == 1), function(k) sum(sc[i][k])))
    +   sums <- abs(Reduce(function(a, b) as.vector(outer(a, b, "+")), ways))
    +   c(mean(sums >= abs(sum(sc[g == 1])) - 1e-9), mean(sums >= max(sums) - 1e-9)) }
    > exact(c(3, 5, 7, 2, 4, 6, 8, 1, 9, 10), c(1, 1, 0, 1, 1, 0, 1, 1, 1, 0),
    +       c(1, 1, 2, 2, 1, 2, 2, 1, 2, 2), c(1, 1, 1, 1, 1, 2, 2, 2, 2, 2))
    [1] 0.30 0.02
    > st <- function(y) logrank_trafo(y, ties.method = "Hothorn-Lausen")
    > statistic(independence_test(Surv(t, e) ~ g | s, data = d, ytrafo = function(data)
    +   trafo(data, surv_trafo = st, block = d$s)))^2
    [1] 1.36298850574713

    ``coin::logrank_test(... | s)`` itself scores all strata together, which is no
    stratified log-rank test; its exact distribution knows no blocks.
    """
    result = permutation_logrank_stratified([STRATA, OTHERS])
    assert result.p_value == pytest.approx(0.30, abs=1e-12)
    assert result.smallest_p == pytest.approx(0.02, abs=1e-12)
    assert result.statistic == pytest.approx(1.36298850574713, rel=1e-12)
    assert (result.name, result.method) == ("stratified log-rank", EXACT)
    plain = logrank_stratified([STRATA, OTHERS])
    assert (result.observed, result.expected) == (plain.observed, plain.expected)


THREE = [
    ([4, 7, 3, 2], [1, 1, 1, 1], ["x", "x", "y", "z"]),
    ([9, 5, 8, 6], [0, 1, 1, 0], ["x", "y", "y", "z"]),
    ([12, 11, 10, 13], [1, 0, 1, 1], ["x", "y", "z", "z"]),
]


def test_three_groups_in_three_strata_as_coin() -> None:
    """R: z <- independence_test(Surv(t, e) ~ g | s, data = d, teststat = "quadratic",
      distribution = approximate(500000), ytrafo = as above); statistic(z); pvalue(z)
    [1] 6.45405104997816
    [1] 0.020776
    99 percent confidence interval:
     0.02025998 0.02130116
    """
    result = permutation_logrank_stratified(THREE)
    assert result.statistic == pytest.approx(6.45405104997816, rel=1e-12)
    assert 0.02025998 < result.p_value < 0.02130116
    assert result.method == EXACT
    counts = [[of_stratum(group, name) for group in THREE] for name in "zxy"]
    assert permutation_logrank_stratified_from_counts(counts) == result


def of_stratum(group, name: str) -> tuple:
    """Counts by day of a group's cases in one stratum."""
    inside = [row for row in zip(*group, strict=True) if row[2] == name]
    days, events, _strata = zip(*inside, strict=True)
    return days, events, [1 - event for event in events]


in_strata = st.lists(
    st.tuples(st.integers(1, 6), st.booleans(), st.integers(1, 3)),
    min_size=1,
    max_size=4,
)


def dealt_within(groups: list[list[tuple[int, bool, int]]]) -> list[list]:
    """All ways to deal the cases of each stratum to the groups, one after the other."""
    pooled = [(case, g) for g, cases in enumerate(groups) for case in cases]
    strata = sorted({case[2] for case, _g in pooled})
    ways = []
    for stratum in strata:
        cases = [case for case, _g in pooled if case[2] == stratum]
        labels = [g for case, g in pooled if case[2] == stratum]
        ways.append(
            [(cases, order) for order in sorted(set(itertools.permutations(labels)))]
        )
    found = []
    for chosen in itertools.product(*ways):
        dealt: list[list] = [[] for _group in groups]
        for cases, order in chosen:
            for case, g in zip(cases, order, strict=True):
                dealt[g].append(case)
        found.append(dealt)
    return found


def difference_within(groups: list[list]) -> float:
    test = logrank_stratified([as_rows(group) for group in groups])
    return abs(test.observed[0] - test.expected[0])


@settings(max_examples=25)
@given(in_strata, in_strata)
@example(  # the first group left stratum 1 before its event: by chance, the other could
    [(1, False, 1), (1, False, 2)], [(1, True, 2), (2, False, 1), (2, True, 1)]
)
def test_every_arrangement_within_strata_counts_once(first, second) -> None:
    groups = [first, second]
    result = permutation_logrank_stratified([as_rows(group) for group in groups])
    if result.statistic is None:
        return
    found = np.array([difference_within(dealt) for dealt in dealt_within(groups)])
    smallest = np.mean(found >= found.max() - 1e-9)
    assert result.smallest_p == pytest.approx(smallest)
    assert (result.p_value is None) == (smallest > 0.05 + 1e-9)
    if result.p_value is not None:
        share = np.mean(found >= difference_within(groups) - 1e-9)
        assert result.p_value == pytest.approx(share)


@settings(max_examples=25)
@given(in_strata, in_strata, in_strata, st.randoms(use_true_random=False))
def test_one_stratum_counts_and_names_change_nothing(a, b, c, random) -> None:
    groups = [as_rows(group) for group in (a, b, c)]
    ours = permutation_logrank_stratified(groups)
    order = random.sample(range(3), 3)
    named = {1: "z", 2: "x", 3: "y"}
    turned = [
        (days, events, [named[stratum] for stratum in strata])
        for days, events, strata in (groups[place] for place in order)
    ]
    other = permutation_logrank_stratified(turned)
    assert other.estimable == ours.estimable
    assert (other.p_value or 2) == pytest.approx(ours.p_value or 2)
    alone = [(days, events, [1] * len(days)) for days, events, _strata in groups]
    one = permutation_logrank_stratified(alone)
    plain = permutation_logrank([(days, events) for days, events, _s in alone])
    assert (one.p_value, one.statistic) == (plain.p_value, plain.statistic)


def large_strata(groups: int) -> list[tuple]:
    """Strata of 30, too many ways to list."""
    random = np.random.default_rng(4)
    found = []
    for _group in range(groups):
        days = random.permutation(np.arange(1, 91)) + random.integers(0, 5)
        found.append((days, random.random(90) < 0.7, np.repeat([1, 2, 3], 30)))
    return found


@pytest.mark.parametrize("groups", [2, 3])
def test_strata_too_large_to_list_are_sampled(groups) -> None:
    rows = large_strata(groups)
    result = permutation_logrank_stratified(rows, seed=3)
    assert result.method.endswith("10,000 sampled arrangements, seed 3")
    plain = logrank_stratified(rows)
    assert result.p_value == pytest.approx(plain.p_value, abs=0.02)
    turned = [
        (days[::-1], events[::-1], [9 - s for s in strata[::-1]])
        for days, events, strata in rows[::-1]
    ]
    assert permutation_logrank_stratified(turned, seed=3).p_value == result.p_value


def test_a_stratum_of_one_group_or_without_events_says_nothing() -> None:
    alone = [
        ([*STRATA[0], 1, 2], [*STRATA[1], 1, 1], [*STRATA[2], 8, 8]),
        ([*OTHERS[0], 3, 3], [*OTHERS[1], 0, 0], [*OTHERS[2], 9, 9]),
    ]
    told = permutation_logrank_stratified(alone)
    assert told.p_value == permutation_logrank_stratified([STRATA, OTHERS]).p_value
    assert told.observed == (6, 3)


def test_a_stratum_of_more_cases_than_are_listed_is_sampled() -> None:
    many = ([1] * 1500 + [5], [1] * 1500 + [0], [1] * 1501)
    few = ([2] * 1400 + [6], [1] * 1400 + [1], [1] * 1400 + [2])
    third = ([2, 4], [1, 1], [2, 2])
    days, events, strata = (a + b for a, b in zip(many, third, strict=True))
    result = permutation_logrank_stratified([(days, events, strata), few])
    assert "sampled" in result.method


def test_many_middling_strata_are_sampled_together() -> None:
    """Each alone could be listed, their sums together could not."""
    days, flags = np.cumsum(np.arange(1, 15) ** 2), [1] * 14
    groups = [
        (
            np.concatenate([days[place::2] + stratum for stratum in range(4)]),
            flags[place::2] * 4,
            np.repeat(range(4), 7),
        )
        for place in range(2)
    ]
    result = permutation_logrank_stratified(groups)
    assert "10,000 sampled" in result.method
    assert 0 < result.smallest_p < 1e-12
