"""What protects the browser: headers, the CSRF token, the end of a session."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from cases.models import Patient
from registry.permissions import Role
from tests.registry.api_cast import Cast, make_cast, make_person
from tests.registry.api_matrix import MATRIX

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


def test_W4_headers_stand_on_every_answer(cast: Cast) -> None:
    answers = [
        cast.surgeon_a.get("cases/"),
        cast.surgeon_a.get("cases/TUM-00000000/"),
        cast.surgeon_a.get("cases/?nonsense=1"),
        cast.surgeon_a.get("facts/?format=csv"),
        cast.surgeon_a.get("schema/"),
        cast.surgeon_a.get("nothing/"),
        cast.analyst.get("cases/"),
        cast.stranger.get("cases/"),
    ]
    for answer in answers:
        policy = answer["Content-Security-Policy"]
        assert "unsafe" not in policy and "*" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["Cache-Control"] == "no-store"


def test_W17_no_other_site_may_read(cast: Cast) -> None:
    answer = cast.surgeon_a.get("cases/", origin="https://elsewhere.example")

    assert "Access-Control-Allow-Origin" not in answer.headers


def signed_in(person: Any) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(
        person, backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    return client


def test_W6_cookies_alone_change_nothing() -> None:
    person = make_person(Role.SURGEON)
    browser = signed_in(person)
    for route in MATRIX:
        path = "/api/v1/" + route.replace("<code>", "TUM-00000000")
        for verb in ("POST", "PATCH"):
            if verb in MATRIX[route] and route != "nothing-of-the-kind/":
                answer = browser.generic(verb, path, b"{}", "application/json")
                assert answer.status_code == 403, (verb, route)
                assert "CSRF" in answer.json()["detail"]
    assert not Patient.objects.exists()


def test_W6_the_browser_changes_with_its_csrf_token() -> None:
    browser = signed_in(make_person(Role.SURGEON))
    browser.get("/account/login/")
    browser.get("/api/v1/docs/")
    token = browser.cookies["myelon_csrf"].value

    answer = browser.post(
        "/api/v1/patients/",
        b'{"sex": "F"}',
        content_type="application/json",
        headers={"X-CSRFToken": token},
    )

    assert answer.status_code == 201


def test_S8_a_session_that_is_over_is_over_for_the_api_too() -> None:
    browser = signed_in(make_person(Role.SURGEON))
    assert browser.get("/api/v1/cases/").status_code == 200

    session = browser.session
    session["began_at"] = session["seen_at"] = 1_000_000
    session.save()

    assert browser.get("/api/v1/cases/").status_code == 401
