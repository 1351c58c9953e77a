"""What every answer carries, and when a session ends."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from cases.models import Case
from registry.models import User
from registry.permissions import Role
from tests.factories import make_case, make_centre, make_user
from tests.pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def surgeon() -> User:
    return make_user(Role.SURGEON, make_centre(), password=None)


@pytest.fixture
def page(surgeon: User) -> Client:
    client = signed_in(surgeon)
    client.raise_request_exception = False
    return client


class Clock:
    """The hour of the sessions, moved by hand."""

    def __init__(self) -> None:
        self.now = time.time()

    def time(self) -> float:
        return self.now

    def minutes_pass(self, minutes: float) -> None:
        self.now += minutes * 60


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("registry.middleware.time.time", clock.time)
    return clock


# --- sessions


def test_S8_a_session_ends_after_idle_minutes(page: Client, clock: Clock) -> None:
    assert page.get("/account/").status_code == 200
    clock.minutes_pass(29)
    assert page.get("/account/").status_code == 200
    clock.minutes_pass(31)
    response = page.get("/account/?tab=1", follow=True)
    assert response.redirect_chain[0][0] == "/account/login/?next=/account/%3Ftab%3D1"
    assert "signed out after a time without activity" in response.content.decode()
    assert page.get("/account/").status_code == 302


def test_S8_polling_does_not_extend_a_session(page: Client, clock: Clock) -> None:
    page.get("/account/")
    for _minute in range(29):
        clock.minutes_pass(1)
        polled = page.get("/account/", headers={"X-Background": "1"})
        assert polled.status_code == 200
    clock.minutes_pass(2)
    assert page.get("/account/").status_code == 302


def test_S8_the_person_keeps_the_session(page: Client, clock: Clock) -> None:
    page.get("/account/")
    clock.minutes_pass(29)
    assert page.get(reverse("keep-alive")).status_code == 204
    clock.minutes_pass(29)
    assert page.get("/account/").status_code == 200


def test_S9_a_session_ends_after_absolute_hours(page: Client, clock: Clock) -> None:
    page.get("/account/")
    for _quarter in range(12 * 4):
        clock.minutes_pass(15)
        assert page.get("/account/").status_code == 200
    clock.minutes_pass(1)
    assert page.get("/account/").status_code == 302


def test_S8_an_idle_session_does_not_reach_the_api(page: Client, clock: Clock) -> None:
    page.get("/account/")
    clock.minutes_pass(31)
    assert page.get("/api/v1/cases/").status_code == 401


def test_a_poll_of_an_ended_session_leads_to_sign_in(
    page: Client, clock: Clock
) -> None:
    page.get("/account/")
    clock.minutes_pass(31)
    response = page.get("/account/", headers={"HX-Request": "true"})
    assert response.status_code == 401
    assert response["HX-Redirect"] == "/account/login/"


# --- headers of every answer


def answers(page: Client) -> dict[str, Any]:
    """One answer of each kind."""
    missing = reverse("cases:detail", args=["TUM-00000000"])
    found = {
        "page": page.get("/account/"),
        "redirect": Client().get("/account/"),
        "sign-in": Client().get("/account/login/"),
        "404": page.get("/nothing/"),
        "404 of a record": page.get(missing),
        "403": page.get("/administration/people/"),
        "403 of a form": Client(enforce_csrf_checks=True).post("/account/login/"),
        "405": page.post("/keep-alive/"),
        "400": page.get("/", headers={"host": "evil.example"}),
        "static": page.get("/static/myelon/tokens.css"),
        "health": page.get("/healthz"),
        "API": page.get("/api/v1/cases/"),
        "API 401": Client().get("/api/v1/cases/"),
        "API 404": page.get("/api/v1/nothing/"),
    }
    found["static"].close()
    return found


def test_W4_every_answer_has_a_strict_policy(page: Client) -> None:
    for name, response in answers(page).items():
        policy = response.headers.get("Content-Security-Policy", "")
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";") if rule)
        assert rules.get("default-src") == "'none'", name
        assert rules["frame-ancestors"] == "'none'", name
        assert rules["object-src"] == rules["base-uri"] == "'none'", name
        assert "unsafe" not in policy, name
        assert "*" not in policy, name
        assert re.fullmatch(r"'self'( 'nonce-[\w+/=]+')?", rules["script-src"]), name


def test_W4_every_answer_forbids_sniffing_and_foreign_referrers(page: Client) -> None:
    for name, response in answers(page).items():
        assert response["X-Content-Type-Options"] == "nosniff", name
        assert response["Referrer-Policy"] == "same-origin", name


def test_W4_a_failing_page_has_the_policy_too(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.views.account.timezone", None)
    response = page.get("/account/")
    assert response.status_code == 500
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"


def test_W4_no_page_carries_inline_code(page: Client, surgeon: User) -> None:
    case = make_case(surgeon.memberships.get().centre, by=surgeon, operation=True)
    for address in (
        "/account/login/",
        "/account/",
        "/worklist/",
        "/cases/",
        "/cases/new/",
        reverse("cases:detail", args=[case.code]),
        "/nothing/",
    ):
        text = page.get(address, follow=True).content.decode()
        assert not re.search(r"<[^>]+\son[a-z]+=", text), address
        assert not re.search(r"<[^>]+\sstyle=", text), address
        assert "<style" not in text, address
        for script in re.findall(r"<script[^>]*>", text):
            assert " src=" in script or "application/json" in script, address


def test_W15_nothing_is_kept_in_a_cache(page: Client) -> None:
    for name, response in answers(page).items():
        if name != "static":
            assert "no-store" in response.headers.get("Cache-Control", ""), name


def test_W16_a_failing_page_tells_nothing_of_the_inside(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise ValueError("canary-secret-4711")

    monkeypatch.setattr("registry.views.account.render", fail)
    response = page.get("/account/")
    text = response.content.decode()
    assert response.status_code == 500
    assert "The registry could not answer" in text
    assert re.search(r"Number for the administrator: <code>[0-9a-f-]{36}</code>", text)
    for inside in ("canary", "Traceback", "ValueError", "registry/views", "settings"):
        assert inside not in text
    assert settings.SECRET_KEY not in text


def test_W17_other_sites_read_nothing(page: Client) -> None:
    for address in ("/account/", "/api/v1/cases/", "/healthz"):
        for method in (page.get, page.options):
            response = method(address, headers={"Origin": "https://evil.example"})
            assert not [h for h in response.headers if h.startswith("Access-Control")]


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "evil.example:80"},
        {"host": "127.0.0.1@evil.example"},
    ],
)
def test_W8_a_foreign_host_name_is_refused(headers: dict[str, str]) -> None:
    client = Client(raise_request_exception=False)
    for address in ("/", "/account/login/", "/account/password/reset/"):
        response = client.get(address, headers=headers)
        assert response.status_code == 400
        assert b"evil.example" not in response.content


def test_W8_a_forwarded_host_is_not_believed(page: Client) -> None:
    response = page.get("/account/", headers={"X-Forwarded-Host": "evil.example"})
    assert response.status_code == 200
    assert b"evil.example" not in response.content
    response = Client().get("/account/", headers={"X-Forwarded-Host": "evil.example"})
    assert "evil" not in response["Location"]


def test_S16_a_token_in_the_address_opens_nothing(surgeon: User) -> None:
    make_case(surgeon.memberships.get().centre, by=surgeon)
    assert Case.objects.exists()
    for name in ("token", "access_token", "api_key", "Authorization"):
        response = Client().get(f"/api/v1/cases/?{name}=0123456789abcdef" * 2)
        assert response.status_code == 401
