"""Fisher's exact test beyond 2x2: by enumeration, or sampled where that is too much.

Own code because SciPy only samples tables beyond 2x2, and for 5,000 cases takes most
of a minute to do it. References: Freeman and Halton 1951, Biometrika 38:141; Mehta and
Patel 1983, J Am Stat Assoc 78:427 (the bounds); Patefield 1981, Appl Stat 30:91.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from scipy import special

from outcomes.stats.checks import CountArray

Remainder = tuple[int, ...]

# Steps through partial tables, about a second, after which enumeration is given up;
# above this many observations the whole numbers themselves become slow.
STEP_LIMIT = 100_000
LARGEST_ENUMERATED = 1_000
SAMPLED_TABLES = 100_000
# Tables this much more probable still count as equally probable, as in R.
RELATIVE_TOLERANCE = 1e-7


class _TooManyTables(Exception):
    pass


def enumerated_p(counts: CountArray, step_limit: int = STEP_LIMIT) -> float | None:
    """The share of tables at most as probable as this one; None beyond the limits.

    The weight of a table, the product over its columns of column total! / product of
    cell!, is a whole number proportional to its probability, so ties are exact.
    """
    if counts.sum() > LARGEST_ENUMERATED:
        return None
    if counts.shape[0] > counts.shape[1]:
        counts = counts.T
    # Large columns first: what is left over is then soon decided by the bounds.
    counts = counts[:, np.argsort(-counts.sum(axis=0), kind="stable")]
    observed = math.prod(_multinomial(column.tolist()) for column in counts.T)
    rows = tuple(counts.sum(axis=1).tolist())
    network = _Network(counts.sum(axis=0).tolist(), step_limit)
    try:
        return network.weight_up_to(observed, rows) / _multinomial(rows)
    except _TooManyTables:
        return None


def sampled_p(counts: CountArray, seed: int) -> float:
    """(1 + tables at most as probable) / (1 + tables), as R's simulated p value.

    The margins are sorted first, so that the order of the labels does not matter.
    """
    rows, columns = np.sort(counts.sum(axis=1)), np.sort(counts.sum(axis=0))
    random = np.random.default_rng(seed)
    left = np.tile(columns, (SAMPLED_TABLES, 1))
    log_weight = np.zeros(SAMPLED_TABLES)
    for total in rows[:-1]:
        filled = _random_rows(random, left, int(total))
        left = left - filled
        log_weight -= special.gammaln(filled + 1.0).sum(axis=1)
    log_weight -= special.gammaln(left + 1.0).sum(axis=1)
    observed = -special.gammaln(counts + 1.0).sum()
    as_rare = int((log_weight <= observed + RELATIVE_TOLERANCE).sum())
    return (1 + as_rare) / (1 + SAMPLED_TABLES)


def _random_rows(
    random: np.random.Generator, left: CountArray, total: int
) -> CountArray:
    """One row for each table, drawn without replacement from what is ``left``."""
    filled = np.zeros_like(left)
    missing = np.full(len(left), total)
    behind = left.sum(axis=1)
    for column in range(left.shape[1]):
        here = left[:, column]
        behind = behind - here
        filled[:, column] = random.hypergeometric(here, behind, missing)
        missing = missing - filled[:, column]
    return filled


class _Network:
    """Fills a table column by column; a node is what is left of the row totals."""

    def __init__(self, columns: Sequence[int], step_limit: int) -> None:
        self.columns = columns
        self.steps_left = step_limit
        self._bounds: dict[tuple[int, Remainder], tuple[int, int]] = {}

    def weight_up_to(self, observed: int, rows: Remainder) -> int:
        """The summed weight of all tables whose weight is at most ``observed``.

        Partial tables are decided together as soon as all or none of their
        completions qualify.
        """
        found = 0
        nodes: dict[Remainder, Counter[int]] = {rows: Counter({1: 1})}
        for place in range(len(self.columns)):
            following: dict[Remainder, Counter[int]] = {}
            for node, weights in nodes.items():
                for factor, left in self._ways_on(node, place):
                    smallest, largest = self._completions(left, place + 1)
                    ways_to_finish = _multinomial(left)
                    self._spend(len(weights))
                    for weight, ways in weights.items():
                        partial = weight * factor
                        if partial * largest <= observed:
                            found += partial * ways * ways_to_finish
                        elif partial * smallest <= observed:
                            following.setdefault(left, Counter())[partial] += ways
            nodes = following
        return found

    def _completions(self, node: Remainder, place: int) -> tuple[int, int]:
        """The smallest and the largest weight with which a table can be completed."""
        if place == len(self.columns):
            return 1, 1
        known = self._bounds.get((place, node))
        if known is not None:
            return known
        lows, highs = [], []
        for factor, left in self._ways_on(node, place):
            low, high = self._completions(left, place + 1)
            lows.append(factor * low)
            highs.append(factor * high)
        self._bounds[place, node] = min(lows), max(highs)
        return self._bounds[place, node]

    def _ways_on(self, node: Remainder, place: int) -> Iterator[tuple[int, Remainder]]:
        """The fillings of one column: their factor of the weight and what is left."""
        for cells in _fillings(node, self.columns[place]):
            self._spend(1)
            left = tuple(row - cell for row, cell in zip(node, cells, strict=True))
            yield _multinomial(cells), left

    def _spend(self, steps: int) -> None:
        self.steps_left -= steps
        if self.steps_left < 0:
            raise _TooManyTables


def _fillings(remainder: Remainder, total: int) -> Iterator[Remainder]:
    """All columns with this total that fit into what is left of the rows."""
    if len(remainder) == 1:
        yield (total,)
        return
    # The later rows must be able to hold what this cell leaves.
    least = max(0, total - sum(remainder[1:]))
    for cell in range(least, min(remainder[0], total) + 1):
        for rest in _fillings(remainder[1:], total - cell):
            yield (cell, *rest)


_factorial = functools.lru_cache(maxsize=LARGEST_ENUMERATED + 1)(math.factorial)


def _multinomial(cells: Sequence[int]) -> int:
    return _factorial(sum(cells)) // math.prod(map(_factorial, cells))
