"""Entering and reading a case in the browser."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cases.models import Case, Patient
from registry.models import AuditEvent, Centre, User
from registry.permissions import Role
from tests.factories import (
    answer_everything,
    make_case,
    make_centre,
    make_patient,
    make_user,
)
from tests.pages import form_data, signed_in

pytestmark = pytest.mark.django_db

NEW_CASE = {
    "family_name": "山田",
    "given_name": "太郎",
    "birth_date": "1961-04-05",
    "hospital_number": "H-1",
    "sex": "M",
    "nf_status": "none_known",
    "prior_spine_surgery": "false",
    "prior_radiotherapy_spine": "false",
    "consent_research": "opt_in",
    "compartment": "intramedullary",
    "compartment_mri": "intramedullary",
    "level_rostral": "Th5-7",
    "level_caudal": "",
    "level_basis": "vertebral_body",
    "axial_position": ["dorsal", "central"],
    "side": "midline",
    "histology_who2021": "schwannoma",
    "icdo_morphology": "9560/0",
    "missing__icdo_topography": "unknown",
    "who_grade": "1",
    "size_cc_mm": "31.5",
    "size_ap_mm": "11",
    "missing__size_tr_mm": "not_done",
    "incidental": "false",
    "symptom_duration_months": "14",
    "first_symptom": "sensory",
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


def post_case(client: Client, **changes: Any) -> Any:
    sent = NEW_CASE | {"form_token": uuid.uuid4().hex} | changes
    return client.post(reverse("cases:new"), sent)


def test_a_case_is_entered_on_one_page(page: Client, centre: Centre) -> None:
    response = post_case(page)
    case = Case.objects.get()
    assert response.status_code == 302
    assert response["Location"] == reverse("cases:detail", args=[case.code])
    assert (case.level_rostral, case.level_caudal, case.level_span) == ("T5", "T7", 3)
    assert case.axial_position == ["central", "dorsal"]
    assert case.missing == {"icdo_topography": "unknown", "size_tr_mm": "not_done"}
    assert case.patient.birth_year == 1961
    assert case.patient.centre == centre
    assert case.patient.identity.family_name == "山田"


def test_the_page_of_the_new_case_shows_what_was_entered(page: Client) -> None:
    post_case(page)
    case = Case.objects.get()
    text = page.get(reverse("cases:detail", args=[case.code])).content.decode()
    assert "T5–T7" in text
    assert "Intramedullary" in text
    assert "1961-04-05" not in text


def test_what_was_typed_comes_back_with_the_error_at_its_field(page: Client) -> None:
    response = post_case(page, size_cc_mm="31,5", birth_date="2061-04-05", ki67_pct="x")
    text = response.content.decode()
    assert response.status_code == 422
    assert Case.objects.count() == 0
    for typed in ("31,5", "2061-04-05", "山田", "T5"):
        assert typed in text
    assert "Write the number with a point: 31.5." in text
    assert "2061-04-05 lies in the future. Was it" in text
    assert 'href="#id_size_cc_mm"' in text


def test_a_rule_of_the_database_speaks_at_its_field(page: Client) -> None:
    response = post_case(page, level_rostral="T7", level_caudal="T5")
    assert response.status_code == 422
    form = response.context["forms"][2]
    assert form.errors["level_caudal"] == [
        "The caudal level lies rostral to the rostral level."
    ]


def test_C4_the_same_form_sent_twice_makes_one_case(page: Client) -> None:
    token = uuid.uuid4().hex
    first = post_case(page, form_token=token)
    again = post_case(page, form_token=token)
    assert first["Location"] == again["Location"]
    assert Case.objects.count() == Patient.objects.count() == 1


def test_a_form_changed_after_saving_makes_no_second_case(page: Client) -> None:
    token = uuid.uuid4().hex
    post_case(page, form_token=token)
    response = post_case(page, form_token=token, side="R")
    assert response.status_code == 409
    assert "before you changed it" in response.content.decode()
    assert Case.objects.count() == 1


def test_a_hospital_number_is_taken_once_a_centre(page: Client) -> None:
    post_case(page)
    response = post_case(page)
    assert response.status_code == 422
    assert response.context["forms"][0].errors["hospital_number"] == [
        "A patient with this hospital number exists in your centre."
    ]
    assert response.context["known"] == Patient.objects.get()
    assert Case.objects.count() == 1


def test_a_further_tumour_of_a_known_patient(page: Client, centre: Centre) -> None:
    patient = make_patient(centre)
    address = f"{reverse('cases:new')}?patient={patient.code}"
    response = page.post(address, NEW_CASE)
    assert response.status_code == 302
    assert Case.objects.get().patient == patient


def test_A3_a_patient_of_another_centre_cannot_be_chosen(page: Client) -> None:
    foreign = make_patient()
    address = f"{reverse('cases:new')}?patient={foreign.code}"
    assert page.get(address).status_code == 404
    assert page.post(address, NEW_CASE).status_code == 404


def test_A3_another_centre_cannot_be_chosen(surgeon: User) -> None:
    make_centre()
    other = make_centre()
    response = post_case(signed_in(surgeon), centre=str(other.pk))
    assert response.status_code in {302, 422}
    assert not Patient.objects.filter(centre=other).exists()


def test_A10_bookkeeping_fields_in_the_form_are_ignored(page: Client) -> None:
    post_case(page, status="verified", version="7", code="TUM-AAAAAAAA", created_by="1")
    case = Case.objects.get()
    assert (case.status, case.version) == ("draft", 1)
    assert case.code != "TUM-AAAAAAAA"


@pytest.mark.parametrize(
    "typed",
    ["2025-02-30", "45678", "R7.4.1", "02/03/2025", "0001-01-01", "201511"],
)
def test_a_date_that_is_none_or_could_be_several_is_refused(
    page: Client, typed: str
) -> None:
    assert post_case(page, onset_date=typed).status_code == 422
    assert Case.objects.count() == 0


@pytest.mark.parametrize(
    "typed",
    ["５０．", "5_0", "1e1", "NaN", "1,234.5", "Infinity", "0x10", "9" * 400, "\x00"],
)
def test_a_number_is_plain_digits(page: Client, typed: str) -> None:
    assert post_case(page, size_cc_mm=typed).status_code == 422
    assert Case.objects.count() == 0


def test_an_own_case_is_read_with_one_event(page: Client, centre: Centre) -> None:
    case = make_case(centre)
    before = AuditEvent.objects.count()
    assert page.get(reverse("cases:detail", args=[case.code])).status_code == 200
    (event,) = AuditEvent.objects.all()[before:]
    assert (event.action, event.target) == ("case.read", case.code)


def test_A2_a_foreign_case_is_as_unknown_as_a_random_one(page: Client) -> None:
    foreign = make_case()
    for name in ("detail", "history", "edit-tumour", "edit-patient", "edit-identity"):
        one = page.get(reverse(f"cases:{name}", args=[foreign.code]))
        other = page.get(reverse(f"cases:{name}", args=["TUM-00000000"]))
        assert one.status_code == other.status_code == 404
        assert len(one.content) == len(other.content)
    assert AuditEvent.objects.filter(action="case.denied", target=foreign.code).exists()


def test_a_known_user_without_the_right_gets_403(centre: Centre) -> None:
    case = make_case(centre)
    reader = signed_in(make_user(Role.REGISTRY_COORDINATOR))
    assert reader.get(reverse("cases:detail", args=[case.code])).status_code == 200
    assert reader.get(reverse("cases:edit-tumour", args=[case.code])).status_code == 403
    assert reader.get(reverse("cases:new")).status_code == 403
    analyst = signed_in(make_user(Role.ANALYST))
    assert analyst.get(reverse("cases:list")).status_code == 403
    assert analyst.get(reverse("cases:detail", args=[case.code])).status_code == 404


def test_the_identity_is_shown_on_request_only_and_audited(
    page: Client, centre: Centre
) -> None:
    patient = make_patient(centre, identity={"family_name": "O'Brien 𠮷野"})
    case = make_case(patient=patient)
    page.post(reverse("toggle-names"))
    assert (
        "𠮷野"
        not in page.get(reverse("cases:detail", args=[case.code])).content.decode()
    )
    address = reverse("cases:show-identity", args=[case.code])
    assert page.get(address).status_code == 405
    assert "O&#x27;Brien 𠮷野" in page.post(address).content.decode()
    assert (
        AuditEvent.objects.filter(action="identity.read", target=patient.code).count()
        == 1
    )
    reader = signed_in(make_user(Role.REGISTRY_COORDINATOR))
    assert reader.post(address).status_code == 403


def test_people_are_found_in_the_own_centre_only(page: Client, centre: Centre) -> None:
    own = make_patient(
        centre, identity={"hospital_number": "77", "family_name": "Sato"}
    )
    make_patient(identity={"hospital_number": "77", "family_name": "Sato"})
    for sought in ("77", "sat", own.code):
        response = page.post(reverse("cases:find"), {"sought": sought})
        assert [line["patient"] for line in response.context["found"]] == [own]
    event = AuditEvent.objects.filter(action="identity.searched").first()
    assert event.body == {"found": [own.code]}


def test_C1_the_second_to_save_sees_both_values(page: Client, centre: Centre) -> None:
    case = make_case(centre, side="R", size_cc_mm=20)
    address = reverse("cases:edit-tumour", args=[case.code])
    opened = form_data(page.get(address))
    page.post(address, opened | {"size_cc_mm": "21"})
    response = page.post(address, opened | {"size_cc_mm": "19", "side": "L"})
    assert response.status_code == 409
    shown = {each["name"]: each for each in response.context["differences"]}
    assert shown["size_cc_mm"]["mine"] == "19 mm"
    assert shown["size_cc_mm"]["theirs"] == "21 mm"
    assert shown["size_cc_mm"]["old"] == "20 mm"
    case.refresh_from_db()
    assert case.side == "R"

    carried: dict[str, Any] = {}
    for name, value in response.context["carried"]:
        carried.setdefault(name, []).append(value)
    chosen = {"keep_size_cc_mm": "theirs", "keep_side": "mine"}
    again = {"version": response.context["record_version"]}
    assert page.post(address, carried | chosen | again).status_code == 302
    case.refresh_from_db()
    assert (case.size_cc_mm, case.side) == (21, "L")


def test_an_untouched_form_changes_nothing(page: Client, centre: Centre) -> None:
    case = make_case(centre, missing={"size_tr_mm": "not_done"}, size_tr_mm=None)
    for name in ("edit-tumour", "edit-patient"):
        address = reverse(f"cases:{name}", args=[case.code])
        assert page.post(address, form_data(page.get(address))).status_code == 302
    case.refresh_from_db()
    case.patient.refresh_from_db()
    assert (case.version, case.patient.version) == (1, 1)


def test_a_verified_case_says_what_to_do(page: Client, centre: Centre) -> None:
    coordinator = make_user(Role.COORDINATOR, centre)
    case = answer_everything(make_case(centre))
    verifier = signed_in(coordinator)
    for step in ("complete", "verify"):
        case.refresh_from_db()
        address = reverse(f"cases:{step}", args=[case.code])
        verifier.post(address, {"version": case.version})
    case.refresh_from_db()
    assert case.status == "verified"
    response = page.get(reverse("cases:edit-tumour", args=[case.code]), follow=True)
    assert "Open it for amendment" in response.content.decode()
    amend = reverse("cases:amend", args=[case.code])
    page.post(amend, {"version": case.version, "reason": "  "})
    case.refresh_from_db()
    assert case.status == "verified"
    page.post(amend, {"version": case.version, "reason": "wrong level"})
    case.refresh_from_db()
    assert case.status == "opened"
    history = page.get(reverse("cases:history", args=[case.code])).content.decode()
    assert "Reason: wrong level" in history


def test_a_surgeon_does_not_verify(page: Client, centre: Centre) -> None:
    case = make_case(centre)
    response = page.post(reverse("cases:verify", args=[case.code]), {"version": "1"})
    assert response.status_code == 403


def test_voiding_takes_a_reason_and_the_version(page: Client, centre: Centre) -> None:
    case = make_case(centre)
    address = reverse("cases:void", args=[case.code])
    for sent in ({"version": 1}, {"reason": "double"}, {"version": 0, "reason": "x"}):
        page.post(address, sent)
        case.refresh_from_db()
        assert not case.is_void
    page.post(address, {"version": 1, "reason": "entered twice"})
    case.refresh_from_db()
    assert case.void_reason == "entered twice"
    assert page.get(reverse("cases:list")).context["rows"] == []
