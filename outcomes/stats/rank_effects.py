"""How far two groups, or two visits, lie apart: Hodges-Lehmann and A12.

References: Hodges and Lehmann 1963, Ann Math Stat 34:598; Hollander, Wolfe and Chicken
2014, chapters 3 and 4 (limits); Vargha and Delaney 2000, J Educ Behav Stat 25:101;
Newcombe 2006, Stat Med 25:559 (limits of A12, method 5).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np
from scipy import optimize

from outcomes.stats.checks import FloatArray, check_level
from outcomes.stats.errors import StatError
from outcomes.stats.proportions import standard_normal_limit
from outcomes.stats.ranks import EXACT_BELOW
from outcomes.stats.result import Interval
from outcomes.stats.samples import Sample, distinct_values

SHIFT = "Hodges-Lehmann shift"
PSEUDOMEDIAN = "Hodges-Lehmann pseudomedian"
A12 = "A12, Newcombe method 5"
# Sums of pairs, each counted twice, stay whole numbers of the machine.
MOST_PAIRS = 2**61
UNREACHABLE = "too few values for limits at this level"


def hodges_lehmann(first: Sample, second: Sample, level: float = 0.95) -> Interval:
    """Median of all differences first - second, as R's ``wilcox.test`` estimates it.

    Limits are order statistics of the differences: exact below 50 in both groups,
    else by the normal approximation. Where the level cannot be reached there are no
    limits, while R would print shorter ones.
    """
    level = check_level(level)
    x, x_counts = distinct_values(first, "first")
    y, y_counts = distinct_values(second, "second")
    n, m = int(x_counts.sum()), int(y_counts.sum())
    below = np.concatenate([[0], np.cumsum(x_counts)])

    def count(difference: float) -> int:
        places = np.searchsorted(x, y + difference, side="right")
        return int((below[places] * y_counts).sum())

    def largest_up_to(difference: float) -> float:
        places = np.searchsorted(x, y + difference, side="right")
        reached = places > 0
        return float((x[places[reached] - 1] - y[reached]).max())

    pairs = _OrderedPairs(
        count, largest_up_to, float(x[0] - y[-1]), float(x[-1] - y[0]), n * m
    )
    if max(n, m) < EXACT_BELOW:
        rank = _exact_rank(_rank_sum_chances(n, m), level)
    else:
        rank = _normal_rank(n * m / 2, n * m * (n + m + 1) / 12, level)
    return pairs.interval(rank, SHIFT, level)


def pseudomedian(differences: Sample, level: float = 0.95) -> Interval:
    """Median of the means of all pairs of differences, each with itself included.

    Zero differences stay in, because "unchanged" is an observation; R drops them.
    Limits as for ``hodges_lehmann``, from the signed-rank distribution.
    """
    level = check_level(level)
    values, counts = distinct_values(differences, "differences")
    n = int(counts.sum())
    below = np.concatenate([[0], np.cumsum(counts)])

    def count(mean: float) -> int:
        places = np.searchsorted(values, 2 * mean - values, side="right")
        ordered = int((below[places] * counts).sum())
        with_itself = int(below[np.searchsorted(values, mean, side="right")])
        return (ordered + with_itself) // 2

    def largest_up_to(mean: float) -> float:
        places = np.searchsorted(values, 2 * mean - values, side="right")
        reached = places > 0
        return float(((values[places[reached] - 1] + values[reached]) / 2).max())

    total = n * (n + 1) // 2
    pairs = _OrderedPairs(
        count, largest_up_to, float(values[0]), float(values[-1]), total
    )
    if n < EXACT_BELOW:
        rank = _exact_rank(_signed_rank_chances(n), level)
    else:
        rank = _normal_rank(total / 2, n * (n + 1) * (2 * n + 1) / 24, level)
    return pairs.interval(rank, PSEUDOMEDIAN, level)


def a12(first: Sample, second: Sample, level: float = 0.95) -> Interval:
    """Chance that a member of the first group exceeds one of the second.

    Ties count one half; 0.5 is no difference. The limits are defined under complete
    separation too, where A12 is 0 or 1.
    """
    level = check_level(level)
    x, x_counts = distinct_values(first, "first")
    y, y_counts = distinct_values(second, "second")
    n, m = int(x_counts.sum()), int(y_counts.sum())
    below = np.concatenate([[0], np.cumsum(y_counts)])
    smaller = below[np.searchsorted(y, x, side="left")]
    not_larger = below[np.searchsorted(y, x, side="right")]
    # Shares, because products of large counts leave the whole numbers.
    value = float(x_counts / n @ ((smaller + not_larger) / m)) / 2
    lower, upper = a12_limits(value, n, m, level)
    return Interval(value=value, lower=lower, upper=upper, method=A12, level=level)


def a12_limits(value: float, n: int, m: int, level: float) -> tuple[float, float]:
    """Newcombe's method 5 for groups of ``n`` and ``m``; for areas under a ROC too."""
    z = standard_normal_limit(level)
    return 1 - _upper_a12(1 - value, n, m, z), _upper_a12(value, n, m, z)


