"""Firth's logistic regression: finite estimates where a covariate separates.

Maximises the log likelihood plus half the logarithm of the determinant of the Fisher
information (Jeffreys' prior). Intervals and p values come from the profile of this
penalised likelihood, because Wald limits are wrong just where Firth is needed.
References: Firth D. Biometrika 1993;80:27-38; Heinze G, Schemper M. Stat Med
2002;21:2409-2419. Own code: neither SciPy nor statsmodels has it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, root
from scipy.special import expit
from scipy.stats import chi2

from outcomes.stats.checks import (
    FloatArray,
    as_cases,
    as_flags,
    check_level,
)
from outcomes.stats.design import (
    Covariates,
    Design,
    as_binary,
    design_matrix,
    redundant_columns,
    scaled_columns,
)
from outcomes.stats.errors import ConvergenceError, StatError
from outcomes.stats.result import Interval, Result, finite_exp

ITERATIONS = 25
LONGEST_STEP = 5.0  # in units of the scaled columns; longer Newton steps are cut
SCORE_TOLERANCE = 1e-9
ROUNDING = 1e-9  # of a log likelihood
SHORT_STEPS = 16
WIDENINGS = 60  # of the search for a limit, by a half each, from the Wald limit


@dataclasses.dataclass(frozen=True, kw_only=True)
class FirthCoefficient(Result):
    """One log odds ratio with its profile interval and penalised likelihood ratio p."""

    name: str
    log_odds_ratio: Interval
    odds_ratio: Interval
    standard_error: float
    p_value: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class FirthModel(Result):
    """A fitted model; ``coefficients`` begin with the intercept."""

    method: str
    coefficients: tuple[FirthCoefficient, ...]
    penalised_log_likelihood: float
    cases: int
    events: int


@dataclasses.dataclass(frozen=True)
class _Problem:
    """Scaled design, outcome; ``free`` columns are estimated, the others held."""

    matrix: FloatArray
    outcome: FloatArray
    free: NDArray[np.bool_]


def firth_logistic(
    outcome: ArrayLike,
    covariates: Covariates,
    weights: ArrayLike | None = None,
    level: float = 0.95,
) -> FirthModel:
    """Firth's model of a 0/1 outcome on named covariates.

    ``weights`` are whole numbers of cases that a row stands for. Raises StatError for an outcome without variation and for redundant covariates,
    ConvergenceError where the fit does not settle.
    """
    level = check_level(level)
    flags = as_flags(outcome, "outcome")
    cases = as_cases(weights, flags, "outcome")
    y = as_binary(flags[cases], "outcome")
    by_row = design_matrix(covariates, len(flags))
    design = _full_rank(Design(by_row.names, by_row.matrix[cases]))
    matrix, scale = scaled_columns(design.matrix)
    problem = _Problem(matrix, y, np.ones(len(scale), dtype=bool))
    beta = _maximise(problem, np.zeros(len(scale)))
    best = _penalised_log_likelihood(problem, beta)
    errors = np.sqrt(np.diag(np.linalg.inv(_information(problem, beta))))
    return FirthModel(
        method="Firth's penalised likelihood, profile intervals",
        coefficients=tuple(
            _coefficient(problem, design.names[j], j, beta, errors[j], scale[j], level)
            for j in range(len(scale))
        ),
        penalised_log_likelihood=best - float(np.log(1 / scale).sum()),
        cases=len(y),
        events=int(y.sum()),
    )


def firth_coefficients(outcome: ArrayLike, matrix: FloatArray) -> FloatArray:
    """Only the estimates, for a matrix that has its intercept; for cross-validation."""
    y = as_binary(outcome, "outcome")
    scaled, scale = scaled_columns(matrix)
    problem = _Problem(scaled, y, np.ones(len(scale), dtype=bool))
    return _maximise(problem, np.zeros(len(scale))) / scale


def _full_rank(design: Design) -> Design:
    redundant = redundant_columns(design)
    if redundant:
        raise StatError(f"redundant covariates: {', '.join(redundant)}")
    return design


def _information(problem: _Problem, beta: FloatArray) -> FloatArray:
    chance = expit(problem.matrix @ beta)
    weighted = problem.matrix * (chance * (1 - chance))[:, None]
    return np.asarray(problem.matrix.T @ weighted, dtype=np.float64)


def _penalised_log_likelihood(problem: _Problem, beta: FloatArray) -> float:
    """Minus infinity where the information is singular in double precision."""
    linear = problem.matrix @ beta
    likelihood = float((problem.outcome * linear - np.logaddexp(0, linear)).sum())
    sign, log_determinant = np.linalg.slogdet(_information(problem, beta))
    return likelihood + log_determinant / 2 if sign > 0 else -math.inf


def _score_and_curvature(
    problem: _Problem, beta: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Firth's modified score, and the matrix that its steps are measured by.

    The score is that of data in which each case counts 1 + h times (h its leverage
    in the full information), half of h with the event: so is the curvature. The plain
    information would step twice too far where one case decides a coefficient.
    """
    chance = expit(problem.matrix @ beta)
    weight = chance * (1 - chance)
    weighted = problem.matrix * weight[:, None]
    inverse = np.linalg.pinv(problem.matrix.T @ weighted, hermitian=True)
    leverage = np.einsum("ij,jk,ik->i", weighted, inverse, problem.matrix)
    residual = problem.outcome - chance + leverage * (0.5 - chance)
    curvature = problem.matrix.T @ (weighted * (1 + leverage)[:, None])
    return problem.matrix.T @ residual, curvature


