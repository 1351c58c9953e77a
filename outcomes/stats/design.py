"""The design matrix of the regressions: named covariates to named columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outcomes.stats.checks import (
    FloatArray,
    as_flags,
    as_floats,
    as_labels,
    check_not_empty,
)
from outcomes.stats.errors import StatError

Covariates = Mapping[str, Sequence[float] | Sequence[str] | NDArray[np.generic]]
SMALLEST_SCALE = 1e-70
RANK_TOLERANCE = 1e-9  # of a column's own length; below it is a copy of the others


@dataclasses.dataclass(frozen=True)
class Design:
    """Columns with an intercept first; one row per case, in the order given."""

    names: tuple[str, ...]
    matrix: FloatArray


def design_matrix(covariates: Covariates, rows: int) -> Design:
    """Numbers as they are, texts as indicators of every level but the first.

    Levels are sorted, so the reference level does not depend on the order of rows.
    """
    if not covariates:
        raise StatError("covariates is empty")
    names, columns = ["(Intercept)"], [np.ones(rows)]
    for name, values in covariates.items():
        for column_name, column in _columns(name, values):
            if len(column) != rows:
                raise StatError(f"lengths differ: {name} {len(column)}, cases {rows}")
            names.append(column_name)
            columns.append(column)
    return Design(tuple(names), np.column_stack(columns))


def _columns(
    name: str, values: Sequence[float] | Sequence[str] | NDArray[np.generic]
) -> list[tuple[str, FloatArray]]:
    check_not_empty(values, name)
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf":
        return [(name, as_floats(values, name))]
    labels = as_labels(values, name)
    if not all(isinstance(label, str) for label in labels):
        return [(name, as_floats(values, name))]
    levels = sorted(set(map(str, labels)))
    texts = np.asarray(labels, dtype=np.str_)
    return [
        (f"{name}={level}", (texts == level).astype(np.float64))
        for level in levels[1:] or levels
    ]


def redundant_columns(design: Design) -> tuple[str, ...]:
    """Columns that the columns before them, the intercept included, already give."""
    scaled = scaled_columns(design.matrix)[0]
    triangle = np.linalg.qr(scaled, mode="r")
    full = np.zeros(scaled.shape[1])
    full[: len(triangle)] = np.abs(np.diag(triangle))
    lengths = np.linalg.norm(scaled, axis=0)
    found = full <= RANK_TOLERANCE * np.where(lengths > 0, lengths, 1)
    return tuple(name for name, is_so in zip(design.names, found, strict=True) if is_so)


def scaled_columns(matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The columns divided by their largest absolute value, and these values.

    A column so small that one could not divide by its scale counts as zero.
    """
    scale = np.abs(matrix).max(axis=0)
    scale[scale < SMALLEST_SCALE] = 1
    return matrix / scale, scale


def about_the_middle(matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The columns within -1..1 about the middle of their range, and the way back.

    The way back turns coefficients of these columns into those of the given ones. Far
    from zero (a date in seconds) what varies would be lost beside the intercept, and
    separation with it. The middle, unlike a mean, has no order of rows.
    """
    middle = matrix.min(axis=0) / 2 + matrix.max(axis=0) / 2
    middle[0] = 0
    scaled, scale = scaled_columns(matrix - middle)
    to_own_units = np.diag(1 / scale)
    to_own_units[0] -= middle / scale
    return scaled, to_own_units


def as_binary(values: ArrayLike, name: str) -> FloatArray:
    """0 and 1, both present; raises StatError otherwise."""
    flags = as_flags(values, name)
    check_not_empty(flags, name)
    if flags.all() or not flags.any():
        raise StatError(f"{name} is the same in every case")
    return flags.astype(np.float64)
