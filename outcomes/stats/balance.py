"""Balance of covariates between two groups, before and after matching.

The standardised mean difference (SMD) is treated minus control, divided by a named
standard deviation. Where neither group varies and the groups differ, no number says
it: the answer is "complete separation", never NaN, infinity or a small number.
References: Austin PC. Stat Med 2009;28:3083-3107; Yang D, Dalton JE. SAS Global Forum
2012, paper 335 (several levels); Stuart EA. Stat Sci 2010;25:1-21 (pre-match SD).
Own code: statsmodels has no SMD for categories and none that knows separation.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from outcomes.stats.checks import (
    FloatArray,
    as_floats,
    as_number,
    check_not_empty,
    check_not_negative,
    check_same_length,
)
from outcomes.stats.errors import StatError
from outcomes.stats.means import Moments, moments
from outcomes.stats.result import Result
from outcomes.stats.samples import Sample, sorted_rows

StandardDeviation = Literal["pooled", "treated", "control", "all"]
COMPLETE_SEPARATION = "complete separation"
GIVEN_SD = "before matching"


@dataclasses.dataclass(frozen=True, kw_only=True)
class StandardisedDifference(Result):
    """One SMD; ``value`` is None exactly when ``reason`` says why.

    ``standard_error`` is that of Hedges and Olkin, about 0.33 for 19 against 19: small
    groups cannot show a balance of 0.1.
    """

    method: str
    sd: str
    value: float | None
    standard_error: float | None = None
    reason: str | None = None

    @property
    def is_separated(self) -> bool:
        """Whether the groups differ without any overlap."""
        return self.reason == COMPLETE_SEPARATION


@dataclasses.dataclass(frozen=True, kw_only=True)
class EcdfDifference(Result):
    """Distance of the empirical distributions over the values seen: mean, maximum."""

    mean: float
    maximum: float


def weighted_moments(
    values: Sample, weights: ArrayLike | None, *, name: str = "values"
) -> Moments:
    """Moments under the weights of a matching, as R's MatchIt: Σw/((Σw)²-Σw²).

    These weights are shares of a case, not repetitions; counts go to ``moments``.
    """
    if weights is None:
        return moments(values, name=name)
    if isinstance(values, Mapping):
        raise StatError(f"{name} are counts already and take no weights")
    x, w = _weighted(values, weights, name)
    total = float(w.sum())
    # From the first value on, so that a constant column has variance zero exactly.
    mean = float(x[0]) + float(w @ (x - x[0])) / total
    spread = float(w @ np.square(x - mean))
    room = total**2 - float(np.square(w).sum())
    if room <= 0:
        raise StatError(f"{name} needs at least 2 cases for a variance")
    return Moments(size=total, mean=mean, variance=spread * total / room)


def smd_continuous(
    treated: Sample,
    control: Sample,
    *,
    sd: StandardDeviation = "pooled",
    treated_weights: ArrayLike | None = None,
    control_weights: ArrayLike | None = None,
    before_matching: float | None = None,
) -> StandardisedDifference:
    """SMD of rows or counts; ``before_matching`` is a standard deviation to use instead.

    ``all`` is the standard deviation over both groups together, unweighted.
    """
    together = None
    if sd == "all":
        both = np.concatenate(
            [sorted_rows(treated, "treated"), sorted_rows(control, "control")]
        )
        together = moments(both).variance
    one = weighted_moments(treated, treated_weights, name="treated")
    other = weighted_moments(control, control_weights, name="control")
    if before_matching is not None:
        given = as_number(before_matching, "before_matching")
        if given < 0:
            raise StatError("before_matching must be a standard deviation")
        return _smd(one, other, GIVEN_SD, given**2)
    return _smd(one, other, sd, _variance(one, other, sd, together))


def smd_from_moments(
    treated: Moments, control: Moments, *, sd: StandardDeviation = "pooled"
) -> StandardisedDifference:
    """SMD of groups that the database has reduced; ``all`` is not known here."""
    return _smd(treated, control, sd, _variance(treated, control, sd, None))


def smd_binary(
    treated_events: float,
    treated_total: float,
    control_events: float,
    control_total: float,
    *,
    sd: StandardDeviation = "pooled",
) -> StandardisedDifference:
    """SMD of two proportions from counts, or sums of weights; variance p(1-p)."""
    one = _bernoulli(treated_events, treated_total, "treated")
    other = _bernoulli(control_events, control_total, "control")
    total = one.size + other.size
    share = (one.mean * one.size + other.mean * other.size) / total
    return _smd(one, other, sd, _variance(one, other, sd, share * (1 - share)))


def smd_multilevel(
    treated: Mapping[str, float], control: Mapping[str, float]
) -> StandardisedDifference:
    """Yang-Dalton distance of two distributions over levels, from counts.

    It has no sign. Levels that nobody has are left out. The covariance is singular
    exactly when no level is shared, which is complete separation.
    """
    levels = sorted(set(treated) | set(control))
    one, size1 = _shares([treated.get(level, 0) for level in levels], "treated")
    other, size0 = _shares([control.get(level, 0) for level in levels], "control")
    method, sd = "Mahalanobis distance of proportions (Yang-Dalton)", "pooled"
    if not (one * other).any():
        return StandardisedDifference(
            method=method, sd=sd, value=None, reason=COMPLETE_SEPARATION
        )
    seen = np.flatnonzero(one + other)[1:]
    t, c = one[seen], other[seen]
    covariance = (np.diag(t) - np.outer(t, t) + np.diag(c) - np.outer(c, c)) / 2
    square = float((t - c) @ np.linalg.solve(covariance, t - c))
    value = math.sqrt(max(0.0, square))
    error = _standard_error(value, size1, size0)
    return StandardisedDifference(
        method=method, sd=sd, value=value, standard_error=error
    )


def variance_ratio(treated: Moments, control: Moments) -> float | None:
    """Variance of the treated over that of controls; None where controls are alike."""
    return treated.variance / control.variance if control.variance > 0 else None


def ecdf_difference(
    treated: ArrayLike,
    control: ArrayLike,
    *,
    treated_weights: ArrayLike | None = None,
    control_weights: ArrayLike | None = None,
    at: ArrayLike | None = None,
) -> EcdfDifference:
    """Distance of the two distributions at the distinct values of both groups.

    After matching, R's MatchIt still averages over the values of the whole sample;
    ``at`` takes these.
    """
    x, w = _weighted(treated, treated_weights, "treated")
    y, v = _weighted(control, control_weights, "control")
    places = np.unique(np.concatenate([x, y]) if at is None else as_floats(at, "at"))
    check_not_empty(places, "at")
    apart = np.abs(_ecdf(x, w, places) - _ecdf(y, v, places))
    return EcdfDifference(mean=float(apart.mean()), maximum=float(apart.max()))


def _smd(
    one: Moments, other: Moments, sd: str, variance: float
) -> StandardisedDifference:
    method = "difference of means / standard deviation"
    difference = one.mean - other.mean
    if difference != 0 and one.variance == other.variance == 0 and sd != GIVEN_SD:
        return StandardisedDifference(
            method=method, sd=sd, value=None, reason=COMPLETE_SEPARATION
        )
    if variance > 0:
        value = difference / math.sqrt(variance)
        return StandardisedDifference(
            method=method,
            sd=sd,
            value=value,
            standard_error=_standard_error(value, one.size, other.size),
        )
    if difference == 0:
        return StandardisedDifference(method=method, sd=sd, value=0.0)
    reason = f"the standard deviation ({sd}) is zero"
    return StandardisedDifference(method=method, sd=sd, value=None, reason=reason)


def _variance(
    one: Moments, other: Moments, sd: StandardDeviation, together: float | None
) -> float:
    variances = {
        "pooled": (one.variance + other.variance) / 2,
        "treated": one.variance,
        "control": other.variance,
        "all": together,
    }
    found = variances.get(sd)
    if found is None:
        raise StatError(f"the standard deviation {sd!r} is not known here")
    return found


def _standard_error(value: float, size1: float, size0: float) -> float:
    total = size1 + size0
    return math.sqrt(total / (size1 * size0) + value**2 / (2 * total))


def _bernoulli(events: float, total: float, name: str) -> Moments:
    with_event, size = as_number(events, name), as_number(total, name)
    if not (0 <= with_event <= size and size > 0):
        raise StatError(f"{name} events must lie between 0 and a total above 0")
    share = with_event / size
    return Moments(size=size, mean=share, variance=share * (1 - share))


def _shares(counts: Sequence[float], name: str) -> tuple[FloatArray, float]:
    """The shares of the levels and the size of the group."""
    array = as_floats(counts, name)
    check_not_negative(array, name)
    total = float(array.sum())
    if total == 0:
        raise StatError(f"{name} is empty")
    return array / total, total


def _weighted(
    values: ArrayLike, weights: ArrayLike | None, name: str
) -> tuple[FloatArray, FloatArray]:
    """Values and their weights, one each by default; weights are above zero."""
    x = as_floats(values, name)
    check_not_empty(x, name)
    w = np.ones(len(x)) if weights is None else as_floats(weights, "weights")
    check_same_length(**{name: x, "weights": w})
    if (w <= 0).any():
        raise StatError("weights must be above zero")
    return x, w


def _ecdf(values: FloatArray, weights: FloatArray, places: FloatArray) -> FloatArray:
    order = np.argsort(values, kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(weights[order])])
    reached = np.searchsorted(values[order], places, side="right")
    return np.asarray(sums[reached] / sums[-1])
