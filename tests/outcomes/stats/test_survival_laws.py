"""Laws of Kaplan-Meier: order, weights, counts, units, limits, coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.stats.survival import (
    SurvivalCurve,
    kaplan_meier,
    kaplan_meier_from_counts,
)

KINDS = ["log-log", "log", "plain"]
rows = st.lists(
    st.tuples(st.integers(0, 40), st.booleans(), st.integers(1, 4)),
    min_size=1,
    max_size=60,
)


def curve_of_rows(cases: list[tuple[int, bool, int]], **options) -> SurvivalCurve:
    days, events, weights = zip(*cases, strict=True)
    return kaplan_meier(days, events, weights, **options)


@given(rows, st.randoms(use_true_random=False))
def test_row_order_changes_nothing(cases, random) -> None:
    shuffled = random.sample(cases, len(cases))
    assert curve_of_rows(shuffled) == curve_of_rows(cases)


@given(rows)
def test_weights_equal_repetition(cases) -> None:
    repeated = [(d, e, 1) for d, e, weight in cases for _ in range(weight)]
    assert curve_of_rows(repeated) == curve_of_rows(cases)


@given(rows, st.sampled_from(KINDS))
def test_counts_equal_rows(cases, kind) -> None:
    """Also when the counts come unsorted and with repeated days."""
    days, events, weights = (list(column) for column in zip(*cases, strict=True))
    died = [w if e else 0 for e, w in zip(events, weights, strict=True)]
    left = [0 if e else w for e, w in zip(events, weights, strict=True)]
    from_counts = kaplan_meier_from_counts(days, died, left, interval=kind)
    assert from_counts == curve_of_rows(cases, interval=kind)


@given(rows, st.sampled_from([0.25, 1 / 30.4375, 7.0]))
def test_the_unit_of_time_scales_days_only(cases, scale) -> None:
    curve = curve_of_rows(cases)
    scaled = curve_of_rows([(d * scale, e, w) for d, e, w in cases])
    assert scaled.survival == pytest.approx(curve.survival)
    assert scaled.at_risk == curve.at_risk
    assert scaled.days == pytest.approx([day * scale for day in curve.days])
    if curve.median.reached:
        assert scaled.median.value == pytest.approx(curve.median.value * scale)


@given(rows, st.sampled_from(KINDS))
def test_the_curve_falls_and_its_limits_enclose_it(cases, kind) -> None:
    narrow = curve_of_rows(cases, interval=kind, level=0.8)
    wide = curve_of_rows(cases, interval=kind, level=0.99)
    assert all(np.diff([1, *narrow.survival]) <= 0)
    bands = zip(
        wide.lower, narrow.lower, narrow.survival, narrow.upper, wide.upper, strict=True
    )
    for band in bands:
        if band[1] is None:
            assert band[2] in (0, 1)
            assert (band[0], band[3], band[4]) == (None, None, None)
        else:
            assert 0 <= band[0] <= band[1] <= band[2] <= band[3] <= band[4] <= 1


@given(rows)
def test_the_curve_does_not_fall_to_zero_when_the_last_case_is_censored(cases) -> None:
    last = max(day for day, _, _ in cases) + 1
    assert curve_of_rows([*cases, (last, False, 1)]).survival[-1] > 0


@given(rows)
def test_without_censoring_survival_is_the_share_still_free(cases) -> None:
    curve = curve_of_rows([(day, True, weight) for day, _, weight in cases])
    total = sum(weight for *_, weight in cases)
    later = [
        sum(weight for day, _, weight in cases if day > asked) for asked in curve.days
    ]
    assert curve.survival == pytest.approx([count / total for count in later])


def test_coverage_of_the_log_log_interval_is_near_nominal() -> None:
    """500 samples of 60 exponential times with some 30 % censored, S(t) = 0.6."""
    source = np.random.default_rng(20240)
    hits = 0
    for _ in range(500):
        event_days = source.exponential(1, 60)
        ends = source.exponential(2.3, 60)
        curve = kaplan_meier(np.minimum(event_days, ends), event_days <= ends)
        (point,) = curve.survival_at([-np.log(0.6)])
        hits += point.lower <= 0.6 <= point.upper
    assert hits / 500 == pytest.approx(0.95, abs=0.021)
