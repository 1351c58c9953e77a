"""Entering and reading a case in the browser."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cases.models import Case, Patient, PatientIdentity
from registry.models import AuditEvent, Centre, User
from registry.permissions import Role
from tests.factories import make_case, make_centre, make_patient, make_user

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
    "onset_date_precision": "unknown",
}


@pytest.fixture
def centre() -> Centre:
    return make_centre()


@pytest.fixture
def surgeon(centre: Centre) -> User:
    return make_user(Role.SURGEON, centre)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


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
    assert "山田" not in text
