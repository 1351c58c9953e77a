"""Input checks, by name, so that every estimator refuses the same things alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outcomes.stats.errors import StatError

FloatArray = NDArray[np.float64]
CountArray = NDArray[np.int64]

# Booleans, whole numbers, floats. Texts and dates are no numbers, whatever NumPy
# would make of them; Decimal is an array of objects.
_NUMBER_KINDS = "biuf"
# Up to here a float holds every whole number.
LARGEST_COUNT = 2**53
# Beyond it squares of squares leave the numbers of the machine.
LARGEST_MAGNITUDE = 1e70
# Cases that may be laid out one by one, where an estimator needs them so.
MOST_CASES = 50_000_000


def as_floats(values: ArrayLike, name: str) -> FloatArray:
    """One-dimensional finite floats; raises StatError naming the argument."""
    array = _numbers(values, name)
    if array.ndim != 1:
        raise StatError(f"{name} must be one-dimensional, not {array.ndim}-dimensional")
    return array


def as_matrix(values: ArrayLike, name: str) -> FloatArray:
    """Finite floats in rows of one length, at least one row and one column."""
    array = _numbers(values, name)
    if array.ndim != 2 or array.size == 0:
        raise StatError(f"{name} must be rows of equally many numbers")
    return array


def _numbers(values: ArrayLike, name: str) -> FloatArray:
    try:
        given = np.asarray(values)
        if not _holds_numbers(given):
            raise TypeError(given.dtype)
        array = given.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise StatError(f"{name} must be numbers") from error
    if not np.isfinite(array).all():
        raise StatError(f"{name} contains NaN or infinite values")
    if (np.abs(array) > LARGEST_MAGNITUDE).any():
        raise StatError(f"{name} contains numbers beyond {LARGEST_MAGNITUDE:g}")
    return array


def _holds_numbers(given: NDArray[Any]) -> bool:
    if given.dtype.kind == "O":
        return not any(isinstance(value, str | bytes) for value in given.flat)
    return given.dtype.kind in _NUMBER_KINDS


def as_number(value: float, name: str) -> float:
    """One finite number; raises StatError naming the argument."""
    return float(as_floats([value], name)[0])


def plain_list(values: Iterable[Any]) -> list[Any]:
    """Plain values of a list, an array or a column of a table."""
    for convert in ("to_pylist", "tolist"):
        if hasattr(values, convert):
            return list(getattr(values, convert)())
    return list(values)


def as_labels(values: Iterable[Any], name: str) -> list[Any]:
    """Plain labels, none of them missing."""
    labels = plain_list(values)
    if any(map(_is_missing, labels)):
        raise StatError(f"{name} contains missing values")
    return labels


def _is_missing(label: Any) -> bool:
    """None, NaN, or a missing value that will not even be compared."""
    try:
        return label is None or bool(label != label)
    except TypeError:
        return True


def as_cases(
    weights: ArrayLike | None, rows: NDArray[np.generic], name: str
) -> NDArray[np.intp]:
    """The row of every case, for estimators that need the cases one by one."""
    counts = as_repetition(weights, rows, name)
    if counts.sum() > MOST_CASES:
        raise StatError(f"weights are more than {MOST_CASES} cases")
    return np.repeat(np.arange(len(rows)), counts)


def check_same_length(**named: Sequence[object] | NDArray[np.generic]) -> None:
    """All arguments have one length."""
    lengths = {name: len(values) for name, values in named.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise StatError(f"lengths differ: {said}")


def check_not_empty(values: Sequence[object] | NDArray[np.generic], name: str) -> None:
    """At least one value."""
    if len(values) == 0:
        raise StatError(f"{name} is empty")


def check_not_negative(values: FloatArray, name: str) -> None:
    """No negative value; durations before time zero are data errors, never data."""
    if (values < 0).any():
        raise StatError(f"{name} contains negative values")


def check_count(value: float, name: str) -> int:
    """A whole number of at least zero."""
    try:
        whole = (
            not isinstance(value, bool | np.bool_)
            and int(value) == value
            and value >= 0
        )
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole:
        raise StatError(f"{name} must be a whole number of at least 0, not {value!r}")
    return int(value)


def check_events_of_total(events: int, total: int) -> tuple[int, int]:
    """Counts with 0 <= events <= total."""
    events, total = check_count(events, "events"), check_count(total, "total")
    if events > total:
        raise StatError(f"events ({events}) exceed total ({total})")
    return events, total


def check_level(level: float) -> float:
    """A confidence level strictly between 0 and 1."""
    number = as_number(level, "level")
    if not 0 < number < 1:
        raise StatError(f"level must lie between 0 and 1, not {level!r}")
    return number


def as_flags(values: ArrayLike, name: str) -> NDArray[np.bool_]:
    """Yes/no values given as booleans or 0/1.

    A status coded 1/2, as R allows, is refused: read as 0/1 it would turn every
    censored case into an event.
    """
    array = as_floats(values, name)
    if not ((array == 0) | (array == 1)).all():
        raise StatError(f"{name} must be 0 or 1 (or False and True)")
    return np.asarray(array == 1)


def as_counts(values: ArrayLike, name: str) -> CountArray:
    """One-dimensional whole numbers of at least zero."""
    return whole_numbers(as_floats(values, name), name)


def whole_numbers(array: FloatArray, name: str) -> CountArray:
    """Counts of any shape; none so large that the next one could not be told apart."""
    check_not_negative(array, name)
    if (array != np.floor(array)).any() or (array > LARGEST_COUNT).any():
        raise StatError(f"{name} must be whole numbers up to 2**53")
    return array.astype(np.int64)


def as_repetition(
    weights: ArrayLike | None, rows: NDArray[np.generic], name: str
) -> CountArray:
    """How many cases each of the ``rows`` stands for, one by default."""
    if weights is None:
        return np.ones(len(rows), dtype=np.int64)
    counts = as_counts(weights, "weights")
    check_same_length(**{name: rows, "weights": counts})
    return counts
