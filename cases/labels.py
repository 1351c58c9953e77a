"""Whom a line is about: what tells one patient from another at a glance.

Name and hospital number stand there for people with the identity permission in that
centre, unless they hide names, as before an audience. Every page that shows some leaves
one event; it names the patients by code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from cases.choices import Sex
from cases.filters import age_at_surgery
from cases.models import Case, Patient, PatientIdentity
from registry import audit
from registry.context import names_hidden
from registry.permissions import Permission, centres_with


@dataclass(frozen=True)
class Label:
    """Who a case is about; ``name`` and ``number`` are empty where not to be shown."""

    code: str
    sex: str
    age: int | None
    name: str = ""
    number: str = ""

    @property
    def sex_and_age(self) -> str:
        """``Female, 61 y``; what is known of it."""
        age = _("%(n)s y") % {"n": self.age} if self.age is not None else ""
        sex = str(dict(Sex.choices).get(self.sex, ""))
        return ", ".join(filter(None, [sex, age]))

    @property
    def short_sex_and_age(self) -> str:
        """``F 61``, for a narrow column."""
        age = "" if self.age is None else str(self.age)
        sex = self.sex if self.sex in {Sex.FEMALE, Sex.MALE} else "–"
        return f"{sex} {age}".strip()

    @property
    def title(self) -> str:
        """The name; the patient's code where there is none to show."""
        return self.name or self.code


def labels_of(
    request: HttpRequest, cases: Iterable[Case], target: str = ""
) -> dict[int, Label]:
    """The labels of these cases, by the key of the case; at most one event.

    ``target`` is the code of the case that the page is about, if it is about one.
    """
    cases = list(cases)
    identities = shown_identities(request, [case.patient for case in cases], target)
    ages = dict(
        Case.objects.filter(pk__in=[case.pk for case in cases])
        .annotate(years=age_at_surgery())
        .values_list("pk", "years")
    )
    return {
        case.pk: label(case.patient, identities, ages.get(case.pk)) for case in cases
    }


def labels_of_patients(
    request: HttpRequest, patients: Iterable[Patient]
) -> dict[int, Label]:
    """The labels of these patients by key, without an age; at most one event."""
    patients = list(patients)
    identities = shown_identities(request, patients)
    return {each.pk: label(each, identities) for each in patients}


def label(
    patient: Patient, identities: dict[int, PatientIdentity], age: int | None = None
) -> Label:
    identity = identities.get(patient.pk)
    names = (identity.family_name, identity.given_name) if identity else ()
    return Label(
        code=patient.code,
        sex=patient.sex or "",
        age=age,
        name=" ".join(filter(None, names)),
        number=identity.hospital_number if identity else "",
    )


def shown_identities(
    request: HttpRequest, patients: Iterable[Patient], target: str = ""
) -> dict[int, PatientIdentity]:
    """The identities that this person may see and wants to see now, by patient; one
    event names the patients."""
    codes = {patient.pk: patient.code for patient in patients}
    user: Any = request.user
    centres = centres_with(user, Permission.READ_IDENTITY)
    if names_hidden(request) or not centres:
        return {}
    found = PatientIdentity.objects.filter(patient__in=codes, centre__in=centres)
    identities = {each.patient_id: each for each in found}
    if identities:
        shown = sorted(codes[patient] for patient in identities)
        audit.record("identity.shown", actor=user, target=target, patients=shown)
    return identities
