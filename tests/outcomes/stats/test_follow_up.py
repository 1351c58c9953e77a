"""Reverse Kaplan-Meier and Clark's completeness."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.stats.errors import StatError
from outcomes.stats.follow_up import (
    clark_completeness,
    clark_completeness_from_sums,
    reverse_kaplan_meier_median,
    reverse_kaplan_meier_median_from_counts,
)


def test_lung_as_r(lung) -> None:
    """R: survfit(Surv(time, 2 - status) ~ 1, data = l, conf.type = "log-log")

    n 227, events 63, median 588, 0.95LCL 511, 0.95UCL 821
    """
    median = reverse_kaplan_meier_median(lung["days"], lung["event"])
    assert (median.value, median.lower, median.upper) == (588, 511, 821)
    assert median.method == "reverse Kaplan-Meier, log-log"
    counts = (lung["days"], lung["event"], 1 - lung["event"])
    assert reverse_kaplan_meier_median_from_counts(*counts) == median


def test_without_events_it_is_the_median_of_observation() -> None:
    assert reverse_kaplan_meier_median([100, 200, 300], [0, 0, 0]).value == 200


def test_not_reached_when_nobody_was_censored() -> None:
    median = reverse_kaplan_meier_median([1, 2, 3], [1, 1, 1])
    assert not median.reached
    assert median.value is None


def test_completeness_counts_a_case_with_the_event_as_complete() -> None:
    """Clark 2002: observed 100 + 50 + 80 of possible 100 + 100 + 80."""
    result = clark_completeness([100, 50, 80], [0, 0, 1], [100, 100, 400])
    assert result.value == pytest.approx(230 / 280)
    assert (result.observed, result.potential) == (230, 280)


def test_completeness_without_any_possible_follow_up_is_undefined() -> None:
    assert clark_completeness([0, 0], [0, 1], [0, 5]).value is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([5], [0], [4]), "days exceed potential_days"),
        (([5, 1], [0], [4]), "lengths differ"),
        (([], [], []), "days is empty"),
        (([-5], [0], [4]), "days contains negative"),
    ],
)
def test_completeness_refuses(arguments, message) -> None:
    with pytest.raises(StatError, match=message):
        clark_completeness(*arguments)


@pytest.mark.parametrize("sums", [(5, 4), (-1, 4), (float("nan"), 4)])
def test_completeness_from_sums_refuses(sums) -> None:
    with pytest.raises(StatError, match="observed"):
        clark_completeness_from_sums(*sums)


@given(
    st.lists(
        st.tuples(st.integers(0, 900), st.booleans(), st.integers(0, 900)), min_size=1
    )
)
def test_completeness_lies_between_0_and_1_and_ignores_order(cases) -> None:
    rows = [(day, event, day + more) for day, event, more in cases]
    result = clark_completeness(*zip(*rows, strict=True))
    assert result == clark_completeness(*zip(*sorted(rows), strict=True))
    if result.value is not None:
        assert 0 <= result.value <= 1
