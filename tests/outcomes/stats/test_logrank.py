"""Log-rank test against R's survdiff and lifelines, its laws, and its refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from lifelines.statistics import multivariate_logrank_test
from scipy.stats import logrank as scipy_logrank

from outcomes.stats.errors import StatError
from outcomes.stats.logrank import (
    logrank,
    logrank_from_counts,
    logrank_stratified,
    logrank_stratified_from_counts,
)

group = st.lists(st.tuples(st.integers(0, 15), st.booleans()), min_size=1, max_size=25)


def split(columns: dict[str, np.ndarray], by: str) -> list[tuple]:
    return [
        (columns["days"][columns[by] == value], columns["event"][columns[by] == value])
        for value in np.unique(columns[by])
    ]


def as_rows(cases: list[tuple[int, bool]]) -> tuple:
    return tuple(list(column) for column in zip(*cases, strict=True))


def test_aml_as_r(aml) -> None:
    """R: survdiff(Surv(time, status) ~ x, data = aml)$chisq, $exp"""
    result = logrank(split(aml, "group"))
    assert result.statistic == pytest.approx(3.3963886989776, abs=1e-10)
    assert result.p_value == pytest.approx(0.0653393220405051, abs=1e-12)
    assert result.expected == pytest.approx([10.68933599230072, 7.31066400769928])
    assert result.observed == (7, 11)
    assert (result.df, result.estimable, result.name) == (1, True, "log-rank")


def test_four_cell_types_as_r(veteran) -> None:
    """R: survdiff(Surv(time, status) ~ celltype, data = veteran)"""
    result = logrank(split(veteran, "cell"))
    assert result.statistic == pytest.approx(25.4037003457854, abs=1e-9)
    assert result.p_value == pytest.approx(1.27124593900607e-05, abs=1e-12)
    assert result.df == 3
    by_cell = dict(zip(np.unique(veteran["cell"]), result.expected, strict=True))
    assert by_cell["adeno"] == pytest.approx(15.6937646143605)
    assert by_cell["squamous"] == pytest.approx(47.6546776724754)


def test_stratified_as_r(lung) -> None:
    """R: survdiff(Surv(time, status) ~ sex + strata(ph.ecog), data = l)"""
    groups = [
        (lung["days"][inside], lung["event"][inside], lung["ecog"][inside])
        for inside in (lung["sex"] == 1, lung["sex"] == 2)
    ]
    result = logrank_stratified(groups)
    assert result.statistic == pytest.approx(10.7950596334964, abs=1e-9)
    assert result.expected == pytest.approx([90.6410226636549, 73.3589773363452])
    assert result.name == "stratified log-rank"


@pytest.mark.filterwarnings("ignore:Starting with pandas version 4.0")
def test_second_opinions(lung) -> None:
    theirs = multivariate_logrank_test(lung["days"], lung["ecog"], lung["event"])
    ours = logrank(split(lung, "ecog"))
    assert ours.statistic == pytest.approx(theirs.test_statistic)
    assert ours.p_value == pytest.approx(theirs.p_value)
    uncensored = [[3, 5, 5, 8, 13], [4, 6, 9, 9, 20, 21]]
    scipy_says = scipy_logrank(*uncensored)
    two = logrank([(days, [1] * len(days)) for days in uncensored])
    assert two.statistic == pytest.approx(scipy_says.statistic**2)
    assert two.p_value == pytest.approx(scipy_says.pvalue)


def test_no_events_in_19_and_19_is_not_estimable() -> None:
    """lifelines gives chi-squared 0 and p = 1 here without a word."""
    result = logrank([([365] * 19, [0] * 19), ([400] * 19, [0] * 19)])
    assert not result.estimable
    assert (result.p_value, result.statistic) == (None, None)
    assert result.reason == "no events in either group"
    three = logrank([([365], [0])] * 3)
    assert three.reason == "no events in any group"


def test_groups_never_observed_together_are_not_estimable() -> None:
    result = logrank([([1, 2], [0, 0]), ([3, 4], [1, 1])])
    assert not result.estimable
    assert result.reason == "no day with an event has two groups under observation"
    assert logrank([([3], [1]), ([3], [1])]).reason == result.reason


def test_a_group_that_left_before_the_first_event_takes_no_degree_of_freedom() -> None:
    """R's survdiff drops it likewise: df 1, chisq as without it."""
    late = [([5, 6, 7, 9], [1, 1, 0, 1]), ([5, 8, 9, 9], [0, 1, 1, 0])]
    with_early = logrank([*late, ([1, 2], [0, 0])])
    assert with_early.df == 1
    assert with_early.statistic == pytest.approx(logrank(late).statistic)


