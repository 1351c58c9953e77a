"""What looks like a row that is there already is asked about, at every door."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from cases.models import Case, MriStudy, Operation, Patient
from outcomes.models import Visit
from registry.constraints import described_fields
from registry.models import AuditEvent, Centre, ClinicalRecord, User
from registry.permissions import Role
from tests.cases.test_views_case import NEW_CASE
from tests.factories import (
    make_case,
    make_centre,
    make_complication,
    make_mri,
    make_patient,
    make_recurrence,
    make_user,
    make_visit,
)
from tests.pages import signed_in
from tests.registry.api_client import Api

pytestmark = pytest.mark.django_db
IDENTITY = {
    "family_name": "O’Brien",
    "given_name": "Ｍária",
    "birth_date": date(1961, 4, 5),
}


@pytest.fixture
def centre() -> Centre:
    return make_centre()


@pytest.fixture
def surgeon(centre: Centre) -> User:
    return make_user(Role.SURGEON, centre)


@pytest.fixture
def page(surgeon: User) -> Client:
    return signed_in(surgeon)


def new_case(client: Client, **changes: Any) -> Any:
    sent = NEW_CASE | {"form_token": uuid.uuid4().hex} | changes
    return client.post(reverse("cases:new"), sent)


# --- the same person


@pytest.mark.parametrize(
    ("family", "given", "asked"),
    [
        ("O’Brien", "Ｍária", True),
        ("O'BRIEN", "Ma\u0301ria", True),
        ("o'brien ", "Mária", True),
        ("Mária", "O'Brien", True),
        ("O'Brien", "Maria", False),
        ("O'Brien", "", False),
    ],
)
def test_the_same_name_and_birth_date_are_asked_about(
    page: Client, centre: Centre, family: str, given: str, asked: bool
) -> None:
    known = make_patient(centre, birth_year=1961, identity=IDENTITY)
    answer = new_case(
        page, family_name=family, given_name=given, hospital_number="", birth_year=""
    )
    assert answer.status_code == (409 if asked else 302)
    if not asked:
        return
    text = answer.content.decode()
    assert f"/cases/new/?patient={known.code}" in text
    assert Patient.objects.count() == 1
    event = AuditEvent.objects.filter(action="identity.searched").get()
    assert event.body["found"] == [known.code]
    confirmed = new_case(
        page,
        family_name=family,
        given_name=given,
        hospital_number="",
        acknowledge=answer.context["alike"]["acknowledge"],
    )
    assert confirmed.status_code == 302
    assert Patient.objects.count() == 2


def test_a_namesake_of_another_centre_or_day_is_nobody_s_business(
    page: Client, centre: Centre
) -> None:
    make_patient(birth_year=1961, identity=IDENTITY)
    make_patient(
        centre,
        birth_year=1962,
        identity=IDENTITY | {"birth_date": date(1962, 4, 5)},
    )
    answer = new_case(page, family_name="O’Brien", given_name="Mária")
    assert answer.status_code == 302


def test_correcting_a_name_into_another_s_is_asked_about(
    page: Client, surgeon: User, centre: Centre
) -> None:
    known = make_patient(centre, birth_year=1961, identity=IDENTITY)
    case = make_case(centre, patient_values={"birth_year": 1961})
    typed = IDENTITY | {"birth_date": "1961-04-05"}
    address = reverse("cases:edit-identity", args=[case.code])
    asked = page.post(address, typed | {"version": "0"})
    assert asked.status_code == 409
    assert asked.context["alike"]["acknowledge"] == known.code
    api = Api(surgeon)
    path = f"patients/{case.patient.code}/identity/"
    told = api.patch(path, typed, 0)
    assert (told.status_code, told.json()["code"]) == (409, "duplicate")
    assert told.json()["duplicates"] == [known.code]
    said = api.call(
        "PATCH", path, typed, if_match='"0"', acknowledge_duplicates=known.code
    )
    assert said.status_code == 200
    untouched = api.patch(path, {"hospital_number": "H-9"}, 1)
    assert untouched.status_code == 200


# --- the same row of a case


def rows_of(case: Case) -> dict[str, tuple[ClinicalRecord, str, list[str]]]:
    """One row of each kind that says when two are the same, with its form for new ones."""
    operation = case.operations.get()
    complication = make_complication(operation)
    return {
        "mri-studies": (make_mri(case), "cases:mri-new", [case.code]),
        "operations": (operation, "cases:operation-new", [case.code]),
        "complications": (
            complication,
            "cases:complication-new",
            [case.code, operation.code],
        ),
        "visits": (make_visit(case), "outcomes:visit-new", [case.code]),
        "recurrences": (make_recurrence(case), "outcomes:recurrence-new", [case.code]),
    }


KINDS = ["mri-studies", "operations", "complications", "visits", "recurrences"]


def typed_again(row: Any) -> dict[str, str]:
    """What tells the row, typed once more."""
    described = {field.name for field in described_fields(type(row))}
    names = [name for name in row.SAME_WHEN if name in described]
    extra = {"size_now_mm"} & described
    return {
        **{name: str(getattr(row, name)) for name in names},
        **dict.fromkeys(extra, "9"),
        **({"purpose": "preop"} if isinstance(row, MriStudy) else {}),
    }


def test_every_kind_of_record_says_when_two_are_the_same() -> None:
    told = {
        model.__name__
        for model in apps.get_models()
        if issubclass(model, ClinicalRecord) and model.SAME_WHEN
    }
    # A patient is told by the identity, which stands apart; of life there is one row.
    rest = {
        model.__name__
        for model in apps.get_models()
        if issubclass(model, ClinicalRecord)
        and not model.__name__.endswith("Event")
        and not model.SAME_WHEN
    }
    assert len(told) == 6
    assert rest == {"Patient", "VitalStatus"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_row_again_is_asked_about_in_the_form(
    page: Client, centre: Centre, kind: str
) -> None:
    case = make_case(centre, operation=True)
    row, form, args = rows_of(case)[kind]
    rows = type(row).objects
    before = rows.count()
    token = {"form_token": uuid.uuid4().hex}
    sent = typed_again(row) | token
    asked = page.post(reverse(form, args=args), sent)
    assert asked.status_code == 409, asked.context["forms"][0].errors
    assert "Is this the same?" in asked.content.decode()
    assert row.code in asked.content.decode()
    assert rows.count() == before
    confirmed = sent | {"acknowledge": asked.context["alike"]["acknowledge"]}
    for _twice in range(2):
        answer = page.post(reverse(form, args=args), confirmed)
        assert answer.status_code == 302
    assert rows.count() == before + 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_row_again_is_asked_about_in_the_api(
    surgeon: User, centre: Centre, kind: str
) -> None:
    case = make_case(centre, operation=True)
    row, _form, args = rows_of(case)[kind]
    above = {"operation" if kind == "complications" else "case": args[-1]}
    body: dict[str, Any] = typed_again(row) | above
    if "size_now_mm" in body:
        body["size_now_mm"] = 9
    extra = {"index_operation": False} if kind == "operations" else {}
    before = type(row).objects.count()
    api = Api(surgeon)
    asked = api.post(f"{kind}/", body | extra)
    assert asked.status_code == 409, asked.json()
    assert (asked.json()["code"], asked.json()["duplicates"]) == (
        "duplicate",
        [row.code],
    )
    assert type(row).objects.count() == before
    said = api.post(f"{kind}/", body | extra, acknowledge_duplicates=row.code)
    assert said.status_code == 201


def test_a_further_tumour_at_the_same_levels_is_asked_about(
    page: Client, centre: Centre
) -> None:
    case = make_case(centre, level_rostral="T5", level_caudal="T7")
    address = f"{reverse('cases:new')}?patient={case.patient.code}"
    asked = page.post(address, NEW_CASE | {"form_token": uuid.uuid4().hex})
    assert asked.status_code == 409
    elsewhere = NEW_CASE | {"level_rostral": "C4", "form_token": uuid.uuid4().hex}
    assert page.post(address, elsewhere).status_code == 302


def test_a_row_moved_onto_another_is_asked_about(
    page: Client, surgeon: User, centre: Centre
) -> None:
    case = make_case(centre, operation=True)
    first, second = make_visit(case, "m12"), make_visit(case, "unscheduled")
    moved = {
        "visit_type": "m12",
        "visit_date": str(first.visit_date),
        "version": second.version,
    }
    address = reverse("outcomes:visit-edit", args=[case.code, second.code])
    assert page.post(address, moved).status_code == 409
    answer = Api(surgeon).patch(
        f"visits/{second.code}/",
        {"visit_type": "m12", "visit_date": str(first.visit_date)},
        1,
    )
    assert answer.json()["code"] == "duplicate"
    other_change = {"visit_type": "unscheduled", "mmcs": "4", "version": second.version}
    assert page.post(address, other_change).status_code == 302


def test_a_voided_row_is_no_double(page: Client, centre: Centre) -> None:
    case = make_case(centre, operation=True)
    study = make_mri(case)
    void = reverse("cases:mri-void", args=[case.code, study.code])
    page.post(void, {"version": study.version, "reason": "another patient's"})
    address = reverse("cases:mri-new", args=[case.code])
    sent = typed_again(study) | {"form_token": uuid.uuid4().hex}
    assert page.post(address, sent).status_code == 302


# --- Back


def test_back_and_changed_asks_and_leads_to_what_was_saved(
    page: Client, centre: Centre
) -> None:
    """The form comes back with its token: no second row without a word."""
    case = make_case(centre, operation=True)
    address = reverse("outcomes:visit-new", args=[case.code])
    sent = {
        "visit_type": "m12",
        "visit_date": "2016-03-01",
        "form_token": uuid.uuid4().hex,
    }
    assert page.post(address, sent).status_code == 302
    assert page.post(address, sent).status_code == 302
    changed = sent | {"visit_date": "2016-03-02"}
    asked = page.post(address, changed)
    saved = Visit.objects.get()
    assert asked.status_code == 409
    edit = reverse("outcomes:visit-edit", args=[case.code, saved.code])
    assert f'href="{edit}"' in asked.content.decode()
    confirmed = changed | {"acknowledge": asked.context["alike"]["acknowledge"]}
    for _twice in range(2):
        assert page.post(address, confirmed).status_code == 302
    assert Visit.objects.count() == 2


def test_what_is_wrong_is_told_before_anything_is_asked(
    page: Client, centre: Centre
) -> None:
    case = make_case(centre, operation=True)
    address = reverse("cases:operation-new", args=[case.code])
    day = str(Operation.objects.get().surgery_date)
    answer = page.post(address, {"surgery_date": day, "blood_loss_ml": "-1"})
    assert answer.status_code == 422


def test_the_schema_names_every_member_of_a_refusal(
    surgeon: User, centre: Centre
) -> None:
    """Of a question about a double, and of a change to an old version."""
    case = make_case(centre, operation=True)
    study = make_mri(case)
    api = Api(surgeon)
    body = {"case": case.code, "purpose": "preop", "mri_date": str(study.mri_date)}
    asked = api.post("mri-studies/", body)
    stale = api.patch(f"mri-studies/{study.code}/", {"slice_mm": 2}, 0)
    assert (asked.status_code, stale.status_code) == (409, 412)
    schema = Api(surgeon).get("schema/?format=json").json()
    declared = schema["components"]["schemas"]["Problem"]["properties"]
    for answer, member in ((asked, "duplicates"), (stale, "differing")):
        assert member in answer.json()
        assert set(answer.json()) <= set(declared)