def _maximise(problem: _Problem, start: FloatArray) -> FloatArray:
    """Scoring with step halving over the free columns, then Powell's hybrid method.

    Scoring is safe and leads near; far out on a profile it creeps, and the hybrid
    method finishes.
    """
    beta, free = start.copy(), problem.free
    now = _penalised_log_likelihood(problem, beta)
    for _ in range(ITERATIONS):
        score, curvature = _score_and_curvature(problem, beta)
        if np.abs(score[free]).max() < SCORE_TOLERANCE:
            return beta
        step = np.zeros(len(beta))
        step[free] = np.linalg.lstsq(curvature[np.ix_(free, free)], score[free])[0]
        step *= LONGEST_STEP / max(LONGEST_STEP, np.abs(step).max())
        beta, now = _uphill(problem, beta, step, now)
    return _finish(problem, beta, now)


def _finish(problem: _Problem, beta: FloatArray, now: float) -> FloatArray:
    """The root of the score near ``beta``; raises ConvergenceError if it is none."""
    free, found = problem.free, beta.copy()

    def score(values: FloatArray) -> FloatArray:
        found[free] = values
        return _score_and_curvature(problem, found)[0][free]

    found[free] = root(score, beta[free], method="hybr", tol=1e-13).x
    unsolved = np.abs(_score_and_curvature(problem, found)[0][free]).max()
    falls = _penalised_log_likelihood(problem, found) < now - ROUNDING
    if unsolved > 10 * SCORE_TOLERANCE or falls:
        raise ConvergenceError("Firth's regression did not settle")
    return found


def _uphill(
    problem: _Problem, beta: FloatArray, step: FloatArray, now: float
) -> tuple[FloatArray, float]:
    """The step, halved until the penalised likelihood does not fall beyond rounding."""
    slack = 1e-12 * (1 + abs(now))
    then = _penalised_log_likelihood(problem, beta + step)
    while then < now - slack:
        step = step / 2
        then = _penalised_log_likelihood(problem, beta + step)
    return beta + step, then


def _coefficient(
    problem: _Problem,
    name: str,
    column: int,
    beta: FloatArray,
    error: float,
    scale: float,
    level: float,
) -> FirthCoefficient:
    """The coefficient in the covariate's own units."""
    fall = _fall_of_profile(problem, column, beta)
    quantile = float(chi2.ppf(level, 1))
    reach = math.sqrt(quantile) * error
    limits = [
        _limit(lambda value: fall(value) - quantile, beta[column], reach * sign)
        for sign in (-1, 1)
    ]
    in_units = [beta[column] / scale, *(limit / scale for limit in limits)]
    value, lower, upper = (float(number) for number in in_units)
    method = "profile penalised likelihood"
    return FirthCoefficient(
        name=name,
        log_odds_ratio=Interval(
            value=value, lower=lower, upper=upper, method=method, level=level
        ),
        odds_ratio=Interval(
            value=finite_exp(value),
            lower=finite_exp(lower),
            upper=finite_exp(upper),
            method=method,
            level=level,
        ),
        standard_error=float(error / scale),
        p_value=float(chi2.sf(fall(0.0), 1)),
    )


def _fall_of_profile(
    problem: _Problem, column: int, beta: FloatArray
) -> Callable[[float], float]:
    """Twice the loss of penalised log likelihood when one coefficient is held."""
    best = _penalised_log_likelihood(problem, beta)
    free = problem.free.copy()
    free[column] = False
    held = dataclasses.replace(problem, free=free)

    def fall(value: float) -> float:
        found = _follow(held, column, beta, value)
        return max(0.0, 2 * (best - _penalised_log_likelihood(held, found)))

    return fall


def _follow(held: _Problem, column: int, beta: FloatArray, value: float) -> FloatArray:
    """The profile at ``value``, in one stride or, where that fails, in short steps."""
    start = beta.copy()
    start[column] = value
    try:
        return _maximise(held, start)
    except ConvergenceError:
        found = beta.copy()
        for step in np.linspace(beta[column], value, SHORT_STEPS + 1)[1:]:
            found[column] = step
            found = _maximise(held, found)
        return found


def _limit(excess: Callable[[float], float], start: float, step: float) -> float:
    """Where ``excess`` crosses zero, going from ``start`` in the direction of step."""
    inner, outer = start, start + step
    for _ in range(WIDENINGS):
        if excess(outer) > 0:
            low, high = sorted((inner, outer))
            return float(brentq(excess, low, high, xtol=1e-11, rtol=1e-12))
        inner, outer = outer, outer + (outer - start) / 2
    raise ConvergenceError("no limit of the profile likelihood was found")
