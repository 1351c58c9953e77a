"""Fills every free text of a started registry with hostile words.

Run inside ``manage.py shell``; prints the codes of the cases, a line each. Through the
factories, so through the actions: the words arrive where any door would put them.
"""

from __future__ import annotations

from django.db import models

from cases.actions import amend_case, complete_case, update_record, verify_case
from cases.models import Case
from registry.constraints import described_fields
from registry.fields import ChoiceField, WordsField
from registry.models import ClinicalRecord
from registry.permissions import Role
from tests import factories

PAYLOADS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<body onload=alert(1)>",
    "<iframe src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<math><mtext></p><img onerror=alert(1) src>",
    '" autofocus onfocus=alert(1) x="',
    "' autofocus onfocus=alert(1) x='",
    '"><script>alert(1)</script>',
    "'><script>alert(1)</script>",
    "`-alert(1)-`",
    "';alert(1)//",
    '";alert(1)//',
    "\\u003cscript>alert(1)\\u003c/script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "{{7*7}}{% debug %}",
    "${alert(1)}",
    "<!--<script>alert(1)//-->",
    "<style>@import'x';</style>",
    "<link rel=stylesheet href=//x>",
    "<base href=//x.example>",
    "javascript:alert(1)",
)


def hostile_texts(model: type[models.Model], payload: str) -> dict[str, str]:
    """The payload for every text field of the model that takes any text."""
    return {
        field.name: payload[: field.max_length]
        for field in described_fields(model)
        if isinstance(field, WordsField)
        or (
            isinstance(field, ChoiceField)
            and not field.choices
            and not field.name.startswith(("icdo_", "eq5d"))
        )
    }


def hostile_case(payload: str, centre: object, number: int) -> Case:
    """One case with the payload in each text of each of its rows."""
    patient = factories.make_patient(
        centre,
        identity={
            "family_name": payload,
            "given_name": payload,
            "hospital_number": f"{number} {payload}"[:40],
        },
        nf_as_recorded=payload,
    )
    case = factories.make_case(patient=patient, **hostile_texts(Case, payload))
    for make in (factories.make_operation, factories.make_mri, factories.make_visit):
        row: ClinicalRecord = make(case)
        writer = update_record if row._meta.app_label == "cases" else update_outcome
        writer(
            by=row.created_by,
            record=row,
            values=hostile_texts(type(row), payload),
            version=row.version,
        )
    return case


def update_outcome(**arguments: object) -> None:
    from outcomes.actions import update_record as update

    update(**arguments)


def reopen(case: Case, coordinator: object, payload: str) -> None:
    """Verify and amend, with the payload as the reason."""
    factories.answer_everything(case, by=coordinator)
    case.refresh_from_db()
    case = complete_case(by=coordinator, case=case, version=case.version)
    case = verify_case(by=coordinator, case=case, version=case.version)
    amend_case(by=coordinator, case=case, version=case.version, reason=payload)


def fill() -> None:
    centre = factories.make_centre(name=PAYLOADS[0])
    for role, email in (
        (Role.SURGEON, "surgeon@xss.example"),
        (Role.COORDINATOR, "coordinator@xss.example"),
        (Role.ADMINISTRATOR, "admin@xss.example"),
    ):
        place = None if role == Role.ADMINISTRATOR else centre
        factories.make_user(role, place, email=email, name=PAYLOADS[4])
    coordinator = factories.make_user(Role.COORDINATOR, centre, name=PAYLOADS[5])
    for number, payload in enumerate(PAYLOADS):
        case = hostile_case(payload, centre, number)
        if number < 3:
            reopen(case, coordinator, payload)
        print(f"case {case.code}")
