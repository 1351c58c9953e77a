"""The record over the API: one write path, versions, keys, tombstones, states."""

from __future__ import annotations

from typing import Any

import pytest

from cases.models import Case, Patient
from registry.models import AuditEvent
from registry.permissions import Role
from tests.factories import answer_everything, make_case, make_centre, make_patient
from tests.registry.api_cast import Cast, make_cast, make_person
from tests.registry.api_client import Api, codes_of

pytestmark = pytest.mark.django_db

CASE = {
    "compartment": "intramedullary",
    "compartment_mri": "intramedullary",
    "level_rostral": "Th5",
    "level_caudal": "D07",
    "level_basis": "vertebral_body",
    "axial_position": ["dorsal"],
    "side": "midline",
    "histology_who2021": "schwannoma",
    "icdo_morphology": "9560/0",
    "icdo_topography": "C72.0",
    "who_grade": "1",
    "size_cc_mm": 25,
    "size_ap_mm": "10.5",
    "size_tr_mm": 12.5,
    "incidental": False,
    "first_symptom": "sensory",
    "onset_date_precision": "unknown",
    "missing": {"symptom_duration_months": "unknown", "ki67_pct": "not_done"},
}


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def surgeon() -> Api:
    return Api(make_person(Role.SURGEON, make_centre()))


def unchanging(answer: Any) -> dict[str, Any]:
    """An answer without the next visit, which came with the operation."""
    return {
        name: value for name, value in answer.json().items() if name != "appointment"
    }


def test_a_whole_case_is_entered_over_the_api(surgeon: Api) -> None:
    patient = surgeon.post("patients/", {"sex": "F", "birth_year": 1970}).json()
    case = surgeon.post("cases/", {"patient": patient["code"], **CASE})
    code = case.json()["code"]
    study = surgeon.post(
        "mri-studies/",
        {"case": code, "purpose": "preop", "mri_date": "2020-01-02", "gd_given": True},
    )
    operation = surgeon.post(
        "operations/", {"case": code, "surgery_date": "2020-02-03", "eor_mri": "gtr"}
    )
    event = surgeon.post(
        "complications/",
        {"operation": operation.json()["code"], "ae_code": "CSF_leak"},
    )

    for made in (case, study, operation, event):
        assert made.status_code == 201
        assert unchanging(surgeon.get(made["Location"])) == unchanging(made)
    assert case.json()["appointment"] == "not_needed"
    assert surgeon.get(f"cases/{code}/").json()["appointment"] == "lost"
    found = case.json()
    assert (found["level_rostral"], found["level_caudal"]) == ("T5", "T7")
    assert (found["region"], found["level_span"]) == ("thoracic", 3)
    assert (found["size_cc_mm"], found["size_ap_mm"]) == (25, 10.5)
    assert found["missing"] == CASE["missing"]
    assert found["status"] == "draft"
    assert operation.json()["index_operation"] is True


@pytest.mark.parametrize("spelling", ["Th5", "D5", "T05", "t 5", "TH 05", "T5."])
def test_levels_are_read_in_all_spellings(surgeon: Api, spelling: str) -> None:
    case = make_case(by=surgeon.user, patient=make_patient_of(surgeon))

    levels = {"level_rostral": spelling, "level_caudal": "L1"}
    answer = surgeon.patch(f"cases/{case.code}/", levels, 1)

    assert answer.json()["level_rostral"] == "T5"


def make_patient_of(api: Api) -> Patient:
    assert api.user is not None
    return make_patient(api.user.memberships.get().centre, by=api.user)


def test_rules_across_fields_answer_at_their_field(cast: Cast) -> None:
    case = cast.code("cases")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"level_rostral": "T9", "level_caudal": "T5"}, "level_caudal"),
        ({"icdo_morphology": "9540/0"}, "icdo_morphology"),
        ({"icdo_topography": "brain"}, "icdo_topography"),
        ({"volume_cm3": 3}, "volume_method"),
        ({"axial_position": ["dorsal", "nowhere"]}, "axial_position"),
        ({"missing": {"side": "unknown"}}, "side"),
        ({"missing": {"remark": "unknown"}}, "missing"),
        ({"missing": {"ki67_pct": "forgotten"}}, "ki67_pct"),
    ]
    for body, field in wrong:
        answer = cast.surgeon_a.patch(f"cases/{case}/", body, 1)
        assert answer.status_code == 400, body
        assert field in codes_of(answer), body


