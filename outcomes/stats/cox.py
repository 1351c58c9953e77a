"""Cox regression with Efron's ties, its refusal rules and the proportionality check.

Own code: statsmodels' PHReg has Efron's likelihood but neither refuses monotone
likelihood (a coefficient of 17 with an error of 3599) nor gives the Efron-weighted
variances at each death that the check of proportional hazards needs.

References: Cox 1972; Efron 1977; Grambsch and Therneau 1994 and R's ``cox.zph`` (score
test, survival 3). What is refused, and why, stands in ``cox_design``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2, norm

from outcomes.stats.checks import FloatArray, check_level
from outcomes.stats.cox_design import (
    FEW_EVENTS,
    NO_EVENTS,
    SEPARATION,
    CoxCases,
    Finding,
    cox_cases,
    reasons_against,
    warnings_about,
)
from outcomes.stats.cox_firth import FirthCoxModel, firth_of
from outcomes.stats.cox_likelihood import DeathTerms, RiskSets
from outcomes.stats.cox_separation import is_monotone
from outcomes.stats.errors import ConvergenceError
from outcomes.stats.proportions import standard_normal_limit
from outcomes.stats.result import Interval, Result, TestResult, finite_exp
from outcomes.stats.survival import curve_of

_MAX_STEPS = 50
# A standardised coefficient this large, a hazard ratio above 20 for one standard
# deviation, is rare in nature and usual under separation: it calls the exact check.
_SUSPICIOUS = 3.0
# Near a maximum Newton's steps shrink to nothing; where there is none they go on by
# about 1 on the scale of the log hazard, however little there is still to gain.
_STILL_MOVING = 0.01
SEPARATED_TOGETHER = "separation: the variables together order the events completely"
FIRTH, RATE, FEWER_VARIABLES = "firth-cox", "exact-limits", "fewer-variables"
PROPORTIONALITY = "proportional hazards (scaled Schoenfeld residuals)"


@dataclasses.dataclass(frozen=True, kw_only=True)
class CoxCoefficient(Result):
    """One variable: the log hazard ratio, its error, and the hazard ratio."""

    name: str
    coefficient: float
    standard_error: float
    hazard_ratio: Interval
    z: float
    p_value: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProportionalHazards(Result):
    """Tests of a coefficient that changes with time (transform 1 - Kaplan-Meier).

    A small p value says that one hazard ratio does not describe the whole follow-up.
    """

    variables: tuple[TestResult, ...]
    overall: TestResult


@dataclasses.dataclass(frozen=True, kw_only=True)
class CoxModel(Result):
    """A fitted model, or the reasons why it was refused (``coefficients`` empty).

    ``warnings`` do not refuse. ``next_step`` is a code: "firth-cox" with the model in
    ``firth`` (under separation and with few events), "exact-limits" (no events: give
    the limits of the share or the rate), "fewer-variables".
    """

    estimable: bool
    reasons: tuple[Finding, ...]
    warnings: tuple[Finding, ...] = ()
    next_step: str | None = None
    firth: FirthCoxModel | None = None
    n: int
    n_events: int
    variables: tuple[str, ...]
    coefficients: tuple[CoxCoefficient, ...] = ()
    log_likelihood_null: float | None = None
    log_likelihood: float | None = None
    likelihood_ratio: TestResult | None = None
    proportional_hazards: ProportionalHazards | None = None
    method: str = "Cox, Efron ties"
    level: float = 0.95


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Fit:
    """The maximum on the scale of standardised variables."""

    beta: FloatArray
    terms: DeathTerms
    null: float


def cox(
    days: ArrayLike,
    events: ArrayLike,
    variables: Mapping[str, ArrayLike],
    weights: ArrayLike | None = None,
    level: float = 0.95,
    *,
    alternative: bool = True,
) -> CoxModel:
    """Hazard ratios of named numeric variables (0/1 for groups) on the time to event.

    ``weights`` are whole numbers of cases that a row stands for, so that equal cases
    may come as counts; they act as repeated rows, also for ties. Only events are laid
    out one by one, so that millions of cases cost no more than their distinct rows.

    Wald intervals and tests; R: ``coxph(Surv(days, events) ~ …)`` and ``cox.zph``.
    Refused, with reasons and a next step, without events, for a variable that is
    constant or a combination of others, and under separation, where the likelihood has
    no maximum. Below ten events per variable the model comes with a warning. Then and
    under separation Firth's model comes too, unless ``alternative`` is False.
    """
    level = check_level(level)
    cases = cox_cases(days, events, variables, weights)
    reasons, fit = reasons_against(cases), None
    if not reasons:
        sets = cases.risk_sets()
        fit = _maximum(sets)
        if fit is None:
            reasons = (Finding(code=SEPARATION, text=SEPARATED_TOGETHER),)
    warnings = warnings_about(cases)
    step = _next_step(reasons, warnings)
    model = CoxModel(
        estimable=fit is not None,
        reasons=reasons,
        warnings=warnings,
        next_step=step,
        firth=_firth(cases, level) if alternative and step == FIRTH else None,
        n=cases.table.n,
        n_events=cases.table.n_events,
        variables=cases.names,
        level=level,
    )
    return model if fit is None else _with_estimates(model, cases, sets, fit)


def _next_step(
    reasons: tuple[Finding, ...], warnings: tuple[Finding, ...]
) -> str | None:
    codes = {reason.code for reason in reasons}
    if codes == {NO_EVENTS}:
        return RATE
    if codes - {SEPARATION}:
        return FEWER_VARIABLES
    few = any(warning.code == FEW_EVENTS for warning in warnings)
    return FIRTH if codes or few else None


def _firth(cases: CoxCases, level: float) -> FirthCoxModel | None:
    """None where it does not settle, so that the refusal itself still stands."""
    try:
        return firth_of(cases, level)
    except ConvergenceError:
        return None


def _with_estimates(
    model: CoxModel, cases: CoxCases, sets: RiskSets, fit: _Fit
) -> CoxModel:
    curve = curve_of(cases.table)
    before = np.concatenate([[1.0], curve.survival])
    place = np.searchsorted(np.asarray(curve.days), sets.death_days, side="left")
    return dataclasses.replace(
        model,
        coefficients=_coefficients(cases.names, fit, cases.scale, model.level),
        log_likelihood_null=fit.null,
        log_likelihood=fit.terms.log_likelihood,
        likelihood_ratio=_likelihood_ratio(fit),
        proportional_hazards=_proportionality(cases.names, fit, 1 - before[place]),
    )


def _maximum(sets: RiskSets) -> _Fit | None:
    """Newton-Raphson with halved steps; None when there is no maximum."""
    beta = np.zeros(sets.covariates.shape[1])
    terms = sets.terms(beta)
    null = terms.log_likelihood
    suspected = False
    for _ in range(_MAX_STEPS):
        step = np.linalg.lstsq(terms.information, terms.score, rcond=None)[0]
        # The Newton decrement is the gain in log likelihood still to be had; being
        # quadratic, the coefficients are then exact to some eight digits more.
        settled = float(terms.score @ step) < 1e-12 * (abs(null) + 1)
        following = sets.terms(beta + step)
        while following.log_likelihood < terms.log_likelihood and not settled:
            step = step / 2
            following = sets.terms(beta + step)
        beta, terms = beta + step, following
        moves = settled and np.ptp(sets.covariates @ step) > _STILL_MOVING
        if not suspected and (moves or np.abs(beta).max() > _SUSPICIOUS):
            suspected = True
            if is_monotone(sets):
                return None
        if settled:
            break
    else:
        raise ConvergenceError("the Cox model did not settle")
    return _Fit(beta=beta, terms=terms, null=null)


def _coefficients(
    names: tuple[str, ...], fit: _Fit, scale: FloatArray, level: float
) -> tuple[CoxCoefficient, ...]:
    covariance = np.linalg.inv(fit.terms.information)
    beta, errors = fit.beta / scale, np.sqrt(np.diag(covariance)) / scale
    half = standard_normal_limit(level) * errors
    logs = np.array([beta, beta - half, beta + half]).T.tolist()
    return tuple(
        CoxCoefficient(
            name=name,
            coefficient=float(b),
            standard_error=float(error),
            hazard_ratio=Interval(
                value=finite_exp(value),
                lower=finite_exp(lower),
                upper=finite_exp(upper),
                method="Wald",
                level=level,
            ),
            z=float(b / error),
            p_value=float(2 * norm.sf(abs(b / error))),
        )
        for name, b, error, (value, lower, upper) in zip(
            names, beta, errors, logs, strict=True
        )
    )


def _likelihood_ratio(fit: _Fit) -> TestResult:
    statistic = 2 * (fit.terms.log_likelihood - fit.null)
    return _chi_squared("likelihood ratio", statistic, len(fit.beta))


def _proportionality(
    names: tuple[str, ...], fit: _Fit, transformed: FloatArray
) -> ProportionalHazards:
    """Score tests of adding variable times g(t), g = 1 - S(t-) at each death."""
    g = transformed - transformed.mean()
    residuals, variances = fit.terms.residuals, fit.terms.variances
    size = len(names)
    score = np.concatenate([np.zeros(size), g @ residuals])
    plain, once, twice = (
        np.tensordot(weight, variances, axes=1) for weight in (g**0, g, g**2)
    )
    information = np.block([[plain, once], [once, twice]])

    def tested(name: str, added: list[int]) -> TestResult:
        kept = [*range(size), *added]
        part = score[kept]
        block = information[np.ix_(kept, kept)]
        if np.linalg.matrix_rank(block, hermitian=True) < len(kept):
            reason = "the events are on too few days"
            return TestResult(name=name, estimable=False, reason=reason)
        statistic = float(part @ np.linalg.solve(block, part))
        return _chi_squared(name, statistic, len(added))

    return ProportionalHazards(
        variables=tuple(
            tested(f"{PROPORTIONALITY}: {name}", [size + place])
            for place, name in enumerate(names)
        ),
        overall=tested(f"{PROPORTIONALITY}: all", list(range(size, 2 * size))),
    )


def _chi_squared(name: str, statistic: float, df: int) -> TestResult:
    return TestResult(
        name=name,
        estimable=True,
        p_value=float(chi2.sf(statistic, df)),
        statistic=statistic,
        df=float(df),
    )
