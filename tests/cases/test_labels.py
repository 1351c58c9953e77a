"""Whom a line is about: names for those who may see them, one event a page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cases.models import Case
from registry.models import AuditEvent, Centre, User
from registry.permissions import Role
from tests.factories import make_case, make_centre, make_patient, make_user
from tests.pages import signed_in
from tests.registry.page_matrix import MATRIX
from tests.registry.test_page_access import PageCast, make_page_cast
from tests.registry.test_page_access import address as filled_in

pytestmark = pytest.mark.django_db
NAME = {
    "family_name": "Ōyama",
    "given_name": "Hanako",
    "birth_date": date(1954, 3, 2),
    "hospital_number": "KH-778812",
}
SHOWN = "Ōyama Hanako"


@dataclass
class House:
    centre: Centre
    case: Case

    def person(self, role: Role) -> User:
        registry_wide = role in {Role.REGISTRY_COORDINATOR, Role.ANALYST}
        return make_user(role, None if registry_wide else self.centre)

    def page(self, role: Role = Role.SURGEON) -> Client:
        return signed_in(self.person(role))


@pytest.fixture
def house() -> House:
    centre = make_centre()
    patient = make_patient(centre, identity=dict(NAME), birth_year=1954)
    return House(centre, make_case(patient=patient, operation=True))


def shown_events() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action="identity.shown"))


# --- the strip


def test_every_page_and_form_of_a_case_says_whom_it_is_about() -> None:
    cast: PageCast = make_page_cast()
    case = cast.records["cases"]
    client = cast.client("surgeon_a")
    looked = 0
    for route, rows in MATRIX.items():
        if not route.startswith("/cases/<code>/") or "GET" not in rows:
            continue
        text = client.get(filled_in(route, cast)).content.decode()
        strip = re.search(r'class="case-strip".*?</aside>', text, re.S)
        assert strip, route
        assert case.code in strip[0] and case.patient.code in strip[0], route
        looked += 1
    assert looked >= 15


def test_the_strip_tells_name_number_sex_age_tumour_and_day(house: House) -> None:
    page = house.page()
    address = reverse("cases:detail", args=[house.case.code])
    text = page.get(address).content.decode()
    strip = re.search(r'class="case-strip".*?</aside>', text, re.S)
    assert strip
    for part in (
        SHOWN,
        "KH-778812",
        "Female, 61 y",
        "C4–C6",
        "Schwannoma",
        "2015-03-02",
    ):
        assert part in strip[0]
    (event,) = shown_events()
    assert event.target == house.case.code
    assert event.body == {"patients": [house.case.patient.code]}


@pytest.mark.parametrize("role", [Role.REGISTRY_COORDINATOR])
def test_without_the_identity_permission_the_code_stands_there(
    house: House, role: Role
) -> None:
    page = house.page(role)
    for address in (
        reverse("cases:detail", args=[house.case.code]),
        reverse("cases:list"),
        reverse("outcomes:worklist"),
    ):
        text = page.get(address).content.decode()
        assert house.case.patient.code in text
        assert "yama" not in text and "778812" not in text
    assert shown_events() == []


def test_a_further_tumour_says_whose_it_will_be(house: House) -> None:
    page = house.page()
    asked = {"patient": house.case.patient.code}
    text = page.get(reverse("cases:new"), asked).content.decode()
    strip = re.search(r'class="case-strip".*?</aside>', text, re.S)
    assert strip and SHOWN in strip[0] and "KH-778812" in strip[0]
    assert 'class="case-strip"' not in page.get(reverse("cases:new")).content.decode()


# --- lists


@pytest.mark.parametrize("name", ["cases:list", "outcomes:worklist"])
def test_lists_name_their_patients_with_one_event(house: House, name: str) -> None:
    foreign = make_case(
        patient=make_patient(
            identity={**NAME, "family_name": "Elsewhere"}, birth_year=1954
        )
    )
    text = house.page().get(reverse(name)).content.decode()
    assert SHOWN in text and "KH-778812" in text
    assert "Elsewhere" not in text and foreign.code not in text
    (event,) = shown_events()
    assert event.body["patients"] == [house.case.patient.code]


def test_names_are_hidden_from_an_audience_and_come_back(house: House) -> None:
    page = house.page()
    here = reverse("cases:list")
    answer = page.post(reverse("toggle-names"), {"next": here})
    assert answer["Location"] == here
    for address in (here, reverse("cases:detail", args=[house.case.code])):
        text = page.get(address).content.decode()
        assert "yama" not in text and "778812" not in text
    assert shown_events() == []
    page.post(reverse("toggle-names"), {"next": here})
    assert SHOWN in page.get(here).content.decode()


def test_the_way_back_is_the_page_one_came_from(house: House) -> None:
    page, here = house.page(), reverse("cases:list") + "?sort=operated"
    came_from = {"Referer": f"http://testserver{here}"}
    answer = page.post(reverse("toggle-names"), headers=came_from)
    assert answer["Location"] == here
    for foreign in ("https://evil.example/cases/", "nonsense"):
        answer = page.post(reverse("toggle-names"), headers={"Referer": foreign})
        assert answer["Location"] == "/"


@pytest.mark.parametrize("where", ["https://evil.example/", "//evil.example", "", "x"])
def test_the_way_back_stays_in_the_house(house: House, where: str) -> None:
    answer = house.page().post(reverse("toggle-names"), {"next": where})
    assert answer["Location"] == "/"


# --- finding


def found(page: Client, sought: str) -> set[str]:
    response = page.post(reverse("cases:find"), {"sought": sought})
    assert response.status_code == 200
    return {line["patient"].code for line in response.context["found"]}


@pytest.mark.parametrize(
    "sought",
    [
        "Ōyama",
        "yama",
        "hanako",
        "Hanako Ōyama",
        "ōyama hana",
        "ＯＹＡＭＡ".replace("ＯＹ", "ōy"),
        "7788",
        "kh-778812",
        "1954-03-02",
        "2 March 1954",
        "1954-03",
        "1954",
    ],
)
def test_a_patient_is_found_by_anything(house: House, sought: str) -> None:
    assert found(house.page(), sought) == {house.case.patient.code}


@pytest.mark.parametrize(
    "sought", ["Tanaka", "1954-03-03", "1954-04", "1955", "KH-77881x"]
)
def test_and_not_by_anything_else(house: House, sought: str) -> None:
    assert found(house.page(), sought) == set()


def test_codes_find_for_those_who_see_no_names(house: House) -> None:
    page = house.page(Role.REGISTRY_COORDINATOR)
    patient = house.case.patient
    assert found(page, patient.code[4:]) == {patient.code}
    assert found(page, house.case.code[4:9].lower()) == {patient.code}
    for sought in ("Ōyama", "778812", "1954-03-02"):
        assert found(page, sought) == set()
    answer = page.post(reverse("cases:find"), {"sought": house.case.code})
    assert answer["Location"] == reverse("cases:detail", args=[house.case.code])


def test_a_search_tells_the_trail_whom_it_found_never_what_was_typed(
    house: House,
) -> None:
    found(house.page(), "yama")
    event = AuditEvent.objects.get(action="identity.searched")
    assert event.body == {"found": [house.case.patient.code]}


def test_another_centre_s_patients_are_not_found(house: House) -> None:
    stranger = signed_in(make_user(Role.SURGEON, make_centre()))
    for sought in ("Ōyama", "778812", house.case.code, house.case.patient.code):
        assert found(stranger, sought) == set()


def test_every_page_has_the_search_and_it_posts(house: House) -> None:
    page = house.page()
    for address in ("/worklist/", "/dashboard/", "/account/", "/cases/new/"):
        text = page.get(address).content.decode()
        form: Any = re.search(r'<form class="finder" method="(\w+)"', text)
        assert form and form[1] == "post", address


# --- columns


def test_the_columns_are_kept_with_the_person(house: House) -> None:
    user = house.person(Role.SURGEON)
    page, here = signed_in(user), reverse("cases:list")

    def heads() -> list[str]:
        return [head["name"] for head in page.get(here).context["columns"]]

    assert "histology" in heads() and "answered" not in heads()
    page.post(
        reverse("cases:columns"),
        {"column": ["answered", "next", "sql"], "next": f"{here}?sort=operated"},
    )
    assert heads() == ["case", "answered", "next"]
    page = signed_in(User.objects.get(pk=user.pk))
    assert heads() == ["case", "answered", "next"]
    page.post(reverse("cases:columns"), {"next": here})
    assert heads() == ["case"]
