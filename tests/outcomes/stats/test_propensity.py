"""The propensity model against R's glm, and its diagnosis of separation."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.stats import propensity
from outcomes.stats.design import design_matrix
from outcomes.stats.errors import ConvergenceError, StatError
from outcomes.stats.propensity import find_separation, fit_propensity, logit_distance

FIXTURES = Path(__file__).parent / "fixtures"
NAMES = ("age", "educ", "race", "married", "nodegree", "re74", "re75")


def lalonde() -> tuple[list[int], dict[str, list]]:
    with (FIXTURES / "lalonde.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = {
        name: [row[name] if name == "race" else float(row[name]) for row in rows]
        for name in NAMES
    }
    return [int(row["treat"]) for row in rows], columns


def test_fit_against_r() -> None:
    """R 4.2.2, its iterations driven to the end.

    > library(MatchIt); data(lalonde)
    > g <- glm(treat~age+educ+race+married+nodegree+re74+re75, data=lalonde,
    +          family=binomial, epsilon=1e-15, maxit=100)
    > print(coef(g), digits=15); print(sqrt(diag(vcov(g))), digits=15); logLik(g)
    """
    model = fit_propensity(*lalonde())
    assert model.estimable
    assert model.names == (
        "(Intercept)", "age", "educ", "race=hispan", "race=white",
        "married", "nodegree", "re74", "re75",
    )  # fmt: skip
    coefficients = [
        -1.66328159773276,
        0.0157770710175507,
        0.161306877374261,
        -2.08173412000129,
        -3.06536774097135,
        -0.832113275350088,
        0.707296881383784,
        -7.17766864384505e-05,
        5.34464470713428e-05,
    ]
    errors = [
        0.970886396784275,
        0.0135770504781946,
        0.0651264412587361,
        0.367214679445001,
        0.286526191280847,
        0.290329152325787,
        0.337668268376307,
        2.87480393627521e-05,
        4.63488409584124e-05,
    ]
    assert model.coefficients == pytest.approx(coefficients, rel=1e-8)
    assert model.standard_errors == pytest.approx(errors, rel=1e-7)
    assert model.log_likelihood == pytest.approx(-243.921965655249, abs=1e-9)
    assert (model.treated, model.controls) == (185, 429)
    assert model.events_per_variable == 185 / 8
    assert model.warnings == ()
    mean = np.mean([x for x, t in zip(model.logits, lalonde()[0], strict=True) if t])
    assert mean == pytest.approx(0.2657, abs=5e-5)  # printed by MatchIt's summary


def test_fit_is_unpenalised() -> None:
    """A ridge penalty of 1, the default elsewhere, would give 2.81 for black."""
    treated, covariates = lalonde()
    covariates["race"] = [{"white": "a"}.get(race, race) for race in covariates["race"]]
    model = fit_propensity(treated, covariates)
    black = model.coefficients[model.names.index("race=black")]
    assert black == pytest.approx(3.07, abs=5e-3)


def test_fit_shuffled_rows_are_equal_to_the_last_digit() -> None:
    treated, covariates = lalonde()
    model = fit_propensity(treated, covariates)
    order = np.random.default_rng(8).permutation(len(treated))
    shuffled = fit_propensity(
        [treated[i] for i in order],
        {name: [column[i] for i in order] for name, column in covariates.items()},
    )
    assert shuffled.coefficients == model.coefficients
    assert shuffled.logits == tuple(model.logits[i] for i in order)


def test_fit_says_complete_separation_nineteen_to_nineteen() -> None:
    model = fit_propensity(
        [1] * 19 + [0] * 19,
        {"rough border": [1] * 19 + [0] * 19, "age": [*range(30, 68)]},
    )
    assert not model.estimable
    assert model.separation == "complete"
    assert "rough border" in model.separated_by
    assert "complete separation" in str(model.reason)
    assert model.logits == ()
    assert model.to_json()["log_likelihood"] is None


def test_fit_says_quasi_complete_separation() -> None:
    """All with the finding are treated; without it both groups occur."""
    model = fit_propensity(
        [1] * 10 + [0] * 10,
        {"syrinx": [1] * 6 + [0] * 14, "age": [40, 50, 60, 45, 55] * 4},
    )
    assert model.separation == "quasi-complete"
    assert model.separated_by == ("syrinx",)
    assert "Firth" in str(model.reason)


def test_fit_warns_below_ten_cases_per_covariate() -> None:
    draw = np.random.default_rng(1)
    covariates = {
        name: draw.normal(size=60).tolist() for name in ("age", "size", "kps")
    }
    model = fit_propensity([1] * 19 + [0] * 41, covariates)
    assert model.estimable
    assert model.events_per_variable == pytest.approx(19 / 3)
    assert model.warnings[0].startswith("6.3 cases of the smaller group")


def test_fit_names_redundant_covariates() -> None:
    model = fit_propensity(
        [1, 0, 1, 0], {"years": [1, 2, 3, 5], "months": [12, 24, 36, 60]}
    )
    assert not model.estimable
    assert model.reason == "redundant covariates: months"
    constant = fit_propensity([1, 0, 1, 0], {"centre": [3.0] * 4})
    assert constant.reason == "redundant covariates: centre"
    too_many = fit_propensity([1, 0], {"age": [1, 2], "size": [5, 3], "kps": [80, 90]})
    assert too_many.reason == "redundant covariates: size, kps"


def test_fit_says_when_it_does_not_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(propensity, "ITERATIONS", 2)
    model = fit_propensity(*lalonde())
    assert not model.estimable
    assert model.reason == "the fit did not settle"
    assert model.separation is None


def test_fit_survives_a_singular_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Newton can meet a singular matrix on its way to infinity."""

    class Singular:
        def __init__(self, *_: object) -> None: ...

        def fit(self, **_: object) -> None:
            raise np.linalg.LinAlgError

    monkeypatch.setattr(propensity, "Logit", Singular)
    assert fit_propensity(*lalonde()).reason == "the fit did not settle"


