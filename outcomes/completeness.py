"""What a case must have of what happens afterwards."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.utils.translation import gettext_lazy as _

from cases.completeness import RequiredRow, current, is_operated
from cases.models import Case
from outcomes.choices import VisitType
from outcomes.models import Visit, VitalStatus
from outcomes.windows import DISCHARGE


def _baseline(case: Case) -> list[Visit]:
    visits = current(case.visits.all())
    return [visit for visit in visits if visit.visit_type == VisitType.PREOP]


def _discharge(case: Case) -> list[Visit]:
    """Visits entered as that of discharge, or of a day in its window."""
    return [
        visit
        for visit in current(case.visits.all())
        if visit.visit_type == VisitType.DISCHARGE
        or (
            visit.visit_day is not None
            and DISCHARGE.opens <= visit.visit_day <= DISCHARGE.closes
        )
    ]


def vital_of(case: Case) -> VitalStatus | None:
    """What is known of the patient's life; None where nothing is."""
    try:
        status: Any = case.patient.vital_status_record
    except ObjectDoesNotExist:
        return None
    return None if status.is_void else status


def _vital(case: Case) -> list[VitalStatus]:
    status = vital_of(case)
    return [status] if status else []


ROWS = (
    RequiredRow(
        "preop_visit",
        _("visit before the operation"),
        _("Improvement is counted from it."),
        "follow-up",
        _baseline,
        lambda case: Visit(case=case, visit_type=VisitType.PREOP),
    ),
    RequiredRow(
        "discharge_visit",
        _("visit at discharge"),
        _("It shows what the operation itself did."),
        "follow-up",
        _discharge,
        lambda case: Visit(case=case, visit_type=VisitType.DISCHARGE),
        is_operated,
    ),
    RequiredRow(
        "vital_status",
        _("vital status"),
        _("Follow-up time ends at death or the last contact."),
        "vital",
        _vital,
        lambda case: VitalStatus(patient=case.patient),
    ),
)

SECTIONS = {
    "follow-up": lambda case: current(case.visits.all()),
    "recurrence": lambda case: current(case.recurrences.all()),
    "vital": _vital,
}
READ_WITH = ("visits", "recurrences", "patient__vital_status_record")
