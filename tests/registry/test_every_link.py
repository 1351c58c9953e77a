"""Every link and every choice of every page opens, for every role.

Told apart by searching: the walk begins at the start page and opens what it is offered,
on synthetic data and on an empty registry. A page that is added is walked by itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from outcomes import summaries
from outcomes.views import paging
from registry.models import Centre, User
from registry.permissions import CENTRE_ROLES, Role
from tests.factories import PASSWORD, make_centre, make_user
from tests.pages import signed_in
from tests.walking import Walk

pytestmark = pytest.mark.django_db
# Addresses that are offered although they answer with a refusal, and why.
MEANT: dict[tuple[int, str], str] = {}
ROLES = list(Role)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No limits by address, short pages, no thousands of log lines."""
    monkeypatch.setattr(paging, "PAGE_SIZE", 7)
    logging.disable()
    cache.clear()
    yield
    logging.disable(logging.NOTSET)


def person(role: Role, centres: list[Centre]) -> User:
    return make_user(role, centres[0] if role in CENTRE_ROLES else None)


def walk(user: User) -> Walk:
    client = signed_in(user)
    client.raise_request_exception = False
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    return Walk(client).from_page("/")


def check(found: Walk, least: int) -> None:
    unmeant = [each for each in found.refused if each[:2] not in MEANT]
    assert unmeant == []
    assert len(found.opened) >= least, found.opened


@pytest.mark.parametrize("role", ROLES)
def test_every_link_opens_on_synthetic_data(role: Role) -> None:
    call_command("seed_demo", cases=120, centres=2, seed=7, stdout=StringIO())
    summaries.ensure_rows()
    for scope in summaries.stale_scopes():
        summaries.refresh_scope(scope)
    found = walk(person(role, list(Centre.objects.order_by("code"))))
    check(found, least=8)
    if role not in {Role.ADMINISTRATOR, Role.ANALYST}:
        assert any("scope=" in each for each in found.opened)
        assert any("compartment=" in each for each in found.opened)
        assert sum("/history/" in each for each in found.opened) >= 2


@pytest.mark.parametrize("role", ROLES)
def test_every_link_opens_on_an_empty_registry(role: Role) -> None:
    check(walk(person(role, [make_centre()])), least=8)


def test_the_walk_finds_a_page_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The net is not torn: an option that fails is reported with its address."""

    def fails(*args: object, **kwargs: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("outcomes.views.dashboard.tiles", fails)
    found = walk(make_user(Role.SURGEON, make_centre()))
    assert {status for status, _address, _on in found.refused} == {500}


# --- the pages of refusals


@pytest.mark.parametrize("role", [Role.SURGEON, Role.ADMINISTRATOR])
def test_a_wrong_address_and_a_wrong_verb_have_pages(role: Role) -> None:
    client = signed_in(make_user(role))
    for answer, status in (
        (client.get(reverse("cases:find")), 405),
        (client.post(reverse("account")), 405),
    ):
        page = answer.content.decode()
        assert answer.status_code == status
        assert "Myelon" in page and 'class="rail"' in page
    assert "GET" not in client.get(reverse("cases:find"))["Allow"]


def test_a_wrong_address_says_what_is_wrong() -> None:
    client = signed_in(make_user(Role.SURGEON))
    answer = client.get(reverse("cases:list"), {"sort": "name"})
    assert answer.status_code == 400
    assert "Unknown order." in answer.content.decode()
    assert 'class="rail"' in answer.content.decode()


def test_a_stranger_s_wrong_verb_is_led_to_the_sign_in_page() -> None:
    assert Client().get(reverse("cases:find")).status_code == 302
