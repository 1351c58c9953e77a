"""Aalen-Johansen against R's survfit and lifelines, with exact ties."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import AalenJohansenFitter

from outcomes.stats.competing import aalen_johansen, aalen_johansen_from_counts
from outcomes.stats.errors import StatError
from outcomes.stats.survival import kaplan_meier

rows = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 3)), min_size=1, max_size=60
)
R_LIMITS = {
    "log-log": (
        [0.00529731206955466, 0.02544199074434642, 0.08168995070739782],
        [0.0156691729432718, 0.0446577215453444, 0.1200191317174126],
    ),
    "log": (
        [0.00547289920754748, 0.02574955197426561, 0.08236562797437830],
        [0.0161493340026210, 0.0451682902987656, 0.1209579545966150],
    ),
    "plain": (
        [0.00431484751486006, 0.02452094356419219, 0.08063576862618332],
        [0.0144876711744394, 0.0436864823845058, 0.1189916632447550],
    ),
}


@pytest.mark.parametrize("kind", list(R_LIMITS))
def test_progression_of_mgus_as_r(mgus2, kind) -> None:
    """R: e <- with(mgus2, ifelse(pstat == 0, 2 * death, 1))
    t <- with(mgus2, ifelse(pstat == 0, futime, ptime))
    f <- survfit(Surv(t, factor(e, 0:2)) ~ 1, conf.type = kind)
    summary(f, times = c(12, 60, 240))
    """
    progression = aalen_johansen(mgus2["months"], mgus2["cause"], interval=kind)[1]
    points = progression.incidence_at([12, 60, 240])
    assert [point.value for point in points] == pytest.approx(
        [0.00940125934464974, 0.03410371297434902, 0.09981371593546917], abs=1e-12
    )
    lower, upper = R_LIMITS[kind]
    assert [point.lower for point in points] == pytest.approx(lower, abs=1e-10)
    assert [point.upper for point in points] == pytest.approx(upper, abs=1e-10)
    errors = dict(zip(progression.days, progression.standard_error, strict=True))
    assert [errors[month] for month in (12, 60, 240)] == pytest.approx(
        [0.00259515576301945, 0.00488925790766794, 0.00978484679338960], abs=1e-10
    )


def test_death_in_mgus_as_r(mgus2) -> None:
    """R: the third column of summary(f, times = c(12, 60, 240))"""
    death = aalen_johansen(mgus2["months"], mgus2["cause"])[2]
    points = death.incidence_at([12, 60, 240])
    assert [point.value for point in points] == pytest.approx(
        [0.122185402813274, 0.320367010267878, 0.724027976142545], abs=1e-12
    )
    assert points[2].lower == pytest.approx(0.692075590787579, abs=1e-10)


def test_small_set_with_ties_as_r() -> None:
    """R: survfit(Surv(c(1,2,2,2,3,4,4), factor(c(1,1,2,0,2,1,0), 0:2)) ~ 1)"""
    result = aalen_johansen([1, 2, 2, 2, 3, 4, 4], [1, 1, 2, 0, 2, 1, 0])
    assert result[1].incidence == pytest.approx(
        [0.142857142857143, 0.285714285714286, 0.285714285714286, 0.476190476190476]
    )
    assert result[1].standard_error == pytest.approx(
        [0.132260014253222, 0.170746944190628, 0.170746944190628, 0.204157204450746]
    )
    assert result[2].standard_error == pytest.approx(
        [None, 0.132260014253222, 0.194403947839935, 0.194403947839935]
    )
    assert result[2].at_risk == (7, 6, 3, 2)
    assert (result[2].n, result[2].n_events) == (7, 2)


def test_one_minus_kaplan_meier_overstates(mgus2) -> None:
    """At 240 months 20.96 % against 9.98 %."""
    naive = kaplan_meier(mgus2["months"], mgus2["cause"] == 1).survival_at([240])[0]
    exact = aalen_johansen(mgus2["months"], mgus2["cause"])[1].incidence_at([240])[0]
    assert 1 - naive.value == pytest.approx(0.2096, abs=5e-5)
    assert exact.value == pytest.approx(0.0998, abs=5e-5)


def test_second_opinion_lifelines_without_ties() -> None:
    source = np.random.default_rng(3)
    days, causes = source.permutation(500)[:200] + 1, source.integers(0, 3, 200)
    fitter = AalenJohansenFitter().fit(days, causes, event_of_interest=1)
    theirs = fitter.cumulative_density_.to_numpy().ravel()
    ours = aalen_johansen(days, causes)[1]
    assert ours.incidence == pytest.approx(theirs[1:])
    # Their variance (Dinse and Larson 1986) divides by n where R and we have n - d.
    variances = fitter.variance_.to_numpy().ravel()[1:150]
    assert np.square(
        [error or 0 for error in ours.standard_error[:149]]
    ) == pytest.approx(variances, rel=0.05, abs=1e-7)


def test_a_cause_that_never_happened_has_no_interval() -> None:
    result = aalen_johansen([5, 6, 7], [0, 2, 0])
    assert list(result) == [1, 2]
    assert result[1].incidence == (0, 0, 0)
    assert result[1].lower == result[1].upper == (None,) * 3
    assert result[1].note == "no events of this cause: no interval"
    assert result[2].note is None
    json.dumps(result[1].to_json(), allow_nan=False)


def test_points_outside_the_observed_days() -> None:
    incidence = aalen_johansen([5, 6, 7], [1, 2, 0])[1]
    before, after = incidence.incidence_at([4.9, 7.1])
    assert (before.value, before.lower, before.upper) == (0, None, None)
    assert (after.value, after.lower, after.upper) == (None, None, None)


@pytest.mark.parametrize(
    ("days", "causes", "message"),
    [
        ([-1, 2], [1, 0], "days contains negative"),
        ([np.nan, 2], [1, 0], "days contains NaN"),
        ([1, 2], [1], "lengths differ: days 2, causes 1"),
        ([1, 2], [1, 0.5], "causes must be whole numbers"),
        ([], [], "days is empty"),
    ],
)
def test_rows_that_are_refused(days, causes, message) -> None:
    with pytest.raises(StatError, match=message):
        aalen_johansen(days, causes)


def test_counts_and_options_that_are_refused() -> None:
    with pytest.raises(StatError, match="events of cause 1 1"):
        aalen_johansen_from_counts([1, 2], {1: [1]}, [0, 1])
    with pytest.raises(StatError, match="there are no cases"):
        aalen_johansen_from_counts([1, 2], {1: [0, 0]}, [0, 0])
    with pytest.raises(StatError, match="interval must be"):
        aalen_johansen([1], [1], interval="exact")


@given(rows, st.randoms(use_true_random=False))
def test_order_counts_and_labels_change_nothing(cases, random) -> None:
    days, causes = (list(column) for column in zip(*cases, strict=True))
    ours = aalen_johansen(days, causes)
    shuffled = random.sample(cases, len(cases))
    assert aalen_johansen(*zip(*shuffled, strict=True)) == ours
    counts = {code: [int(c == code) for c in causes] for code in ours}
    censored = [int(c == 0) for c in causes]
    assert aalen_johansen_from_counts(days, counts, censored) == ours
    renamed = aalen_johansen(days, [{1: 2, 2: 1}.get(c, c) for c in causes])
    if 2 in ours:
        assert renamed[1].incidence == ours[2].incidence


@given(rows)
def test_causes_and_survival_add_up_to_one(cases) -> None:
    days, causes = zip(*cases, strict=True)
    free = kaplan_meier(days, [cause > 0 for cause in causes])
    total = np.sum([c.incidence for c in aalen_johansen(days, causes).values()], axis=0)
    assert total + free.survival == pytest.approx(np.ones(len(free.days)))


@given(rows)
def test_one_cause_alone_is_kaplan_meier_with_greenwood(cases) -> None:
    days, causes = zip(*[(day, min(cause, 1)) for day, cause in cases], strict=True)
    alone, free = aalen_johansen(days, causes)[1], kaplan_meier(days, causes)
    assert alone.incidence == pytest.approx(1 - np.array(free.survival))
    plain = kaplan_meier(days, causes, interval="plain")
    for place, lower in enumerate(plain.lower):
        if lower:
            half = plain.survival[place] - lower
            error = alone.standard_error[place]
            assert error * 1.959963984540054 == pytest.approx(half, abs=1e-9)


@given(rows)
def test_incidence_rises_inside_its_limits(cases) -> None:
    for curve in aalen_johansen(*zip(*cases, strict=True)).values():
        assert all(np.diff([0, *curve.incidence]) >= 0)
        for low, value, high in zip(
            curve.lower, curve.incidence, curve.upper, strict=True
        ):
            assert low is None or 0 <= low <= value <= high <= 1


def test_coverage_of_the_log_log_interval_is_near_nominal() -> None:
    """500 samples, two exponential causes of rates 1 and 2, F1(t) = (1 - exp(-3t)) / 3."""
    source = np.random.default_rng(99)
    time, hits = 0.4, 0
    truth = (1 - np.exp(-3 * time)) / 3
    for _ in range(500):
        event_days = source.exponential(1 / 3, 80)
        causes = np.where(source.random(80) < 1 / 3, 1, 2)
        ends = source.exponential(1, 80) + time / 4
        days = np.minimum(event_days, ends)
        curve = aalen_johansen(days, np.where(event_days <= ends, causes, 0))[1]
        (point,) = curve.incidence_at([time])
        hits += point.lower <= truth <= point.upper
    assert hits / 500 == pytest.approx(0.95, abs=0.021)


def test_no_cause_at_all_is_refused() -> None:
    with pytest.raises(StatError, match="events_by_cause is empty"):
        aalen_johansen_from_counts([1, 2], {}, [1, 1])


def test_an_incidence_is_one_when_every_case_counted_had_the_event() -> None:
    """One case in 10^13 censored leaves the curve below 1, with limits (1 - 1e-13).

    Thirteen events on thirteen days sum to 1, whatever rounding says.
    """
    many = 10**13
    (point,) = aalen_johansen_from_counts([1], {1: [many - 1]}, [1])[1].incidence_at(
        [1]
    )
    assert point.value == 1 - 1 / many
    assert point.lower is not None and point.lower < point.value < point.upper < 1
    curve = aalen_johansen_from_counts(
        range(1, 14), {1: [1] * 13, 2: [0] * 13}, [0] * 13
    )
    assert curve[1].incidence[-1] == 1
    assert curve[1].lower[-1] is None
