"""Visits, recurrences and vital status in the browser."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.models import Case
from outcomes.models import Recurrence, Visit, VitalStatus
from registry.models import Centre, User
from registry.permissions import Role
from tests.factories import (
    OPERATED_ON,
    answer_everything,
    make_case,
    make_centre,
    make_mri,
    make_user,
    make_visit,
)
from tests.pages import form_data, signed_in

pytestmark = pytest.mark.django_db

VISIT = {
    "visit_type": "m12",
    "visit_date": "2016-03-01",
    "mode": "in_person",
    "assessor": "independent",
    "mmcs": "2",
    "mmcs_version": "mod5",
    "joa_region": "thoracic11",
    "thoracic11__joa_le_motor": "3",
    "thoracic11__joa_le_sens": "1",
    "thoracic11__joa_trunk_sens": "2",
    "thoracic11__joa_bladder": "3",
    "pain_present": "true",
    "pain_distribution": ["segmental_at_level"],
    "pain_nrs_kind": "worst",
    "pain_segmental_nrs": "4",
    "sensory_deficit": "mild",
    "sensory_level": "T7",
    "motor_mrc_min": "4+",
    "gait": "unsteady",
    "bladder": "normal",
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


@pytest.fixture
def case(centre: Centre) -> Case:
    return make_case(centre, operation=True, mri=True)


def post(client: Client, name: str, case: Case, sent: dict[str, Any]) -> Any:
    token = {"form_token": uuid.uuid4().hex}
    return client.post(reverse(f"outcomes:{name}", args=[case.code]), sent | token)


def test_a_visit_is_entered_with_its_scores(page: Client, case: Case) -> None:
    assert post(page, "visit-new", case, VISIT).status_code == 302
    visit = Visit.objects.get()
    assert visit.joa_total == 9
    assert visit.pain_segmental_nrs == 4
    assert visit.incomplete_fields() == []


def test_sub_scores_of_another_form_are_not_kept(page: Client, case: Case) -> None:
    sent = VISIT | {"cervical17__joa_ue_motor": "4", "cervical17__joa_le_motor": "0"}
    post(page, "visit-new", case, sent)
    visit = Visit.objects.get()
    assert (visit.joa_ue_motor, visit.joa_le_motor) == (None, 3)


def test_a_visit_opens_as_it_was_saved(page: Client, case: Case) -> None:
    post(page, "visit-new", case, VISIT)
    visit = Visit.objects.get()
    address = reverse("outcomes:visit-edit", args=[case.code, visit.code])
    assert page.post(address, form_data(page.get(address))).status_code == 302
    visit.refresh_from_db()
    assert visit.version == 1


def test_an_error_of_a_sub_score_stands_at_it(page: Client, case: Case) -> None:
    sent = VISIT | {"thoracic11__joa_le_motor": "7"}
    response = post(page, "visit-new", case, sent)
    assert response.status_code == 422
    assert "thoracic11__joa_le_motor" in response.context["forms"][0].errors


def test_pain_without_a_place_is_refused_at_its_field(page: Client, case: Case) -> None:
    sent = VISIT | {"pain_distribution": ["radicular"], "pain_segmental_nrs": "4"}
    response = post(page, "visit-new", case, sent)
    assert response.context["forms"][0].errors["pain_segmental_nrs"] == [
        "Mark the place, or take the intensity away."
    ]


def test_a_new_visit_starts_with_its_window_and_form(page: Client, case: Case) -> None:
    address = reverse("outcomes:visit-new", args=[case.code])
    form = page.get(f"{address}?type=m24").context["forms"][0]
    assert form["visit_type"].value() == "m24"
    assert form["joa_region"].value() == "cervical17"
    form = page.get(f"{address}?type=<script>").context["forms"][0]
    assert form["visit_type"].value() is None


def test_C4_a_visit_sent_twice_is_one(page: Client, case: Case) -> None:
    sent = VISIT | {"form_token": uuid.uuid4().hex}
    address = reverse("outcomes:visit-new", args=[case.code])
    for _time in range(2):
        assert page.post(address, sent).status_code == 302
    assert Visit.objects.count() == 1


def test_C1_two_edit_the_same_visit(page: Client, case: Case) -> None:
    visit = make_visit(case, visit_type="m12", mmcs=2)
    address = reverse("outcomes:visit-edit", args=[case.code, visit.code])
    opened = form_data(page.get(address))
    assert page.post(address, opened | {"mmcs": "3"}).status_code == 302
    response = page.post(address, opened | {"gait": "aid"})
    assert response.status_code == 409
    shown = {each["name"]: each["keep"] for each in response.context["differences"]}
    assert shown == {"mmcs": "theirs", "gait": "mine"}
    visit.refresh_from_db()
    assert visit.mmcs == 3


def test_a_recurrence_needs_its_mri(page: Client, case: Case) -> None:
    day = OPERATED_ON + timedelta(900)
    sent = {
        "kind": "recurrence",
        "detected_on": day.isoformat(),
        "size_now_mm": "6",
        "treatment": "observation",
    }
    response = post(page, "recurrence-new", case, sent)
    assert response.status_code == 422
    assert "Enter the MRI first." in response.content.decode()
    make_mri(case, purpose="followup", mri_date=day)
    response = post(page, "recurrence-new", case, sent)
    assert "needs an earlier MRI" in response.content.decode()
    make_mri(case, purpose="early_postop", mri_date=OPERATED_ON + timedelta(2))
    assert post(page, "recurrence-new", case, sent).status_code == 302
    assert Recurrence.objects.get().kind == "recurrence"


def test_vital_status_is_entered_and_corrected(page: Client, case: Case) -> None:
    sent = {"vital_status": "alive", "last_contact_date": "2019-01-02"}
    assert post(page, "vital", case, sent).status_code == 302
    status = VitalStatus.objects.get()
    dead = {"vital_status": "dead", "last_contact_date": "2019-01-02"}
    response = post(page, "vital", case, dead | {"version": status.version})
    assert response.status_code == 422
    assert "death_date" in response.context["forms"][0].errors
    why = {"missing__death_date": "unknown", "missing__death_cause": "unknown"}
    response = post(page, "vital", case, dead | why | {"version": status.version})
    assert response.status_code == 302
    status.refresh_from_db()
    assert status.missing == {"death_date": "unknown", "death_cause": "unknown"}


def test_follow_up_goes_on_after_verification(page: Client, centre: Centre) -> None:
    case = answer_everything(make_case(centre, operation=True))
    coordinator = signed_in(make_user(Role.COORDINATOR, centre))
    for step in ("complete", "verify"):
        case.refresh_from_db()
        address = reverse(f"cases:{step}", args=[case.code])
        coordinator.post(address, {"version": case.version})
    case.refresh_from_db()
    assert case.status == "verified"
    sent = VISIT | {"visit_date": "2016-03-01"}
    assert post(page, "visit-new", case, sent).status_code == 302


def test_a_foreign_case_is_unknown_at_every_step(page: Client) -> None:
    case = make_case(operation=True)
    visit = make_visit(case)
    for name in ("visit-new", "recurrence-new", "vital"):
        assert (
            page.get(reverse(f"outcomes:{name}", args=[case.code])).status_code == 404
        )
        assert post(page, name, case, VISIT).status_code == 404
    for name in ("visit-edit", "visit-void"):
        address = reverse(f"outcomes:{name}", args=[case.code, visit.code])
        assert page.post(address, {"version": 1, "reason": "x"}).status_code == 404


def test_a_reader_does_not_write(case: Case) -> None:
    reader = signed_in(make_user(Role.REGISTRY_COORDINATOR))
    for name in ("visit-new", "recurrence-new", "vital"):
        assert (
            reader.get(reverse(f"outcomes:{name}", args=[case.code])).status_code == 403
        )


def test_a_visit_is_voided_with_a_reason(page: Client, case: Case) -> None:
    visit = make_visit(case)
    address = reverse("outcomes:visit-void", args=[case.code, visit.code])
    page.post(address, {"version": visit.version, "reason": "another patient"})
    visit.refresh_from_db()
    assert visit.void_reason == "another patient"


def test_the_page_shows_expected_and_overdue_visits(
    page: Client, centre: Centre
) -> None:
    operated = timezone.localdate() - timedelta(days=400)
    case = make_case(
        centre, operation={"surgery_date": operated, "discharge_date": operated}
    )
    make_visit(case, visit_type="m3", visit_date=operated + timedelta(90))
    response = page.get(reverse("cases:detail", args=[case.code]))
    states = {
        line["type"]: line["state"]
        for line in response.context["timeline"]
        if "expected" in line
    }
    assert states == {
        "preop": "not_needed",
        "discharge": "not_needed",
        "m6": "overdue",
        "m12": "due",
        "m24": "later",
        "m60": "later",
    }


@pytest.mark.parametrize(("visits", "parts"), [(1, 1), (6, 3)])
def test_the_page_takes_a_fixed_number_of_queries(
    page: Client,
    centre: Centre,
    visits: int,
    parts: int,
    django_assert_max_num_queries: Any,
) -> None:
    case = make_case(centre, operation=True, mri=True)
    for number in range(1, parts):
        make_mri(case, purpose="followup", mri_date=OPERATED_ON + timedelta(number))
    for number in range(visits):
        day = OPERATED_ON + timedelta(30 * number + 40)
        make_visit(case, visit_type="unscheduled", visit_date=day)
    page.get(reverse("cases:detail", args=[case.code]))
    with django_assert_max_num_queries(30):
        page.get(reverse("cases:detail", args=[case.code]))
