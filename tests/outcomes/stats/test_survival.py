"""Kaplan-Meier against R's survfit and lifelines, and its silences."""

from __future__ import annotations

import json

import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from outcomes.stats.errors import StatError
from outcomes.stats.survival import (
    NO_EVENTS,
    kaplan_meier,
    kaplan_meier_from_counts,
)


def maintained(aml: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    inside = aml["group"] == "Maintained"
    return aml["days"][inside], aml["event"][inside]


def test_maintained_aml_curve_as_r(aml) -> None:
    """R: m <- aml[aml$x == "Maintained",]
    f <- survfit(Surv(time, status) ~ 1, data = m, conf.type = "log-log")
    f$time, f$surv, f$lower, f$upper
    """
    curve = kaplan_meier(*maintained(aml))
    assert curve.days == (9, 13, 18, 23, 28, 31, 34, 45, 48, 161)
    assert curve.survival == pytest.approx(
        [0.909090909090909, 0.818181818181818, 0.715909090909091, 0.613636363636364]
        + [0.613636363636364, 0.490909090909091, 0.368181818181818]
        + [0.368181818181818, 0.184090909090909, 0.184090909090909],
        abs=1e-12,
    )
    assert curve.lower == pytest.approx(
        [0.5080802057699297, 0.4474286146821814, 0.3501903859079384]
        + [0.2657520400012861, 0.2657520400012861, 0.1673309097768508]
        + [0.0928295749369852, 0.0928295749369852, 0.0117384801231896]
        + [0.0117384801231896],
        abs=1e-12,
    )
    assert curve.upper == pytest.approx(
        [0.986673822667823, 0.951162228582492, 0.899023974191053, 0.835299243250221]
        + [0.835299243250221, 0.753399790370811, 0.657040832398164]
        + [0.657040832398164, 0.525014842726641, 0.525014842726641],
        abs=1e-12,
    )
    assert curve.at_risk == (11, 10, 8, 7, 6, 5, 4, 3, 2, 1)
    assert (curve.n, curve.n_events) == (11, 7)
    assert curve.method == "Kaplan-Meier, log-log"
    assert curve.note is None


@pytest.mark.parametrize(
    ("kind", "lower", "upper"),
    [("log-log", 13, None), ("log", 18, None), ("plain", 18, 48)],
)
def test_maintained_aml_median_as_r(aml, kind, lower, upper) -> None:
    """R: summary(survfit(Surv(time, status) ~ 1, m, conf.type = kind))$table"""
    median = kaplan_meier(*maintained(aml), interval=kind).median
    assert (median.value, median.lower, median.upper) == (31, lower, upper)
    assert median.reached


@pytest.mark.parametrize(
    ("kind", "lower", "upper"),
    [
        (
            "log-log",
            [0.8163571134845405, 0.3402641704658283, 0.0179416088871498],
            [0.905625419329477, 0.480367974362300, 0.109119997996090],
        ),
        (
            "log",
            [0.8247979292290669, 0.3463151280985008, 0.0207774524622038],
            [0.912991438336115, 0.487872249835572, 0.123068858776253],
        ),
        (
            "plain",
            [0.82369719993852508, 0.34061106911940114, 0.00559083688099699],
            [0.9118527967409075, 0.4814778328796706, 0.0955438725475915],
        ),
    ],
)
def test_lung_survival_at_times_as_r(lung, kind, lower, upper) -> None:
    """R: l <- lung[!is.na(lung$ph.ecog),]
    f <- survfit(Surv(time, status) ~ 1, data = l, conf.type = kind)
    summary(f, times = c(100, 365, 1000))
    """
    curve = kaplan_meier(lung["days"], lung["event"], interval=kind)
    points = curve.survival_at([100, 365, 1000])
    assert [point.value for point in points] == pytest.approx(
        [0.8677749983397163, 0.4110444509995358, 0.0505673547142943], abs=1e-12
    )
    assert [point.lower for point in points] == pytest.approx(lower, abs=1e-12)
    assert [point.upper for point in points] == pytest.approx(upper, abs=1e-12)
    assert curve.at_risk_at([0, 100, 365, 1000]) == (227, 196, 65, 2)
    assert points[0].method == f"Kaplan-Meier, {kind}"


@pytest.mark.parametrize(
    ("kind", "limits"),
    [("log-log", (284, 361)), ("log", (285, 363)), ("plain", (284, 363))],
)
def test_lung_median_as_r(lung, kind, limits) -> None:
    """R: summary(f)$table[c("median", "0.95LCL", "0.95UCL")]"""
    median = kaplan_meier(lung["days"], lung["event"], interval=kind).median
    assert (median.value, median.lower, median.upper) == (310, *limits)


def test_another_level_as_r(lung) -> None:
    """R: survfit(…, conf.type = "log-log", conf.int = 0.9), times = 365"""
    curve = kaplan_meier(lung["days"], lung["event"], level=0.9)
    (point,) = curve.survival_at([365])
    assert point.lower == pytest.approx(0.351642415742217, abs=1e-12)
    assert point.upper == pytest.approx(0.469410274351565, abs=1e-12)
    assert point.level == 0.9


def test_weights_as_r(aml) -> None:
    """R: survfit(Surv(time, status) ~ 1, m, weights = c(1,2,1,3,1,1,2,1,1,1,4))"""
    curve = kaplan_meier(*maintained(aml), weights=[1, 2, 1, 3, 1, 1, 2, 1, 1, 1, 4])
    assert curve.survival == pytest.approx(
        [0.944444444444444, 0.833333333333333, 0.654761904761905, 0.595238095238095]
        + [0.595238095238095, 0.462962962962963, 0.396825396825397]
        + [0.396825396825397, 0.317460317460317, 0.317460317460317],
        abs=1e-12,
    )
    assert curve.n == 18


def test_event_on_day_0_as_r() -> None:
    """R: survfit(Surv(c(0, 0, 5, 7), c(1, 0, 1, 0)) ~ 1, conf.type = "log-log")"""
    curve = kaplan_meier([0, 0, 5, 7], [1, 0, 1, 0])
    assert curve.days == (0, 5, 7)
    assert curve.survival == (0.75, 0.375, 0.375)
    assert curve.at_risk == (4, 2, 1)
    assert curve.lower == pytest.approx([0.1279469175951459, *[0.0109711215748446] * 2])
    assert curve.survival_at([0])[0].value == 0.75


def test_second_opinion_lifelines(lung) -> None:
    fitter = KaplanMeierFitter().fit(lung["days"], lung["event"])
    curve = kaplan_meier(lung["days"], lung["event"])
    theirs = fitter.survival_function_.to_numpy().ravel()
    limits = fitter.confidence_interval_survival_function_.to_numpy()
    assert curve.survival == pytest.approx(theirs[1:], abs=1e-12)
    known = [place for place, limit in enumerate(curve.lower) if limit is not None]
    assert [curve.lower[k] for k in known] == pytest.approx(limits[1:, 0][known])
    assert [curve.upper[k] for k in known] == pytest.approx(limits[1:, 1][known])
    assert curve.median.value == fitter.median_survival_time_


def test_no_events_in_19_cases_gives_no_interval() -> None:
    """lifelines prints 1.00-1.00 here."""
    curve = kaplan_meier([365] * 19, [0] * 19)
    assert curve.survival == (1.0,)
    assert (curve.lower, curve.upper) == ((None,), (None,))
    assert not curve.median.reached
    assert (curve.median.value, curve.median.lower, curve.median.upper) == (None,) * 3
    assert curve.note == NO_EVENTS
    (point,) = curve.survival_at([200])
    assert (point.value, point.upper) == (1.0, 1.0)
    assert point.lower == pytest.approx(0.8235330881930346, rel=1e-12)
    assert point.method == "Kaplan-Meier, beta product"


def test_after_the_last_day_nothing_is_known() -> None:
    censored_last = kaplan_meier([1, 2, 3], [1, 1, 0])
    assert censored_last.survival[-1] > 0
    assert censored_last.survival_at([3, 3.5])[0].value == pytest.approx(1 / 3)
    assert censored_last.survival_at([3, 3.5])[1].value is None
    assert censored_last.at_risk_at([3.5]) == (0,)
    all_died = kaplan_meier([1, 2, 3], [1, 1, 1])
    assert all_died.survival_at([9])[0].value == 0
    assert (all_died.lower[-1], all_died.upper[-1]) == (None, None)


def test_a_case_censored_on_a_day_is_still_at_risk_on_it() -> None:
    assert kaplan_meier([5, 5], [1, 0]).survival == (0.5,)


@pytest.mark.parametrize(
    ("days", "events", "median"),
    [
        ([1, 2, 3, 4], [1, 1, 1, 1], 2.5),
        (range(1, 11), [1] * 10, 5.5),
        ([1, 2, 3, 5, 9], [1, 1, 0, 0, 1], 9),
        ([1, 2, 3, 4], [1, 1, 0, 0], 2),
        ([1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 1, 0], 4),
    ],
)
def test_a_curve_that_rests_at_one_half_has_its_median_there(
    days, events, median
) -> None:
    """The middle of the piece at one half, or its first day where the curve ends so.

    > m <- function(d, e) unname(summary(survfit(Surv(d, e) ~ 1))$table["median"])
    > c(m(1:4, rep(1, 4)), m(1:10, rep(1, 10)), m(c(1, 2, 3, 5, 9), c(1, 1, 0, 0, 1)),
    +   m(1:4, c(1, 1, 0, 0)), m(1:6, c(1, 1, 1, 0, 1, 0)))
    [1] 2.5 5.5 9.0 2.0 4.0
    """
    assert kaplan_meier(days, events).median.value == median


def test_json_is_strict(lung) -> None:
    for events in (lung["event"], np.zeros(len(lung["days"]))):
        text = json.dumps(kaplan_meier(lung["days"], events).to_json(), allow_nan=False)
        assert json.loads(text)["n"] == 227


@pytest.mark.parametrize(
    ("days", "events", "message"),
    [
        ([-1, 2], [1, 0], "days contains negative values"),
        ([np.nan, 2], [1, 0], "days contains NaN or infinite values"),
        ([np.inf, 2], [1, 0], "days contains NaN or infinite values"),
        ([1, 2], [1, np.nan], "events contains NaN"),
        ([1, 2, 3], [1, 0], "lengths differ: days 3, events 2"),
        ([], [], "days is empty"),
        ([1, 2], [1, 2], "events must be 0 or 1"),
        (["a"], [1], "days must be numbers"),
        ([[1]], [1], "days must be one-dimensional"),
    ],
)
def test_rows_that_are_refused(days, events, message) -> None:
    with pytest.raises(StatError, match=message):
        kaplan_meier(days, events)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": [1, 0.5]}, "weights must be whole numbers"),
        ({"weights": [1, -1]}, "weights contains negative"),
        ({"weights": [1]}, "lengths differ"),
        ({"weights": [0, 0]}, "there are no cases"),
        ({"level": 1}, "level must lie between 0 and 1"),
        ({"interval": "exact"}, "interval must be log-log, log, plain or beta"),
    ],
)
def test_arguments_that_are_refused(arguments, message) -> None:
    with pytest.raises(StatError, match=message):
        kaplan_meier([1, 2], [1, 0], **arguments)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (([1, 2], [1, 0], [0]), "lengths differ"),
        (([1, 2], [-1, 0], [0, 1]), "events contains negative"),
        (([1, 2], [0, 0], [0, 0]), "there are no cases"),
        (([1, -2], [1, 0], [0, 1]), "days contains negative"),
        (([], [], []), "days is empty"),
    ],
)
def test_counts_that_are_refused(counts, message) -> None:
    with pytest.raises(StatError, match=message):
        kaplan_meier_from_counts(*counts)


def test_times_that_are_refused() -> None:
    curve = kaplan_meier([1, 2], [1, 0])
    with pytest.raises(StatError, match="times contains negative"):
        curve.survival_at([-1])
    with pytest.raises(StatError, match="times contains NaN"):
        curve.survival_at([float("nan")])
