"""Which follow-up may be added to a verified case; see ``cases.verification``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from cases.models import Case
from cases.verification import (
    baseline,
    covered,
    keeps_order,
    too_early,
    without_day,
)
from outcomes.choices import VisitType, Vital
from outcomes.models import Recurrence, Visit, VitalStatus
from outcomes.windows import LAST, PREOP, WINDOWS


def visit(case: Case, new: Visit) -> str:
    """Later than every verified visit, and in no window that one of them fills."""
    if new.visit_type == VisitType.PREOP:
        return baseline()
    if new.visit_day is None:
        return without_day()
    others = covered(case, case.visits.exclude(pk=new.pk))
    after = [each for each in others if each.visit_type != VisitType.PREOP]
    days = [each.visit_day for each in after if each.visit_day is not None]
    if days and new.visit_day <= max(days):
        last = max((each.visit_date for each in after if each.visit_date), default=None)
        return too_early(_("A visit"), last)
    filled = windows_seen(after) & windows_seen([new]) - {
        LAST.name,
        VisitType.UNSCHEDULED.value,
    }
    if filled:
        text = _(
            "A visit of that kind was verified; a second one would change verified "
            "numbers. Enter it as unscheduled, or open the case with a reason."
        )
        return text
    return ""


def windows_seen(visits: Iterable[Visit]) -> set[str]:
    """Names of the windows that these visits fill, by their kind or by their day."""
    seen: set[str] = set()
    for each in visits:
        seen.add(each.visit_type)
        day = each.visit_day
        if day is not None and (day > 0 or each.visit_type == PREOP.name):
            seen |= {w.name for w in WINDOWS if w.opens <= day <= w.closes}
    return seen


def recurrence(case: Case, new: Recurrence) -> str:
    """Later than every verified image and event: those showed none."""
    images = covered(case, case.mri_studies.all())
    events = covered(case, case.recurrences.exclude(pk=new.pk))
    days = [case.operated_on, *(each.detected_on for each in events)]
    days += [each.mri_date for each in images if not each.is_preoperative]
    return keeps_order(_("An event"), new.detected_on, days)


def vital_status(case: Case, new: VitalStatus) -> str:
    """It goes on from what was verified: later contact, or death after the last one."""
    verified = as_verified(case, new)
    if verified is None:
        return ""
    if verified.vital_status == Vital.DEAD or new.is_void:
        return _(
            "What was verified of the patient's life does not change. Open the case "
            "for amendment first, with a reason."
        )
    contact: date | None = verified.last_contact_date
    end = new.death_date or new.last_contact_date
    if contact and (end is None or end < contact):
        return too_early(_("A last contact or death"), contact)
    return ""


def as_verified(case: Case, status: VitalStatus) -> Any:
    """The statement as it was when the case was verified; None if there was none."""
    history: Any = VitalStatus
    events = history.pgh_event_model.objects.filter(
        pgh_obj_id=status.pk, updated_at__lte=case.verified_at
    )
    return events.order_by("pgh_id").last()


POLICIES: dict[type, Callable[[Case, Any], str]] = {
    Visit: visit,
    Recurrence: recurrence,
    VitalStatus: vital_status,
}
