"""The propensity score: chance of belonging to the treated group.

Plain maximum likelihood by statsmodels. Where the covariates separate the groups no
maximum exists; this is found by linear programming and said, never hidden behind
huge coefficients or a silent penalty: Firth's penalty has to be asked for. Reference for the diagnosis: Albert A, Anderson
JA. Biometrika 1984;71:1-10; Konis K. DPhil thesis, Oxford 2007.
"""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linprog
from statsmodels.discrete.discrete_model import Logit

from outcomes.stats.checks import FloatArray
from outcomes.stats.design import (
    Covariates,
    Design,
    about_the_middle,
    as_binary,
    design_matrix,
    redundant_columns,
)
from outcomes.stats.errors import ConvergenceError, StatError
from outcomes.stats.firth import firth_coefficients
from outcomes.stats.result import Result
from outcomes.stats.tables import Separation

ITERATIONS = 50  # Newton settles in about ten; under separation it never does
STEP_TOLERANCE = 1e-9
NEGLIGIBLE = 1e-7  # of a linear programme whose coefficients lie in -1..1
EVENTS_PER_VARIABLE = 10.0
UNPENALISED = "logistic regression, unpenalised maximum likelihood"
PENALISED = "logistic regression, Firth's penalised likelihood"
FIRTH, FEWER_VARIABLES = "firth-propensity", "fewer-variables"
Penalty = Literal["none", "firth"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PropensityModel(Result):
    """The fitted model, or the reason why there is none.

    ``logits`` are the linear predictors, one per case in the order given; they are
    empty when the model is not estimable. ``separated_by`` names the columns whose
    estimates would be infinite. ``warnings`` are sentences for the reader.
    ``next_step`` is a code: "firth-propensity" (ask again with ``penalty="firth"``)
    under separation and with few cases, "fewer-variables" for redundant covariates.
    Firth's model has no standard errors and no likelihood here.
    """

    method: str = UNPENALISED
    estimable: bool
    reason: str | None = None
    names: tuple[str, ...]
    coefficients: tuple[float, ...] = ()
    standard_errors: tuple[float, ...] = ()
    logits: tuple[float, ...] = ()
    log_likelihood: float | None = None
    treated: int
    controls: int
    events_per_variable: float
    separation: Separation | None = None
    separated_by: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    next_step: str | None = None


def fit_propensity(
    treated: ArrayLike, covariates: Covariates, penalty: Penalty = "none"
) -> PropensityModel:
    """Logit of the chance to be treated, for the distance of ``matching``.

    Texts become indicators. The order of rows changes nothing, not even the last
    digit: the model is fitted to sorted rows. Raises StatError for malformed input;
    separation, redundant covariates and a fit that does not settle come back as
    ``estimable=False`` with a reason. With ``penalty`` "firth" separated groups have a
    model too, and a warning that they do not overlap.
    """
    if penalty not in get_args(Penalty):
        raise StatError(f"penalty must be none or firth, not {penalty!r}")
    group = as_binary(treated, "treated")
    design = design_matrix(covariates, len(group))
    facts = _facts(group, design)
    redundant = redundant_columns(design)
    if redundant:
        reason = f"redundant covariates: {', '.join(redundant)}"
        return _refused(facts | {"next_step": FEWER_VARIABLES}, reason)
    if penalty == "firth":
        return _penalised(facts | {"method": PENALISED}, group, design)
    scaled, to_own_units = about_the_middle(design.matrix)
    fitted = _fit(group, scaled)
    if fitted is None:
        return _diagnosed(facts, group, design)
    covariance = to_own_units @ fitted.cov_params() @ to_own_units.T
    return PropensityModel(
        estimable=True,
        coefficients=tuple((to_own_units @ fitted.params).tolist()),
        standard_errors=tuple(np.sqrt(np.diag(covariance)).tolist()),
        logits=tuple(linear_predictor(scaled, fitted.params).tolist()),
        log_likelihood=float(fitted.llf),
        **facts,
    )


def logit_distance(one: float, other: float) -> float:
    """The distance of two cases: absolute difference of their logits."""
    return abs(one - other)


def linear_predictor(matrix: FloatArray, coefficients: FloatArray) -> FloatArray:
    """Column by column, because a matrix product rounds by the place of the row."""
    total = np.zeros(len(matrix))
    for column, coefficient in zip(matrix.T, coefficients, strict=True):
        total = total + column * coefficient
    return total


def _facts(group: FloatArray, design: Design) -> dict[str, Any]:
    """Fields that hold for refused and fitted models alike."""
    treated, controls = int(group.sum()), int((1 - group).sum())
    per_variable = min(treated, controls) / (len(design.names) - 1)
    fragile = (
        f"{per_variable:.1f} cases of the smaller group per covariate; below "
        f"{EVENTS_PER_VARIABLE:.0f} the model is fragile"
    )
    return {
        "names": design.names,
        "treated": treated,
        "controls": controls,
        "events_per_variable": per_variable,
        "warnings": (fragile,) if per_variable < EVENTS_PER_VARIABLE else (),
        "next_step": FIRTH if per_variable < EVENTS_PER_VARIABLE else None,
    }


def _penalised(
    facts: dict[str, Any], group: FloatArray, design: Design
) -> PropensityModel:
    """Firth's model on sorted rows, which says whether the groups overlap."""
    facts = facts | {"next_step": None}
    scaled, to_own_units = about_the_middle(design.matrix)
    order = np.lexsort((group, *scaled.T))
    try:
        found = firth_coefficients(group[order], scaled[order])
    except ConvergenceError as error:
        return _refused(facts, str(error))
    kind, columns = find_separation(group, design)
    if kind is not None:
        apart = f"{kind} separation by {', '.join(columns)}: matched cases will be few"
        facts["warnings"] = (*facts["warnings"], apart)
    return PropensityModel(
        estimable=True,
        coefficients=tuple((to_own_units @ found).tolist()),
        logits=tuple(linear_predictor(scaled, found).tolist()),
        separation=kind,
        separated_by=columns,
        **facts,
    )


def _refused(facts: dict[str, Any], reason: str) -> PropensityModel:
    return PropensityModel(estimable=False, reason=reason, **facts)


def _fit(group: FloatArray, matrix: FloatArray) -> Any | None:
    """The statsmodels result on sorted rows, or None where it did not settle.

    Its warnings are silenced because the caller finds out the cause itself.
    """
    order = np.lexsort((group, *matrix.T))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fitted = Logit(group[order], matrix[order]).fit(
                method="newton", maxiter=ITERATIONS, tol=STEP_TOLERANCE, disp=0
            )
        except np.linalg.LinAlgError:
            return None
    settled = fitted.mle_retvals["converged"] and np.isfinite(fitted.params).all()
    return fitted if settled else None


def _diagnosed(
    facts: dict[str, Any], group: FloatArray, design: Design
) -> PropensityModel:
    """Why there is no maximum."""
    kind, columns = find_separation(group, design)
    if kind is None:
        return _refused(facts, "the fit did not settle")
    refused = _refused(
        facts,
        f"{kind} separation by {', '.join(columns)}: these covariates tell the "
        "groups apart without overlap; leave them out, match on them exactly, or "
        "use Firth's regression",
    )
    return dataclasses.replace(
        refused, separation=kind, separated_by=columns, next_step=FIRTH
    )


def find_separation(
    group: FloatArray, design: Design
) -> tuple[Separation | None, tuple[str, ...]]:
    """Whether a combination of covariates separates the groups, and its columns.

    Complete: some combination is positive in all treated and negative in all
    controls. Quasi-complete: the same with cases exactly on the border.
    """
    signed = about_the_middle(design.matrix)[0] * (2 * group - 1)[:, None]
    signed = np.unique(signed, axis=0)
    direction = _solve(-signed.sum(axis=0), -signed)
    if float((signed @ direction).max()) <= NEGLIGIBLE:
        return None, ()
    columns = tuple(
        name
        for name, value in zip(design.names[1:], direction[1:], strict=True)
        if abs(value) > NEGLIGIBLE
    )
    margin = np.column_stack([-signed, np.ones(len(signed))])
    objective = np.zeros(margin.shape[1])
    objective[-1] = -1
    widest = _solve(objective, margin)[-1]
    return ("complete" if widest > NEGLIGIBLE else "quasi-complete"), columns


def _solve(objective: FloatArray, at_most_zero: FloatArray) -> FloatArray:
    """The minimiser in the cube -1..1; zero is always feasible."""
    solution = linprog(
        objective,
        A_ub=at_most_zero,
        b_ub=np.zeros(len(at_most_zero)),
        bounds=(-1, 1),
        method="highs",
    )
    return np.asarray(solution.x, dtype=np.float64)
