"""All ways to deal cases to any number of groups, or a sample of them.

Where the ways are few they are listed, with the chance of each, and p is exact; else
they are sampled with a seed.

References: Phipson and Smyth 2010 (1 added to the sampled counts); Patefield 1981.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy import special

from outcomes.stats.checks import CountArray, FloatArray, check_count
from outcomes.stats.errors import StatError

# Numbers (B,) of arrangements (B, G, K): cases by group and class.
Statistic = Callable[[CountArray], FloatArray]

SAMPLED = 10_000
FEWEST_SAMPLED = 1_000
# Tables listed, some tenths of a second.
MOST_TABLES = 100_000
# Cells laid out at a time, and in all.
AT_A_TIME = 2_000_000
MOST_CELLS = 10_000_000
# NumPy draws from smaller urns only.
MOST_DEALT = 10**9 - 1
# Statistics so near are equal but for rounding; it only ever adds to p.
RELATIVE_TOLERANCE = 1e-9
ALL_ARRANGEMENTS = "exact, all arrangements"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Permuted:
    """A p value, the smallest that these groups could have had, and how it was found.

    ``smallest`` belongs to the most extreme arrangement of the same cases.
    """

    p_value: float
    smallest: float
    method: str


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


def arranged_p(table: CountArray, statistic: Statistic, seed: int) -> Permuted:
    """The share of arrangements with a statistic as large, exact where they are few.

    Groups are sorted first, so that their order does not matter; ``statistic`` must not
    depend on it either.
    """
    sizes = table.sum(axis=1)
    order = sorted(range(len(table)), key=lambda g: (sizes[g], *table[g].tolist()))
    table = table[order]
    listed = listed_tables(table)
    if listed is None:
        return sampled_p(table, statistic, seed)
    tables, chances = listed
    observed = float(statistic(table[None])[0])
    return concluded(observed, _in_parts(statistic, tables), chances)


def sampled_p(table: CountArray, statistic: Statistic, seed: int) -> Permuted:
    """(1 + arrangements as large) / (1 + arrangements), sampled with ``seed``."""
    drawn = sampled_tables(table, affordable([table]), seed)
    values = np.concatenate([statistic(tables) for tables in drawn])
    return concluded(float(statistic(table[None])[0]), values, None, seed)


def concluded(
    observed: float, values: FloatArray, chances: FloatArray | None, seed: int = 0
) -> Permuted:
    """p of the observed statistic and of the largest among ``values`` of arrangements.

    ``chances`` are theirs where all are listed; None where they were sampled.
    """
    largest = max(observed, float(values.max()))

    def share(bound: float) -> float:
        reached = values >= bound - abs(bound) * RELATIVE_TOLERANCE
        if chances is None:
            return (1 + int(reached.sum())) / (1 + len(values))
        return min(float(chances[reached].sum()), 1.0)

    return Permuted(
        p_value=share(observed),
        smallest=share(largest),
        method=f"{len(values):,} sampled arrangements, seed {seed}"
        if chances is None
        else ALL_ARRANGEMENTS,
    )


def listed_tables(table: CountArray) -> tuple[CountArray, FloatArray] | None:
    """All tables (B, G, K) with the margins of ``table``, and their chances (B,).

    None where there are more than ``MOST_TABLES``, or too many cells.
    """
    sizes, counts = table.sum(axis=1), table.sum(axis=0)
    most = min(MOST_TABLES, MOST_CELLS // table.size)
    found = np.zeros((1, len(sizes), 0), dtype=np.int64)
    order = np.argsort(-counts, kind="stable")
    for count in counts[order].tolist():
        cells = _dealings(sizes, count, most)
        # Whatever is dealt so far leaves room for the rest: no table is lost later.
        if cells is None or len(cells) * len(found) > 10 * most:
            return None
        left = sizes - found.sum(axis=2)
        fits = (cells <= left[:, None]).all(axis=2)
        if fits.sum() > most:
            return None
        source, dealt = np.nonzero(fits)
        found = np.concatenate([found[source], cells[dealt][:, :, None]], axis=2)
    chances = np.exp(
        special.gammaln(counts + 1.0).sum()
        + special.gammaln(sizes + 1.0).sum()
        - special.gammaln(sizes.sum() + 1.0)
        - special.gammaln(found + 1.0).sum(axis=(1, 2))
    )
    return found[:, :, np.argsort(order)], chances


def _dealings(sizes: CountArray, count: int, most: int) -> CountArray | None:
    """Every way to deal ``count`` equal cases to groups of these sizes, (C, G)."""
    cells, left = np.zeros((1, 0), dtype=np.int64), np.array([count])
    for place, size in enumerate(sizes.tolist()):
        least = np.maximum(left - sizes[place + 1 :].sum(), 0)
        choices = np.minimum(left, size) - least + 1
        if choices.sum() > most:
            return None
        source = np.repeat(np.arange(len(left)), choices)
        begin = np.repeat(np.cumsum(choices) - choices, choices)
        cell = least[source] + np.arange(len(source)) - begin
        cells, left = np.column_stack([cells[source], cell]), left[source] - cell
    return cells


def _in_parts(statistic: Statistic, tables: CountArray) -> FloatArray:
    step = max(1, AT_A_TIME // tables[0].size)
    parts = [
        statistic(tables[start : start + step]) for start in range(0, len(tables), step)
    ]
    return np.concatenate(parts)


def generator(seed: int | np.random.Generator) -> np.random.Generator:
    """Random numbers of a whole number; raises StatError for another."""
    if isinstance(seed, np.random.Generator):
        return seed
    return np.random.default_rng(check_count(seed, "seed"))


def affordable(tables: Sequence[CountArray]) -> int:
    """How many arrangements of all these tables are sampled."""
    cells = sum(map(_cells, tables))
    return max(min(SAMPLED, MOST_CELLS // cells), FEWEST_SAMPLED)


def _cells(table: CountArray) -> int:
    """What one arrangement costs: the cases picked, or the table where those are more."""
    others = int(table.sum() - table.sum(axis=1).max())
    return max(table.size, min(others, 10 * table.size))


def sampled_tables(
    table: CountArray, times: int, seed: int | np.random.Generator
) -> Iterator[CountArray]:
    """Random tables (B, G, K) with the margins of ``table``, ``times`` in all.

    ``seed`` is a whole number, or a generator that serves several tables in turn.
    """
    random = generator(seed)
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
