"""Who reaches which page: nobody more than the matrix says."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.admindocs.views import simplify_regex
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from cases.models import Case, Patient
from registry import actions
from registry.models import ApiToken, AuditEvent, Centre, Membership, User
from registry.permissions import Role
from tests.factories import (
    PASSWORD,
    make_case,
    make_centre,
    make_draft,
    make_patient,
    make_user,
)
from tests.pages import signed_in
from tests.registry.api_cast import ROLES, whole_case
from tests.registry.page_matrix import CONFIRMS, LED_ON, MATRIX, VERBS, expected
from tests.registry.signing_in import without_tokens

pytestmark = pytest.mark.django_db
FORM_OF_VOID = {"reason": "Entered twice", "version": "999999"}


@dataclass
class PageCast:
    """Everybody, one whole case of centre A, and what the addresses are filled with."""

    people: dict[str, User]
    records: dict[str, Any]
    values: dict[str, str]
    clients: dict[str, Client] = field(default_factory=dict)

    def client(self, role: str) -> Client:
        """The browser of the role, still signed in."""
        if role not in self.clients:
            client = Client() if role == "stranger" else signed_in(self.people[role])
            client.raise_request_exception = False
            self.clients[role] = client
        return self.clients[role]


def make_page_cast() -> PageCast:
    centre_a, centre_b = make_centre(code="AAA"), make_centre(code="BBB")
    people = {
        "surgeon_a": make_user(Role.SURGEON, centre_a),
        "surgeon_b": make_user(Role.SURGEON, centre_b),
        "coordinator_a": make_user(Role.COORDINATOR, centre_a),
        "registry_coordinator": make_user(Role.REGISTRY_COORDINATOR),
        "analyst": make_user(Role.ANALYST),
        "administrator": make_user(Role.ADMINISTRATOR),
    }
    records = whole_case(centre_a, people["surgeon_a"])
    token, _secret = actions.create_token(
        by=people["surgeon_a"], owner=people["surgeon_a"], name="R", days=1
    )
    values = {
        "<code>": records["cases"].code,
        "<mri>": records["mri-studies"].code,
        "<row>": records["visits"].code,
        "<operation>": records["operations"].code,
        "<complication>": records["complications"].code,
        "<visit>": records["visits"].code,
        "<recurrence>": records["recurrences"].code,
        "<draft>": make_draft(people["surgeon_a"], records["cases"]).code,
        "centres/<pk>": f"centres/{centre_a.pk}",
        "finer-data/<pk>": "finer-data/1",
        "people/<pk>": f"people/{people['analyst'].pk}",
        "roles/<pk>": f"roles/{people['analyst'].memberships.get().pk}",
        "<key>/revoke": f"{token.token_key}/revoke",
        "<uidb36>-<key>": "1-nobodys-key",
    }
    return PageCast(people, records, values)


def page_routes() -> list[str]:
    """Every address outside the API, as ``/cases/<code>/``."""
    found = sorted(set(walk(get_resolver().url_patterns)))
    return [route for route in found if not route.startswith("/api/v1/")]


def walk(patterns: list[URLPattern | URLResolver], above: str = "") -> Iterator[str]:
    for pattern in patterns:
        here = above + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, here)
        else:
            yield re.sub(r"<\w+:", "<", simplify_regex(here))


def address(route: str, cast: PageCast) -> str:
    for name, value in cast.values.items():
        route = route.replace(name, value)
    assert "<" not in route, route
    return route


def answer(cast: PageCast, role: str, verb: str, route: str) -> Any:
    """Signing out is the one page that changes something for such a form."""
    cache.clear()  # of the limits: nobody asks as often as this
    send = getattr(cast.client(role), verb.lower())
    response = send(address(route, cast), FORM_OF_VOID if verb == "POST" else None)
    if "logout" in route:
        del cast.clients[role]
    return response


# Each role sends each page one of these, in turn: so every page meets every one of them,
# and every role sends every one of them, in a third of the time.
RARE_VERBS = [verb for verb in VERBS if verb not in {"GET", "POST"}]


@pytest.fixture
def cast() -> Iterator[PageCast]:
    logging.disable()  # thousands of lines of requests
    yield make_page_cast()
    logging.disable(logging.NOTSET)


def test_A1_every_page_has_a_row_and_every_row_a_page() -> None:
    assert set(page_routes()) == set(MATRIX)


@pytest.mark.parametrize("role", ROLES)
def test_A1_pages_by_role_and_verb(cast: PageCast, role: str) -> None:
    wrong = []
    for place, route in enumerate(MATRIX, start=ROLES.index(role)):
        for verb in ("GET", "POST", RARE_VERBS[place % len(RARE_VERBS)]):
            status = answer(cast, role, verb, route).status_code
            if status != expected(route, verb, role):
                wrong.append((verb, route, status, "not", expected(route, verb, role)))
    assert wrong == []


def test_A2_a_foreign_record_is_as_unknown_as_a_random_one(cast: PageCast) -> None:
    random = {name: re.sub("-.*", "-00000000", v) for name, v in cast.values.items()}
    nobodys = PageCast(
        cast.people,
        cast.records,
        cast.values
        | {
            name: random[name]
            for name in random
            if name.startswith("<") and "-0" in random[name]
        },
    )
    client = cast.client("surgeon_b")
    seen = 0
    for route in MATRIX:
        if "<code>" not in route:
            continue
        for verb in ("GET", "POST"):
            if expected(route, verb, "surgeon_b") != 404:
                continue
            send = getattr(client, verb.lower())
            ours, theirs = send(address(route, cast)), send(address(route, nobodys))
            assert ours.status_code == theirs.status_code == 404
            assert without_tokens(ours) == without_tokens(theirs), route
            seen += 1
    assert seen == 43
    assert AuditEvent.objects.filter(action="case.denied").count() == seen


def test_A2_a_part_is_found_through_its_own_case_only(cast: PageCast) -> None:
    """A surgeon's own case does not open the parts of somebody else's."""
    own = make_case(cast.people["surgeon_b"].memberships.get().centre)
    client = cast.client("surgeon_b")
    for route in MATRIX:
        if route.startswith("/cases/<code>/") and route.count("<") > 1:
            mixed = address(route.replace("<code>", own.code), cast)
            assert client.get(mixed).status_code in {404, 405}, route
            assert client.post(mixed, FORM_OF_VOID).status_code == 404, route
    for record in cast.records.values():
        record.refresh_from_db()
        assert record.version == 1


def test_A5_A6_nothing_of_another_centre_stands_on_a_page(cast: PageCast) -> None:
    own = make_case(cast.people["surgeon_b"].memberships.get().centre)
    canaries = [record.code for record in cast.records.values()]
    canaries.append(cast.records["cases"].centre.name)
    client = cast.client("surgeon_b")
    questions = ["", "?centre=AAA", f"?q={canaries[0]}", "?q=TUM", "?order=code"]
    for place in ("/cases/", "/worklist/", "/dashboard/", "/cases/new/", "/account/"):
        for question in questions:
            text = client.get(place + question).content.decode()
            found = [each for each in canaries if each in text and each not in question]
            assert found == [], place + question
    assert own.code in client.get("/cases/").content.decode()


def test_A10_forms_of_people_and_centres_set_what_they_ask_only(
    cast: PageCast,
) -> None:
    client = confirmed(cast, "administrator")
    person = cast.people["analyst"]
    extra = {"is_staff": "1", "is_superuser": "1", "is_demo": "1", "id": "7"}
    client.post(
        "/administration/people/new/",
        {"name": "New", "email": "new@registry.example", **extra},
    )
    made = User.objects.get(email="new@registry.example")
    assert (made.is_staff, made.is_superuser, made.is_demo) == (False, False, False)
    client.post(
        f"/administration/people/{person.pk}/",
        {"role": "analyst", "user": str(made.pk), "created_by": "1", **extra},
    )
    assert not made.memberships.exists()
    centre = Centre.objects.get(code="AAA")
    client.post(
        f"/administration/centres/{centre.pk}/",
        {
            "name": "Renamed",
            "time_zone": "UTC",
            "is_active": "on",
            "code": "ZZZ",
            "is_synthetic": "on",
        },
    )
    centre.refresh_from_db()
    assert (centre.name, centre.code, centre.is_synthetic) == ("Renamed", "AAA", False)


def test_A3_a_role_is_given_in_known_centres_only(cast: PageCast) -> None:
    client = confirmed(cast, "administrator")
    closed = make_centre(code="CLOSED", is_active=False)
    page = f"/administration/people/{cast.people['analyst'].pk}/"
    for centre in (str(closed.pk), "999999", "x", ""):
        answer = client.post(page, {"role": "surgeon", "centre": centre})
        assert answer.status_code == 422, centre
    assert client.post(page, {"role": "owner", "centre": ""}).status_code == 422
    assert Membership.objects.filter(user=cast.people["analyst"]).count() == 1


def test_A11_a_verb_is_not_smuggled_in_a_header(cast: PageCast) -> None:
    client = cast.client("surgeon_a")
    case = cast.records["cases"]
    for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        client.get(f"/cases/{case.code}/void/", headers={name: "POST"})
        client.post(f"/cases/{case.code}/", FORM_OF_VOID, headers={name: "DELETE"})
    assert Case.objects.get(pk=case.pk).version == 1


# --- rights taken away


def test_C12_a_role_that_ended_opens_nothing_with_the_next_request(
    cast: PageCast,
) -> None:
    client = cast.client("surgeon_a")
    page = f"/cases/{cast.records['cases'].code}/"
    assert client.get(page).status_code == 200
    actions.end_role(
        by=cast.people["administrator"],
        membership=cast.people["surgeon_a"].memberships.get(),
    )
    assert client.get(page).status_code == 404
    assert client.get("/cases/").status_code == 403
    assert client.post(f"{page}void/", FORM_OF_VOID).status_code == 404


def test_A17_a_stopped_person_is_out_at_once(cast: PageCast) -> None:
    person, client = cast.people["surgeon_a"], Client()
    form = {"login": person.email, "password": PASSWORD}
    client.post("/account/login/", form)
    assert client.get("/cases/").status_code == 200
    actions.set_active(by=cast.people["administrator"], person=person, is_active=False)
    assert client.get("/cases/")["Location"].startswith("/account/login/")
    assert not ApiToken.objects.filter(user=person).exists()
    assert not person.usersession_set.exists()
    answer = Client().post("/account/login/", form)
    assert answer["Location"] == "/account/inactive/"
    actions.set_active(by=cast.people["administrator"], person=person, is_active=True)
    assert client.get("/cases/").status_code == 302  # the old session stays ended


# --- forms come from here


def test_W6_no_page_changes_anything_without_its_token(cast: PageCast) -> None:
    browsers = {role: cast.client(role) for role in ("coordinator_a", "administrator")}
    tried = 0
    for client in browsers.values():
        client.handler.enforce_csrf_checks = True
    for route, rows in MATRIX.items():
        if "POST" not in rows and rows["other"] not in (CONFIRMS, LED_ON):
            continue
        for role, client in browsers.items():
            if rows.get("POST", rows["other"])[role] in {403, 404, 405}:
                continue
            refused = client.post(address(route, cast), FORM_OF_VOID)
            assert refused.status_code == 403, route
            assert "This form is no longer valid" in refused.content.decode(), route
            tried += 1
    assert tried > 45
    assert Case.objects.filter(voided_at=None).count() == Case.objects.count()


def test_W6_a_foreign_origin_is_refused_even_with_the_token(cast: PageCast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/account/login/")
    token = client.cookies["myelon_csrf"].value
    form = {"login": "x@y.example", "password": "z", "csrfmiddlewaretoken": token}
    for origin in ("https://evil.example", "null", "http://testserver:81"):
        answer = client.post("/account/login/", form, headers={"Origin": origin})
        assert answer.status_code == 403
    assert client.post("/account/login/", form).status_code == 200


def confirmed(cast: PageCast, role: str) -> Client:
    """The browser of a person who confirmed the password a moment ago."""
    client = cast.client(role)
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    return client


def test_patients_are_of_one_centre(cast: PageCast) -> None:
    assert Patient.objects.visible_to(cast.people["surgeon_b"]).count() == 0
    make_patient(cast.people["surgeon_b"].memberships.get().centre)
    assert Patient.objects.visible_to(cast.people["surgeon_b"]).count() == 1
