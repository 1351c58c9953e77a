"""Hiding small cells so that totals do not give them away.

A cell is *small* when it lies in 1..threshold-1: a threshold of 5 hides 1 to 4, the
rule "no cell of 1 to 10" is a threshold of 11. Small cells are hidden (primary
suppression), and further cells are hidden with them (complementary suppression) until
a reader who knows every shown figure, every sum, and that counts are not negative
cannot tell that a hidden small cell is small: the values he must consider reach from
1 or less up to the threshold or more.

Zeros are shown, because an empty cell describes nobody; a zero may still be chosen as
a complement, and a hidden zero is then no different from another hidden cell.
Percentages, bars and sums of a hidden cell have to be hidden with it.

The tables are one linear system: every figure that could be shown is one entry of a
vector x, totals included, and each sum is an equation a·x = 0. Two tables that share
figures (a centre and the pool of all centres) belong in one system, otherwise their
difference tells what each of them hides.

Finding the fewest complements is NP-hard; each small cell is protected by a linear
programme instead: the cheapest change of the table that moves this cell as far as
required and still satisfies all sums. Cells it changes are hidden. Superfluous
complements are shown again at the end. Reference: Fischetti M, Salazar JJ. J Am Stat
Assoc 2000;95:916-928; Kelly JP, Golden BL, Assad AA. Networks 1992;22:397-417.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from outcomes.stats.checks import (
    FloatArray,
    as_floats,
    check_count,
    check_not_negative,
    check_same_length,
)
from outcomes.stats.errors import StatError
from outcomes.stats.result import Result

TOTAL_COST = 100.0  # a total is hidden only where hiding cells does not do
GRAND_TOTAL_COST = 10_000.0
NEGLIGIBLE = 1e-7  # of the linear programme's solution, in counts

Mask = tuple[bool, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class LinearSuppression(Result):
    """What to hide in a linear system of figures.

    ``exposed`` lists the small cells that cannot be protected because of figures
    that must be shown; nothing of the table may be published while it is not empty.
    """

    hidden: Mask
    primary: tuple[int, ...]
    exposed: tuple[int, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TableSuppression(Result):
    """What to hide in a two-way table with row totals, column totals and a total."""

    cells: tuple[Mask, ...]
    row_totals: Mask
    column_totals: Mask
    total: bool


@dataclasses.dataclass(frozen=True)
class _System:
    """Figures ``values`` under ``equations @ values == 0`` and what each may cost."""

    values: FloatArray
    equations: FloatArray
    costs: FloatArray
    movable: NDArray[np.bool_]


def suppress_counts(counts: Sequence[int], threshold: int) -> Mask:
    """Which counts to hide when their total is published; True is hidden.

    A total that is itself 1..threshold-1 cannot be published: then every count is
    hidden, and the caller hides the total too.
    """
    cells = [check_count(count, "count") for count in counts]
    values = [*cells, sum(cells)]
    equation = [1] * len(cells) + [-1]
    found = protect(values, [equation], threshold, always_shown={len(cells)})
    if found.exposed:
        return (True,) * len(cells)
    return found.hidden[:-1]


def suppress_table(
    rows: Sequence[Sequence[int]], threshold: int
) -> tuple[tuple[bool, ...], ...]:
    """Which cells to hide when all totals of a two-way table are published.

    Where the totals themselves give a small cell away, the whole mask is True. So
    beside a mask that is True everywhere show at most the grand total, and that only
    from the threshold on; ``protect_table`` says more exactly which totals must go.
    """
    found, shape = _protect_two_way(rows, threshold, totals_shown=True)
    if found.exposed:
        return ((True,) * shape[1],) * shape[0]
    return _table(found.hidden, shape).cells


def protect_table(rows: Sequence[Sequence[int]], threshold: int) -> TableSuppression:
    """Which cells and which totals of a two-way table to hide; cells go first."""
    found, shape = _protect_two_way(rows, threshold, totals_shown=False)
    return _table(found.hidden, shape)


def protect(
    values: Sequence[int],
    equations: Sequence[Sequence[int]],
    threshold: int,
    *,
    costs: Sequence[float] | None = None,
    always_shown: Collection[int] = (),
) -> LinearSuppression:
    """Which figures of a linear system to hide.

    ``equations`` has one row of coefficients per sum, with value 0 at ``values``.
    ``costs`` says how much each figure would be missed (default 1). ``always_shown``
    are the positions everyone knows: published totals, impossible combinations.
    The protection is that of real-valued changes, which for one- and two-way tables
    is also that of whole numbers.
    """
    check_count(threshold, "threshold")
    system = _system(values, equations, costs, always_shown)
    primary = np.flatnonzero((system.values > 0) & (system.values < threshold))
    hidden = np.zeros(len(system.values), dtype=bool)
    hidden[primary] = True
    exposed: set[int] = {int(cell) for cell in primary if not system.movable[cell]}
    witnesses: dict[tuple[int, float], FloatArray] = {}
    for move in _moves(system.values, primary, threshold):
        witness = _cheapest_change(system, hidden, move)
        if witness is None:
            exposed.add(move[0])
        else:
            witnesses[move] = witness
            hidden |= np.abs(witness) > NEGLIGIBLE
    _show_again(system, hidden, frozenset(primary.tolist()), witnesses)
    return LinearSuppression(
        hidden=tuple(hidden.tolist()),
        primary=tuple(primary.tolist()),
        exposed=tuple(sorted(exposed)),
    )


def _system(
    values: Sequence[int],
    equations: Sequence[Sequence[int]],
    costs: Sequence[float] | None,
    always_shown: Collection[int],
) -> _System:
    """The checked system; raises StatError where a sum does not hold."""
    x = np.array([check_count(value, "value") for value in values], dtype=np.float64)
    sums = [as_floats(equation, "equation") for equation in equations]
    for equation in sums:
        check_same_length(values=x, equation=equation)
    matrix = np.array(sums).reshape(len(sums), len(x))
    if (matrix @ x != 0).any():
        raise StatError("the values do not satisfy the equations")
    cost = np.ones(len(x)) if costs is None else as_floats(costs, "costs")
    check_same_length(values=x, costs=cost)
    check_not_negative(cost, "costs")
    if not set(always_shown) <= set(range(len(x))):
        raise StatError("always_shown names a position that is none of the values")
    movable = np.ones(len(x), dtype=bool)
    movable[list(always_shown)] = False
    # Among equally dear figures the smaller one loses less when it is hidden.
    return _System(x, matrix, cost * (1 + x / (1 + x.sum())), movable)


def _moves(
    values: FloatArray, primary: NDArray[np.intp], threshold: int
) -> list[tuple[int, float]]:
    """Cell and signed distance to be made possible, the longest moves first."""
    up = [(int(cell), threshold - float(values[cell])) for cell in primary]
    down = [(int(cell), 1 - float(values[cell])) for cell in primary]
    moves = up + [move for move in down if move[1] < 0]
    return sorted(moves, key=lambda move: (-abs(move[1]), move))


def _cheapest_change(
    system: _System, hidden: NDArray[np.bool_], move: tuple[int, float]
) -> FloatArray | None:
    """A change of the table with this move, leaving sums true and counts >= 0."""
    cell, distance = move
    if not system.movable[cell]:
        return None
    count = len(system.values)
    cost = np.where(hidden, 0.0, system.costs)
    up = np.where(system.movable, np.inf, 0.0)
    down = np.where(system.movable, system.values, 0.0)
    bounds = np.column_stack([np.zeros(2 * count), np.concatenate([up, down])])
    bounds[cell] = max(distance, 0.0)
    bounds[count + cell] = max(-distance, 0.0)
    solution = linprog(
        np.concatenate([cost, cost]),
        A_eq=np.hstack([system.equations, -system.equations]),
        b_eq=np.zeros(len(system.equations)),
        bounds=bounds,
        method="highs",
    )
    if solution.x is None:
        return None
    return np.asarray(solution.x[:count] - solution.x[count:], dtype=np.float64)


def _show_again(
    system: _System,
    hidden: NDArray[np.bool_],
    primary: frozenset[int],
    witnesses: dict[tuple[int, float], FloatArray],
) -> None:
    """Show complements, dearest first, that no small cell needs; edits ``hidden``."""
    complements = [int(i) for i in np.flatnonzero(hidden) if int(i) not in primary]
    for cell in sorted(complements, key=lambda i: (-system.costs[i], i)):
        shown = ~hidden
        shown[cell] = True
        restricted = dataclasses.replace(system, movable=system.movable & ~shown)
        again: dict[tuple[int, float], FloatArray] = {}
        for move, witness in witnesses.items():
            if abs(witness[cell]) > NEGLIGIBLE:
                other = _cheapest_change(restricted, hidden, move)
                if other is None:
                    break
                again[move] = other
        else:
            hidden[cell] = False
            witnesses.update(again)


def _protect_two_way(
    rows: Sequence[Sequence[int]], threshold: int, *, totals_shown: bool
) -> tuple[LinearSuppression, tuple[int, int]]:
    """The solution over cells, row totals, column totals, total in this order."""
    if len({len(row) for row in rows}) > 1:
        raise StatError("rows of the table have different lengths")
    height, width = len(rows), len(rows[0]) if rows else 0
    cells = [[check_count(count, "count") for count in row] for row in rows]
    row_totals = [sum(row) for row in cells]
    column_totals = [sum(column) for column in zip(*cells, strict=True)]
    flat = [count for row in cells for count in row]
    values = [*flat, *row_totals, *column_totals, sum(flat)]
    totals = height + width
    costs = [1.0] * len(flat) + [TOTAL_COST] * totals + [GRAND_TOTAL_COST]
    known = range(len(flat), len(values)) if totals_shown else ()
    equations = _two_way_equations(height, width)
    found = protect(values, equations, threshold, costs=costs, always_shown=known)
    return found, (height, width)


def _two_way_equations(height: int, width: int) -> list[list[int]]:
    """Each row total, each column total, and the total from both."""
    cells = np.arange(height * width).reshape(height, width)
    row_totals = height * width + np.arange(height)
    column_totals = height * width + height + np.arange(width)
    total = height * width + height + width
    parts = [*cells, *cells.T, row_totals, column_totals]
    wholes = [*row_totals.tolist(), *column_totals.tolist(), total, total]
    equations = np.zeros((len(parts), total + 1), dtype=np.int64)
    for equation, summands, whole in zip(equations, parts, wholes, strict=True):
        equation[summands] = 1
        equation[whole] = -1
    result: list[list[int]] = equations.tolist()
    return result


def _table(hidden: Mask, shape: tuple[int, int]) -> TableSuppression:
    height, width = shape
    totals = hidden[height * width :]
    return TableSuppression(
        cells=tuple(hidden[row * width : (row + 1) * width] for row in range(height)),
        row_totals=totals[:height],
        column_totals=totals[height : height + width],
        total=totals[-1],
    )
