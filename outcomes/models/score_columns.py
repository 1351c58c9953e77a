"""The other scores and findings of a visit: a column for each, at each window.

Made from the declarations: whatever stands in one of :data:`GROUPS` of the visit has its
value, its day and its reason at every window. ``seen`` holds two arrays for each, the
value and its day, one place a window.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from outcomes.models.fact_column import FactColumn, Kind, column_of, kind_of
from outcomes.models.outcome_columns import at, labelled
from outcomes.models.reasons import (
    NOT_RECORDED,
    OF_A_VISIT,
    day_column,
    missing_column,
)
from outcomes.models.visit import Visit
from outcomes.windows import PREOP, Window
from registry.constraints import described_fields

GROUPS = ("neurology", "more_scores")
# What patients fill in themselves: the nearest sheet counts, whoever entered it.
PATIENT_REPORTED = frozenset(
    {"ndi_pct", "odi_pct", "eq5d5l", "eq_vas", "paindetect", "npsi_total"}
)
AFTER_THE_OPERATION = frozenset({"odom"})
# A finding that another one rules out, and by which of its values.
RULED_OUT = {"sensory_level": ("sensory_deficit", "none")}
# Codes that a spreadsheet would take for numbers ("4-" for -4) carry their letter, as in
# print; a profile of five digits is a number to every reader, so it is one here too.
MRC, PROFILE = "motor_mrc_min", "eq5d5l"
SCORES: tuple[Any, ...] = tuple(
    field for field in described_fields(Visit) if field.group in GROUPS
)


def scores_sql() -> str:
    """Of each score the value and the day of the nearest visit that has it."""
    return ",\n    ".join(_score_sql(field) for field in SCORES)


def _score_sql(field: Any) -> str:
    column = f'v."{field.column}"'
    value = _in_facts(field, column)
    order = "near" if field.name in PATIENT_REPORTED else "by_patient, near"
    return ",\n    ".join(
        f"(array_agg({told} ORDER BY {order})"
        f" FILTER (WHERE {column} IS NOT NULL))[1] AS {name}"
        for told, name in ((value, field.name), ("day", f"{field.name}_day"))
    )


def _in_facts(field: Any, column: str) -> str:
    if field.name == MRC:
        return f"'M' || {column}"
    if field.name == PROFILE:
        return f"{column}::int"
    return f"{column}::float8" if kind_of(field) == Kind.NUMBER else column


def score_pivot_sql() -> str:
    """The arrays of ``seen``."""
    names = (f"{field.name}{end}" for field in SCORES for end in ("", "_day"))
    return ",\n    ".join(
        f"array_agg(scored.{name} ORDER BY place) AS {name}" for name in names
    )


def other_scores(window: Window) -> Iterator[FactColumn]:
    """The columns of a window."""
    for field in SCORES:
        if window is PREOP and field.name in AFTER_THE_OPERATION:
            continue
        value = _value_column(field, window)
        yield value
        yield day_column(value, _unless_ruled_out(field, window, f"{field.name}_day"))
        yield missing_column(value, _why(field, window), OF_A_VISIT)


def _value_column(field: Any, window: Window) -> FactColumn:
    expression = _unless_ruled_out(field, window, field.name)
    column = column_of(field, expression, source=f"{Visit._meta.label}.{field.name}")
    if field.name == MRC:
        grades = tuple((f"M{code}", label) for code, label in column.values)
        column = replace(column, values=grades)
    if field.name == PROFILE:
        column = replace(column, kind=Kind.WHOLE)
    label = labelled(column.label, window)
    return replace(column, name=f"{field.name}_{window.name}", label=label)


def _is_ruled_out(field: Any, window: Window) -> str:
    """The condition; empty for a finding that stands by itself."""
    if field.name not in RULED_OUT:
        return ""
    other, value = RULED_OUT[field.name]
    return f"{at(other, window)} = '{value}'"


def _unless_ruled_out(field: Any, window: Window, item: str) -> str:
    condition = _is_ruled_out(field, window)
    told = at(item, window)
    return f"CASE WHEN {condition} THEN NULL ELSE {told} END" if condition else told


def _why(field: Any, window: Window) -> str:
    given = f"{at('reasons', window)} ->> '{field.name}'"
    condition = _is_ruled_out(field, window)
    ruled_out = f"CASE WHEN {condition} THEN 'not_applicable' END, "
    return (
        f"coalesce({at('unseen', window)}, {ruled_out if condition else ''}"
        f"{given}, '{NOT_RECORDED}')"
    )
