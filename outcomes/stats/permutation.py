"""The distribution of a statistic over all ways to deal the cases to the groups.

Given the sizes of the groups and what happened to the cases, every arrangement is
equally probable where the groups do not differ. Two groups are compared by a sum of
scores, whose distribution is found exactly where it can be listed; more groups, and
what cannot be listed, by arrangements sampled with a seed.

Own code, because SciPy's ``permutation_test`` takes rows and no counts, lists
arrangements one by one (its limit is some 20 cases) and calls Python for each.

References: Streitberg and Röhmel 1986 (shifts); Pagano and Tritchler 1983; Phipson and
Smyth 2010 (1 added to the sampled counts); R: ``coin``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator

import numpy as np
from scipy import special, stats

from outcomes.stats.checks import CountArray, FloatArray, check_count
from outcomes.stats.errors import StatError
from outcomes.stats.result import SMALLEST_P

# An array of groups by classes of cases for each arrangement: (B, G, K).
Statistic = Callable[[CountArray], FloatArray]

SAMPLED = 10_000
FEWEST_SAMPLED = 1_000
# Steps of the shifts, and ways listed of one half: some tenths of a second.
MOST_SHIFTED = 100_000_000
MOST_WAYS = 600_000
# Sizes of up to 1,000 and sums of scores up to here share 63 bits.
LARGEST_SUM = 2**51
MOST_LISTED = 1_000
# Cells laid out at a time, and in all.
AT_A_TIME = 2_000_000
MOST_CELLS = 10_000_000
# NumPy draws from smaller urns only.
MOST_DEALT = 10**9 - 1
# Sampled statistics so near are equal but for rounding; it only ever adds to p.
RELATIVE_TOLERANCE = 1e-9


@dataclasses.dataclass(frozen=True, kw_only=True)
class Permuted:
    """A p value, the smallest that these groups could have had, and how it was found.

    ``smallest`` belongs to the most extreme arrangement of the same cases.
    """

    p_value: float
    smallest: float
    method: str

    @property
    def reason(self) -> str | None:
        """Why there is no test: whatever had happened, p could not have been small."""
        return UNREACHABLE if self.smallest > REACHED else None


@dataclasses.dataclass(frozen=True)
class _Sums:
    """Sums of scores by the number of cases drawn, with their weights."""

    sizes: CountArray
    sums: CountArray
    weights: FloatArray


UNREACHABLE = (
    "too little was observed: however these cases had fallen to the groups, "
    "p could not have been 0.05 or less"
)
REACHED = 0.05


class _TooMany(Exception):
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
        found = sampled_p(table, lambda drawn: np.abs(drawn[:, 0] @ scores), seed)
        p_value, method = found.p_value, found.method
    else:
        p_value, method = min(tail, 1.0), "exact, all arrangements"
    smallest = _smallest_p(scores, counts, size, slack)
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


def spread(scores: CountArray, tables: CountArray) -> FloatArray:
    """(N - 1) / sum(a^2) * sum(T_g^2 / n_g) of the sums T_g of scores a by group.

    Of two groups it is the squared standardised sum; of midranks, Kruskal and
    Wallis's statistic with its correction for ties. ``tables``: (B, G, K).
    """
    values = scores.astype(np.float64)
    counts = tables[0].sum(axis=0)
    squares = float(counts @ values**2)
    sums, sizes = tables @ values, tables.sum(axis=2)
    found: FloatArray = (sums**2 / sizes).sum(axis=1) * (counts.sum() - 1) / squares
    return found


def sampled_p(table: CountArray, statistic: Statistic, seed: int) -> Permuted:
    """(1 + arrangements as extreme) / (1 + arrangements), sampled with ``seed``.

    Large values of ``statistic`` are extreme. Groups are sorted before sampling, so
    that their order does not matter.
    """
    sizes = table.sum(axis=1)
    order = sorted(range(len(table)), key=lambda g: (sizes[g], *table[g].tolist()))
    table = table[order]
    times = _affordable(table)
    values = np.concatenate(
        [statistic(drawn) for drawn in sampled_tables(table, times, seed)]
    )
    observed = float(statistic(table[None])[0])
    most = max(observed, float(values.max()))

    def share(bound: float) -> float:
        reached = values >= bound - abs(bound) * RELATIVE_TOLERANCE
        return (1 + int(reached.sum())) / (1 + times)

    return Permuted(
        p_value=share(observed),
        smallest=share(most),
        method=f"{times:,} sampled arrangements, seed {seed}",
    )


def _affordable(table: CountArray) -> int:
    return max(min(SAMPLED, MOST_CELLS // _cells(table)), FEWEST_SAMPLED)


def _cells(table: CountArray) -> int:
    """What one arrangement costs: the cases picked, or the table where those are more."""
    others = int(table.sum() - table.sum(axis=1).max())
    return max(table.size, min(others, 10 * table.size))


def sampled_tables(table: CountArray, times: int, seed: int) -> Iterator[CountArray]:
    """Random tables (B, G, K) with the margins of ``table``, ``times`` in all."""
    random = np.random.default_rng(check_count(seed, "seed"))
    sizes, counts = table.sum(axis=1), table.sum(axis=0)
    if counts.sum() > MOST_DEALT:
        raise StatError(f"more than {MOST_DEALT:,} cases cannot be dealt at random")
    few = sizes.sum() - sizes.max() <= 10 * table.size
    draw = _picked if few else _from_urns
    step = max(1, AT_A_TIME // _cells(table))
    for start in range(0, times, step):
        yield draw(random, sizes, counts, min(step, times - start))


def _picked(
    random: np.random.Generator, sizes: CountArray, counts: CountArray, times: int
) -> CountArray:
    """Cases picked for all groups but the largest, which keeps the rest."""
    largest = int(np.argmax(sizes))
    groups = np.delete(np.arange(len(sizes)), largest)
    labels = np.repeat(groups, sizes[groups])
    total = int(sizes.sum())
    picked = np.array(
        [random.choice(total, len(labels), replace=False) for _ in range(times)]
    )
    classes = np.searchsorted(np.cumsum(counts), picked, side="right")
    width = len(sizes) * len(counts)
    places = np.arange(times)[:, None] * width + labels * len(counts) + classes
    counted = np.bincount(places.ravel(), minlength=times * width)
    tables = counted.reshape(times, len(sizes), len(counts))
    tables[:, largest] = counts - tables.sum(axis=1)
    return tables


def _from_urns(
    random: np.random.Generator, sizes: CountArray, counts: CountArray, times: int
) -> CountArray:
    """Class by class for each group, which is fast where classes are few."""
    tables = np.empty((times, len(sizes), len(counts)), dtype=np.int64)
    for table in tables:
        left = counts
        for group, size in enumerate(sizes[:-1].tolist()):
            table[group] = random.multivariate_hypergeometric(
                left, size, method="marginals"
            )
            left = left - table[group]
        table[-1] = left
    return tables


def _smallest_p(scores: CountArray, counts: CountArray, size: int, slack: int) -> float:
    """The share of the most extreme arrangements: the highest scores, or the lowest."""
    ends = []
    for order in (np.argsort(-scores), np.argsort(scores)):
        before = np.cumsum(counts[order]) - counts[order]
        taken = np.clip(size - before, 0, counts[order])
        ways = _log_binomial(counts[order], taken).sum()
        ends.append((abs(int(taken @ scores[order])), float(ways)))
    most = max(end for end, _ways in ends)
    ways = [ways for end, ways in ends if end >= most - slack]
    total = float(_log_binomial(counts.sum(), size))
    share = sum(math.exp(found - total) for found in ways)
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
    except _TooMany:
        return None
    extreme = total = 0.0
    for drawn in range(size + 1):
        mine, theirs = one.sizes == drawn, other.sizes == size - drawn
        sums, weight = other.sums[theirs], other.weights[theirs]
        below = np.concatenate([[0.0], np.cumsum(weight)])
        high = np.searchsorted(sums, bound - one.sums[mine], side="left")
        low = np.searchsorted(sums, -bound - one.sums[mine], side="right")
        # A bound of 0 or less is reached from both sides at once.
        reached = np.minimum(below[-1] - below[high] + below[low], below[-1])
        extreme += float(one.weights[mine] @ reached)
        total += float(one.weights[mine].sum() * below[-1])
    return extreme / total


def _ways(scores: CountArray, weights: list[FloatArray], size: int) -> _Sums:
    """All sums of up to ``size`` cases of some classes, equal ones together."""
    found = _Sums(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64), np.ones(1))
    for score, weight in zip(scores.tolist(), weights, strict=True):
        drawn = np.arange(len(weight))
        if len(drawn) * len(found.sums) > MOST_WAYS:
            raise _TooMany
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
