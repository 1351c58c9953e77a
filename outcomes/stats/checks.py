"""Input checks, by name, so that every estimator refuses the same things alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outcomes.stats.errors import StatError

FloatArray = NDArray[np.float64]


def as_floats(values: ArrayLike, name: str) -> FloatArray:
    """One-dimensional finite floats; raises StatError naming the argument."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise StatError(f"{name} must be numbers") from error
    if array.ndim != 1:
        raise StatError(f"{name} must be one-dimensional, not {array.ndim}-dimensional")
    if not np.isfinite(array).all():
        raise StatError(f"{name} contains NaN or infinite values")
    return array


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


def check_count(value: int, name: str) -> int:
    """A whole number of at least zero."""
    try:
        whole = not isinstance(value, bool) and int(value) == value and value >= 0
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
    if not 0 < level < 1:
        raise StatError(f"level must lie between 0 and 1, not {level!r}")
    return float(level)


def as_flags(values: ArrayLike, name: str) -> NDArray[np.bool_]:
    """Yes/no values given as booleans or 0/1.

    A status coded 1/2, as R allows, is refused: read as 0/1 it would turn every
    censored case into an event.
    """
    array = as_floats(values, name)
    if not ((array == 0) | (array == 1)).all():
        raise StatError(f"{name} must be 0 or 1 (or False and True)")
    return np.asarray(array == 1)


def as_counts(values: ArrayLike, name: str) -> NDArray[np.int64]:
    """One-dimensional whole numbers of at least zero."""
    array = as_floats(values, name)
    check_not_negative(array, name)
    if (array != np.floor(array)).any():
        raise StatError(f"{name} must be whole numbers")
    return array.astype(np.int64)
