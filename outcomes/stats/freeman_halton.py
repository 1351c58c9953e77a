"""Fisher's exact test beyond 2x2: every table, or a sample where there are too many.

Own code because SciPy only samples tables beyond 2x2, and for 5,000 cases takes most
of a minute to do it. A test costs some tenths of a second at most: what cannot be
listed within that is sampled, with fewer tables the more cells they have. All tables
with the margins are met in the middle: the columns are dealt into two halves, each half
lists its ways to fill its columns, and a table is a way of one half with a way of the
other that together use up the row totals.
References: Freeman and Halton 1951, Biometrika 38:141; Patefield 1981, Appl Stat 30:91.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
from scipy import special

from outcomes.stats.checks import CountArray, FloatArray, check_count

# Ways listed for one half, a tenth of a second or two, before listing is given up.
MOST_WAYS = 500_000
# So many are laid out at a time, which takes some 50 MB.
AT_A_TIME = 500_000
SAMPLED_TABLES = 10_000
FEWEST_SAMPLED = 1_000
MOST_CELLS = 1_000_000
# NumPy draws from smaller urns only.
LARGEST_SAMPLED = 10**9 - 1
# Tables this much more probable still count as equally probable, as in R.
RELATIVE_TOLERANCE = 1e-7
# Logarithms of whole numbers nearer than this are of one number, but for rounding.
ROUNDING = 1e-10


class _TooManyTables(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class _Ways:
    """Ways to fill some columns, sorted by row sums and weight, equal ones together.

    The weight of a way is the product over its columns of column total! / product of
    cell!; that of a table is proportional to its probability. ``numbers`` counts the
    ways that share row sums and weight. A code stands for the row sums.
    """

    codes: CountArray
    log_weights: FloatArray
    numbers: FloatArray


def enumerated_p(
    counts: CountArray, most_ways: int = MOST_WAYS
) -> tuple[float, float] | None:
    """The share of tables at most as probable as this one, and as the rarest of all.

    None where the tables are too many. Margins are sorted first, so that the order of the labels does not matter.
    """
    rows, columns = sorted(
        (np.sort(counts.sum(axis=axis)) for axis in (0, 1)),
        key=lambda margin: (len(margin), margin.tolist()),
    )
    try:
        one, other = (_ways(rows, half, most_ways) for half in _halves(columns))
    except _TooManyTables:
        return None
    observed = _log_factorials(columns) - _log_factorials(counts.ravel())
    p_value, smallest = (
        min(_joined(rows, one, other, bound + RELATIVE_TOLERANCE), 1.0)
        for bound in (observed, _rarest(rows, one, other))
    )
    return p_value, smallest


def tables_sampled(counts: CountArray) -> int:
    """How many tables of this shape are sampled: a million cells in all at most."""
    return max(min(SAMPLED_TABLES, MOST_CELLS // counts.size), FEWEST_SAMPLED)


def sampled_p(counts: CountArray, seed: int) -> tuple[float, float]:
    """(1 + tables at most as probable) / (1 + tables), as R's simulated p value.

    The second number is the same of the rarest table that came up. The margins are sorted first, so that the order of the labels does not matter.
    """
    rows, columns = np.sort(counts.sum(axis=1)), np.sort(counts.sum(axis=0))
    times = tables_sampled(counts)
    random = np.random.default_rng(check_count(seed, "seed"))
    left = np.tile(columns, (times, 1))
    log_weight = np.zeros(times)
    for total in rows[:-1]:
        filled = _random_rows(random, left, int(total))
        left = left - filled
        log_weight -= special.gammaln(filled + 1.0).sum(axis=1)
    log_weight -= special.gammaln(left + 1.0).sum(axis=1)
    observed = -float(special.gammaln(counts + 1.0).sum())
    p_value, smallest = (
        (1 + int((log_weight <= bound + RELATIVE_TOLERANCE).sum())) / (1 + times)
        for bound in (observed, min(observed, float(log_weight.min())))
    )
    return p_value, smallest


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


def _log_factorials(counts: CountArray) -> float:
    return float(special.gammaln(counts + 1.0).sum())


def _halves(columns: CountArray) -> tuple[CountArray, CountArray]:
    """Columns, the largest first, dealt so that both halves have as many ways."""
    falling = columns[::-1]
    is_first = np.isin(np.arange(len(columns)) % 4, (0, 3))
    return falling[is_first], falling[~is_first]


def _ways(rows: CountArray, columns: CountArray, most_ways: int) -> _Ways:
    """All ways to fill ``columns`` within the totals of ``rows``."""
    if math.prod((rows + 1).tolist()) > 2**62:
        raise _TooManyTables
    found = _Ways(np.zeros(1, dtype=np.int64), np.zeros(1), np.ones(1))
    for total in columns.tolist():
        cells = _fillings(rows, total, most_ways)
        if len(cells) * len(found.numbers) > most_ways:
            raise _TooManyTables
        log_weights = special.gammaln(total + 1.0) - special.gammaln(cells + 1.0).sum(1)
        step = max(1, AT_A_TIME // len(cells))
        parts = [
            _extended(rows, found, slice(start, start + step), cells, log_weights)
            for start in range(0, len(found.numbers), step)
        ]
        found = _merged(
            np.concatenate([part.codes for part in parts]),
            np.concatenate([part.log_weights for part in parts]),
            np.concatenate([part.numbers for part in parts]),
        )
    return found


def _fillings(rows: CountArray, total: int, most_ways: int) -> CountArray:
    """Every column with this total, one per line, cell by cell within the rows."""
    cells, left = np.zeros((1, 0), dtype=np.int64), np.array([total])
    for place, row in enumerate(rows.tolist()):
        # The rows behind must be able to hold what this cell leaves.
        least = np.maximum(left - rows[place + 1 :].sum(), 0)
        choices = np.minimum(left, row) - least + 1
        if choices.sum() > most_ways:
            raise _TooManyTables
        source = np.repeat(np.arange(len(left)), choices)
        begin = np.repeat(np.cumsum(choices) - choices, choices)
        cell = least[source] + np.arange(len(source)) - begin
        cells, left = np.column_stack([cells[source], cell]), left[source] - cell
    return cells


def _extended(
    rows: CountArray,
    ways: _Ways,
    span: slice,
    cells: CountArray,
    log_weights: FloatArray,
) -> _Ways:
    """Some of the ways with each filling of one more column that fits."""
    place_values = _place_values(rows)
    sums = ways.codes[span, None] // place_values % (rows + 1)
    fits = (sums[:, None] + cells <= rows).all(axis=2)
    return _merged(
        (ways.codes[span, None] + cells @ place_values)[fits],
        (ways.log_weights[span, None] + log_weights)[fits],
        np.broadcast_to(ways.numbers[span, None], fits.shape)[fits],
    )


def _merged(codes: CountArray, log_weights: FloatArray, numbers: FloatArray) -> _Ways:
    order = np.lexsort((log_weights, codes))
    codes, log_weights = codes[order], log_weights[order]
    is_new = (np.diff(codes) != 0) | (np.diff(log_weights) > ROUNDING)
    first = np.flatnonzero(np.concatenate([[True], is_new]))
    return _Ways(
        codes[first], log_weights[first], np.add.reduceat(numbers[order], first)
    )


def _place_values(rows: CountArray) -> CountArray:
    """What each row sum counts in a code; codes add and subtract as their row sums."""
    return np.cumprod(np.concatenate([[1], rows[:-1] + 1]))


def _joined(rows: CountArray, one: _Ways, other: _Ways, bound: float) -> float:
    """The share of the tables whose logarithmic weight is at most ``bound``."""
    all_tables = float(special.gammaln(rows.sum() + 1.0)) - _log_factorials(rows)
    partners = dict(_spans(int(rows @ _place_values(rows)) - other.codes))
    share = 0.0
    for code, span in _spans(one.codes):
        partner = partners[code]
        weights = other.log_weights[partner]
        sums = np.cumsum(np.exp(weights - weights[-1]) * other.numbers[partner])
        reached = np.searchsorted(weights, bound - one.log_weights[span], side="right")
        factor = np.exp(one.log_weights[span] + weights[-1] - all_tables)
        up_to = np.concatenate([[0.0], sums])[reached]
        share += float((factor * one.numbers[span] * up_to).sum())
    return share


def _rarest(rows: CountArray, one: _Ways, other: _Ways) -> float:
    """The smallest logarithmic weight of all tables."""
    partners = dict(_spans(int(rows @ _place_values(rows)) - other.codes))
    return min(
        float(one.log_weights[span].min() + other.log_weights[partners[code]].min())
        for code, span in _spans(one.codes)
    )


def _spans(codes: CountArray) -> Iterator[tuple[int, slice]]:
    """Each code with the places that hold it; equal codes stand together."""
    cuts = (np.flatnonzero(np.diff(codes)) + 1).tolist()
    for start, stop in zip([0, *cuts], [*cuts, len(codes)], strict=True):
        yield int(codes[start]), slice(start, stop)
