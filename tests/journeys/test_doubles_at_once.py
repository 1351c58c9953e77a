"""Two equal saves at the same moment: one is saved, the other is asked."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from cases.models import Case, Patient
from outcomes.models import Visit
from registry.models import Centre, User
from registry.permissions import Role
from tests.cases.test_views_case import NEW_CASE
from tests.factories import make_case, make_centre, make_patient, make_user, make_visit
from tests.pages import signed_in
from tests.registry.api_client import Api
from tests.registry.test_concurrency import at_once

pytestmark = pytest.mark.django_db(transaction=True)
DAY = "2016-03-01"
NAMED = {"family_name": "O’Brien", "given_name": "Mária", "birth_date": "1961-04-05"}


@pytest.fixture
def centre() -> Centre:
    return make_centre()


@pytest.fixture
def surgeon(centre: Centre) -> User:
    return make_user(Role.SURGEON, centre)


def codes(answers: list[Any]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def posts(surgeon: User, address: str, *bodies: Any) -> list[Callable[[], Any]]:
    """One signed-in browser for each body."""
    clients = [signed_in(surgeon) for _body in bodies]
    return [
        lambda client=client, body=body: client.post(address, body)
        for client, body in zip(clients, bodies, strict=True)
    ]


def token() -> str:
    return uuid.uuid4().hex


def test_the_same_visit_from_two_windows(surgeon: User, centre: Centre) -> None:
    case = make_case(centre, operation=True)
    address = reverse("outcomes:visit-new", args=[case.code])
    visit = {"visit_type": "m12", "visit_date": DAY}
    answers = at_once(
        *posts(surgeon, address, *({**visit, "form_token": token()} for _n in range(4)))
    )
    assert codes(answers) == {302: 1, 409: 3}
    assert Visit.objects.count() == 1


def test_one_form_sent_twice_at_once_makes_one_row(
    surgeon: User, centre: Centre
) -> None:
    """A double click, or Back and save while the first answer is on its way."""
    case = make_case(centre, operation=True)
    address = reverse("outcomes:visit-new", args=[case.code])
    visit = {"visit_type": "m12", "visit_date": DAY, "form_token": token()}
    answers = at_once(*posts(surgeon, address, visit, visit, visit))
    assert codes(answers) == {302: 3}
    assert Visit.objects.count() == 1


def test_the_same_new_patient_from_two_windows(surgeon: User) -> None:
    person = {**NEW_CASE, **NAMED, "hospital_number": "", "birth_year": ""}
    bodies = ({**person, "form_token": token()} for _n in range(3))
    answers = at_once(*posts(surgeon, reverse("cases:new"), *bodies))
    assert codes(answers) == {302: 1, 409: 2}
    assert Patient.objects.count() == 1


def test_two_patients_given_one_name(surgeon: User, centre: Centre) -> None:
    patients = [make_patient(centre, birth_year=1961) for _n in range(2)]
    apis = [Api(surgeon) for _patient in patients]

    def name(place: int) -> Any:
        path = f"patients/{patients[place].code}/identity/"
        return apis[place].patch(path, NAMED, 0)

    answers = at_once(lambda: name(0), lambda: name(1))
    assert codes(answers) == {200: 1, 409: 1}


def test_two_tumours_moved_to_one_level(surgeon: User, centre: Centre) -> None:
    patient = make_patient(centre, birth_year=1961)
    levels = [("C4", "C5"), ("T8", "T9")]
    cases = [
        make_case(patient=patient, level_rostral=top, level_caudal=bottom)
        for top, bottom in levels
    ]
    apis = [Api(surgeon) for _case in cases]

    def move(place: int) -> Any:
        body = {"level_rostral": "L1", "level_caudal": "L1"}
        return apis[place].patch(f"cases/{cases[place].code}/", body, 1)

    answers = at_once(lambda: move(0), lambda: move(1))
    assert codes(answers) == {200: 1, 409: 1}
    assert Case.objects.filter(level_rostral="L1").count() == 1


def test_two_visits_moved_to_one_day(surgeon: User, centre: Centre) -> None:
    case = make_case(centre, operation=True)
    visits = [
        make_visit(case, "unscheduled", visit_date=date(2016, month, 1))
        for month in (5, 6)
    ]
    apis = [Api(surgeon) for _visit in visits]

    def move(place: int) -> Any:
        body = {"visit_type": "m12", "visit_date": DAY}
        return apis[place].patch(f"visits/{visits[place].code}/", body, 1)

    answers = at_once(lambda: move(0), lambda: move(1))
    assert codes(answers) == {200: 1, 409: 1}
