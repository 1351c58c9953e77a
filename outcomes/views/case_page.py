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

from cases.choices import RelationToIndex
from cases.completeness import Completeness, completeness_of
from cases.models import Case, Complication, MriStudy, Operation
from outcomes.models import Recurrence, Visit, VitalStatus
from outcomes.schedule import schedules_of
from outcomes.views.case_rights import rights_of
from outcomes.views.case_sections import (
    mri_block,
    operation_block,
    patient_facts,
    presentation_facts,
    recurrence_block,
    tumour_facts,
    vital_facts,
)
from outcomes.views.timeline import long_date, pain_table, timeline
from registry import audit
from registry.display import MEANINGS


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
        Case.objects.select_related("patient", "centre", "updated_by", "verified_by")
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
    vital = VitalStatus.objects.filter(patient=case.patient, voided_at=None).first()
    schedule = schedules_of([case.pk], timezone.localdate()).get(case.pk)
    parts = part_completeness(case)
    return {
        "case": case,
        "patient": case.patient,
        "rights": rights_of(
            request.user, case, sum(p.total - p.done for p in parts.values())
        ),
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
        "whole": completeness_of(all_parts(case)),
        "lacking": lacking_lines(case, parts),
        "outline": outline(case, parts),
        "verified_on": long_date(case.verified_at.date()) if case.verified_at else "",
    }


def all_parts(case: Case) -> list[Any]:
    """The rows that decide whether a case is complete."""
    operations = list(case.operations.all())
    complications = [each for one in operations for each in one.complications.all()]
    return [
        case.patient,
        case,
        *case.mri_studies.all(),
        *operations,
        *complications,
    ]


def part_completeness(case: Case) -> dict[str, Completeness]:
    """Completeness by section of the page."""
    operations = list(case.operations.all())
    complications = [each for one in operations for each in one.complications.all()]
    return {
        "patient": completeness_of([case.patient]),
        "tumour": completeness_of([case]),
        "mri": completeness_of(case.mri_studies.all()),
        "operations": completeness_of([*operations, *complications]),
    }


def lacking_lines(case: Case, parts: dict[str, Completeness]) -> list[dict[str, Any]]:
    """What is missing, why it matters, and where to enter it."""
    return [
        line | {"url": edit_url(case, line["record"]) + "#" + section}
        for section, part in parts.items()
        for line in part.lines
    ]


def edit_url(case: Case, record: Any) -> str:
    """Where a row of the case is corrected."""
    if isinstance(record, Case):
        return reverse("cases:edit-tumour", args=[case.code])
    if isinstance(record, MriStudy):
        return reverse("cases:mri-edit", args=[case.code, record.code])
    if isinstance(record, Operation):
        return reverse("cases:operation-edit", args=[case.code, record.code])
    if isinstance(record, Complication):
        args = [case.code, record.operation.code, record.code]
        return reverse("cases:complication-edit", args=args)
    return reverse("cases:edit-patient", args=[case.code])


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
    index = case.index_operation
    extent = index.get_eor_mri_display() if index and index.eor_mri else ""
    key = MEANINGS.get(case.compartment or "")
    line = [{"value": case.get_compartment_display(), "key": key}, {"value": extent}]
    return [item for item in line if item["value"]]