@pytest.mark.parametrize(
    ("treated", "covariates"),
    [
        ([1, 1], {"age": [1, 2]}),
        ([1, 0], {}),
        ([1, 0], {"age": [1]}),
        ([1, 0], {"age": []}),
        ([1, 0], {"age": [1, float("nan")]}),
        ([1, 0], {"race": ["a", 1]}),
        ([2, 0], {"age": [1, 2]}),
    ],
)
def test_fit_refuses_malformed_input(treated: list, covariates: dict) -> None:
    with pytest.raises(StatError):
        fit_propensity(treated, covariates)


def test_logit_distance_is_symmetric() -> None:
    assert logit_distance(0.25, -0.5) == logit_distance(-0.5, 0.25) == 0.75


groups = st.tuples(
    st.lists(st.integers(0, 9), min_size=2, max_size=8),
    st.lists(st.integers(0, 9), min_size=2, max_size=8),
).filter(lambda pair: len(set(pair[0] + pair[1])) > 1)


@given(groups)
def test_separation_in_one_dimension_by_comparing_ranges(
    pair: tuple[list[int], list[int]],
) -> None:
    treated, controls = pair
    design = design_matrix({"age": treated + controls}, len(treated + controls))
    group = np.array([1.0] * len(treated) + [0.0] * len(controls))
    kind, columns = find_separation(group, design)
    above = min(treated) - max(controls)
    below = min(controls) - max(treated)
    gap = max(above, below)
    assert kind == ("complete" if gap > 0 else "quasi-complete" if gap == 0 else None)
    assert columns == (() if kind is None else ("age",))
    model = fit_propensity(group, {"age": treated + controls})
    assert model.estimable == (kind is None)


@pytest.mark.parametrize("unit", [1e-9, 1e6])
def test_the_unit_of_a_covariate_does_not_matter(unit: float) -> None:
    treated, covariates = lalonde()
    plain = fit_propensity(treated, covariates)
    scaled = covariates | {"age": [age * unit for age in covariates["age"]]}
    model = fit_propensity(treated, scaled)
    assert model.estimable
    assert model.coefficients[1] * unit == pytest.approx(plain.coefficients[1])
    assert model.logits == pytest.approx(plain.logits, abs=1e-9)


