"""The log-rank test by permutation against all arrangements in R."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcomes.stats.logrank import logrank
from outcomes.stats.logrank_permutation import (
    permutation_logrank,
    permutation_logrank_from_counts,
    whole_scores,
)
from outcomes.stats.permutation import LARGEST_SUM, UNREACHABLE

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
    assert result.reason == UNREACHABLE
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
    assert result.p_value == pytest.approx(share, abs=0.01)
    assert result.method == (
        "permutation of log-rank scores: 10,000 sampled arrangements, seed 0"
    )


def test_scores_are_whole_where_they_can_be() -> None:
    scores, slack = whole_scores(np.array([1, 0, 1]), np.array([3, 2, 1]))
    assert slack == 0
    assert scores.tolist() == [2, 2, -1, -1, -1, -4]
    at_risk = np.arange(400, 0, -1)
    scores, slack = whole_scores(np.ones(400, dtype=int), at_risk)
    assert slack == 400
    hazard = np.cumsum(1 / at_risk)
    assert scores[:400] / (LARGEST_SUM // 800) == pytest.approx(1 - hazard)
