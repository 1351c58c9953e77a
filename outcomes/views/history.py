"""Who changed what, when and why: read from the history that the triggers write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from cases.choices import CaseStatus
from cases.completeness import REQUIRED_ROWS
from cases.models import Case, Complication, MriStudy, Operation
from cases.views.finding import find_case
from outcomes.models import Recurrence, Visit, VitalStatus
from registry import audit
from registry.constraints import described_fields
from registry.display import reason_shown, shown_with_unit
from registry.models import User, partial_days

DOORS = {
    "browser": gettext_lazy("in the browser"),
    "api": gettext_lazy("by the API"),
    "import": gettext_lazy("by import"),
}


def records_of(case: Case) -> Iterator[tuple[str, Any]]:
    """Every row of the case with its kind in words, voided ones too."""
    yield _("Patient"), case.patient
    yield _("Tumour"), case
    related: tuple[tuple[Any, Any, str], ...] = (
        (_("MRI study"), MriStudy, "case"),
        (_("Operation"), Operation, "case"),
        (_("Complication"), Complication, "operation__case"),
        (_("Visit"), Visit, "case"),
        (_("Recurrence"), Recurrence, "case"),
    )
    for kind, model, path in related:
        for record in model.objects.filter(**{path: case}).order_by("pk"):
            yield kind, record
    for status in VitalStatus.objects.filter(patient=case.patient):
        yield _("Vital status"), status


def entries_of(kind: str, model: Any, events: list[Any]) -> Iterator[dict[str, Any]]:
    """The history of one row, each event against the one before."""
    before = None
    for event in events:
        yield {
            "kind": kind,
            "code": event.code,
            "at": event.pgh_created_at,
            "step": step_between(before, event),
            "context": event.pgh_context.metadata if event.pgh_context else {},
            "changes": list(changes_between(model, before, event)) if before else [],
        }
        before = event


def step_between(before: Any, after: Any) -> str:
    """What was done to the row, in a word."""
    if before is None:
        return _("entered")
    was_void, is_void = (bool(each.voided_at) for each in (before, after))
    if was_void == is_void:
        return _("changed")
    return _("voided") if is_void else _("restored")


def changes_between(model: Any, before: Any, after: Any) -> Iterator[dict[str, Any]]:
    """Fields that differ, in words."""
    for field in described_fields(model):
        old, new = (answer_words(event, field) for event in (before, after))
        if old != new:
            label = capfirst(str(field.verbose_name))
            yield {"label": label, "old": old, "new": new}
    if hasattr(after, "status") and before.status != after.status:
        states = [str(CaseStatus(event.status).label) for event in (before, after)]
        yield {"label": _("State"), "old": states[0], "new": states[1]}
    if after.voided_at and not before.voided_at:
        yield {"label": _("Voided"), "old": None, "new": after.void_reason}
    if before.voided_at and not after.voided_at:
        told = _("counts again; it was void: %(reason)s")
        told %= {"reason": before.void_reason}
        yield {"label": _("Restored"), "old": None, "new": told}
    yield from reasons_between(model, before, after)


def reasons_between(model: Any, before: Any, after: Any) -> Iterator[dict[str, Any]]:
    """Reasons that stand for whole rows."""
    for required in REQUIRED_ROWS if model is Case else ():
        old, new = (each.missing.get(required.name) for each in (before, after))
        if old != new:
            yield {
                "label": capfirst(str(required.label)),
                "old": reason_shown(old) or None,
                "new": reason_shown(new) or None,
            }


def answer_words(event: Any, field: Any) -> str | None:
    known = partial_days(vars(event))
    value = getattr(event, field.attname)
    value = shown_with_unit(field, known.get(field.name, value))
    return value or reason_shown(event.missing.get(field.name)) or None


def history_of(case: Case) -> list[dict[str, Any]]:
    """All changes of a case, the newest first."""
    entries: list[dict[str, Any]] = []
    by_model: dict[Any, list[tuple[str, Any]]] = {}
    for kind, record in records_of(case):
        by_model.setdefault(type(record), []).append((kind, record))
    for model, records in by_model.items():
        events = model.pgh_event_model.objects.filter(
            pgh_obj_id__in=[record.pk for _kind, record in records]
        )
        found: dict[int, list[Any]] = {}
        for event in events.select_related("pgh_context").order_by("pgh_id"):
            found.setdefault(event.pgh_obj_id, []).append(event)
        for kind, record in records:
            entries += entries_of(kind, model, found.get(record.pk, []))
    entries.reverse()  # rows of one transaction have one time
    entries.sort(key=lambda entry: entry["at"], reverse=True)
    return name_people(entries)


def name_people(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put names to the people; a change without a person came from maintenance."""
    ids = {entry["context"].get("user") for entry in entries} - {None}
    people = {user.pk: str(user) for user in User.objects.filter(pk__in=ids)}
    for entry in entries:
        context = entry.pop("context")
        entry["by"] = people.get(context.get("user"), _("maintenance"))
        entry["reason"] = context.get("reason", "")
        entry["door"] = DOORS.get(context.get("door"), "")
    return entries


@require_safe
def history(request: HttpRequest, code: str) -> HttpResponse:
    """The changes of a case; the reading is an event as well."""
    case = find_case(request, code)
    audit.record(
        "case.history_read",
        actor=request.user,
        target=case.code,
        centre_id=case.centre_id,
    )
    page = reverse("cases:detail", args=[case.code])
    context = {
        "case": case,
        "entries": history_of(case),
        "crumbs": [
            {"label": _("Cases"), "url": reverse("cases:list")},
            {"label": case.code, "url": page},
        ],
    }
    return render(request, "cases/history.html", context)
