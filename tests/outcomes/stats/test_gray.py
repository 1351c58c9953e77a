"""Gray's test against R's cmprsk, its permutation against every arrangement."""

from __future__ import annotations

import itertools
import math
import shutil
import subprocess
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcomes.stats.attainable import unreachable
from outcomes.stats.errors import StatError
from outcomes.stats.gray import (
    NO_VARIANCE,
    GrayTest,
    gray_test_from_counts,
    permutation_gray_from_counts,
)
from outcomes.stats.logrank import logrank_from_counts
from tests.outcomes.stats.conftest import FIXTURES

Cases = list[tuple[int, int]]
ANSWERS = pd.read_csv(FIXTURES / "gray.csv").set_index("number")
group = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 2)), min_size=1, max_size=4
)


def cases_of(number: int) -> list[Cases]:
    """Days and causes of each group, from the generator in ``gray.R``."""
    state = number

    def draw(below: int) -> int:
        nonlocal state
        state = state * 16807 % 2147483647
        return state % below

    for _ in range(5):
        draw(2)
    groups = 2 + draw(3)
    n = 400 if draw(10) == 0 else 15 + draw(80)
    uneven = 1 + draw(6)
    last = (10, 60, 1000)[draw(3)]
    percent = 10 + draw(70)
    found: dict[int, Cases] = {}
    for _ in range(n):
        label = draw(groups) if draw(uneven) == 0 else 0
        day = 1 + draw(last)
        cause = 1 + draw(2) if draw(100) < percent else 0
        found.setdefault(label, []).append((day, cause))
    return [found[label] for label in sorted(found)]


def counts(cases: Sequence[tuple[int, int]], times: int = 1) -> tuple:
    days = [day for day, _cause in cases]
    kinds = [[times * int(c == kind) for _day, c in cases] for kind in (1, 2, 0)]
    return (days, *kinds)


def gray(groups: Sequence[Cases]) -> GrayTest:
    return gray_test_from_counts([counts(group) for group in groups])


def test_a_small_set_with_ties_as_r() -> None:
    """R: cuminc(c(1,2,2,3,4,4,5,6,7,8,8,9,10,12), c(1,2,1,0,1,1,2,0,1,2,1,0,2,0),
    c(1,1,2,2,1,1,2,1,2,2,2,1,2,2))$Tests["1", ]
    """
    first = [(1, 1), (2, 2), (4, 1), (4, 1), (6, 0), (9, 0)]
    second = [(2, 1), (3, 0), (5, 2), (7, 1), (8, 2), (8, 1), (10, 2), (12, 0)]
    result = gray([first, second])
    assert result.statistic == pytest.approx(0.5577042920286593, rel=1e-10)
    assert result.p_value == pytest.approx(0.455186699814453, rel=1e-10)
    assert (result.df, result.name, result.method) == (1, "Gray", "chi-squared")


@pytest.mark.parametrize("start", range(1, 1001, 200))
def test_every_answer_is_that_of_r(start) -> None:
    compared = 0
    for number in range(start, start + 200):
        answer = ANSWERS.loc[number]
        if math.isnan(answer["statistic"]):
            continue
        groups = cases_of(number)
        for ordered in (groups, groups[::-1]) if number % 5 == 0 else (groups,):
            found = gray(ordered)
            assert found.df == answer["df"]
            assert found.statistic == pytest.approx(answer["statistic"], rel=1e-8)
            assert found.p_value == pytest.approx(answer["p"], rel=1e-8)
            compared += 1
    assert compared > 150


@pytest.mark.skipif(not shutil.which("Rscript"), reason="R is not installed")
def test_the_answers_are_those_of_the_r_at_hand() -> None:
    try:
        said = subprocess.run(
            ["Rscript", FIXTURES / "gray.R", "100"],
            check=True, capture_output=True, text=True,
        ).stdout.splitlines()  # fmt: skip
    except subprocess.CalledProcessError as error:
        pytest.skip(f"R without cmprsk: {error.stderr[-200:]}")
    assert said == (FIXTURES / "gray.csv").read_text().splitlines()[:101]


@given(st.integers(1, 10**6), st.integers(2, 5))
def test_counts_in_any_order_are_cases(number, times) -> None:
    groups = cases_of(number)
    if len(groups) < 2:
        return
    counted = [counts(sorted(group, reverse=True), times) for group in groups]
    assert gray_test_from_counts(counted) == gray([group * times for group in groups])


def test_expected_events_add_up_and_are_the_log_rank_s_without_competition() -> None:
    groups = [[(2, 1), (3, 0), (5, 1), (9, 0)], [(3, 1), (4, 1), (6, 0)]]
    found = gray(groups)
    plain = logrank_from_counts(
        [(c[0], c[1], c[3]) for c in (counts(group) for group in groups)]
    )
    assert found.observed == plain.observed == (2, 2)
    assert sum(found.expected) == pytest.approx(4)
    assert gray([[*groups[0], (2, 2)], groups[1]]).competing == (1, 0)


def test_without_an_event_of_interest_there_is_no_test() -> None:
    found = gray([[(3, 2), (4, 0)], [(5, 0)]])
    assert (found.estimable, found.p_value) == (False, None)
    assert found.reason == "no events of interest in either group"
    assert gray([[(3, 2)]] * 3).reason == "no events of interest in any group"
    assert permutation_gray_from_counts([counts([(3, 2)])] * 2) == gray([[(3, 2)]] * 2)


