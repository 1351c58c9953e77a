"""Tests on tables of counts against R 4.2.2, SciPy, statsmodels and hand counts."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats import contingency_tables

from outcomes.stats.attainable import unreachable
from outcomes.stats.errors import StatError
from outcomes.stats.freeman_halton import enumerated_p
from outcomes.stats.tables import (
    NO_COMPARISON,
    as_table,
    cross_tabulate,
    fisher_exact,
    pearson,
    separation,
)

cells = st.integers(0, 25)
two_by_two = st.lists(st.lists(cells, min_size=2, max_size=2), min_size=2, max_size=2)


# ---- Fisher, 2x2 ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "p_value"),
    [
        ([[3, 16], [12, 7]], 0.00694064476044453),
        ([[0, 19], [5, 14]], 0.0463320463320464),
        ([[8, 2], [1, 5]], 0.034965034965035),
        ([[19, 0], [0, 19]], 5.65846675050139e-11),
        ([[3, 90], [12, 26]], 1.96629265704228e-05),
        ([[120, 380], [150, 350]], 0.0387522062822251),
    ],
)
def test_fisher_equals_r(table, p_value):
    """fisher.test(matrix(c(a, b, c, d), 2, byrow = TRUE))$p.value

    > fisher.test(matrix(c(3, 16, 12, 7), 2, byrow = TRUE))$p.value
    [1] 0.00694064476044453
    > fisher.test(matrix(c(0, 19, 5, 14), 2, byrow = TRUE))$p.value
    [1] 0.0463320463320464
    > fisher.test(matrix(c(8, 2, 1, 5), 2, byrow = TRUE))$p.value
    [1] 0.034965034965035
    > fisher.test(matrix(c(19, 0, 0, 19), 2, byrow = TRUE))$p.value
    [1] 5.65846675050139e-11
    > fisher.test(matrix(c(3, 90, 12, 26), 2, byrow = TRUE))$p.value
    [1] 1.96629265704228e-05
    > fisher.test(matrix(c(120, 380, 150, 350), 2, byrow = TRUE))$p.value
    [1] 0.0387522062822251
    """
    found = fisher_exact(table)
    assert found.p_value == pytest.approx(p_value, rel=1e-9)
    assert (found.name, found.estimable) == ("Fisher exact", True)


@pytest.mark.parametrize(
    ("smaller", "other", "p_value"),
    [(0, 5, 0.0463), (1, 7, 0.0422), (2, 9, 0.0293), (3, 10, 0.0382),
     (4, 11, 0.0448), (5, 12, 0.0489), (6, 14, 0.0217)],
)  # fmt: skip
def test_what_19_against_19_can_show(smaller, other, p_value):
    """The smallest count that differs from ``smaller`` of 19 at the 5 % level."""
    table = [[smaller, 19 - smaller], [other, 19 - other]]
    one_less = [[smaller, 19 - smaller], [other - 1, 20 - other]]
    assert round(fisher_exact(table).p_value, 4) == p_value
    found = fisher_exact(one_less)
    # 4 of 38 cannot reach 0.05, however they fall.
    assert found.p_value is None if other == 5 else found.p_value > 0.05
    assert (found.smallest_p > 0.05) == (other == 5)


def p_by_hand(table: list[list[int]]) -> float:
    """All tables with these margins, counted in whole numbers."""
    (a, b), (c, d) = table
    row, column, total = a + b, a + c, a + b + c + d

    def ways(cell: int) -> int:
        return math.comb(column, cell) * math.comb(total - column, row - cell)

    possible = range(max(0, row + column - total), min(row, column) + 1)
    as_rare = sum(ways(cell) for cell in possible if ways(cell) <= ways(a))
    return as_rare / math.comb(total, row)


def has_comparison(table: list[list[int]]) -> bool:
    return 0 not in np.sum(table, axis=0) and 0 not in np.sum(table, axis=1)


@given(two_by_two.filter(has_comparison))
def test_fisher_equals_counting_by_hand(table):
    found = fisher_exact(table)
    (a, b), (c, d) = table
    moves = range(-min(a, d), min(b, c) + 1)
    smallest = min(p_by_hand([[a + n, b - n], [c - n, d + n]]) for n in moves)
    assert found.smallest_p == pytest.approx(smallest, rel=1e-9)
    if smallest > 0.05 + 1e-9:
        assert (found.p_value, found.reason) == (None, unreachable(found.smallest_p))
    else:
        assert found.p_value == pytest.approx(p_by_hand(table), rel=1e-9)


@given(two_by_two.filter(has_comparison))
def test_fisher_does_not_depend_on_labels(table):
    (a, b), (c, d) = table
    turned = [[[c, d], [a, b]], [[b, a], [d, c]], [[a, c], [b, d]]]
    for other in turned:
        one, same = fisher_exact(other), fisher_exact(table)
        assert one.estimable == same.estimable
        assert (one.p_value or 2) == pytest.approx(same.p_value or 2, rel=1e-9)


@pytest.mark.parametrize(
    "table",
    [[[0, 19], [0, 19]], [[19, 0], [19, 0]], [[0, 0], [5, 14]], [[0, 0], [0, 0]],
     [[3, 4, 5]], [[3], [4]]],
)  # fmt: skip
@pytest.mark.parametrize("test", [fisher_exact, pearson])
def test_without_a_contrast_no_p_value_is_given(test, table):
    found = test(table)
    assert (found.estimable, found.p_value) == (False, None)
    assert found.reason == NO_COMPARISON


# ---- Fisher, r x c ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "p_value", "name"),
    [
        ([[3, 8, 8], [12, 6, 1]], 0.00420492377255931, "Fisher exact 2x3"),
        ([[10, 5, 2, 1], [1, 7, 4, 7]], 0.00331276446718727, "Fisher exact 2x4"),
        ([[4, 0, 1], [2, 6, 0], [1, 1, 5]], 0.00178800387778713, "Fisher exact 3x3"),
        (
            [[10, 5, 2, 1, 7, 3], [1, 7, 4, 7, 3, 2]],
            0.00854746628171711,
            "Fisher exact 2x6",
        ),
    ],
)
def test_fisher_beyond_2x2_equals_r(table, p_value, name):
    """fisher.test(matrix(..., byrow = TRUE), workspace = 2e8)$p.value

    > fisher.test(matrix(c(3, 8, 8, 12, 6, 1), 2, byrow = TRUE))$p.value
    [1] 0.00420492377255931
    > fisher.test(matrix(c(10, 5, 2, 1, 1, 7, 4, 7), 2, byrow = TRUE))$p.value
    [1] 0.00331276446718727
    > fisher.test(matrix(c(4, 0, 1, 2, 6, 0, 1, 1, 5), 3, byrow = TRUE))$p.value
    [1] 0.00178800387778713
    > fisher.test(matrix(c(10, 5, 2, 1, 7, 3, 1, 7, 4, 7, 3, 2), 2, byrow = TRUE),
    +             workspace = 2e8)$p.value
    [1] 0.00854746628171711
    """
    for turned in (table, list(zip(*table, strict=True)), table[::-1]):
        assert fisher_exact(turned).p_value == pytest.approx(p_value, rel=1e-9)
    assert fisher_exact(table).name == name


def test_an_empty_category_is_left_out():
    found = fisher_exact([[3, 0, 8, 8], [12, 0, 6, 1], [0, 0, 0, 0]])
    assert found.name == "Fisher exact 2x3"
    assert found.p_value == pytest.approx(0.00420492377255931, rel=1e-9)


def test_fisher_of_a_table_that_needs_a_workspace_in_r():
    """R needs workspace = 2e7 for this table, which is in the help of fisher.test.

    > m <- matrix(c(1, 2, 1, 0, 3, 3, 6, 1, 10, 10, 14, 9, 6, 7, 12, 11), 4)
    > fisher.test(m, workspace = 2e7)$p.value
    [1] 0.782684938966546
    """
    job = [[1, 2, 1, 0], [3, 3, 6, 1], [10, 10, 14, 9], [6, 7, 12, 11]]
    exact, smallest = enumerated_p(np.array(job), most_ways=6_000_000)
    assert exact == pytest.approx(0.782684938966546, rel=1e-10)
    assert 0 < smallest < 1e-30
    assert enumerated_p(np.array(job[::-1]), most_ways=6_000_000)[0] == exact
    found = fisher_exact(job)
    assert found.name == "Fisher exact 4x4, Monte Carlo with 10000 tables, seed 0"
    assert found.p_value == pytest.approx(exact, abs=0.015)


def test_a_table_too_large_to_enumerate_is_sampled_and_says_so():
    """Sampled in R as well: its standard error is 0.0006, ours 0.005.

    > m <- matrix(c(12, 15, 9, 11, 14, 10, 13, 16, 8, 17, 12, 10, 9, 14, 15, 13), 4)
    > set.seed(1); fisher.test(m, simulate.p.value = TRUE, B = 5e5)$p.value
    [1] 0.6796566
    """
    table = [[12, 14, 8, 9], [15, 10, 17, 14], [9, 13, 12, 15], [11, 16, 10, 13]]
    found = fisher_exact(table, seed=4)
    assert found.name == ("Fisher exact 4x4, Monte Carlo with 10000 tables, seed 4")
    assert found.p_value == pytest.approx(0.6796566, abs=0.015)
    assert fisher_exact(table[::-1], seed=4).p_value == found.p_value


# ---- Pearson ----------------------------------------------------------------------


def test_pearson_equals_r():
    """The expected counts come with it.

    > r <- chisq.test(matrix(c(3, 16, 12, 7), 2, byrow = TRUE), correct = FALSE)
    > c(r$statistic, r$p.value)
    [1] 8.92173913043478 0.00281796041620152
    > r$expected
         [,1] [,2]
    [1,]  7.5 11.5
    [2,]  7.5 11.5
    > r <- chisq.test(matrix(c(3, 8, 8, 12, 6, 1), 2, byrow = TRUE))
    > c(r$statistic, r$parameter, r$p.value)
    [1] 11.1301587301587 2 0.00382927662234143
    > r$expected
         [,1] [,2] [,3]
    [1,]  7.5    7  4.5
    [2,]  7.5    7  4.5
    """
    found = pearson([[3, 16], [12, 7]])
    assert found.statistic == pytest.approx(8.92173913043478, rel=1e-12)
    assert found.p_value == pytest.approx(0.00281796041620152, rel=1e-10)
    assert found.expected == ((7.5, 11.5), (7.5, 11.5))
    assert (found.smallest_expected, found.expected_below_5) == (7.5, 0)
    found = pearson([[3, 8, 8], [12, 6, 1]])
    assert found.statistic == pytest.approx(11.1301587301587, rel=1e-12)
    assert (found.df, found.smallest_expected, found.expected_below_5) == (2, 4.5, 2)
    assert found.p_value == pytest.approx(0.00382927662234143, rel=1e-10)


@given(two_by_two.filter(has_comparison))
def test_pearson_equals_statsmodels(table):
    reference = contingency_tables.Table(
        np.array(table), shift_zeros=False
    ).test_nominal_association()
    found = pearson(table)
    assert found.statistic == pytest.approx(reference.statistic, rel=1e-9, abs=1e-12)
    assert found.p_value == pytest.approx(reference.pvalue, rel=1e-9)


def test_pearson_leaves_an_all_zero_row_out_instead_of_failing():
    assert pearson([[3, 16], [0, 0], [12, 7]]) == pearson([[3, 16], [12, 7]])


# ---- tables from rows, refusals ---------------------------------------------------

labelled_rows = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), min_size=1
)


@given(labelled_rows, st.randoms())
def test_rows_are_counted_in_any_order(rows, random):
    table = cross_tabulate(*zip(*rows, strict=True))
    shuffled = random.sample(rows, len(rows))
    assert table == cross_tabulate(*zip(*shuffled, strict=True))
    for (i, group), (j, category) in itertools.product(
        enumerate(table.groups), enumerate(table.categories)
    ):
        assert table.counts[i][j] == rows.count((group, category))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([1, 2], "table must be rows of equally many numbers"),
        ([[]], "table must be rows of equally many numbers"),
        ([[1, 2], [3]], "table must be numbers"),
        ([[1, -2], [3, 4]], "table contains negative values"),
        ([[1, 2.5], [3, 4]], "table must be whole numbers"),
        ([[1, 2**60], [3, 4]], r"whole numbers up to 2\*\*53"),
        ([[1, math.nan], [3, 4]], "table contains NaN"),
        ([["a", 2], [3, 4]], "table must be numbers"),
    ],
)
def test_what_is_not_a_table_of_counts_is_refused(table, message):
    with pytest.raises(StatError, match=message):
        as_table(table)


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        ([[19, 0], [0, 19]], "complete"),
        ([[5, 0, 3], [0, 4, 0]], "complete"),
        ([[5, 14], [0, 19]], "quasi-complete"),
        ([[5, 14], [1, 18]], None),
        ([[5, 14], [0, 0]], None),
        ([[5, 0], [6, 0]], None),
    ],
)
def test_separation_is_named(table, kind):
    assert separation(table) == kind
