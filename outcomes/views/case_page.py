"""The page of a case: everything known about one tumour."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cases.choices import EorMri, RelationToIndex
from cases.completeness import NOTHING, Completeness, by_section
from cases.models import Case, Complication, MriStudy, Operation
from cases.permissions import check_can_add, check_can_edit, sees_void
from cases.verification import added_since, covers
from cases.views.finding import person_of
from cases.writing import findings
from outcomes.completeness import vital_of
from outcomes.models import Recurrence, Visit
from outcomes.schedule import schedules_of
from outcomes.views.case_lacking import finding_lines, lacking_lines, stated_lines
from outcomes.views.case_rights import right_of, right_to_enter, rights_of
from outcomes.views.case_sections import (
    mri_block,
    operation_block,
    patient_facts,
    presentation_facts,
    recurrence_block,
    tumour_facts,
    vital_facts,
)
from outcomes.views.timeline import pain_table, timeline
from outcomes.views.void_rows import void_lines
from registry import audit
from registry.display import MEANINGS
from registry.fields import MissingReason
from registry.models import User


def whole_case(request: HttpRequest, code: str) -> Case:
    """The case with all its rows, in a fixed number of queries; 404 for strangers."""
    current = {"voided_at__isnull": True}
    complications = Complication.objects.filter(**current).order_by("ae_onset_date")
    operations = Operation.objects.filter(**current).order_by("surgery_date", "pk")
    parts = (
        Prefetch(
            "mri_studies", MriStudy.objects.filter(**current).order_by("mri_date")
        ),
        Prefetch(
            "operations",
            operations.prefetch_related(Prefetch("complications", complications)),
        ),
        Prefetch("visits", Visit.objects.filter(**current).order_by("visit_date")),
        Prefetch(
            "recurrences", Recurrence.objects.filter(**current).order_by("detected_on")
        ),
    )
    found = (
        Case.objects.select_related(
            "patient__vital_status_record", "centre", "updated_by", "verified_by"
        )
        .visible_to(request.user)
        .filter(code=code)
        .prefetch_related(*parts)
        .first()
    )
    if found is None:
        if Case.objects.filter(code=code).exists():
            audit.record("case.denied", actor=request.user, target=code)
        raise Http404(_("No such case."))
    return found


@require_safe
def case_page(request: HttpRequest, code: str) -> HttpResponse:
    """Everything known about one tumour. Each reading is an event."""
    case = whole_case(request, code)
    audit.record(
        "case.read", actor=request.user, target=case.code, centre_id=case.centre_id
    )
    return render(request, "cases/detail.html", page_context(request, case))


def page_context(request: HttpRequest, case: Case) -> dict[str, Any]:
    visits = list(case.visits.all())
    vital = vital_of(case)
    schedule = schedules_of([case.pk], timezone.localdate()).get(case.pk)
    parts = by_section(case)
    found = findings(case)
    errors = sum(each.is_error for each in found)
    lacking = lacking_lines(case, parts)
    context = {
        "case": case,
        "patient": case.patient,
        "rights": rights_of(request.user, case, len(lacking), errors),
        "summary": summary_line(case),
        "crumbs": [{"label": _("Cases"), "url": reverse("cases:list")}],
        "patient_facts": patient_facts(case.patient),
        "tumour_facts": tumour_facts(case),
        "presentation_facts": presentation_facts(case),
        "mri_blocks": [mri_block(study) for study in case.mri_studies.all()],
        "relations": RelationToIndex.choices,
        "operation_blocks": [operation_block(each) for each in case.operations.all()],
        "recurrence_blocks": [
            recurrence_block(each) for each in case.recurrences.all()
        ],
        "vital": vital,
        "vital_facts": vital_facts(vital),
        "timeline": timeline(visits, schedule),
        "visit_count": len(visits),
        "pain": pain_table(visits),
        "schedule": schedule,
        "parts": parts,
        "whole": sum(parts.values(), NOTHING),
        "lacking": lacking,
        "stated": stated_lines(case),
        "findings": finding_lines(found),
        "outline": outline(case, parts),
        "added_since": [row.code for row in added_since(case)],
        "vital_right": right_of(check_can_edit, request.user, vital) if vital else None,
        "void_lines": void_lines(person_of(request), case)
        if sees_void(person_of(request), case.centre)
        else [],
        "reasons": MissingReason.choices,
        "verified_on": timezone.localdate(case.verified_at).isoformat()
        if case.verified_at
        else "",
    }
    add_rights(person_of(request), case, context)
    return context


def add_rights(user: User, case: Case, context: dict[str, Any]) -> None:
    """Every row tells whether it may be changed, and why not."""
    operations = context["operation_blocks"]
    inner = [each for block in operations for each in block["complications"]]
    blocks = context["mri_blocks"] + context["recurrence_blocks"] + operations + inner
    for block in blocks:
        add_right(user, block, block["record"], context["added_since"])
    for line in context["timeline"]:
        if "visit" in line:
            add_right(user, line, line["visit"], context["added_since"])
        else:
            line["right"] = right_to_enter(user, case, line["expected"])
    for block in operations:
        later = not covers(case, block["record"])
        block["may_add"] = right_of(check_can_add, user, case, follow_up=later)


def add_right(user: User, line: dict[str, Any], record: Any, added: list[str]) -> None:
    line["right"] = right_of(check_can_edit, user, record)
    line["added"] = record.code in added


def outline(case: Case, parts: dict[str, Completeness]) -> list[dict[str, Any]]:
    titles = (
        ("patient", _("Patient")),
        ("tumour", _("Tumour and presentation")),
        ("mri", _("MRI studies")),
        ("operations", _("Operations")),
        ("follow-up", _("Follow-up")),
        ("recurrence", _("Recurrence")),
        ("vital", _("Vital status")),
    )
    return [
        {
            "id": key,
            "title": title,
            "done": parts[key].done if key in parts else 0,
            "total": parts[key].total if key in parts else 0,
        }
        for key, title in titles
    ]


def summary_line(case: Case) -> list[dict[str, Any]]:
    """What the strip does not tell: compartment and extent of resection."""
    final = case.final_extent
    extent = str(EorMri(final).label) if final else ""
    key = MEANINGS.get(case.compartment or "")
    line: list[dict[str, Any]] = [
        {"value": case.get_compartment_display(), "key": key},
        {"value": extent},
    ]
    return [item for item in line if item["value"]]
