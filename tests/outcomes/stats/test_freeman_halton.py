"""The exact test beyond 2x2 against listing every table, and its sampled version."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.stats.freeman_halton import (
    AT_A_TIME,
    MOST_CELLS,
    MOST_WAYS,
    enumerated_p,
    sampled_p,
    tables_sampled,
)

small_tables = st.tuples(st.integers(2, 3), st.integers(2, 3)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(0, 4), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)


def p_by_listing(table: list[list[int]]) -> tuple[float, float]:
    """Every table with these margins, one by one, with exact probabilities.

    The share of those at most as probable as this one, and as the rarest.
    """
    counts = np.array(table)
    rows, columns = counts.sum(axis=1).tolist(), counts.sum(axis=0).tolist()

    def probability(cells) -> Fraction:
        return Fraction(1, math.prod(math.factorial(cell) for cell in cells))

    def fillings(total: int):
        ranges = [range(min(total, column) + 1) for column in columns]
        return (row for row in itertools.product(*ranges) if sum(row) == total)

    observed, weights = probability(counts.ravel().tolist()), []
    for upper in itertools.product(*(fillings(total) for total in rows[:-1])):
        last = [c - sum(s) for c, *s in zip(columns, *upper, strict=True)]
        if min(last) < 0:
            continue
        weights.append(probability([*itertools.chain(*upper), *last]))
    as_rare = sum(weight for weight in weights if weight <= observed)
    rarest = sum(weight for weight in weights if weight == min(weights))
    return float(as_rare / sum(weights)), float(rarest / sum(weights))


@given(small_tables)
def test_enumeration_equals_listing_every_table(table):
    assert enumerated_p(np.array(table)) == pytest.approx(
        p_by_listing(table), rel=1e-11
    )


@given(small_tables, st.randoms())
def test_the_order_of_labels_does_not_matter(table, random):
    order = random.sample(range(len(table[0])), len(table[0]))
    turned = [[row[place] for place in order] for row in table[::-1]]
    assert enumerated_p(np.array(turned)) == enumerated_p(np.array(table))
    assert enumerated_p(np.array(table).T) == enumerated_p(np.array(table))


def test_a_tiny_p_value_is_exact():
    """450 cases, no table left to chance.

    > fisher.test(matrix(c(30, 80, 80, 20, 120, 60, 10, 50), 2, byrow = TRUE),
    +             workspace = 2e8)$p.value
    [1] 1.0635435670829e-28
    """
    table = np.array([[30, 80, 80, 20], [120, 60, 10, 50]])
    found, smallest = enumerated_p(table)
    assert smallest < found
    assert found == pytest.approx(1.0635435670829e-28, rel=1e-10)


def test_enumeration_stops_at_its_limits():
    table = np.array([[3, 8, 8], [12, 6, 1]])
    assert enumerated_p(table, most_ways=5) is None
    assert enumerated_p(table, most_ways=25) is None
    assert enumerated_p(np.full((4, 6), 25)) is None
    assert enumerated_p(np.full((20, 20), 25)) is None


def test_sampling_comes_near_enumeration():
    table = np.array([[3, 8, 8], [12, 6, 1]])
    exact = enumerated_p(table)
    assert sampled_p(table, seed=1) == pytest.approx(exact, abs=0.01)


def test_sampling_depends_on_the_seed_alone():
    table = np.array([[3, 8, 8], [7, 6, 6]])
    once = sampled_p(table, seed=1)
    assert once == sampled_p(table, seed=1)
    assert once == sampled_p(table[::-1, ::-1], seed=1)
    assert once != sampled_p(table, seed=2)


def test_a_sampled_p_value_is_never_zero():
    table = np.array([[300, 800, 20], [1200, 60, 500]])
    assert sampled_p(table, seed=1) == (1 / 10_001, 1 / 10_001)


def test_the_cost_of_a_test_is_bounded():
    """Listed ways and sampled cells, so some tenths of a second whatever the table."""
    assert MOST_WAYS <= AT_A_TIME
    assert tables_sampled(np.ones((3, 6))) == 10_000
    assert tables_sampled(np.ones((20, 20))) == MOST_CELLS // 400
    assert tables_sampled(np.ones((90, 90))) == 1_000
    large = np.array([[120, 90, 60, 30, 20, 10], [9, 30, 50, 70, 40, 20]] * 2)
    assert enumerated_p(large) is None
    assert sampled_p(large, seed=0) == (1 / 10_001, 1 / 10_001)