def test_a_group_may_be_missing_from_a_stratum() -> None:
    first = ([2, 4, 6], [1, 1, 0], ["C", "C", "C"])
    second = ([3, 5, 7, 1], [1, 0, 1, 1], ["C", "C", "C", "T"])
    within = logrank([(first[0], first[1]), (second[0][:3], second[1][:3])])
    result = logrank_stratified([first, second])
    assert result.statistic == pytest.approx(within.statistic)
    assert result.observed == (2, 3)


def test_stratified_counts_equal_stratified_rows() -> None:
    first = ([2, 4, 6, 6], [1, 1, 0, 1], ["C", "C", "C", "T"])
    second = ([3, 5, 7], [1, 0, 1], ["C", "C", "C"])
    cervical = [([2, 4, 6], [1, 1, 0], [0, 0, 1]), ([3, 5, 7], [1, 0, 1], [0, 1, 0])]
    thoracic = [([6], [1], [0]), None]
    from_rows = logrank_stratified([first, second])
    assert logrank_stratified_from_counts([cervical, thoracic]) == from_rows


def test_a_group_without_a_case_in_any_stratum_is_refused() -> None:
    with pytest.raises(StatError, match="no case in any stratum"):
        logrank_stratified_from_counts([[([6], [1], [0]), None]])
    with pytest.raises(StatError, match="no case in any stratum"):
        logrank_stratified_from_counts([])
    with pytest.raises(StatError, match="lengths differ"):
        logrank_stratified_from_counts([[None, None], [None, None, None]])


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([([1], [1])], "at least two groups"),
        ([([1], [1]), ([], [])], "days is empty"),
        ([([1], [1]), ([-1], [1])], "days contains negative"),
        ([([1], [1]), ([1, 2], [1])], "lengths differ"),
    ],
)
def test_groups_that_are_refused(groups, message) -> None:
    with pytest.raises(StatError, match=message):
        logrank(groups)


def test_strata_of_another_length_are_refused() -> None:
    with pytest.raises(StatError, match="lengths differ: days 1, events 1, strata 2"):
        logrank_stratified([([1], [1], ["a"]), ([1], [1], ["a", "b"])])


@given(group, group, group)
def test_counts_order_of_rows_and_of_groups_change_nothing(a, b, c) -> None:
    groups = [as_rows(cases) for cases in (a, b, c)]
    ours = logrank(groups)
    counts = [
        (days, np.array(events, int), 1 - np.array(events, int))
        for days, events in groups
    ]
    assert logrank_from_counts(counts) == ours
    assert logrank([as_rows(sorted(cases)) for cases in (a, b, c)]) == ours
    swapped = logrank(groups[::-1])
    assert swapped.estimable == ours.estimable
    assert swapped.observed == ours.observed[::-1]
    if ours.estimable:
        assert swapped.statistic == pytest.approx(ours.statistic, rel=1e-6, abs=1e-9)
        assert swapped.df == ours.df


@given(group, group)
def test_one_stratum_equals_none(a, b) -> None:
    plain = logrank([as_rows(a), as_rows(b)])
    assume(plain.estimable)
    one = logrank_stratified([(*as_rows(a), [1] * len(a)), (*as_rows(b), [1] * len(b))])
    assert one.statistic == pytest.approx(plain.statistic)


@given(group, group)
def test_observed_and_expected_add_up(a, b) -> None:
    result = logrank([as_rows(a), as_rows(b)])
    assert sum(result.observed) == pytest.approx(sum(result.expected))


def test_false_alarms_are_near_nominal() -> None:
    """500 pairs of equal groups of 50; 5 % expected below 0.05, standard error 1 %."""
    source = np.random.default_rng(7)
    alarms = 0
    for _ in range(500):
        days = source.exponential(1, (2, 50))
        ends = source.exponential(2, (2, 50))
        groups = [(np.minimum(d, e), d <= e) for d, e in zip(days, ends, strict=True)]
        alarms += logrank(groups).p_value < 0.05
    assert alarms / 500 == pytest.approx(0.05, abs=0.021)