def test_a_value_takes_its_reason_away_and_null_too(cast: Cast) -> None:
    path = f"cases/{cast.code('cases')}/"
    cast.surgeon_a.patch(path, {"missing": {"ki67_pct": "pending"}}, 1)

    valued = cast.surgeon_a.patch(path, {"ki67_pct": 4}, 2)
    unknown = cast.surgeon_a.patch(
        path, {"ki67_pct": None, "missing": {"ki67_pct": "not_done"}}, 3
    )
    taken_back = cast.surgeon_a.patch(path, {"missing": {"ki67_pct": None}}, 4)

    assert (valued.json()["ki67_pct"], valued.json()["missing"]) == (4, {})
    assert unknown.json()["missing"] == {"ki67_pct": "not_done"}
    assert taken_back.json()["missing"] == {}


def test_a_list_asks_the_database_equally_often_however_long_it_is(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    for _n in range(6):
        make_case(cast.centre_a, by=cast.people["surgeon_a"])
    with django_assert_max_num_queries(25):
        assert len(cast.surgeon_a.get("cases/").json()["results"]) == 7


def test_C6_a_verified_case_is_locked_until_it_is_amended(cast: Cast) -> None:
    case = make_complete(cast)
    path = f"cases/{case.code}/"
    done = cast.surgeon_a.post(f"{path}complete/", {}, if_match=f'"{case.version}"')
    version = done.json()["version"]
    stranger = cast.surgeon_a.post(f"{path}verify/", {}, if_match=f'"{version}"')
    verified = cast.coordinator_a.post(f"{path}verify/", {}, if_match=f'"{version}"')
    edited = cast.surgeon_a.patch(path, {"side": "L"}, version + 1)
    silent = cast.surgeon_a.post(f"{path}amend/", {}, if_match=f'"{version + 1}"')
    opened = cast.surgeon_a.post(
        f"{path}amend/", {"reason": "wrong side"}, if_match=f'"{version + 1}"'
    )
    mended = cast.surgeon_a.patch(path, {"side": "L"}, version + 2)

    assert (done.status_code, done.json()["status"]) == (200, "complete")
    assert stranger.status_code == 403
    assert (verified.status_code, verified.json()["status"]) == (200, "verified")
    assert (edited.status_code, edited.json()["code"]) == (409, "locked")
    assert codes_of(silent) == {"reason": "required"}
    assert (opened.status_code, opened.json()["status"]) == (200, "opened")
    assert (mended.status_code, mended.json()["side"]) == (200, "L")


def make_complete(cast: Cast) -> Case:
    case = make_case(cast.centre_a, by=cast.people["surgeon_a"])
    return answer_everything(case)


def test_an_incomplete_case_is_not_complete(cast: Cast) -> None:
    case = make_complete(cast)
    path = f"cases/{case.code}/"
    cast.surgeon_a.patch(path, {"side": None}, case.version)

    answer = cast.surgeon_a.post(
        f"{path}complete/", {}, if_match=f'"{case.version + 1}"'
    )

    assert (answer.status_code, codes_of(answer)) == (400, {"status": "incomplete"})


def test_the_second_index_operation_is_refused(cast: Cast) -> None:
    body = {"case": cast.code("cases"), "surgery_date": "2016-01-01"}

    second = cast.surgeon_a.post("operations/", body)
    later = cast.surgeon_a.post("operations/", {**body, "index_operation": False})

    assert codes_of(second) == {"index_operation": "unique_together"} or (
        "index_operation" in codes_of(second)
    )
    assert (later.status_code, later.json()["index_operation"]) == (201, False)


def test_reads_of_the_identity_are_audited(cast: Cast) -> None:
    path = f"patients/{cast.code('patients')}/identity/"
    born = {"family_name": "Yamada", "birth_date": "1970-05-06"}
    empty = cast.surgeon_a.get(path)

    written = cast.surgeon_a.patch(path, born, 0)
    stale = cast.coordinator_a.patch(path, {"family_name": "Sato"}, 0)
    listed = cast.surgeon_a.get("patients/")

    assert (empty.status_code, empty["ETag"]) == (200, '"0"')
    assert (written.status_code, written["ETag"]) == (200, '"1"')
    assert (stale.status_code, stale.json()["current"]["family_name"]) == (
        412,
        "Yamada",
    )
    assert b"Yamada" not in listed.content
    actions = AuditEvent.objects.filter(action__startswith="identity.")
    assert [event.action for event in actions] == [
        "identity.read",
        "identity.changed",
        "identity.read",
    ]
    assert "Yamada" not in str([event.body for event in actions])


def test_filters_of_the_list_are_those_of_the_page(cast: Cast) -> None:
    other = make_case(
        cast.centre_a,
        by=cast.people["surgeon_a"],
        compartment="intradural_extramedullary",
    )

    found = cast.surgeon_a.get("cases/?compartment=intradural_extramedullary").json()
    of_patient = cast.surgeon_a.get(f"cases/?patient={other.patient.code}").json()

    assert [row["code"] for row in found["results"]] == [other.code]
    assert [row["code"] for row in of_patient["results"]] == [other.code]
