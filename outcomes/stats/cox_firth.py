"""Firth's Cox regression: finite hazard ratios where a group has no events.

Maximises the partial likelihood (Efron's ties) plus half the logarithm of the
determinant of its information; limits and p values from the profile. Own code: PyPI's
firthmodels gives the same numbers without ties, but has Breslow's ties, which are
farther off on days, takes no weights, and brings scikit-learn (59 MB).
References: Heinze G, Schemper M. Biometrics 2001;57:114-119; Efron 1977.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from outcomes.stats.checks import FloatArray, check_level
from outcomes.stats.cox_design import (
    SEPARATION,
    CoxCases,
    cox_cases,
    reasons_against,
)
from outcomes.stats.cox_likelihood import RiskSets
from outcomes.stats.errors import StatError
from outcomes.stats.penalised import maximise, profile
from outcomes.stats.result import Interval, Result

METHOD = "Cox, Efron ties, Firth's penalised likelihood, profile intervals"


@dataclasses.dataclass(frozen=True, kw_only=True)
class FirthCoxCoefficient(Result):
    """One log hazard ratio with its profile interval and likelihood ratio p."""

    name: str
    log_hazard_ratio: Interval
    hazard_ratio: Interval
    standard_error: float
    p_value: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class FirthCoxModel(Result):
    """A fitted model; there is one under separation too."""

    method: str = METHOD
    coefficients: tuple[FirthCoxCoefficient, ...]
    penalised_log_likelihood: float
    n: int
    n_events: int


@dataclasses.dataclass(frozen=True)
class _Partial:
    """The penalised partial likelihood on standardised variables."""

    sets: RiskSets

    def penalised(self, beta: FloatArray) -> float:
        terms = self.sets.terms(beta)
        sign, log_determinant = np.linalg.slogdet(terms.information)
        return terms.log_likelihood + log_determinant / 2 if sign > 0 else -math.inf

    def score_and_curvature(self, beta: FloatArray) -> tuple[FloatArray, FloatArray]:
        terms = self.sets.terms(beta)
        inverse = np.asarray(
            np.linalg.pinv(terms.information, hermitian=True), dtype=np.float64
        )
        slope = self.sets.information_slope(beta, terms, inverse)
        return terms.score + slope / 2, terms.information


def firth_cox(
    days: ArrayLike,
    events: ArrayLike,
    variables: Mapping[str, ArrayLike],
    weights: ArrayLike | None = None,
    level: float = 0.95,
) -> FirthCoxModel:
    """Penalised hazard ratios; the arguments are those of ``cox.cox``.

    R: ``coxphf(Surv(days, events) ~ …)`` where no days are tied. Raises StatError
    without events and for variables that do not vary among those at risk,
    ConvergenceError where the fit does not settle.
    """
    level = check_level(level)
    cases = cox_cases(days, events, variables, weights)
    against = [f.text for f in reasons_against(cases) if f.code != SEPARATION]
    if against:
        raise StatError("; ".join(against))
    return firth_of(cases, level)


def firth_of(cases: CoxCases, level: float) -> FirthCoxModel:
    """The model of checked cases that have events and vary."""
    model, scale = _Partial(cases.risk_sets()), cases.scale
    beta = maximise(model, np.zeros(len(scale)))
    information = model.sets.terms(beta).information
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    found = [profile(model, j, beta, errors[j], level) for j in range(len(scale))]
    in_units = [one.in_units(scale[j], level) for j, one in enumerate(found)]
    return FirthCoxModel(
        coefficients=tuple(
            FirthCoxCoefficient(
                name=name,
                log_hazard_ratio=log_ratio,
                hazard_ratio=ratio,
                standard_error=float(error),
                p_value=one.p_value,
            )
            for name, (log_ratio, ratio), error, one in zip(
                cases.names, in_units, errors / scale, found, strict=True
            )
        ),
        penalised_log_likelihood=model.penalised(beta) + float(np.log(scale).sum()),
        n=cases.table.n,
        n_events=cases.table.n_events,
    )
