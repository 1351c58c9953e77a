"""The list of cases and the worklist."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from outcomes.views import paging, worklist
from registry.models import AuditEvent, Centre
from registry.permissions import Role
from tests.factories import (
    answer_everything,
    make_case,
    make_centre,
    make_user,
    make_visit,
)
from tests.pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def centre() -> Centre:
    return make_centre()


@pytest.fixture
def page(centre: Centre) -> Client:
    return signed_in(make_user(Role.SURGEON, centre))


def codes(response: Any) -> list[str]:
    return [row["cells"][0]["value"] for row in response.context["rows"]]


def test_only_the_own_centres_cases_are_listed(page: Client, centre: Centre) -> None:
    own, foreign = make_case(centre), make_case()
    response = page.get(reverse("cases:list"))
    assert codes(response) == [own.code]
    assert foreign.code not in response.content.decode()
    assert "1 case" in response.context["count"]


def test_one_event_names_the_cases_shown(page: Client, centre: Centre) -> None:
    cases = [make_case(centre) for _n in range(2)]
    before = AuditEvent.objects.count()
    page.get(reverse("cases:list"))
    (event,) = AuditEvent.objects.all()[before:]
    assert event.action == "case.listed"
    assert event.body["cases"] == [case.code for case in reversed(cases)]


@pytest.mark.parametrize("sort", ["-entered", "entered", "-operated", "operated"])
def test_pages_show_every_case_once(
    page: Client, centre: Centre, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    monkeypatch.setattr(paging, "PAGE_SIZE", 2)
    day = timezone.localdate() - timedelta(days=1000)
    for number in range(5):
        operated = day + timedelta(days=number // 2)
        make_case(
            centre, operation={"surgery_date": operated, "discharge_date": operated}
        )
    address, seen, backwards = f"?sort={sort}", [], []
    while address:
        response = page.get(reverse("cases:list") + address)
        seen += codes(response)
        previous = response.context["previous_url"]
        address = response.context["next_url"]
    while previous:
        response = page.get(reverse("cases:list") + previous)
        backwards = codes(response) + backwards
        previous = response.context["previous_url"]
    assert len(seen) == len(set(seen)) == 5
    assert backwards == seen[:4]


def test_filters_narrow_the_list_and_stand_as_chips(
    page: Client, centre: Centre
) -> None:
    make_case(centre)
    outside = make_case(centre, compartment="intradural_extramedullary")
    response = page.get(reverse("cases:list"), {"compartment": outside.compartment})
    assert codes(response) == [outside.code]
    (chip,) = response.context["filter_chips"]
    assert chip["label"] == "Compartment: Intradural extramedullary"
    assert codes(page.get(reverse("cases:list") + chip["remove_url"])) == [
        outside.code,
        codes(page.get(reverse("cases:list")))[1],
    ]


@pytest.mark.parametrize(
    "query",
    ["compartment=x", "surgery_date_after=2021-02-30", "patient_name=A", "age_min=-1"],
)
def test_a_wrong_parameter_is_an_error(page: Client, query: str) -> None:
    response = page.get(f"{reverse('cases:list')}?{query}")
    assert response.status_code == 400
    assert codes(response) == []


@pytest.mark.parametrize(
    "query",
    ["sort=name", "after=x", "after=1~2", "before=9e9", "sort=operated&after=1"],
)
def test_I3_a_broken_page_address_is_a_400(page: Client, query: str) -> None:
    assert page.get(f"{reverse('cases:list')}?{query}").status_code == 400


def test_A5_a_filter_never_widens_the_scope(page: Client) -> None:
    foreign = make_case()
    response = page.get(reverse("cases:list"), {"centre": foreign.centre.code})
    assert codes(response) == []
    assert codes(page.get(reverse("cases:list"), {"q": foreign.code})) == []


@pytest.mark.parametrize("number", [2, 12])
def test_the_list_takes_a_fixed_number_of_queries(
    page: Client, centre: Centre, number: int, django_assert_max_num_queries: Any
) -> None:
    for _n in range(number):
        make_visit(make_case(centre, operation=True, mri=True))
    page.get(reverse("cases:list"))
    with django_assert_max_num_queries(18):
        page.get(reverse("cases:list"))


def test_the_worklist_shows_what_waits(page: Client, centre: Centre) -> None:
    today = timezone.localdate()

    def operated(days: int) -> dict[str, Any]:
        day = today - timedelta(days=days)
        return {"surgery_date": day, "discharge_date": day}

    overdue = make_case(centre, operation=operated(150))
    due = make_case(centre, operation=operated(91))
    seen = make_case(centre, operation=operated(91))
    make_visit(seen, visit_type="m3", visit_date=today)
    lost = make_case(centre, operation=operated(900))
    foreign = make_case(operation=operated(150))
    response = page.get(reverse("outcomes:worklist"))
    found = response.context
    assert codes_in(found["overdue"]) == set()
    assert codes_in(found["due"]) == {due.code, overdue.code}
    assert codes_in(found["lost"]) == {lost.code}
    assert codes_in(found["drafts"]) == {
        case.code for case in (overdue, due, seen, lost)
    }
    assert foreign.code not in response.content.decode()


def codes_in(found: worklist.Waiting) -> set[str]:
    return {row["code"] for row in found.rows}


def test_a_list_that_is_cut_says_so_and_leads_to_the_rest(
    page: Client, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worklist, "MOST_SHOWN", 2)
    day = timezone.localdate() - timedelta(days=91)
    for _n in range(5):
        make_case(centre, operation={"surgery_date": day, "discharge_date": day})
    response = page.get(reverse("outcomes:worklist"))
    text = response.content.decode()
    for name in ("due", "drafts"):
        found = response.context[name]
        assert (len(found.rows), found.count, found.cut) == (2, 5, True)
        assert f'href="{found.all_url}"' in text
        assert len(codes(page.get(found.all_url))) == 5
    assert text.count("The first 2 of 5.") == 2
    assert not response.context["lost"].cut


def test_the_worklist_names_cases_to_verify(centre: Centre) -> None:
    coordinator = signed_in(make_user(Role.COORDINATOR, centre))
    case = answer_everything(make_case(centre))
    coordinator.post(
        reverse("cases:complete", args=[case.code]), {"version": case.version}
    )
    response = coordinator.get(reverse("outcomes:worklist"))
    assert codes_in(response.context["to_verify"]) == {case.code}
