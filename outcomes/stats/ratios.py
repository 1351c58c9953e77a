"""Odds ratios and risk ratios of 2x2 tables, with defined behaviour for zero cells.

Tables are [[a, b], [c, d]]: groups in rows, with and without the feature in columns.
A ratio that is infinite or undefined has no value and says why. References: Woolf
1955, Ann Hum Genet 19:251; Koopman 1984, Biometrics 40:513; Katz 1978, Biometrics
34:469; Cornfield 1956 (exact conditional limits).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special
from scipy.stats import contingency

from outcomes.stats.checks import FloatArray, check_level
from outcomes.stats.proportions import (
    PairedCounts,
    exact_odds,
    standard_normal_limit,
)
from outcomes.stats.result import Interval
from outcomes.stats.tables import SMALLEST_EXPECTED, Separation, as_2x2, separation

SAMPLE_ODDS_RATIO = "sample odds ratio, Woolf logit"
CONDITIONAL_ODDS_RATIO = "conditional maximum likelihood odds ratio, exact"
PAIRED_ODDS_RATIO = "paired odds ratio, exact"
KOOPMAN_RISK_RATIO = "risk ratio, Koopman score"
KATZ_RISK_RATIO = "risk ratio, Katz log"

INFINITE = "infinite: the denominator is zero"
UNDEFINED = "undefined: a group or a category has no observations"
NO_LOG_LIMITS = "a zero cell leaves this method without limits"
# Natural logarithms between which the limits of a risk ratio are sought.
_LOG_RANGE = 100.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ratio(Interval):
    """A ratio; ``reason`` says why value or limits are missing.

    ``upper`` None with a finite ``lower`` means that the data set no upper limit.
    """

    reason: str | None = None
    separation: Separation | None = None


def odds_ratio(table: ArrayLike, level: float = 0.95) -> Ratio:
    """ad / bc with Woolf's limits; a zero cell leaves them undefined.

    This is not the odds ratio that R's ``fisher.test`` prints: see
    ``conditional_odds_ratio``, which has limits for zero cells.
    """
    a, b, c, d = as_2x2(table)
    level = check_level(level)
    if _has_empty_margin(a, b, c, d):
        return _no_ratio(SAMPLE_ODDS_RATIO, level, UNDEFINED)
    kind = separation(table)
    if b * c == 0:
        return _no_ratio(SAMPLE_ODDS_RATIO, level, INFINITE, kind)
    value = a * d / (b * c)
    lower = upper = None
    if value > 0:
        error = math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
        lower, upper = _log_limits(value, error, level)
    return Ratio(
        value=value,
        lower=lower,
        upper=upper,
        method=SAMPLE_ODDS_RATIO,
        level=level,
        reason=None if value > 0 else NO_LOG_LIMITS,
        separation=kind,
    )


def conditional_odds_ratio(table: ArrayLike, level: float = 0.95) -> Ratio:
    """The conditional maximum likelihood estimate with exact limits.

    R's ``fisher.test`` prints the same, solved to about 1e-4 only. Own code, because
    SciPy's takes 9 ms for 38 cases and 250 ms for 3,000.
    """
    a, b, c, d = as_2x2(table)
    level = check_level(level)
    if _has_empty_margin(a, b, c, d):
        return _no_ratio(CONDITIONAL_ODDS_RATIO, level, UNDEFINED)
    given = _GivenMargins(a, b, c, d)
    tail = (1 - level) / 2
    at_least, at_most = given.cells >= a, given.cells <= a
    value = given.solved(lambda chances: float(chances @ given.cells) - a)
    return Ratio(
        value=value,
        lower=given.solved(lambda chances: float(chances[at_least].sum()) - tail)
        if a > given.cells[0]
        else 0.0,
        upper=given.solved(lambda chances: tail - float(chances[at_most].sum()))
        if a < given.cells[-1]
        else None,
        method=CONDITIONAL_ODDS_RATIO,
        level=level,
        reason=INFINITE if value is None else None,
        separation=separation(table),
    )


class _GivenMargins:
    """Fisher's noncentral hypergeometric distribution of the first cell of a table."""

    def __init__(self, a: int, b: int, c: int, d: int) -> None:
        self.a = a
        self.cells = np.arange(max(0, a - d), min(a + b, a + c) + 1, dtype=np.float64)
        others = (a + b - self.cells, a + c - self.cells, d - a + self.cells)
        self.log_weights = -sum(
            special.gammaln(cells + 1) for cells in (self.cells, *others)
        )

    def chances(self, log_ratio: float) -> FloatArray:
        """Of each value of the cell, under an odds ratio given by its logarithm."""
        exponents = self.log_weights + self.cells * log_ratio
        weights = np.exp(exponents - exponents.max())
        return np.asarray(weights / weights.sum())

    def solved(self, rising: Callable[[FloatArray], float]) -> float | None:
        """The odds ratio at which a rising function of the chances is zero.

        0 or None (infinite) for an estimate whose cell is at the end of its range.
        """
        low, high = -1.0, 1.0
        while rising(self.chances(low)) >= 0:
            if low < -_LOG_RANGE * 8:
                return 0.0
            low *= 2
        while rising(self.chances(high)) <= 0:
            if high > _LOG_RANGE * 8:
                return None
            high *= 2
        return math.exp(
            optimize.brentq(
                lambda log_ratio: rising(self.chances(log_ratio)), low, high, xtol=1e-14
            )
        )


