"""What can happen to a case, in the words of the histories.

A step is a function of the case. Days count from the index operation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cases import actions as case_actions
from cases.models import Case
from tests import factories
from tests.factories import OPERATED_ON

THORACIC_ITEMS = {
    "joa_le_motor": 4,
    "joa_bladder": 3,
    "joa_le_sens": 2,
    "joa_trunk_sens": 2,
}
UNASKED = (
    *("mmcs", "pain_present", "sensory_deficit", "motor_mrc_min"),
    *("gait", "bladder"),
)
Step = Callable[[Case], Any]


@dataclass(frozen=True)
class History:
    """A story, what was entered, the facts that are expected, and why."""

    id: str
    why: str
    steps: tuple[Step, ...]
    expected: dict[str, Any]
    operation: dict[str, Any] | None = field(default_factory=dict)
    patient: dict[str, Any] = field(default_factory=dict)


def visit(day: int | None, kind: str = "", **values: Any) -> Step:
    """Nothing but what is given was found at the visit."""
    kind = kind or ("preop" if (day or 0) < 0 else "unscheduled")
    values = {**dict.fromkeys(UNASKED), **values}
    if values["mmcs"] is None:
        values["mmcs_version"] = None
    if day is None:
        values |= {"visit_date": None, "reported_day": None}
        values["missing"] = {"visit_date": "unknown"}
    return lambda case: factories.make_visit(case, kind, day=day or 0, **values)


def pain(**nrs: int | None) -> dict[str, Any]:
    """Pain at these sites, each with its intensity or None."""
    sites = {
        "local": ("local_axial", "pain_local_nrs"),
        "segmental": ("segmental_at_level", "pain_segmental_nrs"),
        "below": ("below_level", "pain_below_level_nrs"),
        "other": ("other", "pain_other_nrs"),
    }
    return {
        "pain_present": True,
        "pain_distribution": [sites[name][0] for name in nrs],
        "pain_nrs_kind": "worst",
        **{sites[name][1]: value for name, value in nrs.items() if value is not None},
    }


NO_PAIN = {"pain_present": False}


def joa(total: int, form: str = "thoracic11") -> dict[str, Any]:
    """Sub-scores of a form with this sum; of the cervical form the arms are full."""
    found: dict[str, Any] = {"joa_region": form}
    if form == "cervical17":
        found |= {"joa_ue_motor": 4, "joa_ue_sens": 2}
        total -= 6
    for name, most in THORACIC_ITEMS.items():
        found[name] = min(most, total)
        total -= found[name]
    return found


def scan(day: int, **values: Any) -> Step:
    """An MRI after the operation, clear unless said otherwise."""
    on = OPERATED_ON + timedelta(days=day)
    return lambda case: factories.make_mri(
        case, purpose="followup", mri_date=on, **values
    )


def before(day: int, **values: Any) -> Step:
    """A pre-operative MRI of which nothing was read but what is given."""
    unread = dict.fromkeys(factories.PREOPERATIVE_READING)
    on = OPERATED_ON + timedelta(days=day)
    return lambda case: factories.make_mri(case, mri_date=on, **{**unread, **values})


def came_back(day: int, kind: str = "recurrence", **values: Any) -> Step:
    return lambda case: factories.make_recurrence(case, day=day, kind=kind, **values)


def died(day: int | None) -> Step:
    missing = {"last_contact_date": "unknown"}
    on = None if day is None else OPERATED_ON + timedelta(days=day)
    if day is None:
        missing["death_date"] = "unknown"
    return lambda case: factories.make_vital_status(
        case.patient,
        vital_status="dead",
        death_date=on,
        last_contact_date=None,
        missing=missing,
    )


def alive(day: int) -> Step:
    on = OPERATED_ON + timedelta(days=day)
    return lambda case: factories.make_vital_status(case.patient, last_contact_date=on)


def operated_again(day: int, relation: str | None, **values: Any) -> Step:
    on = OPERATED_ON + timedelta(days=day)
    values = {"discharge_date": on + timedelta(days=9), **values}
    return lambda case: factories.make_operation(
        case,
        index_operation=False,
        surgery_date=on,
        relation_to_index=relation,
        **values,
    )


def complication(**values: Any) -> Step:
    return lambda case: factories.make_complication(case.operations.get(), **values)


def withdrawn(case: Case) -> None:
    case_actions.update_record(
        by=factories.surgeon_of(case.centre),
        record=case.patient,
        values={"consent_research": "withdrawn"},
        version=case.patient.version,
    )