def _upper_a12(value: float, n: int, m: int, z: float) -> float:
    """The largest chance whose own standard error still reaches down to ``value``."""
    if value == 1:
        return 1.0
    mean_size = (n + m) / 2 - 1

    def beyond(chance: float) -> float:
        spread = 1 + mean_size * ((1 - chance) / (2 - chance) + chance / (1 + chance))
        return (chance - value) ** 2 - z * z * chance * (1 - chance) * spread / (n * m)

    return float(optimize.brentq(beyond, max(value, 1e-12), 1.0, xtol=1e-15))


class _OrderedPairs:
    """All differences (or means) of pairs in order, without building them.

    A million values by a million would not fit; ``count`` tells how many lie at or
    below a number, and bisection on it finds any order statistic.
    """

    def __init__(
        self,
        count: Callable[[float], int],
        largest_up_to: Callable[[float], float],
        smallest: float,
        largest: float,
        total: int,
    ) -> None:
        self.count = count
        self.largest_up_to = largest_up_to
        self.smallest = smallest
        self.largest = largest
        self.total = total
        if total > MOST_PAIRS:
            raise StatError("too many pairs of values to count")

    def order_statistic(self, rank: int) -> float:
        """The ``rank``-th smallest, counted from 1."""
        low, high = self.smallest, self.largest
        # Rounding in the count is absorbed: neighbours nearer than this are one value.
        margin = 1e-12 * max(abs(low), abs(high), 1e-300)
        if self.count(low + margin) >= rank:
            return low
        while high - low > margin:
            middle = (low + high) / 2
            if self.count(middle) >= rank:
                high = middle
            else:
                low = middle
        return self.largest_up_to(high + margin)

    def interval(self, rank: int | None, method: str, level: float) -> Interval:
        """The median, and the ``rank``-th from either end as limits."""
        middle = (self.total + 1) // 2
        value = self.order_statistic(middle)
        if self.total % 2 == 0:
            value = (value + self.order_statistic(middle + 1)) / 2
        if rank is None:
            return Interval(
                value=value,
                lower=None,
                upper=None,
                method=f"{method}, {UNREACHABLE}",
                level=level,
            )
        return Interval(
            value=value,
            lower=self.order_statistic(rank),
            upper=self.order_statistic(self.total + 1 - rank),
            method=method,
            level=level,
        )


def _exact_rank(chances: FloatArray, level: float) -> int | None:
    """The quantile of the null distribution; None where the tail is too heavy."""
    cumulative = np.cumsum(chances)
    # As R's quantile functions: a hair less than the tail still reaches it.
    tail = (1 - level) / 2 * (1 - 1e-12)
    rank = int(np.searchsorted(cumulative, tail, side="left"))
    return rank if rank > 0 else None


def _normal_rank(mean: float, variance: float, level: float) -> int:
    z = standard_normal_limit(level)
    return max(math.ceil(mean - z * math.sqrt(variance) - 0.5), 1)


@functools.lru_cache(maxsize=256)
def _rank_sum_chances(n: int, m: int) -> FloatArray:
    """Null distribution of U without ties: the Gaussian binomial coefficients.

    Own code: SciPy gives p values of U but not its quantiles.
    """
    ways = [1] + [0] * (n * m)
    for size in range(1, n + 1):
        for u in range(n * m, m + size - 1, -1):
            ways[u] -= ways[u - m - size]
        for u in range(size, n * m + 1):
            ways[u] += ways[u - size]
    # Whole numbers first, so that nothing cancels.
    total = math.comb(n + m, n)
    return np.array([way / total for way in ways])


@functools.lru_cache(maxsize=64)
def _signed_rank_chances(n: int) -> FloatArray:
    """Null distribution of the signed-rank sum of 1 to n without ties."""
    chances = np.zeros(n * (n + 1) // 2 + 1)
    chances[0] = 1.0
    for rank in range(1, n + 1):
        flipped = np.zeros_like(chances)
        flipped[rank:] = chances[:-rank]
        chances = (chances + flipped) / 2
    return chances
