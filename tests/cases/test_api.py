"""The record over the API: one write path, versions, keys, tombstones, states."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from cases.models import Case, Patient
from registry.models import AuditEvent, Submission
from registry.permissions import Role
from tests.factories import make_case, make_centre, make_patient
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
        assert surgeon.get(made["Location"]).json() == made.json()
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


def test_C3_a_change_names_the_version_it_is_based_on(cast: Cast) -> None:
    path = f"cases/{cast.code('cases')}/"
    assert cast.surgeon_a.get(path)["ETag"] == '"1"'

    without = cast.surgeon_a.patch(path, {"side": "L"})
    current = cast.surgeon_a.patch(path, {"side": "L"}, 1)
    stale = cast.coordinator_a.patch(path, {"side": "R", "exophytic": "dorsal"}, 1)

    assert (without.status_code, without.json()["code"]) == (428, "if_match_required")
    assert (current.status_code, current["ETag"]) == (200, '"2"')
    assert (stale.status_code, stale["ETag"]) == (412, '"2"')
    assert set(stale.json()["differing"]) == {"side", "exophytic"}
    assert stale.json()["current"] == cast.surgeon_a.get(path).json()
    assert Case.objects.get(code=cast.code("cases")).side == "L"


def test_C5_the_same_key_makes_one_record(surgeon: Api) -> None:
    first = surgeon.post("patients/", {"sex": "F"}, idempotency_key="k-1")
    again = surgeon.post("patients/", {"sex": "F"}, idempotency_key="k-1")
    other = surgeon.post("patients/", {"sex": "M"}, idempotency_key="k-1")
    elsewhere = surgeon.post("cases/", {"sex": "F"}, idempotency_key="k-1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert (other.status_code, elsewhere.status_code) == (422, 422)
    assert other.json()["code"] == "idempotency_key_reused"
    assert Patient.objects.count() == 1


def test_C5_a_refused_request_leaves_its_key_free(surgeon: Api) -> None:
    refused = surgeon.post("patients/", {"sex": "Q"}, idempotency_key="k-2")
    mended = surgeon.post("patients/", {"sex": "F"}, idempotency_key="k-2")

    assert (refused.status_code, mended.status_code) == (400, 201)


def test_C5_keys_of_two_people_do_not_meet(surgeon: Api) -> None:
    other = Api(make_person(Role.SURGEON, make_centre()))
    codes = {
        api.post("patients/", {"sex": "F"}, idempotency_key="k-3").json()["code"]
        for api in (surgeon, other)
    }

    assert len(codes) == 2


@pytest.mark.parametrize("key", ["", "two words", "é", "x" * 81])
def test_C5_odd_keys_are_refused(surgeon: Api, key: str) -> None:
    answer = surgeon.post("patients/", {"sex": "F"}, idempotency_key=key)

    assert answer.status_code == 400
    assert not Submission.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_C5_the_same_key_at_the_same_moment_makes_one_record() -> None:
    api = Api(make_person(Role.SURGEON, make_centre()))
    barrier, answers = threading.Barrier(4), []

    def send() -> None:
        barrier.wait()
        answers.append(api.post("patients/", {"sex": "F"}, idempotency_key="k-4"))
        connection.close()

    threads = [threading.Thread(target=send) for _n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.content for answer in answers}) == 1
    assert Patient.objects.count() == 1


def test_a_voided_record_becomes_a_tombstone(cast: Cast) -> None:
    event = cast.code("complications")
    since = cast.surgeon_a.get("complications/").json()["as_of"]
    path = f"complications/{event}/"

    without = cast.surgeon_a.post(f"{path}void/", {}, if_match='"1"')
    voided = cast.surgeon_a.post(
        f"{path}void/", {"reason": "entered twice"}, if_match='"1"'
    )

    assert codes_of(without) == {"reason": "required"}
    assert (voided.status_code, voided["ETag"]) == (200, '"2"')
    assert voided.json()["void_reason"] == "entered twice"
    assert cast.surgeon_a.get("complications/").json()["results"] == []
    news = cast.surgeon_a.get(
        f"complications/?updated_since={since.replace('+', '%2B')}"
    ).json()
    assert news["results"] == []
    assert [(stone["code"], stone["version"]) for stone in news["voided"]] == [
        (event, 2)
    ]
    assert cast.surgeon_a.get(path).json()["voided_at"] is not None
    edited = cast.surgeon_a.patch(path, {"reoperation": True}, 2)
    assert (edited.status_code, edited.json()["code"]) == (409, "locked")


def test_updated_since_names_what_changed_since(cast: Cast) -> None:
    old = make_case(cast.centre_a, by=cast.people["surgeon_a"])
    Case.objects.filter(pk=old.pk).update(updated_at="2020-01-01T00:00:00Z")

    recent = cast.surgeon_a.get("cases/?updated_since=2021-01-01").json()
    everything = cast.surgeon_a.get("cases/?updated_since=2019-12-31T23:59:59Z").json()

    assert [row["code"] for row in recent["results"]] == [cast.code("cases")]
    assert [row["code"] for row in everything["results"]] == [
        old.code,
        cast.code("cases"),
    ]


def pages(api: Api, path: str) -> Iterator[list[str]]:
    follow: str | None = path
    while follow:
        page = api.get(follow).json()
        yield [row["code"] for row in page["results"]]
        follow = page["next"]


def test_paging_shows_each_record_once_while_records_come(cast: Cast) -> None:
    surgeon = cast.people["surgeon_a"]
    before = {make_patient(cast.centre_a, by=surgeon).code for _n in range(5)}
    before.add(cast.code("patients"))
    seen: list[str] = []
    for page in pages(cast.surgeon_a, "patients/?page_size=2"):
        assert len(page) <= 2
        seen += page
        if len(seen) == 4:
            make_patient(cast.centre_a, by=surgeon)

    assert len(seen) == len(set(seen)) == 7
    assert before <= set(seen)


def test_paging_by_time_survives_equal_times(cast: Cast) -> None:
    for _n in range(4):
        make_patient(cast.centre_a, by=cast.people["surgeon_a"])
    Patient.objects.update(updated_at="2024-01-01T00:00:00Z")

    seen = sum(
        pages(cast.surgeon_a, "patients/?page_size=2&updated_since=2023-01-01"), []
    )

    assert len(seen) == len(set(seen)) == 5


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
    assert (opened.status_code, opened.json()["status"]) == (200, "complete")
    assert (mended.status_code, mended.json()["side"]) == (200, "L")


def make_complete(cast: Cast) -> Case:
    return make_case(cast.centre_a, by=cast.people["surgeon_a"])


def test_an_incomplete_case_is_not_complete(cast: Cast) -> None:
    case = make_complete(cast)
    cast.surgeon_a.patch(f"cases/{case.code}/", {"side": None}, 1)

    answer = cast.surgeon_a.post(f"cases/{case.code}/complete/", {}, if_match='"2"')

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
