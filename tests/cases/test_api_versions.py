"""Versions, keys, tombstones and pages: nothing is lost, doubled or overwritten."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.db import connection

from cases.models import Case, Patient
from registry.models import Submission
from registry.permissions import Role
from tests.factories import make_case, make_centre, make_patient
from tests.registry.api_cast import Cast, make_cast, make_person
from tests.registry.api_client import Api, codes_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def surgeon() -> Api:
    return Api(make_person(Role.SURGEON, make_centre()))


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
