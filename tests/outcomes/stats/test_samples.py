"""Rows and counts of values are the same sample."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.stats.errors import StatError
from outcomes.stats.samples import (
    distinct_values,
    paired_differences,
    size,
    sorted_rows,
)

values = st.lists(st.integers(-5, 5), min_size=1, max_size=30)


@given(values, st.randoms())
def test_counts_equal_rows_in_any_order(rows, random):
    shuffled = random.sample(rows, len(rows))
    for sample in (rows, shuffled, Counter(rows), Counter(shuffled) | {9: 0}):
        assert sorted_rows(sample, "rows").tolist() == sorted(rows)
        assert size(sample, "rows") == len(rows)


def test_distinct_values_rise_with_their_counts():
    found, counts = distinct_values({3: 2, 1: 4, 2: 0}, "grades")
    assert found.tolist() == [1, 3]
    assert counts.tolist() == [4, 2]


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        ([], "grades is empty"),
        ({}, "grades is empty"),
        ({1: 0}, "grades is empty"),
        ({1: -1}, "count of grades must be a whole number"),
        ([1, math.nan], "grades contains NaN or infinite values"),
        ({math.inf: 2}, "grades contains NaN or infinite values"),
        (["a"], "grades must be numbers"),
    ],
)
def test_what_is_no_sample_is_refused_by_name(sample, message):
    with pytest.raises(StatError, match=message):
        distinct_values(sample, "grades")


def test_differences_are_second_minus_first():
    assert paired_differences([1, 5], np.array([3, 4])).tolist() == [2, -1]


def test_pairs_of_unequal_length_are_refused():
    with pytest.raises(StatError, match="lengths differ: first 1, second 2"):
        paired_differences([1], [1, 2])