def test_groups_never_observed_together_are_not_estimable() -> None:
    found = gray([[(1, 2), (2, 0)], [(3, 1), (4, 1)]])
    assert found.reason == (
        "no day with an event of interest has two groups under observation"
    )


def test_a_group_that_left_before_takes_no_degree_of_freedom() -> None:
    """R's cuminc answers -1 here: its covariance is singular."""
    late = cases_of(1)[:2]
    early = [(0, 2), (0, 0)]
    with_early = gray([*late, early])
    assert with_early.df == 1
    assert with_early.statistic == pytest.approx(gray(late).statistic)
    small = [[(5, 1), (6, 1), (7, 2), (8, 0)], [(6, 0), (8, 1), (9, 1), (9, 0)]]
    dealt = [counts(group) for group in small]
    found = permutation_gray_from_counts([*dealt, counts(early)])
    assert found.p_value == permutation_gray_from_counts(dealt).p_value


def test_groups_without_variance_are_named() -> None:
    for groups in (
        [[(1, 1)], [(1, 1)]],
        [[(2, 1), (2, 1)], [(2, 1), (2, 1), (1, 0)], [(2, 1), (1, 1)]],
    ):
        found = gray(groups)
        assert (found.estimable, found.reason) == (False, NO_VARIANCE)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([counts([(1, 1)])], "at least two groups"),
        ([([], [], [], []), counts([(1, 1)])], "days is empty"),
        ([([1], [0], [0], [0]), counts([(1, 1)])], "there are no cases"),
        ([([-1], [1], [0], [0]), counts([(1, 1)])], "days contains negative"),
        ([([1], [1, 1], [0], [0]), counts([(1, 1)])], "days 1, events 2"),
        ([([1], [0.5], [0], [0]), counts([(1, 1)])], "events must be whole"),
    ],
)
def test_groups_that_are_refused(groups, message) -> None:
    for test in (gray_test_from_counts, permutation_gray_from_counts):
        with pytest.raises(StatError, match=message):
            test(groups)


def difference(groups: Sequence[Cases]) -> float:
    """Observed less expected events of the first group, case by case from the paper."""
    days = sorted({day for group in groups for day, cause in group if cause == 1})
    total = 0.0
    for day in days:
        risks = []
        for group in groups:
            free, incidence = 1.0, 0.0
            for before in sorted({d for d, cause in group if cause and d < day}):
                at_risk = sum(d >= before for d, _cause in group)
                ended = [cause for d, cause in group if d == before and cause]
                incidence += free * ended.count(1) / at_risk
                free *= 1 - len(ended) / at_risk
            at_risk = sum(d >= day for d, _cause in group)
            risks.append(at_risk * (1 - incidence) / free if at_risk else 0.0)
        happened = [group.count((day, 1)) for group in groups]
        total += happened[0] - sum(happened) * risks[0] / sum(risks)
    return total


@settings(max_examples=8)
@given(group, group)
def test_the_permutation_is_that_of_every_arrangement(first, second) -> None:
    groups = [first, second]
    found = permutation_gray_from_counts([counts(group) for group in groups])
    if found.statistic is None:
        return
    assert found.observed[0] - found.expected[0] == pytest.approx(difference(groups))
    pooled = [*first, *second]
    values = []
    for chosen in itertools.combinations(range(len(pooled)), len(first)):
        other = [pooled[place] for place in range(len(pooled)) if place not in chosen]
        values.append(abs(difference([[pooled[place] for place in chosen], other])))
    smallest = np.mean(np.array(values) >= max(values) - 1e-9)
    assert found.smallest_p == pytest.approx(smallest)
    if found.p_value is None:
        assert found.reason == unreachable(found.smallest_p)
        return
    share = np.mean(np.array(values) >= abs(difference(groups)) - 1e-9)
    assert found.p_value == pytest.approx(share)


def test_one_event_among_five_cases_has_no_p() -> None:
    groups = [counts([(1, 1)]), counts([(2, 0), (3, 2), (4, 0), (5, 0)])]
    found = permutation_gray_from_counts(groups)
    assert (found.estimable, found.p_value) == (False, None)
    assert found.reason == unreachable(found.smallest_p)
    assert found.smallest_p == pytest.approx(0.2)


def test_the_seed_and_the_names_of_groups() -> None:
    groups = [counts(group) for group in cases_of(2)]
    found = permutation_gray_from_counts(groups, seed=7)
    assert found.method.startswith("permutation of Gray's differences: 10,000 sampled")
    swapped = permutation_gray_from_counts(groups[::-1], seed=7)
    assert swapped.p_value == found.p_value
    assert permutation_gray_from_counts(groups, seed=8).p_value != found.p_value
    asymptotic = gray_test_from_counts(groups)
    assert found.p_value == pytest.approx(asymptotic.p_value, abs=0.1)


def test_an_incidence_of_all_groups_that_passes_1_as_r() -> None:
    """The estimate of all groups together is no share and may exceed 1.

    > x <- cuminc(c(seq(1, 11, 2), seq(2, 14, 2)),
    +             c(rep(1, 6), 1, 0, 1, 1, 0, 1, 1), rep(1:2, c(6, 7))); x$Tests
                  stat                pv df
    1 2.62092851491495 0.105462712645952  1
    """
    first = counts([(day, 1) for day in range(1, 12, 2)])
    second = counts(list(zip(range(2, 15, 2), [1, 0, 1, 1, 0, 1, 1], strict=True)))
    found = gray_test_from_counts([first, second])
    assert found.statistic == pytest.approx(2.62092851491495, rel=1e-12)
    assert found.p_value == pytest.approx(0.105462712645952, rel=1e-12)
