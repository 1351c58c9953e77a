"""Cox regression against R's coxph and cox.zph, and what it refuses to fit."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import CoxPHFitter
from statsmodels.duration.hazard_regression import PHReg

from outcomes.stats import cox as cox_module
from outcomes.stats.cox import cox
from outcomes.stats.cox_design import WITHOUT_CONTRAST
from outcomes.stats.cox_firth import firth_cox
from outcomes.stats.cox_likelihood import RiskSets
from outcomes.stats.cox_separation import is_monotone
from outcomes.stats.errors import ConvergenceError, StatError


def coefficients(result) -> list[float]:
    return [variable.coefficient for variable in result.coefficients]


def texts(result) -> tuple[str, ...]:
    return tuple(reason.text for reason in result.reasons)


def errors(result) -> list[float]:
    return [variable.standard_error for variable in result.coefficients]


def lung_model(lung):
    chosen = {"age": lung["age"], "sex": lung["sex"], "ecog": lung["ecog"]}
    return cox(lung["days"], lung["event"], chosen)


def test_lung_as_r(lung) -> None:
    """R: f <- coxph(Surv(time, status) ~ age + sex + ph.ecog, data = l,
                   control = coxph.control(eps = 1e-12))
    coef(f); sqrt(diag(vcov(f))); f$loglik; summary(f); cox.zph(f)
    """
    result = lung_model(lung)
    assert coefficients(result) == pytest.approx(
        [0.0110667645961186, -0.5526123955318371, 0.4637284751157322], abs=1e-9
    )
    assert errors(result) == pytest.approx(
        [0.0092674110143657, 0.1677390537834223, 0.1135772661613712], abs=1e-9
    )
    assert result.log_likelihood_null == pytest.approx(-744.480455761440, abs=1e-8)
    assert result.log_likelihood == pytest.approx(-729.230121374862, abs=1e-8)
    ecog = result.coefficients[2]
    assert ecog.name == "ecog"
    assert ecog.hazard_ratio.value == pytest.approx(1.58999118964932, abs=1e-9)
    assert ecog.hazard_ratio.lower == pytest.approx(1.272675177451712, abs=1e-9)
    assert ecog.hazard_ratio.upper == pytest.approx(1.986423580779223, abs=1e-9)
    assert ecog.p_value == pytest.approx(0.000044470666943553, abs=1e-12)
    assert result.likelihood_ratio.statistic == pytest.approx(30.5006687731570)
    assert result.likelihood_ratio.df == 3
    assert (result.n, result.n_events, result.estimable) == (227, 164, True)
    json.dumps(result.to_json(), allow_nan=False)


def test_proportional_hazards_as_cox_zph(lung) -> None:
    """R: cox.zph(f)$table"""
    check = lung_model(lung).proportional_hazards
    tests = [*check.variables, check.overall]
    assert [test.statistic for test in tests] == pytest.approx(
        [0.187987673560505, 2.305437226774801, 2.054248773862775, 4.463657588161999],
        abs=1e-8,
    )
    assert [test.p_value for test in tests] == pytest.approx(
        [0.664596763193248, 0.128921998863249, 0.151782098927198, 0.215554945395769],
        abs=1e-8,
    )
    assert check.overall.df == 3


def test_veteran_and_its_violation_as_r(veteran) -> None:
    """R: v$squamous <- 1 * (v$celltype == "squamous")
    f <- coxph(Surv(time, status) ~ trt + karno + squamous, data = v); cox.zph(f)
    """
    chosen = {
        "treatment": veteran["treatment"],
        "karnofsky": veteran["karnofsky"],
        "squamous": veteran["cell"] == "squamous",
    }
    result = cox(veteran["days"], veteran["event"], chosen)
    assert coefficients(result) == pytest.approx(
        [0.3259155144878520, -0.0336661249002908, -0.7339419280781176], abs=1e-9
    )
    assert errors(result) == pytest.approx(
        [0.18946046392668126, 0.00510157454992232, 0.22916090025352698], abs=1e-9
    )
    check = result.proportional_hazards
    assert [test.statistic for test in (*check.variables, check.overall)] == (
        pytest.approx(
            [0.148705425607243, 11.704513286433125]
            + [1.825296091699448, 14.535753407187979],
            abs=1e-8,
        )
    )


def test_aml_as_r(aml) -> None:
    """R: coxph(Surv(time, status) ~ I(x == "Maintained"), data = aml)"""
    result = cox(aml["days"], aml["event"], {"m": aml["group"] == "Maintained"})
    assert coefficients(result) == pytest.approx([-0.915532575014718], abs=1e-9)
    assert errors(result) == pytest.approx([0.511934275172005], abs=1e-9)
    check = result.proportional_hazards
    assert check.overall.statistic == pytest.approx(0.00787507772332368, abs=1e-9)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Starting with pandas version 4.0")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_second_opinions_with_many_ties(lung) -> None:
    """lifelines and statsmodels, days rounded to months."""
    months = np.ceil(lung["days"] / 30)
    chosen = {"age": lung["age"], "sex": lung["sex"]}
    ours = cox(months, lung["event"], chosen)
    table = pd.DataFrame({"months": months, "event": lung["event"], **chosen})
    fitter = CoxPHFitter().fit(table, "months", "event")
    assert coefficients(ours) == pytest.approx(fitter.params_.tolist(), abs=1e-5)
    model = PHReg(months, table[["age", "sex"]], lung["event"], ties="efron").fit()
    assert coefficients(ours) == pytest.approx(model.params.tolist(), abs=1e-6)
    assert ours.log_likelihood == pytest.approx(model.llf, abs=1e-6)


def test_no_events_is_refused() -> None:
    result = cox([365] * 38, [0] * 38, {"extramedullary": [0] * 19 + [1] * 19})
    assert not result.estimable
    assert texts(result) == ("no events",)
    assert [reason.code for reason in result.reasons] == ["no-events"]
    assert (result.next_step, result.firth, result.warnings) == (
        "exact-limits",
        None,
        (),
    )
    assert result.coefficients == ()
    assert result.proportional_hazards is None


def test_no_events_in_one_group_is_separation() -> None:
    """lifelines gives a coefficient of 17 with a standard error of 3599 here."""
    days = [*range(100, 119), *range(200, 219)]
    events = [0] * 19 + [1] * 12 + [0] * 7
    followed = cox([400] * 19 + days[19:], events, {"x": [0] * 19 + [1] * 19})
    assert not followed.estimable
    assert texts(followed) == ("separation: no events where x is 0",)
    assert followed.next_step == "firth-cox"
    assert followed.firth.coefficients[0].hazard_ratio.lower > 1
    gone_before = cox(days, events, {"x": [0] * 19 + [1] * 19})
    assert not gone_before.estimable
    assert texts(gone_before) == (WITHOUT_CONTRAST,)
    assert gone_before.next_step == "fewer-variables"


def test_fewer_than_ten_events_per_variable_is_a_warning_with_another_model(
    lung,
) -> None:
    """R: coxph(Surv(time, status) ~ age + sex, l[l$status == 2,][1:19,])$coef"""
    few = np.flatnonzero(lung["event"] == 1)[:19]
    chosen = {"age": lung["age"][few], "sex": lung["sex"][few]}
    result = cox(lung["days"][few], lung["event"][few], chosen)
    assert (result.estimable, result.reasons) == (True, ())
    assert [warning.code for warning in result.warnings] == ["few-events"]
    assert "19 events for 2 variable(s)" in result.warnings[0].text
    assert result.next_step == "firth-cox"
    model = PHReg(
        lung["days"][few],
        np.column_stack([*chosen.values()]),
        np.ones(19),
        ties="efron",
    ).fit()
    assert coefficients(result) == pytest.approx(model.params.tolist(), abs=1e-6)
    assert result.firth == firth_cox(lung["days"][few], lung["event"][few], chosen)
    alone = cox(lung["days"][few], lung["event"][few], chosen, alternative=False)
    assert (alone.firth, alone.next_step) == (None, "firth-cox")
    assert coefficients(alone) == coefficients(result)


def test_enough_events_need_no_warning(lung) -> None:
    result = lung_model(lung)
    assert (result.warnings, result.next_step, result.firth) == ((), None, None)


def test_a_firth_model_that_does_not_settle_leaves_the_refusal(monkeypatch) -> None:
    def fails(*_: object) -> None:
        raise ConvergenceError("did not settle")

    monkeypatch.setattr(cox_module, "firth_of", fails)
    result = cox([400] * 9 + [*range(9)], [0] * 9 + [1] * 9, {"x": [0] * 9 + [1] * 9})
    assert (result.estimable, result.firth, result.next_step) == (
        False,
        None,
        "firth-cox",
    )


def test_constant_and_combined_variables_are_refused(lung) -> None:
    chosen = {"age": lung["age"], "older": lung["age"] * 2 + 1, "same": [1] * 227}
    result = cox(lung["days"], lung["event"], chosen)
    assert texts(result) == (
        "same is the same for every case",
        "a variable is a combination of the others",
    )
    alone = cox(lung["days"], lung["event"], {"same": [1] * 227})
    assert texts(alone) == ("same is the same for every case",)


def test_a_number_that_orders_the_events_is_separation() -> None:
    result = cox(range(1, 31), [1] * 30, {"size": range(30, 0, -1)})
    assert texts(result) == (
        (
            "separation: every event has the highest or the lowest size "
            "of the cases at risk"
        ),
    )


def separated_together() -> tuple[np.ndarray, np.ndarray]:
    """Neither variable orders the events, but their sum does."""
    source = np.random.default_rng(5)
    x = source.normal(size=(60, 2))
    days = np.empty(60)
    days[np.argsort(-x.sum(axis=1))] = np.arange(1, 61)
    return days, x


def test_separation_by_a_combination_is_found_by_linear_programming() -> None:
    days, x = separated_together()
    result = cox(days, [1] * 60, {"a": x[:, 0], "b": x[:, 1]})
    assert texts(result) == (
        "separation: the variables together order the events completely",
    )


def test_a_strong_effect_is_not_taken_for_separation() -> None:
    """One pair out of order is enough for a maximum."""
    days, x = separated_together()
    days[np.argsort(days)[[10, 12]]] = days[np.argsort(days)[[12, 10]]]
    result = cox(days, [1] * 60, {"a": x[:, 0], "b": x[:, 1]})
    assert result.estimable
    assert min(coefficients(result)) > 20


@pytest.mark.parametrize("seed", range(6))
def test_linear_programming_agrees_with_the_definition(seed) -> None:
    """For one variable the definition can be checked case by case."""
    source = np.random.default_rng(seed)
    days = source.integers(1, 6, 8).astype(float)
    events = source.random(8) < 0.6
    x = source.integers(0, 3, 8).astype(float)
    pairs = [
        x[i] - x[j]
        for i in np.flatnonzero(events)
        for j in range(8)
        if days[j] >= days[i]
    ]
    one_way = all(p >= 0 for p in pairs) or all(p <= 0 for p in pairs)
    separated = one_way and any(pairs)
    assert is_monotone(RiskSets.of(days, events, x[:, None])) == separated


def test_a_step_too_far_is_halved() -> None:
    """A heavy tail sends the first Newton step beyond the maximum."""
    source = np.random.default_rng(3)
    x = source.lognormal(0, 3, 40)
    days = source.exponential(np.exp(-np.sign(x - np.median(x)) * 2))
    result = cox(days, [1] * 40, {"x": x})
    model = PHReg(days, x[:, None], np.ones(40), ties="efron")
    at_ours = model.score(np.array(coefficients(result)))
    assert at_ours == pytest.approx(0, abs=1e-6)


def test_a_fit_that_does_not_settle_says_so(lung, monkeypatch) -> None:
    monkeypatch.setattr(cox_module, "_MAX_STEPS", 1)
    with pytest.raises(ConvergenceError, match="did not settle"):
        lung_model(lung)


def test_proportionality_is_not_tested_when_all_events_fall_on_one_day() -> None:
    source = np.random.default_rng(8)
    x = source.normal(size=40)
    result = cox([5] * 20 + [9] * 20, [1] * 20 + [0] * 20, {"x": x})
    assert result.estimable
    check = result.proportional_hazards
    assert not check.overall.estimable
    assert check.overall.reason == "the events are on too few days"


@pytest.mark.parametrize(
    ("days", "events", "variables", "message"),
    [
        ([-1, 2], [1, 0], {"x": [1, 2]}, "days contains negative"),
        ([1, 2], [1, 0], {"x": [1, np.nan]}, "x contains NaN"),
        ([1, 2], [1, 0], {"x": [1]}, "lengths differ: days 2, x 1"),
        ([1, 2], [1, 0], {}, "variables is empty"),
        ([], [], {"x": []}, "days is empty"),
    ],
)
def test_inputs_that_are_refused(days, events, variables, message) -> None:
    with pytest.raises(StatError, match=message):
        cox(days, events, variables)


@given(
    st.randoms(use_true_random=False),
    st.sampled_from([0.1, 7.0]),
    st.sampled_from([0.01, 1000.0]),
)
def test_order_unit_of_time_and_scale_of_variables(lung, random, unit, scale) -> None:
    rows = random.sample(range(227), 227)
    chosen = {"age": lung["age"][rows] * scale + 3, "male": lung["sex"][rows] == 1}
    result = cox(lung["days"][rows] * unit, lung["event"][rows], chosen)
    plain = cox(lung["days"], lung["event"], {"age": lung["age"], "sex": lung["sex"]})
    age, sex = coefficients(plain)
    assert coefficients(result) == pytest.approx([age / scale, -sex], rel=1e-6)
    assert [t.statistic for t in result.proportional_hazards.variables] == (
        pytest.approx(
            [t.statistic for t in plain.proportional_hazards.variables], rel=1e-5
        )
    )


def test_weights_equal_repetition(aml) -> None:
    weights = np.arange(23) % 3
    kept = np.repeat(np.arange(23), weights)
    x = np.sqrt(aml["days"]) + np.arange(23) % 5
    weighted = cox(aml["days"], aml["event"], {"x": x}, weights)
    repeated = cox(aml["days"][kept], aml["event"][kept], {"x": x[kept]})
    assert weighted.estimable
    assert coefficients(weighted) == pytest.approx(coefficients(repeated), rel=1e-12)
    assert errors(weighted) == pytest.approx(errors(repeated), rel=1e-12)
    assert weighted.log_likelihood == pytest.approx(repeated.log_likelihood)
    assert [test.statistic for test in weighted.proportional_hazards.variables] == (
        pytest.approx(
            [test.statistic for test in repeated.proportional_hazards.variables]
        )
    )
    assert (weighted.n, weighted.n_events) == (repeated.n, repeated.n_events)
    firth = firth_cox(aml["days"], aml["event"], {"x": x}, weights).coefficients[0]
    again = firth_cox(aml["days"][kept], aml["event"][kept], {"x": x[kept]})
    limits = again.coefficients[0].log_hazard_ratio
    assert firth.log_hazard_ratio.lower == pytest.approx(limits.lower, abs=1e-7)
    assert firth.log_hazard_ratio.upper == pytest.approx(limits.upper, abs=1e-7)


def test_a_thousand_million_cases_are_a_few_rows() -> None:
    """One event among 10⁹ and two among 2·10⁹: ratio 1, error √(1/1 + 1/2)."""
    days, events, x = [1, 2, 3, 9, 9], [1, 1, 1, 0, 0], [0, 1, 1, 0, 1]
    result = cox(days, events, {"x": x}, [1, 1, 1, 10**9, 2 * 10**9])
    assert result.n == 3 * 10**9 + 3
    assert result.coefficients[0].hazard_ratio.value == pytest.approx(1, abs=1e-8)
    assert result.coefficients[0].standard_error == pytest.approx(1.5**0.5, abs=1e-8)


def test_separation_by_rare_and_large_values_is_seen_though_the_fit_settles() -> None:
    """Some of many cases die on one day, at the top of one combination of three.

    In standard deviations they are so far out that small coefficients leave nothing to
    gain: the fit settles below 3, but its last step is as long as the one before.
    """
    source = np.random.default_rng(1225)
    n, deaths = int(source.choice([30, 100, 400])), int(source.integers(2, 6))
    top = source.normal(size=3)
    top /= np.linalg.norm(top)
    x = source.normal(0, 0.01, (n, 3))
    aside = source.normal(size=(deaths, 3)) * 10 ** source.uniform(0, 1.5)
    aside -= np.outer(aside @ top, top)
    x[:deaths] = aside + top * 10 ** source.uniform(0.5, 2)
    dead = np.arange(n) < deaths
    chosen = {name: x[:, j] for j, name in enumerate("abc")}
    result = cox(np.where(dead, 1, 5), dead, chosen, alternative=False)
    assert texts(result) == (cox_module.SEPARATED_TOGETHER,)


def test_contrast_is_that_of_cases_still_at_risk_on_the_first_event_day() -> None:
    """b varies only among cases that left before anything happened."""
    a, b = [0, 1] * 12, [1, 2, 3, 4] + [7] * 20
    days = [1] * 4 + list(range(10, 30))
    result = cox(days, [0] * 4 + [1] * 20, {"a": a, "b": b})
    assert texts(result) == (WITHOUT_CONTRAST,)
    kept = cox(days, [0] * 4 + [1] * 20, {"a": a})
    assert kept.estimable


def test_coverage_of_the_hazard_ratio_is_near_nominal() -> None:
    """250 samples of 100 cases, hazard ratio 2; two standard errors are 0.028."""
    source = np.random.default_rng(17)
    x = np.repeat([0, 1], 50)
    hits = 0
    for _ in range(250):
        event_days = source.exponential(1 / 2.0**x)
        ends = source.exponential(2, 100)
        days = np.minimum(event_days, ends)
        ratio = cox(days, event_days <= ends, {"x": x}).coefficients[0].hazard_ratio
        hits += ratio.lower <= 2 <= ratio.upper
    assert hits / 250 == pytest.approx(0.95, abs=0.028)


def test_a_hazard_ratio_beyond_double_precision_is_none(lung) -> None:
    """Age in millions of years: the log ratio is a number, the ratio is none."""
    (coefficient,) = cox(
        lung["days"], lung["event"], {"age": lung["age"] / 1e6}
    ).coefficients
    assert coefficient.coefficient > 1e4
    ratio = coefficient.hazard_ratio
    assert (ratio.value, ratio.upper) == (None, None)
