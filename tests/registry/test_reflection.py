"""What an address carries is never a part of the page's code."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

import pytest
from django.test import Client

from registry.permissions import Role
from tests.factories import make_case, make_centre, make_user
from tests.pages import signed_in
from tests.registry.page_matrix import MATRIX

pytestmark = pytest.mark.django_db
PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title><svg/onload=alert(1)>",
    "{{7*7}}{% debug %}",
    "javascript:alert(1)",
]
PARAMETERS = (
    "q next order page before action target centre patient compartment region"
    " surgery_date_after status by tab saved lang"
).split()
PLAIN = [route for route in MATRIX if "<" not in route and "logout" not in route]


@pytest.fixture(params=["surgeon", "administrator", "stranger"])
def page(request: pytest.FixtureRequest) -> Client:
    if request.param == "stranger":
        return Client()
    if request.param == "administrator":
        return signed_in(make_user(Role.ADMINISTRATOR, password=None))
    return signed_in(make_user(Role.SURGEON, make_centre(), password=None))


def reflected(text: str, payload: str) -> bool:
    """Whether the payload stands in the page as code; as text it may stand."""
    if payload.startswith("javascript:"):
        return bool(re.search(r'(href|src|action|hx-\w+)="javascript:', text))
    if payload.startswith("{{"):
        return "Traceback" in text or payload not in text and payload[:7] in text
    return payload in text


def test_W2_parameters_are_not_reflected_as_code(page: Client) -> None:
    found = []
    for route in PLAIN:
        for payload in PAYLOADS:
            for query in (
                urlencode(dict.fromkeys(PARAMETERS, payload)),
                urlencode({payload: payload}),
            ):
                response = page.get(f"{route}?{query}")
                assert response.status_code < 500, route
                if reflected(response.content.decode(), payload):
                    found.append((route, payload))
                location = response.headers.get("Location", "")
                assert "<" not in location
                assert not location.lower().startswith("javascript:")
    assert found == []


@pytest.mark.parametrize("payload", PAYLOADS)
def test_W2_addresses_that_do_not_exist_are_not_reflected(
    page: Client, payload: str
) -> None:
    for address in (
        f"/{quote(payload)}/",
        f"/cases/{quote(payload)}/",
        f"/administration/people/{quote(payload)}/",
    ):
        response = page.get(address)
        assert response.status_code in {302, 404}
        assert not reflected(response.content.decode(), payload)


def test_W2_what_was_typed_comes_back_as_text(page: Client) -> None:
    for payload in PAYLOADS:
        form = {"login": payload, "password": payload, "next": payload}
        text = page.post("/account/login/", form).content.decode()
        assert not reflected(text, payload)


def test_W2_a_search_shows_what_was_searched_as_text() -> None:
    centre = make_centre()
    surgeon = make_user(Role.SURGEON, centre, password=None)
    make_case(centre, by=surgeon)
    text = signed_in(surgeon).get("/cases/", {"q": PAYLOADS[0]}).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert PAYLOADS[0] not in text
