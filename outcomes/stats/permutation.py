"""The distribution of a sum of scores over all ways to deal the cases to two groups.

Given the sizes of the groups and what happened to the cases, every arrangement is
equally probable where the groups do not differ. The sums of two groups are found
exactly by shifts or by halves, far beyond what could be listed one by one; what is
still too much is sampled (``arrangements``).

Own code, because SciPy's ``permutation_test`` takes rows and no counts, lists
arrangements one by one (its limit is some 20 cases) and calls Python for each.

References: Streitberg and Röhmel 1986 (shifts); Pagano and Tritchler 1983; R: ``coin``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from scipy import special, stats

from outcomes.stats.arrangements import ALL_ARRANGEMENTS, Permuted, arranged_p
from outcomes.stats.checks import CountArray, FloatArray
from outcomes.stats.result import SMALLEST_P

# Steps of the shifts, and ways listed of one half: some tenths of a second.
MOST_SHIFTED = 100_000_000
MOST_WAYS = 600_000
# Sizes of up to 1,000 and sums of scores up to here share 63 bits.
LARGEST_SUM = 2**51
MOST_LISTED = 1_000

# Distinct scores, the cases that have each, and how many of them are drawn.
Drawing = tuple[CountArray, CountArray, int]
# Sums and the weight of each.
SumWeights = tuple[CountArray, FloatArray]


@dataclasses.dataclass(frozen=True)
class _Sums:
    """Sums of scores by the number of cases drawn, with their weights."""

    sizes: CountArray
    sums: CountArray
    weights: FloatArray


class TooMany(Exception):
    pass


def two_groups_p(
    scores: CountArray, table: CountArray, seed: int, slack: int = 0
) -> Permuted:
    """Two-sided: arrangements whose sum of scores is as far from 0 as this one or more.

    ``scores`` are distinct whole numbers, one for each class of cases, and add up to 0
    over all cases within ``slack``; sums within it are equal, and none exceeds LARGEST_SUM.
    ``table`` has the cases of the two groups by class.
    """
    drawn = table[np.argmin(table.sum(axis=1))]
    counts, size = table.sum(axis=0), int(drawn.sum())
    observed = abs(int(drawn @ scores)) - slack
    tail = _shifted_tail(scores, counts, size, observed)
    if tail is None:
        tail = _halved_tail(scores, counts, size, observed)
    if tail is None:
        found = arranged_p(table, lambda drawn: np.abs(drawn[:, 0] @ scores), seed)
        p_value, method = found.p_value, found.method
    else:
        p_value, method = min(tail, 1.0), ALL_ARRANGEMENTS
    smallest = smallest_p([(scores, counts, size)], slack)
    return Permuted(p_value=p_value, smallest=smallest, method=method)


def distinct_scores(
    scores: CountArray, table: CountArray
) -> tuple[CountArray, CountArray]:
    """Classes with cases only, those of one score together."""
    distinct, place = np.unique(scores, return_inverse=True)
    merged = np.zeros((len(table), len(distinct)), dtype=np.int64)
    np.add.at(merged.T, place, table.T)
    kept = merged.sum(axis=0) > 0
    return distinct[kept], merged[:, kept]


def smallest_p(strata: Sequence[Drawing], slack: int) -> float:
    """The share of the most extreme arrangements: the highest scores, or the lowest.

    ``strata`` are dealt apart, each with its scores, cases by score and number drawn.
    """
    ends = []
    for sign in (1, -1):
        sum_of_all, log_share = 0, 0.0
        for scores, counts, size in strata:
            order = np.argsort(-sign * scores)
            before = np.cumsum(counts[order]) - counts[order]
            taken = np.clip(size - before, 0, counts[order])
            sum_of_all += int(taken @ scores[order])
            log_share += float(_log_binomial(counts[order], taken).sum())
            log_share -= float(_log_binomial(counts.sum(), size))
        ends.append((abs(sum_of_all), log_share))
    most = max(end for end, _share in ends)
    share = sum(math.exp(log_share) for end, log_share in ends if end >= most - slack)
    return min(max(share, SMALLEST_P), 1.0)


def _log_binomial(n: CountArray, k: CountArray | int) -> FloatArray:
    found: FloatArray = (
        special.gammaln(n + 1.0)
        - special.gammaln(np.asarray(k) + 1.0)
        - special.gammaln(n - np.asarray(k) + 1.0)
    )
    return found


def _shifted_tail(
    scores: CountArray, counts: CountArray, size: int, bound: int
) -> float | None:
    """P(|sum| >= bound) by shifts along all sums; None where they reach too far."""
    lowest = int(scores.min())
    unit = math.gcd(*(scores - lowest).tolist()) or 1
    steps = [(score - lowest) // unit for score in scores.tolist()]
    width = size * max(steps) + 1
    moves = int(np.minimum(counts, size).sum())
    if (size + 1) * width * moves > MOST_SHIFTED:
        return None
    chance = np.zeros((size + 1, width))
    chance[0, 0] = 1.0
    for step, weights in zip(steps, _weights(counts, size), strict=True):
        shifted = chance * weights[0]
        for drawn, weight in enumerate(weights[1:].tolist(), 1):
            kept, reach = size + 1 - drawn, width - drawn * step
            shifted[drawn:, drawn * step :] += weight * chance[:kept, :reach]
        chance = shifted
    sums = np.arange(width) * unit + size * lowest
    last = chance[size]
    return float(last[np.abs(sums) >= bound].sum() / last.sum())


def _weights(counts: CountArray, size: int) -> list[FloatArray]:
    """Binomial chances to draw 0, 1, … of each class, tilted to ``size`` of them all.

    Given the total these are the hypergeometric ones, and no number overflows.
    """
    share = size / int(counts.sum())
    return [
        stats.binom.pmf(np.arange(min(count, size) + 1), count, share)
        for count in counts.tolist()
    ]


def _halved_tail(
    scores: CountArray, counts: CountArray, size: int, bound: int
) -> float | None:
    """P(|sum| >= bound) from two halves of the classes; None where too many ways."""
    if size > MOST_LISTED:
        return None
    order = np.argsort(-counts, kind="stable")
    first = np.isin(np.arange(len(order)) % 4, (0, 3))
    weights = _weights(counts, size)
    try:
        one, other = (
            _ways(scores[half], [weights[place] for place in half], size)
            for half in (order[first], order[~first])
        )
    except TooMany:
        return None
    extreme = total = 0.0
    for drawn in range(size + 1):
        mine, theirs = one.sizes == drawn, other.sizes == size - drawn
        reached, all_ways = joint_tail(
            (one.sums[mine], one.weights[mine]),
            (other.sums[theirs], other.weights[theirs]),
            bound,
        )
        extreme, total = extreme + reached, total + all_ways
    return extreme / total


def joint_tail(one: SumWeights, other: SumWeights, bound: int) -> tuple[float, float]:
    """Weight of the pairs whose sum is ``bound`` or more from 0, and of all pairs.

    The sums of ``other`` rise.
    """
    sums, weights = other
    below = np.concatenate([[0.0], np.cumsum(weights)])
    high = np.searchsorted(sums, bound - one[0], side="left")
    low = np.searchsorted(sums, -bound - one[0], side="right")
    # A bound of 0 or less is reached from both sides at once.
    reached = np.minimum(below[-1] - below[high] + below[low], below[-1])
    return float(one[1] @ reached), float(one[1].sum() * below[-1])


def strata_tail(strata: Sequence[Drawing], bound: int) -> float | None:
    """P(|sum| >= bound) of sums over strata dealt apart; None where too many ways."""
    halves: list[SumWeights] = [(np.zeros(1, dtype=np.int64), np.ones(1))] * 2
    try:
        for part in sorted(map(_drawn_sums, strata), key=lambda part: -len(part[0])):
            halves.sort(key=lambda half: len(half[0]))
            halves[0] = _added(halves[0], part)
    except TooMany:
        return None
    reached, all_ways = joint_tail(halves[0], halves[1], bound)
    return reached / all_ways


def _drawn_sums(stratum: Drawing) -> SumWeights:
    """Rising sums of the cases drawn in one stratum, with their weights."""
    scores, counts, size = stratum
    if size > MOST_LISTED:
        raise TooMany
    ways = _ways(scores, _weights(counts, size), size)
    full = ways.sizes == size
    return ways.sums[full], ways.weights[full]


def _added(one: SumWeights, other: SumWeights) -> SumWeights:
    """Sums of two independent sums, rising, equal ones together."""
    if len(one[0]) * len(other[0]) > MOST_WAYS:
        raise TooMany
    sums = (one[0][:, None] + other[0]).ravel()
    weights = (one[1][:, None] * other[1]).ravel()
    order = np.argsort(sums, kind="stable")
    first = np.flatnonzero(np.concatenate([[True], np.diff(sums[order]) != 0]))
    return sums[order][first], np.add.reduceat(weights[order], first)


def _ways(scores: CountArray, weights: list[FloatArray], size: int) -> _Sums:
    """All sums of up to ``size`` cases of some classes, equal ones together."""
    found = _Sums(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64), np.ones(1))
    for score, weight in zip(scores.tolist(), weights, strict=True):
        drawn = np.arange(len(weight))
        if len(drawn) * len(found.sums) > MOST_WAYS:
            raise TooMany
        sizes = (found.sizes[:, None] + drawn).ravel()
        sums = (found.sums[:, None] + drawn * score).ravel()
        products = (found.weights[:, None] * weight).ravel()
        fits = sizes <= size
        found = _merged(_Sums(sizes[fits], sums[fits], products[fits]))
    return found


def _merged(ways: _Sums) -> _Sums:
    """By size and sum, in one whole number as sums stay below LARGEST_SUM."""
    keys = ways.sizes * (2 * LARGEST_SUM) + ways.sums
    order = np.argsort(keys, kind="stable")
    first = np.flatnonzero(np.concatenate([[True], np.diff(keys[order]) != 0]))
    kept = order[first]
    weights = np.add.reduceat(ways.weights[order], first)
    return _Sums(ways.sizes[kept], ways.sums[kept], weights)
