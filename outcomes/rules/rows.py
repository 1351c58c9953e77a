"""The kinds of rows of follow-up that rules compare."""

from __future__ import annotations

from outcomes.choices import VisitType
from outcomes.models import Recurrence, Visit, VitalStatus
from registry.rules import Kind, Row

OF_CASE = {"voided_at": None, "case__voided_at": None}
KINDS = (
    Kind("visit", Visit, "case__patient", "case_id", OF_CASE),
    Kind("recurrence", Recurrence, "case__patient", "case_id", OF_CASE),
    Kind("vital", VitalStatus, "patient"),
)
VISIT = ("visit_date", "visit_type")
# Visits for which the patient comes back; that of discharge may be the day before.
RETURNS = (VisitType.M3, VisitType.M6, VisitType.M12, VisitType.M24, VisitType.M60)


def is_before(visit: Row) -> bool:
    return bool(visit["visit_type"] == VisitType.PREOP)


def is_after(visit: Row) -> bool:
    return visit["visit_type"] not in (VisitType.PREOP, VisitType.UNSCHEDULED)
