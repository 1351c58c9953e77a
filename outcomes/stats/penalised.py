"""Firth's penalised likelihood: its maximum and the profile of a coefficient.

The models (logistic, Cox) say their likelihood; searching is the same for both. The
penalty is half the logarithm of the determinant of the information (Jeffreys' prior).
Reference: Firth D. Biometrika 1993;80:27-38; Heinze G, Schemper M. Stat Med
2002;21:2409-2419 (profile limits).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, root
from scipy.stats import chi2

from outcomes.stats.checks import FloatArray
from outcomes.stats.errors import ConvergenceError
from outcomes.stats.result import Interval, finite_exp

ITERATIONS = 25
LONGEST_STEP = 5.0  # in units of the scaled columns; longer Newton steps are cut
SCORE_TOLERANCE = 1e-9
ROUNDING = 1e-9  # of a log likelihood
SHORT_STEPS = 16
WIDENINGS = 60  # of the search for a limit, by a half each, from the Wald limit
PROFILE = "profile penalised likelihood"

Free = NDArray[np.bool_]


class Likelihood(Protocol):
    """A penalised likelihood of a vector of coefficients on scaled columns."""

    def penalised(self, beta: FloatArray) -> float:
        """Its logarithm; minus infinity where the information is singular."""

    def score_and_curvature(self, beta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Its first derivative, and the matrix that steps are measured by."""


@dataclasses.dataclass(frozen=True)
class Profile:
    """A coefficient with its limits and p value, on the scale of the columns."""

    value: float
    lower: float
    upper: float
    p_value: float

    def in_units(self, scale: float, level: float) -> tuple[Interval, Interval]:
        """The log ratio and the ratio per unit of a column divided by ``scale``."""
        logs = [
            float(number / scale) for number in (self.value, self.lower, self.upper)
        ]
        ratios = [finite_exp(number) for number in logs]
        return (
            Interval(
                value=logs[0], lower=logs[1], upper=logs[2], method=PROFILE, level=level
            ),
            Interval(
                value=ratios[0],
                lower=ratios[1],
                upper=ratios[2],
                method=PROFILE,
                level=level,
            ),
        )


def maximise(
    likelihood: Likelihood, start: FloatArray, free: Free | None = None
) -> FloatArray:
    """Scoring with step halving over the free columns, then Powell's hybrid method.

    Scoring is safe and leads near; far out on a profile it creeps, and the hybrid
    method finishes. Raises ConvergenceError where neither settles.
    """
    beta = start.copy()
    free = np.ones(len(beta), dtype=bool) if free is None else free
    if not free.any():
        return beta
    now = likelihood.penalised(beta)
    for _ in range(ITERATIONS):
        score, curvature = likelihood.score_and_curvature(beta)
        if np.abs(score[free]).max() < SCORE_TOLERANCE:
            return beta
        step = np.zeros(len(beta))
        step[free] = np.linalg.lstsq(curvature[np.ix_(free, free)], score[free])[0]
        step *= LONGEST_STEP / max(LONGEST_STEP, np.abs(step).max())
        beta, now = _uphill(likelihood, beta, step, now)
    return _finish(likelihood, free, beta, now)


def _finish(
    likelihood: Likelihood, free: Free, beta: FloatArray, now: float
) -> FloatArray:
    """The root of the score near ``beta``; raises ConvergenceError if it is none."""
    found = beta.copy()

    def score(values: FloatArray) -> FloatArray:
        found[free] = values
        return likelihood.score_and_curvature(found)[0][free]

    found[free] = root(score, beta[free], method="hybr", tol=1e-13).x
    unsolved = np.abs(likelihood.score_and_curvature(found)[0][free]).max()
    falls = likelihood.penalised(found) < now - ROUNDING
    if unsolved > 10 * SCORE_TOLERANCE or falls:
        raise ConvergenceError("Firth's regression did not settle")
    return found


def _uphill(
    likelihood: Likelihood, beta: FloatArray, step: FloatArray, now: float
) -> tuple[FloatArray, float]:
    """The step, halved until the penalised likelihood does not fall beyond rounding."""
    slack = 1e-12 * (1 + abs(now))
    then = likelihood.penalised(beta + step)
    while then < now - slack:
        step = step / 2
        then = likelihood.penalised(beta + step)
    return beta + step, then


def profile(
    likelihood: Likelihood, column: int, beta: FloatArray, error: float, level: float
) -> Profile:
    """Limits where the profile falls by half the chi-squared quantile, and the test.

    ``beta`` is the maximum, ``error`` the standard error of its ``column``.
    """
    fall = _fall_of_profile(likelihood, column, beta)
    quantile = float(chi2.ppf(level, 1))
    reach = math.sqrt(quantile) * error
    lower, upper = (
        _limit(lambda value: fall(value) - quantile, beta[column], reach * sign)
        for sign in (-1, 1)
    )
    p_value = float(chi2.sf(fall(0.0), 1))
    return Profile(float(beta[column]), lower, upper, p_value)


def _fall_of_profile(
    likelihood: Likelihood, column: int, beta: FloatArray
) -> Callable[[float], float]:
    """Twice the loss of penalised log likelihood when one coefficient is held."""
    best = likelihood.penalised(beta)

    def fall(value: float) -> float:
        found = _follow(likelihood, column, beta, value)
        return max(0.0, 2 * (best - likelihood.penalised(found)))

    return fall


def _follow(
    likelihood: Likelihood, column: int, beta: FloatArray, value: float
) -> FloatArray:
    """The profile at ``value``, in one stride or, where that fails, in short steps."""
    free = np.arange(len(beta)) != column
    start = beta.copy()
    start[column] = value
    try:
        return maximise(likelihood, start, free)
    except ConvergenceError:
        found = beta.copy()
        for step in np.linspace(beta[column], value, SHORT_STEPS + 1)[1:]:
            found[column] = step
            found = maximise(likelihood, found, free)
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
