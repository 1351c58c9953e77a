"""Firth's regression against R and a general optimiser."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import chi2

from outcomes.stats import penalised as search
from outcomes.stats.errors import ConvergenceError, StatError
from outcomes.stats.firth import (
    FirthModel,
    _Logistic,
    firth_coefficients,
    firth_logistic,
)

FIXTURES = Path(__file__).parent / "fixtures"


def endometrial() -> tuple[list[int], dict[str, list[float]]]:
    with (FIXTURES / "endometrial.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = {name: [float(row[name]) for row in rows] for name in ("NV", "PI", "EH")}
    return [int(row["HG"]) for row in rows], columns


def estimates(model: FirthModel) -> list[float | None]:
    return [item.log_odds_ratio.value for item in model.coefficients]


def penalised(beta: np.ndarray, matrix: np.ndarray, outcome: np.ndarray) -> float:
    linear = matrix @ beta
    chance = 1 / (1 + np.exp(-linear))
    information = matrix.T @ (matrix * (chance * (1 - chance))[:, None])
    likelihood = outcome @ linear - np.logaddexp(0, linear).sum()
    return float(likelihood + 0.5 * np.linalg.slogdet(information)[1])


def test_firth_against_r() -> None:
    """Estimates by brglm2 0.9; limits and p by profiling in base R.

    NV is quasi-completely separated: 13 of 13 with it have the event. The values are
    those of Heinze and Schemper's example, whose plain estimate of NV is infinite.

    > library(brglm2); data(endometrial)
    > m <- glm(HG~NV+PI+EH, data=endometrial, family=binomial, method="brglmFit",
    +          type="AS_mean", epsilon=1e-12, maxit=1000)
    > coef(m)
         3.7745597136470  2.9292733531971 -0.0347517598704 -2.6041639252937
    > sqrt(diag(vcov(m)))
         1.4886916634357 1.5507637294530 0.0395781473478 0.7760176425016
    > X <- model.matrix(m); y <- endometrial$HG
    > pl <- function(b) {p <- plogis(X%*%b); sum(dbinom(y,1,p,log=TRUE)) +
    +   0.5*as.numeric(determinant(t(X)%*%(X*as.vector(p*(1-p))))$modulus)}
    > pl(coef(m))
    -24.0372678007
    > prof <- function(j,v) {b0 <- coef(m); o <- b0[-j]
    +   f <- function(f) {b <- numeric(4); b[j] <- v; b[-j] <- f; -pl(b)}
    +   for (i in 1:6) o <- optim(o,f,method="BFGS",control=list(reltol=1e-16,
    +     maxit=5000, parscale=pmax(abs(b0[-j]),.01)))$par; 2*(pl(b0)+f(o))}
    > # uniroot(prof(j,v)-qchisq(.95,1)) and pchisq(prof(j,0),1,lower=FALSE)
    1  1.08253710852  7.20928049824 0.00419362788512
    2  0.609724436349 7.85463171374 0.00912366754617
    3 -0.124458720852 0.0404554731809 0.387482203543
    4 -4.36518324726 -1.23272105723 2.50686721477e-05
    """
    model = firth_logistic(*endometrial())
    expected = [
        (3.7745597136470, 1.08253710852, 7.20928049824, 0.00419362788512),
        (2.9292733531971, 0.609724436349, 7.85463171374, 0.00912366754617),
        (-0.0347517598704, -0.124458720852, 0.0404554731809, 0.387482203543),
        (-2.6041639252937, -4.36518324726, -1.23272105723, 2.50686721477e-05),
    ]
    errors = [1.4886916634357, 1.5507637294530, 0.0395781473478, 0.7760176425016]
    assert [item.name for item in model.coefficients] == [
        "(Intercept)",
        "NV",
        "PI",
        "EH",
    ]
    for item, numbers, error in zip(model.coefficients, expected, errors, strict=True):
        interval = item.log_odds_ratio
        got = (interval.value, interval.lower, interval.upper, item.p_value)
        assert got == pytest.approx(numbers, abs=1e-6)
        assert item.standard_error == pytest.approx(error, abs=1e-6)
        assert item.odds_ratio.value == pytest.approx(math.exp(interval.value))
    assert model.penalised_log_likelihood == pytest.approx(-24.0372678007, abs=1e-8)
    assert (model.cases, model.events) == (79, 30)


def test_firth_two_by_two_adds_one_half() -> None:
    """In a saturated 2x2 model Firth is 0.5 added to each cell."""
    outcome = [1] * 19 + [0] * 19
    model = firth_logistic(outcome, {"rough border": [1] * 19 + [0] * 19})
    slope = model.coefficients[1]
    assert slope.log_odds_ratio.value == pytest.approx(2 * math.log(39), abs=1e-8)
    assert slope.log_odds_ratio.lower > 0
    assert math.isfinite(slope.log_odds_ratio.upper)
    assert slope.p_value < 1e-6


def test_firth_profile_limits_by_general_optimiser() -> None:
    outcome, columns = endometrial()
    y = np.array(outcome)
    matrix = np.column_stack([np.ones(79), *columns.values()])
    model = firth_logistic(outcome, columns, level=0.9)
    best = penalised(np.array(estimates(model)), matrix, y)
    limit = model.coefficients[3].log_odds_ratio.lower

    def held(others: np.ndarray) -> float:
        return -penalised(np.append(others, limit), matrix, y)

    found = minimize(held, estimates(model)[:3], method="Nelder-Mead", options={"maxiter": 9000, "maxfev": 9000, "xatol": 1e-10, "fatol": 1e-12})  # fmt: skip
    assert 2 * (best + found.fun) == pytest.approx(chi2.ppf(0.9, 1), abs=1e-6)


def test_firth_odds_ratio_beyond_double_precision_is_none() -> None:
    outcome, columns = endometrial()
    columns["EH"] = [value / 1000 for value in columns["EH"]]
    eh = firth_logistic(outcome, columns).coefficients[3]
    assert eh.log_odds_ratio.value == pytest.approx(-2604.1639252937, abs=1e-3)
    assert eh.odds_ratio.value == 0
    columns["EH"] = [-value for value in columns["EH"]]
    mirrored = firth_logistic(outcome, columns).coefficients[3]
    assert mirrored.odds_ratio.value is None
    assert mirrored.to_json()["odds_ratio"]["upper"] is None


def test_firth_coefficients_agree_with_the_model() -> None:
    outcome, columns = endometrial()
    matrix = np.column_stack([np.ones(79), *columns.values()])
    assert firth_coefficients(outcome, matrix) == pytest.approx(
        np.array(estimates(firth_logistic(outcome, columns))), abs=1e-9
    )


def test_firth_refuses_constant_outcome_and_redundant_covariates() -> None:
    with pytest.raises(StatError, match="the same in every case"):
        firth_logistic([1, 1, 1], {"age": [1, 2, 3]})
    with pytest.raises(StatError, match="redundant covariates: months"):
        firth_logistic([1, 0, 1], {"years": [1, 2, 4], "months": [12, 24, 48]})
    with pytest.raises(StatError, match="redundant covariates: centre"):
        firth_logistic([1, 0, 1], {"centre": ["A", "A", "A"]})
    with pytest.raises(StatError, match="level"):
        firth_logistic([1, 0, 1], {"age": [1, 2, 4]}, level=1)


def test_firth_says_when_it_does_not_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "ITERATIONS", 1)
    monkeypatch.setattr(search, "SCORE_TOLERANCE", 0.0)
    with pytest.raises(ConvergenceError, match="settle"):
        firth_logistic(*endometrial())


def test_firth_follows_a_crooked_profile_in_short_steps() -> None:
    """Seven of eight with the event: the limits lie far out; the same by scanning."""
    outcome, age = [1, 1, 1, 1, 0, 1, 1, 1], [1, 5, 1, 5, 5, 2, 4, 4]
    sign = [0, 0, 0, 0, 1, 0, 1, 0]
    model = firth_logistic(outcome, {"age": age, "sign": sign})
    matrix, y = np.column_stack([np.ones(8), age, sign]), np.array(outcome)
    best = penalised(np.array(estimates(model)), matrix, y)
    limit = model.coefficients[0].log_odds_ratio.upper
    assert limit is not None

    def held(others: np.ndarray) -> float:
        return -penalised(np.array([limit, *others]), matrix, y)

    found = min(
        minimize(
            held,
            start,
            method="Nelder-Mead",
            options={"maxiter": 9000, "maxfev": 9000, "xatol": 1e-9, "fatol": 1e-12},
        ).fun  # fmt: skip
        for start in ([0.0, 0.0], [-limit / 5, 0.0], [-limit / 5, -limit / 5])
    )
    assert 2 * (best + found) == pytest.approx(chi2.ppf(0.95, 1), abs=1e-5)


def test_a_profile_without_a_turn_is_followed_in_short_steps() -> None:
    """The same limits on the columns as they are, where one stride does not arrive."""
    outcome, age = [1, 1, 1, 1, 0, 1, 1, 1], [1, 5, 1, 5, 5, 2, 4, 4]
    sign = [0, 0, 0, 0, 1, 0, 1, 0]
    model = firth_logistic(outcome, {"age": age, "sign": sign})
    matrix = np.column_stack([np.ones(8), np.array(age) / 5, sign])
    likelihood = _Logistic(matrix, np.array(outcome, dtype=float))
    beta = search.maximise(likelihood, np.zeros(3))
    error = model.coefficients[0].standard_error
    found = search.profile(likelihood, 0, beta, error, 0.95)
    turned = model.coefficients[0].log_odds_ratio
    assert (found.lower, found.upper) == (
        pytest.approx(turned.lower, abs=1e-6),
        pytest.approx(turned.upper, abs=1e-6),
    )


@given(st.sampled_from([2_000, -35_000, 1e6]), st.randoms(use_true_random=False))
@settings(max_examples=15)
def test_a_covariate_far_from_zero_changes_nothing_but_the_intercept(
    shift: float, random: Random
) -> None:
    """A year or a day as it is written: slope, limits and p are those of the age."""
    years = [random.randint(8, 24) for _ in range(24)]
    outcome = [int(random.random() < 0.3 + (year > 16) * 0.3) for year in years]
    assume(0 < sum(outcome) < 24 and len(set(years)) > 2)
    near, far = (
        firth_logistic(outcome, {"year": [year + moved for year in years]})
        for moved in (0, shift)
    )
    slopes = [model.coefficients[1] for model in (near, far)]
    for member in ("value", "lower", "upper"):
        one, other = (getattr(each.log_odds_ratio, member) for each in slopes)
        assert one == pytest.approx(other, rel=1e-5, abs=1e-6)
    assert slopes[0].p_value == pytest.approx(slopes[1].p_value, rel=1e-5, abs=1e-9)
    assert far.penalised_log_likelihood == pytest.approx(
        near.penalised_log_likelihood, abs=1e-4
    )
    intercepts = [model.coefficients[0].log_odds_ratio.value for model in (near, far)]
    moved = intercepts[0] - shift * slopes[0].log_odds_ratio.value
    assert intercepts[1] == pytest.approx(moved, rel=1e-5, abs=1e-5)


def test_firth_says_when_no_limit_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "WIDENINGS", 1)
    with pytest.raises(ConvergenceError, match="limit"):
        firth_logistic(*endometrial())


def test_firth_halves_steps_that_go_too_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """With long steps allowed the result is the same."""
    monkeypatch.setattr(search, "LONGEST_STEP", 1e6)
    outcome = [1, 1, 1, 0, 0, 0, 0, 0]
    age = {"age": [90, 91, 92, 1, 2, 3, 4, 5]}
    far = estimates(firth_logistic(outcome, age))
    monkeypatch.undo()
    assert far == pytest.approx(estimates(firth_logistic(outcome, age)), abs=1e-6)


small = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 5), st.integers(0, 1)),
    min_size=8,
    max_size=16,
).filter(
    lambda rows: (
        0 < sum(row[0] for row in rows) < len(rows)
        and np.linalg.matrix_rank([(1, row[1], row[2]) for row in rows]) == 3
    )
)


def fitted(rows: list[tuple[int, int, int]], unit: float = 1.0) -> np.ndarray:
    try:
        return firth_coefficients(
            [row[0] for row in rows],
            np.array([(1.0, age * unit, sign) for _, age, sign in rows]),
        )
    except ConvergenceError:  # with very few cases a refusal is an answer too
        reject()


@given(small, st.randoms(use_true_random=False))
def test_firth_order_labels_and_units(rows: list[tuple[int, int, int]], random) -> None:
    beta = fitted(rows)
    matrix = np.array([(1, age, sign) for _, age, sign in rows], dtype=float)
    y = np.array([row[0] for row in rows])
    top = penalised(beta, matrix, y)
    for step in np.vstack([np.eye(3), -np.eye(3)]) * 1e-3:
        assert penalised(beta + step, matrix, y) <= top + 1e-12
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert fitted(shuffled) == pytest.approx(beta, abs=1e-6)
    swapped = fitted([(1 - event, age, sign) for event, age, sign in rows])
    assert swapped == pytest.approx(-beta, abs=1e-6)
    assert fitted(rows, 12.0) * [1, 12, 1] == pytest.approx(beta, abs=1e-6)


def test_firth_limits_follow_the_unit() -> None:
    outcome, columns = endometrial()
    by_unit = firth_logistic(outcome, {"EH": columns["EH"]}).coefficients[1]
    in_tenths = firth_logistic(outcome, {"EH": [10 * v for v in columns["EH"]]})
    tenth = in_tenths.coefficients[1].log_odds_ratio
    assert tenth.lower * 10 == pytest.approx(by_unit.log_odds_ratio.lower, abs=1e-8)
    assert tenth.upper * 10 == pytest.approx(by_unit.log_odds_ratio.upper, abs=1e-8)
    assert in_tenths.coefficients[1].p_value == pytest.approx(by_unit.p_value)


def test_firth_weights_are_repetition() -> None:
    outcome, age, weights = [1, 0, 1, 0, 1], [40, 50, 60, 70, 80], [2, 3, 0, 1, 2]
    repeated = [
        (event, years)
        for event, years, n in zip(outcome, age, weights, strict=True)
        for _ in range(n)
    ]
    events, ages = zip(*repeated, strict=True)
    found = firth_logistic(outcome, {"age": age}, weights)
    assert found == firth_logistic(events, {"age": ages})
    assert (found.cases, found.events) == (8, 4)