def test_separated_groups_have_firths_propensity_when_it_is_asked_for() -> None:
    """brglm2's coefficients of test_firth: NV separates, its plain one is infinite."""
    with (FIXTURES / "endometrial.csv").open() as file:
        rows = list(csv.DictReader(file))
    outcome = [int(row["HG"]) for row in rows]
    columns = {name: [float(row[name]) for row in rows] for name in ("NV", "PI", "EH")}
    refused = fit_propensity(outcome, columns)
    assert (refused.estimable, refused.next_step) == (False, "firth-propensity")
    model = fit_propensity(outcome, columns, penalty="firth")
    assert (model.estimable, model.next_step) == (True, None)
    assert model.method == propensity.PENALISED
    assert model.coefficients == pytest.approx(
        (3.7745597136470, 2.9292733531971, -0.0347517598704, -2.6041639252937), abs=1e-8
    )
    matrix = np.column_stack([np.ones(len(rows)), *columns.values()])
    assert model.logits == pytest.approx(matrix @ np.array(model.coefficients))
    assert (model.separation, model.separated_by) == ("quasi-complete", ("NV",))
    assert "quasi-complete separation by NV" in model.warnings[-1]
    assert (model.standard_errors, model.log_likelihood) == ((), None)


def test_firths_propensity_without_separation_warns_of_nothing() -> None:
    treated, columns = lalonde()
    model = fit_propensity(treated, columns, penalty="firth")
    assert (model.separation, model.warnings) == (None, ())
    plain = fit_propensity(treated, columns)
    assert plain.next_step is None
    assert np.corrcoef(model.logits, plain.logits)[0, 1] > 0.9999
    backwards = fit_propensity(
        treated[::-1], {k: v[::-1] for k, v in columns.items()}, penalty="firth"
    )
    assert backwards.logits == model.logits[::-1]


def test_next_steps_of_few_cases_and_of_redundant_covariates() -> None:
    few = fit_propensity(
        [1, 0, 0, 1, 1, 1, 0, 0] * 2, {"age": list(range(16)), "x": [3, 1, 2, 2] * 4}
    )
    assert (few.estimable, few.next_step) == (True, "firth-propensity")
    same = fit_propensity([1, 0, 1, 0], {"a": [1, 2, 3, 5], "b": [2, 4, 6, 10]})
    assert same.next_step == "fewer-variables"
    with pytest.raises(StatError, match="penalty must be none or firth, not 'ridge'"):
        fit_propensity([1, 0], {"a": [1, 2]}, penalty="ridge")  # type: ignore[arg-type]


def test_firths_propensity_that_does_not_settle_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object) -> None:
        raise ConvergenceError("Firth's regression did not settle")

    monkeypatch.setattr(propensity, "firth_coefficients", fails)
    model = fit_propensity([1, 0, 1, 0], {"a": [1, 2, 3, 5]}, penalty="firth")
    assert (model.estimable, model.logits) == (False, ())
    assert model.reason == "Firth's regression did not settle"


@pytest.mark.parametrize("far", [0.0, 1e6, 1e9])
def test_where_a_covariate_begins_does_not_matter(far: float) -> None:
    """Seconds since 1970 hide nothing: neither the model nor the separation.

    > x <- 0:5; m <- glm(c(0,1,0,1,0,1) ~ x, family=binomial,
    +                    control=glm.control(epsilon=1e-14, maxit=100))
    > sprintf("%.10f", c(coef(m), sqrt(diag(vcov(m)))[2]))
    "-0.9033019060" "0.3613207624" "0.5174042570"
    """
    x = [far + step for step in range(6)]
    model = fit_propensity([0, 1, 0, 1, 0, 1], {"x": x})
    intercept, slope = model.coefficients
    assert slope == pytest.approx(0.3613207624)
    assert intercept == pytest.approx(-0.9033019060 - far * 0.3613207624)
    assert model.standard_errors[1] == pytest.approx(0.5174042570)
    separated = fit_propensity([0, 0, 0, 1, 1, 1], {"x": x})
    assert separated.separation == "complete"
    assert separated.separated_by == ("x",)
