"""Names and hospital numbers: only on request, only in the own centre, audited."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import capfirst
from django.views.decorators.http import require_POST

from cases import actions
from cases.forms import PatientSearchForm
from cases.models import Patient, PatientIdentity
from cases.views.finding import find_case, person_of
from registry import audit
from registry.constraints import described_fields
from registry.display import shown
from registry.permissions import Permission, check
from registry.sql import Folded

MOST_FOUND = 20


@require_POST
def show_identity(request: HttpRequest, code: str) -> HttpResponse:
    """The identity panel of a case; every showing is an event."""
    case = find_case(request, code)
    identity = actions.read_identity(by=person_of(request), patient=case.patient)
    lines = [
        {
            "label": capfirst(str(field.verbose_name)),
            "value": shown(field, getattr(identity, field.name)),
        }
        for field in described_fields(PatientIdentity)
        if identity
    ]
    context = {"case": case, "lines": lines, "is_fragment": is_fragment(request)}
    page = (
        "cases/identity_panel.html" if is_fragment(request) else "cases/identity.html"
    )
    return render(request, page, context)


def is_fragment(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


@require_POST
def find_patient(request: HttpRequest) -> HttpResponse:
    """Patients of the own centre by code, hospital number or family name."""
    check(person_of(request), Permission.READ_IDENTITY)
    form = PatientSearchForm(request.POST, auto_id="search_%s")
    found: list[Patient] = []
    if form.is_valid():
        found = search(request, form.cleaned_data["sought"])
    context = {"search_form": form, "found": found, "searched": form.is_valid()}
    return render(
        request, "cases/find.html", context, status=200 if form.is_valid() else 422
    )


def search(request: HttpRequest, sought: str) -> list[Patient]:
    """Up to twenty patients; the event says how many, never what was typed."""
    typed = Folded(Value(sought))
    found: list[Patient] = list(
        searchable(request)
        .alias(
            number=Folded("identity__hospital_number"),
            family=Folded("identity__family_name"),
        )
        .filter(Q(code__iexact=sought) | Q(number=typed) | Q(family__startswith=typed))
        .select_related("identity")
        .prefetch_related("cases")
        .order_by("code")[:MOST_FOUND]
    )
    audit.record(
        "identity.searched",
        actor=request.user,
        found=[patient.code for patient in found],
    )
    return found


def searchable(request: HttpRequest) -> QuerySet[Patient]:
    patients: Any = Patient.objects.visible_to(request.user, Permission.READ_IDENTITY)
    return patients.current()
