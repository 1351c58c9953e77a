"""Names and hospital numbers: only on request, only in the own centre, audited."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, F, OuterRef, Prefetch, Q, Value
from django.db.models.functions import Concat
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import capfirst
from django.views.decorators.http import require_POST

from cases import actions
from cases.forms import PatientSearchForm
from cases.labels import labels_of_patients
from cases.models import Case, Patient, PatientIdentity
from cases.views.finding import find_case, person_of
from registry import audit
from registry.constraints import described_fields
from registry.days import DayError, read_day
from registry.display import levels_shown, shown
from registry.permissions import Permission, can, centres_with, check
from registry.sql import Folded, may_be

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
    """Patients by anything that tells them: a part of the name or of the hospital
    number, the day of birth, a code. The code of a case leads to its page."""
    check(person_of(request), Permission.READ_CASES)
    form = PatientSearchForm(request.POST, auto_id="search_%s")
    found: list[Patient] = []
    if form.is_valid():
        sought = form.cleaned_data["sought"]
        case = readable_case(request, sought)
        if case:
            return redirect("cases:detail", case.code)
        found = search(request, sought)
    context = {
        "search_form": form,
        "found": lines(request, found[:MOST_FOUND]),
        "more": len(found) > MOST_FOUND,
        "searched": form.is_valid(),
        "may_write": can(person_of(request), Permission.WRITE_CASES),
    }
    return render(
        request, "cases/find.html", context, status=200 if form.is_valid() else 422
    )


def readable_case(request: HttpRequest, sought: str) -> Case | None:
    """The case whose whole code was typed."""
    cases = Case.objects.visible_to(request.user).current()
    return cases.filter(code=sought.upper()).first()


def search(request: HttpRequest, sought: str) -> list[Patient]:
    """Up to one more than is shown; the event says who was found, never what was
    typed. Names and numbers are searched in the centres whose identities one reads."""
    user = person_of(request)
    code = sought.upper()
    with_code = Case.objects.current().filter(
        patient=OuterRef("pk"), code__contains=code
    )
    identified = Q(centre__in=centres_with(user, Permission.READ_IDENTITY) or ())
    patients: Any = Patient.objects.visible_to(user).current()
    found: list[Patient] = list(
        patients.alias(typed=Folded(Value(sought)), **FOLDED_IDENTITY)
        .exclude(typed="")
        .filter(
            Q(code__contains=code)
            | Exists(with_code)
            | identified & (words_match() | born_on(sought))
        )
        .prefetch_related(Prefetch("cases", Case.objects.current().order_by("pk")))
        .order_by("code")[: MOST_FOUND + 1]
    )
    audit.record(
        "identity.searched", actor=user, found=[patient.code for patient in found]
    )
    return found


FOLDED_IDENTITY = {
    "number": Folded("identity__hospital_number"),
    # Without the spaces, which folding takes away: in either order.
    "family_first": Folded(Concat("identity__family_name", "identity__given_name")),
    "given_first": Folded(Concat("identity__given_name", "identity__family_name")),
}


def words_match() -> Q:
    """What was typed is a part of the number or of the name."""
    return Q(
        *((f"{name}__contains", F("typed")) for name in FOLDED_IDENTITY),
        _connector=Q.OR,
    )


def born_on(sought: str) -> Q:
    """Born on the day, or in the month or year, that was typed; else nobody."""
    try:
        day = read_day(sought)
    except DayError:
        return Q(pk__in=())
    return may_be("identity__birth_date", day)


def lines(request: HttpRequest, found: list[Patient]) -> list[dict[str, Any]]:
    """What the page tells of each patient found, with the current cases."""
    labels = labels_of_patients(request, found)
    return [
        {
            "patient": patient,
            "label": labels[patient.pk],
            "cases": [
                {
                    "code": case.code,
                    "levels": levels_shown(case.level_rostral, case.level_caudal),
                    "histology": case.get_histology_who2021_display() or "",
                    "operated_on": case.operated_on,
                }
                for case in patient.cases.all()
            ],
        }
        for patient in found
    ]