def chosen_odds_ratio(table: ArrayLike, level: float = 0.95) -> Ratio:
    """The conditional odds ratio where the table calls for Fisher's test, else Woolf's.

    Woolf's limits lean on large numbers: not with a zero cell, and not where a count
    below 5 is expected. 15 of 19 against 0 of 19 keeps a lower limit of 10.2.
    """
    a, b, c, d = as_2x2(table)
    total = a + b + c + d
    smallest = min(a + b, c + d) * min(a + c, b + d)
    if 0 in (a, b, c, d) or smallest < SMALLEST_EXPECTED * total:
        return conditional_odds_ratio(table, level)
    return odds_ratio(table, level)


def paired_odds_ratio(pairs: PairedCounts, level: float = 0.95) -> Ratio:
    """Discordant pairs one way over the other, limits from Clopper-Pearson."""
    level = check_level(level)
    discordant = pairs.first_only + pairs.second_only
    if discordant == 0:
        return _no_ratio(PAIRED_ODDS_RATIO, level, "undefined: no pair differs")
    value, lower, upper = exact_odds(pairs.first_only, pairs.second_only, level)
    return Ratio(
        value=value,
        lower=lower,
        upper=upper,
        method=PAIRED_ODDS_RATIO,
        level=level,
        reason=INFINITE if value is None else None,
    )


def risk_ratio(table: ArrayLike, level: float = 0.95) -> Ratio:
    """Share of row 1 over share of row 2 with Koopman's score limits.

    The score limits exist for zero cells too. Own code: statsmodels stops at
    1 where both shares are 1.
    """
    a, b, c, d = as_2x2(table)
    level = check_level(level)
    total_1, total_2 = a + b, c + d
    if total_1 == 0 or total_2 == 0 or a + c == 0:
        return _no_ratio(KOOPMAN_RISK_RATIO, level, UNDEFINED)
    limit = float(special.chdtri(1, 1 - level))

    def beyond(log_ratio: float) -> float:
        return _koopman_score(log_ratio, a, total_1, c, total_2) - limit

    centre = _log_ratio(a * total_2, c * total_1)
    return Ratio(
        value=a * total_2 / (c * total_1) if c else None,
        lower=0.0 if a == 0 else _root(beyond, -_LOG_RANGE, centre),
        upper=None if c == 0 else _root(beyond, centre, _LOG_RANGE),
        method=KOOPMAN_RISK_RATIO,
        level=level,
        reason=None if c else INFINITE,
        separation=separation(table),
    )


