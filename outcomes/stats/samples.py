"""Measured values of a group, given as rows or as counts of values.

Every estimator that takes a ``Sample`` accepts a sequence of numbers, or a mapping of
value to count as the database returns it from a GROUP BY; both give the same result.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from outcomes.stats.checks import (
    CountArray,
    FloatArray,
    as_cases,
    as_floats,
    check_count,
    check_not_empty,
    check_same_length,
)

Sample = ArrayLike | Mapping[float, int]


def distinct_values(sample: Sample, name: str) -> tuple[FloatArray, CountArray]:
    """Rising distinct values and how often each occurs; at least one value."""
    if isinstance(sample, Mapping):
        values = as_floats(list(sample.keys()), name)
        counts = [check_count(count, f"count of {name}") for count in sample.values()]
        order = np.argsort(values)
        weights = np.asarray(counts, dtype=np.int64)[order]
        present = weights > 0
        values, weights = values[order][present], weights[present]
    else:
        values, weights = np.unique(as_floats(sample, name), return_counts=True)
    check_not_empty(values, name)
    return values, weights.astype(np.int64)


def sorted_rows(sample: Sample, name: str) -> FloatArray:
    """One value for each member, rising, so that the order given cannot matter."""
    values, weights = distinct_values(sample, name)
    return values[as_cases(weights, values, name)]


def paired_differences(first: ArrayLike, second: ArrayLike) -> FloatArray:
    """second - first for each pair; positive where the second value is higher."""
    first, second = as_floats(first, "first"), as_floats(second, "second")
    check_same_length(first=first, second=second)
    return second - first


def size(sample: Sample, name: str) -> int:
    """How many values a sample holds."""
    if isinstance(sample, Mapping):
        return sum(check_count(count, f"count of {name}") for count in sample.values())
    return len(as_floats(sample, name))
