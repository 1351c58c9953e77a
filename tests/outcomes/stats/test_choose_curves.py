"""Which test of curves is chosen, and what its reason says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from outcomes.stats.attainable import unreachable
from outcomes.stats.choose_curves import (
    compare_curves,
    compare_curves_in_strata,
    compare_incidence,
)
from outcomes.stats.errors import StatError
from outcomes.stats.gray import gray_test_from_counts, permutation_gray_from_counts
from outcomes.stats.logrank import (
    logrank_from_counts,
    logrank_stratified_from_counts,
)
from outcomes.stats.logrank_permutation import (
    permutation_logrank_from_counts,
    permutation_logrank_stratified_from_counts,
)


def followed(n: int, events: int, start: int = 0) -> tuple:
    """One case a day, the first of them with events."""
    days = [start + 3 * day for day in range(n)]
    return days, [1] * events + [0] * (n - events), [0] * events + [1] * (n - events)


def competed(n: int, events: int, start: int = 0) -> tuple:
    days, happened, censored = followed(n, events, start)
    competing = [censored[0], *([0] * (n - 2)), censored[-1]]
    return (
        days,
        happened,
        competing,
        [c - d for c, d in zip(censored, competing, strict=True)],
    )


@pytest.mark.parametrize(
    ("sizes", "events", "reason"),
    [
        ((20, 25), (15, 15), None),
        ((19, 40), (15, 15), "the smallest group has 19 cases, fewer than 20"),
        ((30, 30), (6, 6), "a group has 5.9 expected events, fewer than 10"),
    ],
)
def test_numbers_of_cases_and_of_expected_events_choose(sizes, events, reason) -> None:
    groups = [
        followed(n, e, start)
        for start, (n, e) in enumerate(zip(sizes, events, strict=True))
    ]
    found = compare_curves(groups, seed=3)
    if reason is None:
        assert found.test == logrank_from_counts(groups)
        assert found.reason == (
            "log-rank, chi-squared: every group has at least 20 cases and "
            "10 expected events"
        )
    else:
        assert found.test == permutation_logrank_from_counts(groups, seed=3)
        assert found.reason == f"log-rank by permutation: {reason}"
    incidence = compare_incidence(
        [competed(*g) for g in zip(sizes, events, (0, 1), strict=True)], 3
    )
    by_permutation = incidence.test.method.startswith("permutation")
    assert by_permutation == (reason is not None)
    assert incidence.reason.startswith("Gray")


def test_a_group_without_follow_up_at_an_event_does_not_choose() -> None:
    groups = [followed(20, 15, 5), followed(25, 15, 6), ([1, 2], [0, 0], [1, 1])]
    assert compare_curves(groups).test == logrank_from_counts(groups)
    others = [(*g[:2], [0] * len(g[0]), g[2]) for g in groups]
    assert compare_incidence(others).test == gray_test_from_counts(others)


def test_without_a_small_p_in_reach_there_is_none() -> None:
    groups = [([1], [1], [0]), ([2, 3, 4, 5], [0] * 4, [1] * 4)]
    found = compare_curves(groups)
    assert found.test.p_value is None
    assert found.reason == f"no log-rank test: {unreachable(0.2)}"
    incidence = compare_incidence(
        [([1], [1], [0], [0]), ([2, 3, 4, 5], [0] * 4, [0] * 4, [1] * 4)]
    )
    assert incidence.test.p_value is None
    assert incidence.reason == f"no Gray test: {unreachable(0.2)}"
    assert json.loads(json.dumps(found.to_json()))["test"]["smallest_p"] > 0.05


def test_without_events_nothing_is_dealt() -> None:
    quiet = [([9], [0], [30]), ([9], [0], [40])]
    assert compare_curves(quiet).reason == "no log-rank test: no events in either group"
    incidence = compare_incidence([(d, e, [1], c) for d, e, c in quiet])
    assert incidence.reason == ("no Gray test: no events of interest in either group")


def test_where_gray_has_no_variance_arrangements_do() -> None:
    groups = [([1], [3], [0], [0]), ([1], [3], [0], [0])]
    assert gray_test_from_counts(groups).p_value is None
    found = compare_incidence(groups)
    assert found.test == permutation_gray_from_counts(groups)
    assert found.test.smallest_p == 1


def test_a_million_cases_take_the_counts_as_they_are() -> None:
    days = np.arange(3000)
    groups = [(days, np.full(3000, 50), np.full(3000, 120 + g)) for g in range(2)]
    found = compare_curves(groups)
    assert found.test == logrank_from_counts(groups)
    tiny = [*groups, ([40, 900], [1, 0], [0, 2])]
    assert "1,000 sampled" in compare_curves(tiny).test.method


def test_groups_that_are_refused() -> None:
    for compare in (compare_curves, compare_incidence):
        with pytest.raises(StatError, match="at least two groups"):
            compare([([1], [1], [0], [0])[: 3 + (compare is compare_incidence)]])


def in_strata(groups: list, strata: int) -> list:
    """The same groups once more in each stratum."""
    return [groups for _stratum in range(strata)]


def test_strata_count_together() -> None:
    """Ten cases a group in each of three strata are thirty."""
    groups = [followed(10, 6, 5), followed(10, 6, 6)]
    large = compare_curves_in_strata(in_strata(groups, 3))
    assert large.test == logrank_stratified_from_counts(in_strata(groups, 3))
    assert large.reason.startswith("stratified log-rank, chi-squared")
    small = compare_curves_in_strata(in_strata(groups, 1))
    assert small.test == permutation_logrank_stratified_from_counts([groups])
    assert small.reason == (
        "stratified log-rank by permutation: the smallest group has 10 cases, "
        "fewer than 20"
    )


def test_a_stratum_of_one_group_is_no_stratum_of_the_test() -> None:
    groups = [followed(5, 3, 5), followed(6, 3, 6)]
    alone = [*in_strata(groups, 1), [None, followed(30, 20, 7)]]
    assert compare_curves_in_strata(alone).test.p_value == pytest.approx(
        compare_curves_in_strata(in_strata(groups, 1)).test.p_value
    )
    never = compare_curves_in_strata([[None, followed(30, 20, 7)], [groups[0], None]])
    assert never.test.p_value is None
    assert never.reason.startswith("no stratified log-rank test: no day")
