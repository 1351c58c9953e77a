"""Firth's logistic regression: finite estimates where a covariate separates.

Maximises the log likelihood plus half the logarithm of the determinant of the Fisher
information (Jeffreys' prior). Intervals and p values come from the profile of this
penalised likelihood, because Wald limits are wrong just where Firth is needed.
References: Firth D. Biometrika 1993;80:27-38; Heinze G, Schemper M. Stat Med
2002;21:2409-2419. Own code: neither SciPy nor statsmodels has it; PyPI's firthmodels
gives the same numbers and takes no weights, at the price of scikit-learn (59 MB).
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from outcomes.stats.checks import (
    FloatArray,
    as_cases,
    as_flags,
    check_level,
)
from outcomes.stats.design import (
    Covariates,
    Design,
    about_the_middle,
    as_binary,
    design_matrix,
    redundant_columns,
    scaled_columns,
)
from outcomes.stats.errors import StatError
from outcomes.stats.penalised import maximise, profile
from outcomes.stats.result import Interval, Result


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
class _Logistic:
    """The penalised likelihood of a scaled design and its outcome."""

    matrix: FloatArray
    outcome: FloatArray

    def information(self, beta: FloatArray) -> FloatArray:
        chance = expit(self.matrix @ beta)
        weighted = self.matrix * (chance * (1 - chance))[:, None]
        return np.asarray(self.matrix.T @ weighted, dtype=np.float64)

    def penalised(self, beta: FloatArray) -> float:
        linear = self.matrix @ beta
        likelihood = float((self.outcome * linear - np.logaddexp(0, linear)).sum())
        sign, log_determinant = np.linalg.slogdet(self.information(beta))
        return likelihood + log_determinant / 2 if sign > 0 else -math.inf

    def score_and_curvature(self, beta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Firth's modified score, and the matrix that its steps are measured by.

        The score is that of data in which each case counts 1 + h times (h its leverage
        in the full information), half of h with the event: so is the curvature. The
        plain information would step twice too far where one case decides a coefficient.
        """
        chance = expit(self.matrix @ beta)
        weighted = self.matrix * (chance * (1 - chance))[:, None]
        inverse = np.linalg.pinv(self.matrix.T @ weighted, hermitian=True)
        leverage = np.einsum("ij,jk,ik->i", weighted, inverse, self.matrix)
        residual = self.outcome - chance + leverage * (0.5 - chance)
        curvature = self.matrix.T @ (weighted * (1 + leverage)[:, None])
        return self.matrix.T @ residual, curvature


def firth_logistic(
    outcome: ArrayLike,
    covariates: Covariates,
    weights: ArrayLike | None = None,
    level: float = 0.95,
) -> FirthModel:
    """Firth's model of a 0/1 outcome on named covariates.

    ``weights`` are whole numbers of cases that a row stands for. Raises StatError for
    an outcome without variation and for redundant covariates, ConvergenceError where
    the fit does not settle.
    """
    level = check_level(level)
    flags = as_flags(outcome, "outcome")
    cases = as_cases(weights, flags, "outcome")
    y = as_binary(flags[cases], "outcome")
    by_row = design_matrix(covariates, len(flags))
    design = _full_rank(Design(by_row.names, by_row.matrix[cases]))
    matrix, to_own_units = about_the_middle(design.matrix)
    model = _Logistic(matrix, y)
    beta = maximise(model, np.zeros(len(to_own_units)))
    covariance = np.asarray(np.linalg.inv(model.information(beta)), dtype=np.float64)
    _sign, by_unit = np.linalg.slogdet(to_own_units)
    return FirthModel(
        method="Firth's penalised likelihood, profile intervals",
        coefficients=tuple(
            _coefficient(model, name, row, beta, covariance, level)
            for name, row in zip(design.names, to_own_units, strict=True)
        ),
        penalised_log_likelihood=model.penalised(beta) - float(by_unit),
        cases=len(y),
        events=int(y.sum()),
    )


def firth_coefficients(outcome: ArrayLike, matrix: FloatArray) -> FloatArray:
    """Only the estimates, for a matrix that has its intercept; for cross-validation."""
    y = as_binary(outcome, "outcome")
    scaled, scale = scaled_columns(matrix)
    return maximise(_Logistic(scaled, y), np.zeros(len(scale))) / scale


def _full_rank(design: Design) -> Design:
    redundant = redundant_columns(design)
    if redundant:
        raise StatError(f"redundant covariates: {', '.join(redundant)}")
    return design


def _coefficient(
    model: _Logistic,
    name: str,
    row: FloatArray,
    beta: FloatArray,
    covariance: FloatArray,
    level: float,
) -> FirthCoefficient:
    """The coefficient ``row @ beta``, in the covariate's own units.

    The columns are turned until it is the first one's: on columns that are turned,
    not stretched, the profile of an intercept far from the data is found as well.
    """
    length = float(np.linalg.norm(row))
    error = math.sqrt(float(row @ covariance @ row))
    turn, triangle = np.linalg.qr(np.column_stack([row, np.eye(len(row))]))
    turn[:, 0] *= np.sign(triangle[0, 0])
    turned = _Logistic(model.matrix @ turn, model.outcome)
    found = profile(turned, 0, turn.T @ beta, error / length, level)
    log_odds_ratio, odds_ratio = found.in_units(1 / length, level)
    return FirthCoefficient(
        name=name,
        log_odds_ratio=log_odds_ratio,
        odds_ratio=odds_ratio,
        standard_error=error,
        p_value=found.p_value,
    )
