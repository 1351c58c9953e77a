"""Suppression, attacked with linear programming."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from outcomes.stats.errors import StatError
from outcomes.stats.suppression import (
    LinearSuppression,
    protect,
    protect_table,
    suppress_counts,
    suppress_table,
)


def bounds_by_attack(
    values: Sequence[int], sums: Sequence[tuple[list[int], int]], shown: Sequence[bool]
) -> list[tuple[float, float]]:
    """What a reader can prove about each figure: its least and greatest value.

    ``sums`` are (parts, whole) by position. Written without the package's own
    equations, so that a mistake there does not hide itself here.
    """
    a_eq = np.zeros((len(sums), len(values)))
    for row, (parts, whole) in zip(a_eq, sums, strict=True):
        row[parts] += 1
        row[whole] -= 1
    bounds = [
        (value, value) if is_shown else (0, None)
        for value, is_shown in zip(values, shown, strict=True)
    ]
    found = []
    for position in range(len(values)):
        objective = np.zeros(len(values))
        objective[position] = 1
        low = linprog(objective, A_eq=a_eq, b_eq=np.zeros(len(sums)), bounds=bounds)
        high = linprog(-objective, A_eq=a_eq, b_eq=np.zeros(len(sums)), bounds=bounds)
        assert low.status == 0
        found.append((low.fun, np.inf if high.status == 3 else -high.fun))
    return found


def two_way(rows: Sequence[Sequence[int]]) -> tuple[list[int], list]:
    height, width = len(rows), len(rows[0])
    flat = [count for row in rows for count in row]
    row_totals = [sum(row) for row in rows]
    column_totals = [sum(column) for column in zip(*rows, strict=True)]
    start = height * width
    last = start + height + width
    sums = [([i * width + j for j in range(width)], start + i) for i in range(height)]
    sums += [
        ([i * width + j for i in range(height)], start + height + j)
        for j in range(width)
    ]
    sums += [(list(range(start, start + height)), last)]
    sums += [(list(range(start + height, last)), last)]
    return [*flat, *row_totals, *column_totals, sum(flat)], sums


def assert_safe(
    values: Sequence[int], sums: list, hidden: Sequence[bool], threshold: int
) -> None:
    bounds = bounds_by_attack(values, sums, [not is_hidden for is_hidden in hidden])
    for value, is_hidden, (low, high) in zip(values, hidden, bounds, strict=True):
        if 0 < value < threshold:
            assert is_hidden
            assert low <= 1 + 1e-6
            assert high >= threshold - 1e-6
        elif is_hidden:
            assert high - low > 1e-6  # no superfluous hiding of a derivable figure


def test_suppress_counts_nothing_small_hides_nothing() -> None:
    assert suppress_counts([7, 12, 0], 5) == (False, False, False)


def test_suppress_counts_one_small_hides_a_second() -> None:
    assert suppress_counts([3, 40, 20], 5) == (True, False, True)


def test_suppress_counts_two_small_need_no_third_if_they_cover_each_other() -> None:
    assert suppress_counts([3, 4, 40], 5) == (True, True, False)


def test_suppress_counts_two_small_with_small_sum_need_a_third() -> None:
    """1 + 1 = 2 would still say that each is at most 2."""
    assert suppress_counts([1, 1, 40], 5) == (True, True, True)


def test_suppress_counts_zero_is_shown_and_no_cover_alone() -> None:
    assert suppress_counts([3, 0, 40], 5) == (True, False, True)


def test_suppress_counts_small_total_hides_everything() -> None:
    assert suppress_counts([1, 0, 2], 5) == (True, True, True)
    assert suppress_counts([3], 5) == (True,)


def test_suppress_counts_all_zero_or_empty_is_shown() -> None:
    assert suppress_counts([0, 0], 5) == (False, False)
    assert suppress_counts([], 5) == ()


def test_suppress_counts_cms_rule_hides_ten_but_not_eleven() -> None:
    assert suppress_counts([10, 11, 30], 11) == (True, True, False)
    assert suppress_counts([11, 11, 30], 11) == (False, False, False)


def test_suppress_counts_threshold_of_one_hides_nothing() -> None:
    assert suppress_counts([1, 2], 1) == (False, False)


def test_suppress_counts_refuses_negative_and_fractional_counts() -> None:
    with pytest.raises(StatError, match="count"):
        suppress_counts([-1, 5], 5)
    with pytest.raises(StatError, match="count"):
        suppress_counts([1.5, 5], 5)  # type: ignore[list-item]
    with pytest.raises(StatError, match="threshold"):
        suppress_counts([1, 5], -5)


def test_suppress_table_hides_a_rectangle() -> None:
    mask = suppress_table([[3, 20, 30], [25, 30, 40], [35, 40, 50]], 5)
    assert mask[0][0]
    assert sum(map(sum, mask)) == 4


def test_suppress_table_nineteen_against_nineteen() -> None:
    """19/19 against 3/19: the totals alone would say that 3 is at least 3."""
    rows = [[19, 0], [3, 16]]
    assert suppress_table(rows, 5) == ((True, True), (True, True))
    found = protect_table(rows, 5)
    assert found.cells == ((False, False), (True, True))
    assert found.row_totals == (False, False)
    assert found.column_totals == (True, True)
    assert not found.total


def test_suppress_table_with_nothing_small_is_shown() -> None:
    assert suppress_table([[19, 0], [0, 19]], 5) == ((False, False), (False, False))


def test_protect_table_hides_a_small_total_too() -> None:
    found = protect_table([[1, 2], [0, 0]], 5)
    assert found.total
    assert found.row_totals[0]


def test_suppress_table_refuses_ragged_rows() -> None:
    with pytest.raises(StatError, match="different lengths"):
        suppress_table([[1, 2], [3]], 5)


def test_suppress_table_empty() -> None:
    assert suppress_table([], 5) == ()


def test_protect_refuses_a_false_sum() -> None:
    with pytest.raises(StatError, match="equations"):
        protect([1, 2, 4], [[1, 1, -1]], 5)


def test_protect_refuses_wrong_lengths() -> None:
    with pytest.raises(StatError, match="lengths differ"):
        protect([1, 2, 3], [[1, 1]], 5)
    with pytest.raises(StatError, match="lengths differ"):
        protect([1, 2, 3], [[1, 1, -1]], 5, costs=[1.0])


def test_protect_names_what_cannot_be_protected() -> None:
    found = protect([3, 9, 12], [[1, 1, -1]], 5, always_shown={1, 2})
    assert found.exposed == (0,)
    assert protect([3, 9, 12], [[1, 1, -1]], 5, always_shown={0}).exposed == (0,)


def test_protect_pool_and_centre_in_one_system() -> None:
    """Two tables apart would be safe; their difference would tell the other centre.

    Figures: centre A yes/no/total, centre B yes/no/total, pool yes/no/total.
    """
    values = [8, 11, 19, 3, 30, 33, 11, 41, 52]
    equations = [
        [1, 1, -1, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 1, 1, -1, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 1, 1, -1],
        [1, 0, 0, 1, 0, 0, -1, 0, 0],
        [0, 1, 0, 0, 1, 0, 0, -1, 0],
        [0, 0, 1, 0, 0, 1, 0, 0, -1],
    ]
    found = protect(values, equations, 5, always_shown={2, 5, 8})
    sums = [
        ([0, 1], 2), ([3, 4], 5), ([6, 7], 8), ([0, 3], 6), ([1, 4], 7), ([2, 5], 8)
    ]  # fmt: skip
    assert isinstance(found, LinearSuppression)
    assert found.exposed == ()
    assert_safe(values, sums, found.hidden, 5)
    assert found.to_json()["primary"] == [3]


counts = st.lists(st.integers(0, 40), min_size=1, max_size=7)
thresholds = st.sampled_from([2, 5, 11])
# An attack solves two linear programmes for every hidden cell.
attacked = settings(max_examples=max(settings.default.max_examples // 2, 12))


@attacked
@given(counts, thresholds)
def test_suppress_counts_withstands_attack(cells: list[int], threshold: int) -> None:
    hidden = suppress_counts(cells, threshold)
    total = sum(cells)
    if 0 < total < threshold:
        assert all(hidden)
        return
    sums = [(list(range(len(cells))), len(cells))]
    assert_safe([*cells, total], sums, [*hidden, False], threshold)


@st.composite
def tables(draw: st.DrawFn) -> list[list[int]]:
    height, width = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    cell = st.one_of(st.just(0), st.integers(0, 12), st.integers(0, 60))
    return [[draw(cell) for _ in range(width)] for _ in range(height)]


@attacked
@given(tables(), thresholds)
def test_protect_table_withstands_attack(rows: list[list[int]], threshold: int) -> None:
    found = protect_table(rows, threshold)
    hidden = [is_hidden for row in found.cells for is_hidden in row]
    hidden += [*found.row_totals, *found.column_totals, found.total]
    values, sums = two_way(rows)
    assert_safe(values, sums, hidden, threshold)


@attacked
@given(tables(), thresholds)
def test_suppress_table_withstands_attack(
    rows: list[list[int]], threshold: int
) -> None:
    mask = suppress_table(rows, threshold)
    hidden = [is_hidden for row in mask for is_hidden in row]
    values, sums = two_way(rows)
    totals = len(values) - len(hidden)
    if all(hidden):  # then the totals go too, all but a grand total of some size
        shown_total = values[-1] == 0 or values[-1] >= threshold
        hidden += [True] * (totals - 1) + [not shown_total]
        bounds = bounds_by_attack(values, sums, [not item for item in hidden])
        for value, (low, high) in zip(values, bounds, strict=True):
            if 0 < value < threshold:
                assert low <= 1 + 1e-6
                assert high >= threshold - 1e-6
    else:
        assert_safe(values, sums, [*hidden, *[False] * totals], threshold)
