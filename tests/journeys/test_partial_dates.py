"""A month or a year is kept as one through every door, and shown as no more."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from cases.models import Case, Operation, PatientIdentity
from cases.same_person import patients_alike
from outcomes.views.history import history_of
from registry.days import PartialDay, precision_of
from registry.permissions import Role
from tests.factories import (
    make_case,
    make_centre,
    make_patient,
    make_user,
    make_visit,
)
from tests.pages import signed_in
from tests.registry.api_client import Api, codes_of
from tests.sent_forms import sent_by

pytestmark = pytest.mark.django_db
MAY = PartialDay.of(2014, 5)


@pytest.fixture
def case() -> Case:
    return make_case(operation={"surgery_date": MAY, "discharge_date": MAY})


@pytest.fixture
def api(case: Case) -> Api:
    return Api(make_user(Role.SURGEON, case.centre))


def operation_of(case: Case) -> Operation:
    return Operation.objects.get(case=case)


def test_a_row_read_again_knows_how_much_is_known(case: Case) -> None:
    operation = operation_of(case)
    assert operation.surgery_date == date(2014, 5, 15)
    assert precision_of(operation.surgery_date) == "month"
    assert operation.precision == {"surgery_date": "month", "discharge_date": "month"}


@pytest.mark.parametrize("text", ["2014", "2014-05", "2014-05-03"])
def test_the_api_takes_and_tells_it(case: Case, api: Api, text: str) -> None:
    path = f"operations/{operation_of(case).code}/"
    day, known = {
        "2014": ("2014-07-01", "year"),
        "2014-05": ("2014-05-15", "month"),
        "2014-05-03": ("2014-05-03", None),
    }[text]

    sent = {"surgery_date": text, "discharge_date": "2014"}
    answer = api.patch(path, sent, 1)

    assert answer.status_code == 200, answer.content
    assert answer.json()["surgery_date"] == day
    assert answer.json()["precision"].get("surgery_date") == known
    read = api.get(path).json()
    back = {name: read[name] for name in ("surgery_date", "precision")}
    again = api.patch(path, back, read["version"])
    assert again.json() == read  # what was read and is sent back changes nothing


def test_a_whole_day_and_null_take_the_precision_away(case: Case, api: Api) -> None:
    path = f"operations/{operation_of(case).code}/"
    whole = api.patch(path, {"surgery_date": "2014-05-15"}, 1).json()
    assert whole["precision"] == {"discharge_date": "month"}
    assert whole["version"] == 2
    none = api.patch(path, {"discharge_date": None}, 2).json()
    assert none["precision"] == {}


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"precision": {"surgery_date": "year"}}, "precision", "without_day"),
        ({"precision": {"surgery_date": "hour"}}, "precision", "shape"),
        ({"precision": {"remark": "year"}}, "precision", "unknown_field"),
        (
            {"surgery_date": "2014", "precision": {"surgery_date": "month"}},
            "precision",
            "two_precisions",
        ),
        ({"surgery_date": "2014-13"}, "surgery_date", "invalid_date"),
        ({"surgery_date": "2031-05"}, "surgery_date", "future"),
        ({"surgery_date": "201405"}, "surgery_date", "shape"),
    ],
)
def test_what_contradicts_itself_is_refused(
    case: Case, api: Api, body: dict[str, Any], field: str, code: str
) -> None:
    answer = api.patch(f"operations/{operation_of(case).code}/", body, 1)
    assert answer.status_code == 400
    assert codes_of(answer) == {field: code}


def test_a_form_opened_and_saved_keeps_it(case: Case) -> None:
    operation = operation_of(case)
    surgeon = signed_in(make_user(Role.SURGEON, case.centre))
    address = reverse("cases:operation-edit", args=[case.code, operation.code])

    page = surgeon.get(address).content.decode()
    sent = sent_by(page, "data-draft")
    assert sent["surgery_date"] == "2014-05"
    assert "Year or month if the day is not known" in page
    assert post(surgeon, address, sent).status_code == 302
    assert operation_of(case).version == 1

    sent["surgery_date"] = "3 May 2014"
    assert post(surgeon, address, sent).status_code == 302
    assert operation_of(case).precision == {"discharge_date": "month"}


def post(client: Client, address: str, sent: QueryDict) -> Any:
    form = "application/x-www-form-urlencoded"
    return client.post(address, sent.urlencode(), content_type=form)


def test_no_page_of_the_case_tells_a_day_that_nobody_knows(case: Case) -> None:
    make_visit(case, visit_date=PartialDay.of(2015))
    client = signed_in(make_user(Role.SURGEON, case.centre))
    for address in (
        reverse("cases:detail", args=[case.code]),
        reverse("cases:list"),
        reverse("cases:history", args=[case.code]),
        reverse("outcomes:worklist"),
    ):
        page = client.get(address).content.decode()
        assert "2014-05-15" not in page, address
        assert "2015-07-01" not in page, address
    page = client.get(reverse("cases:detail", args=[case.code])).content.decode()
    assert "2014-05" in page


def test_the_history_tells_a_change_of_precision_alone(case: Case, api: Api) -> None:
    path = f"operations/{operation_of(case).code}/"
    assert api.patch(path, {"surgery_date": "2014-05-15"}, 1).status_code == 200
    changes = [each for entry in history_of(case) for each in entry["changes"]]
    assert [(each["old"], each["new"]) for each in changes] == [
        ("2014-05", "2014-05-15")
    ]


def test_birth_may_be_known_by_its_month() -> None:
    centre = make_centre()
    born = {"birth_date": PartialDay.of(1960, 4), "family_name": "Sato"}
    patient = make_patient(centre, identity=born, birth_year=None)
    assert patient.birth_year == 1960
    identity = PatientIdentity.objects.get(patient=patient)
    assert precision_of(identity.birth_date) == "month"


@pytest.mark.parametrize(
    ("day", "precision"),
    [
        ("2014-05-03", '{"surgery_date": "month"}'),
        ("2014-05-15", '{"surgery_date": "year"}'),
        ("2014-05-15", '{"surgery_date": "day"}'),
        ("2014-05-15", '{"remark": "month"}'),
        (None, '{"surgery_date": "month"}'),
    ],
)
def test_the_database_holds_to_the_middle_and_to_days_of_the_row(
    case: Case, day: str | None, precision: str
) -> None:
    change = "UPDATE cases_operation SET surgery_date = %s, precision = %s"
    with (
        pytest.raises(IntegrityError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change, [day, precision])


def test_the_same_visit_is_asked_about_if_it_may_be_the_same(
    case: Case, api: Api
) -> None:
    make_visit(case, "m12", visit_date=date(2015, 5, 20))
    visit = {"case": case.code, "visit_type": "m12"}
    assert api.post("visits/", {**visit, "visit_date": "2015-05"}).status_code == 409
    assert api.post("visits/", {**visit, "visit_date": "2015-06"}).status_code == 201
    # The middle of June is a day like others: whoever came on it is another visit.
    assert api.post("visits/", {**visit, "visit_date": "2015-07-15"}).status_code == 201


@pytest.mark.parametrize(
    ("sent", "day", "told"),
    [
        ({"onset_date": "2013-11"}, date(2013, 11, 15), "month"),
        ({"onset_date": "2013"}, date(2013, 7, 1), "year"),
        ({"onset_date": "2013-11-02"}, date(2013, 11, 2), "day"),
        (
            {"onset_date": "2013-11-02", "onset_date_precision": "month"},
            date(2013, 11, 15),
            "month",
        ),
        ({"onset_date": None}, None, "unknown"),
    ],
)
def test_the_precision_of_the_first_symptom_follows_its_date(
    case: Case, api: Api, sent: dict[str, Any], day: date | None, told: str
) -> None:
    answer = api.patch(f"cases/{case.code}/", sent, 1)
    assert answer.status_code == 200, answer.content
    case.refresh_from_db()
    assert (case.onset_date, case.onset_date_precision) == (day, told)
    known = {} if told in ("day", "unknown") else {"onset_date": told}
    assert case.precision == known


def test_a_first_symptom_is_never_told_finer_than_its_date(
    case: Case, api: Api
) -> None:
    path = f"cases/{case.code}/"
    api.patch(path, {"onset_date": "2013"}, 1)
    answer = api.patch(path, {"onset_date_precision": "day"}, 2)
    assert codes_of(answer).keys() == {"onset_date_precision"}


def test_the_identity_tells_what_is_known_of_the_birth() -> None:
    centre = make_centre()
    surgeon = make_user(Role.SURGEON, centre)
    patient = make_patient(centre, by=surgeon, birth_year=None)
    api = Api(surgeon)
    path = f"patients/{patient.code}/identity/"
    born = {"family_name": "Sato", "birth_date": "1960-04"}
    written = api.patch(path, born, 0)
    assert written.status_code == 200, written.content
    assert written.json()["precision"] == {"birth_date": "month"}
    assert written.json()["birth_date"] == "1960-04-15"
    page = signed_in(surgeon)
    for sought in ("1960", "1960-04", "1960-04-03"):
        found = page.post(reverse("cases:find"), {"sought": sought}, follow=True)
        assert patient.code in found.content.decode(), sought
    other = page.post(reverse("cases:find"), {"sought": "1960-05-03"}, follow=True)
    assert patient.code not in other.content.decode()


def test_the_same_person_is_asked_about_if_born_in_that_month() -> None:
    centre = make_centre()
    born = {"birth_date": PartialDay.of(1960, 4), "family_name": "Sato"}
    patient = make_patient(centre, identity=born, birth_year=None)
    for day in (date(1960, 4, 3), PartialDay.of(1960)):
        assert list(patients_alike(centre, born | {"birth_date": day})) == [patient]
    later = born | {"birth_date": date(1960, 5, 3)}
    assert not patients_alike(centre, later).exists()


def test_two_people_may_differ_in_the_precision_alone(case: Case, api: Api) -> None:
    operation = operation_of(case)
    surgeon = signed_in(make_user(Role.SURGEON, case.centre))
    address = reverse("cases:operation-edit", args=[case.code, operation.code])
    sent = sent_by(surgeon.get(address).content.decode(), "data-draft")
    day = {"surgery_date": "2014-05-15"}
    assert api.patch(f"operations/{operation.code}/", day, 1).status_code == 200
    page = post(surgeon, address, sent)
    (asked,) = page.context["differences"]
    answers = {name: asked[name] for name in ("name", "mine", "theirs")}
    assert answers == {
        "name": "surgery_date",
        "mine": "2014-05",
        "theirs": "2014-05-15",
    }
