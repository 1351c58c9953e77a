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
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import chi2

from outcomes.stats.checks import FloatArray, check_level
from outcomes.stats.design import (
    Covariates,
    Design,
    as_binary,
    design_matrix,
    redundant_columns,
    scaled_columns,
)
from outcomes.stats.errors import ConvergenceError, StatError
from outcomes.stats.result import Interval, Result

ITERATIONS = 500
LONGEST_STEP = 5.0  # in units of the scaled columns; longer Newton steps are cut
SCORE_TOLERANCE = 1e-9
DOUBLINGS = 40  # of the search for a limit, beginning at one standard error


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
    outcome: Sequence[int], covariates: Covariates, level: float = 0.95
) -> FirthModel:
    """Firth's model of a 0/1 outcome on named covariates.

    Raises StatError for an outcome without variation and for redundant covariates,
    ConvergenceError where the fit does not settle.
    """
    check_level(level)
    y = as_binary(outcome, "outcome")
    design = _full_rank_design(covariates, len(y))
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


def firth_coefficients(outcome: Sequence[int], matrix: FloatArray) -> FloatArray:
    """Only the estimates, for a matrix that has its intercept; for cross-validation."""
    y = as_binary(outcome, "outcome")
    scaled, scale = scaled_columns(matrix)
    problem = _Problem(scaled, y, np.ones(len(scale), dtype=bool))
    return _maximise(problem, np.zeros(len(scale))) / scale


def _full_rank_design(covariates: Covariates, rows: int) -> Design:
    design = design_matrix(covariates, rows)
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


def _penalised_score(problem: _Problem, beta: FloatArray) -> FloatArray:
    """Firth's modified score; leverages come from the full information."""
    chance = expit(problem.matrix @ beta)
    weight = chance * (1 - chance)
    inverse = np.linalg.inv(_information(problem, beta))
    leverage = weight * np.einsum(
        "ij,jk,ik->i", problem.matrix, inverse, problem.matrix
    )
    residual = problem.outcome - chance + leverage * (0.5 - chance)
    return np.asarray(problem.matrix.T @ residual, dtype=np.float64)


def _maximise(problem: _Problem, start: FloatArray) -> FloatArray:
    """Fisher scoring with step halving over the free columns."""
    beta, free = start.copy(), problem.free
    now = _penalised_log_likelihood(problem, beta)
    for _ in range(ITERATIONS):
        score = _penalised_score(problem, beta)[free]
        if not free.any() or np.abs(score).max() < SCORE_TOLERANCE:
            return beta
        step = np.zeros(len(beta))
        step[free] = np.linalg.solve(
            _information(problem, beta)[np.ix_(free, free)], score
        )
        step *= min(1.0, LONGEST_STEP / np.abs(step).max())
        beta, now = _uphill(problem, beta, step, now)
    raise ConvergenceError("Firth's regression did not settle")


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
    limits = [
        _limit(lambda value: fall(value) - quantile, beta[column], error * sign)
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
            value=_exp(value),
            lower=_exp(lower),
            upper=_exp(upper),
            method=method,
            level=level,
        ),
        standard_error=float(error / scale),
        p_value=float(chi2.sf(fall(0.0), 1)),
    )


def _exp(value: float) -> float | None:
    """None where the odds ratio is beyond the numbers of the machine."""
    return math.exp(value) if value < 700 else None


def _fall_of_profile(
    problem: _Problem, column: int, beta: FloatArray
) -> Callable[[float], float]:
    """Twice the loss of penalised log likelihood when one coefficient is held."""
    best = _penalised_log_likelihood(problem, beta)
    free = problem.free.copy()
    free[column] = False
    held = dataclasses.replace(problem, free=free)

    def fall(value: float) -> float:
        start = beta.copy()
        start[column] = value
        profile = _penalised_log_likelihood(held, _maximise(held, start))
        return max(0.0, 2 * (best - profile))

    return fall


def _limit(excess: Callable[[float], float], start: float, step: float) -> float:
    """Where ``excess`` crosses zero, going from ``start`` in the direction of step."""
    inner, outer = start, start + step
    for _ in range(DOUBLINGS):
        if excess(outer) > 0:
            low, high = sorted((inner, outer))
            return float(brentq(excess, low, high, xtol=1e-11, rtol=1e-12))
        inner, outer = outer, outer + 2 * (outer - inner)
    raise ConvergenceError("no limit of the profile likelihood was found")
