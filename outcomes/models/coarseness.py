"""How coarse a number leaves the registry, in its own unit.

What somebody outside may know exactly (age, size, minutes, days) is rounded or banded;
what only the chart knows (scores, grades) stays. docs/decisions says how that was
measured. A column of days needs no line of its own.
"""

from __future__ import annotations

from dataclasses import replace

from outcomes.models.fact_column import FactColumn, Kind, Release
from outcomes.windows import WINDOWS

STEPS = {
    "age_at_surgery": 5,
    "surgery_year": 3,
    "size_cc_mm": 5,
    "size_ap_mm": 5,
    "size_tr_mm": 5,
    "volume_cm3": 1,
    "syrinx_max_diam_mm": 2,
    "ki67_pct": 5,
    "symptom_duration_months": 3,
    "blood_loss_ml": 250,
    "operative_time_min": 60,
    "los_days": 3,
}
# Of endpoints and MRI: a Kaplan-Meier estimate hardly moves.
DAY_STEP = 7
# Of a visit, whose window is told anyhow.
VISIT_DAY_STEP = 30
VISIT_DAYS = tuple(f"_{window.name}_day" for window in WINDOWS)


def coarse(column: FactColumn) -> FactColumn:
    """The column with its step; whatever is dropped or grouped stays so."""
    step = step_of(column)
    if not step or column.release in {Release.DROP, Release.GROUP_RARE}:
        return column
    release = Release.BAND if column.release == Release.BAND else Release.ROUND
    return replace(column, release=release, step=step)


def step_of(column: FactColumn) -> int:
    """The step of a column; 0 for one that stays as it is."""
    name = column.name
    if column.kind not in {Kind.WHOLE, Kind.NUMBER}:
        return 0
    if name in STEPS:
        return STEPS[name]
    if name.startswith("visit_day_") or name.endswith(VISIT_DAYS):
        return VISIT_DAY_STEP
    return DAY_STEP if name.endswith(("_day", "_days")) else 0