def katz_risk_ratio(table: ArrayLike, level: float = 0.95) -> Ratio:
    """Share of row 1 over share of row 2 with Katz' log limits, by SciPy.

    No limits without events in row 1, nor where all have the feature: the formula
    would then claim 1 to 1.
    """
    a, b, c, d = as_2x2(table)
    level = check_level(level)
    if a + b == 0 or c + d == 0 or a + c == 0:
        return _no_ratio(KATZ_RISK_RATIO, level, UNDEFINED)
    kind = separation(table)
    if c == 0:
        return _no_ratio(KATZ_RISK_RATIO, level, INFINITE, kind)
    found = contingency.relative_risk(a, a + b, c, c + d)
    limits = found.confidence_interval(confidence_level=level)
    has_limits = a > 0 and b + d > 0
    return Ratio(
        value=float(found.relative_risk),
        lower=float(limits.low) if has_limits else None,
        upper=float(limits.high) if has_limits else None,
        method=KATZ_RISK_RATIO,
        level=level,
        reason=None if has_limits else NO_LOG_LIMITS,
        separation=kind,
    )


def _koopman_score(log_ratio: float, x: int, n: int, y: int, m: int) -> float:
    """Squared score of x of n against y of m under p1 = ratio * p2.

    Near 1 a share is known by its complement, and the ratio by ratio - 1.
    """
    ratio, excess = math.exp(log_ratio), math.expm1(log_ratio)
    p1, q1 = _shares(-log_ratio, y, m, x, n)
    p2, q2 = _shares(log_ratio, x, n, y, m)
    variance = p1 * q1 / n + ratio**2 * p2 * q2 / m
    if 2 * x > n and 2 * y > m:
        distance = ratio * ((m - y) / m) - (n - x) / n - excess
    else:
        distance = x / n - ratio * (y / m)
    return distance**2 / variance if variance > 0 else 0.0


def _shares(log_ratio: float, x: int, n: int, y: int, m: int) -> tuple[float, float]:
    """p2 at most likely under p1 = ratio * p2, and 1 - p2, neither by subtraction."""
    ratio, excess = math.exp(log_ratio), math.expm1(log_ratio)
    square = (n + m) * ratio
    linear = ratio * (n + y) + x + m
    # The smaller root of the quadratic, in the form that does not cancel.
    root = math.sqrt(max(linear**2 - 4 * square * (x + y), 0.0))
    share = min(2 * (x + y) / (linear + root), 1.0)
    # The same quadratic for the complement, whose larger root belongs to it.
    linear = n - x + m - y + excess * (n + 2 * m - y)
    constant = excess * (m - y)
    root = math.sqrt(max(linear**2 - 4 * square * constant, 0.0))
    if linear >= 0:
        return share, min((linear + root) / (2 * square), 1.0)
    return share, max(2 * constant / (linear - root), 0.0)


def _root(beyond: Callable[[float], float], low: float, high: float) -> float:
    return math.exp(optimize.brentq(beyond, low, high, xtol=1e-30, rtol=1e-14))


def _log_ratio(one: int, other: int) -> float:
    """log(one / other) of whole numbers, exact where they are nearly alike."""
    if not one or not other:
        return -_LOG_RANGE if not one else _LOG_RANGE
    if 2 * abs(one - other) < other:
        return math.log1p((one - other) / other)
    return math.log(one / other)


def _log_limits(value: float, error: float, level: float) -> tuple[float, float]:
    factor = math.exp(standard_normal_limit(level) * error)
    return value / factor, value * factor


def _has_empty_margin(a: int, b: int, c: int, d: int) -> bool:
    return 0 in (a + b, c + d, a + c, b + d)


def _no_ratio(
    method: str, level: float, reason: str, kind: Separation | None = None
) -> Ratio:
    return Ratio(
        value=None,
        lower=None,
        upper=None,
        method=method,
        level=level,
        reason=reason,
        separation=kind,
    )
