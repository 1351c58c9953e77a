"""The API's page in real Chromium: drawn under the strict policy, by this server alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page

from registry.permissions import Role
from tests.browser.chromium import chromium, clean_page, no_horizontal_scroll
from tests.factories import make_case, make_centre, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def cookie() -> dict[str, Any]:
    """The session of a surgeon who has one case."""
    person = make_user(Role.SURGEON, make_centre())
    make_case(person.memberships.get().centre, by=person)
    client = Client()
    client.force_login(
        person, backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    session = client.cookies["myelon_session"]
    return {"name": session.key, "value": session.value}


def open_docs(page: Page, address: str, cookie: dict[str, Any]) -> None:
    page.context.add_cookies([cookie | {"url": address}])
    page.goto(f"{address}/api/v1/docs/")
    page.locator(".opblock").first.wait_for()


def test_the_routes_are_shown_and_can_be_tried(
    live_server: Any, cookie: dict[str, Any]
) -> None:
    elsewhere: list[str] = []
    with chromium() as browser, clean_page(browser) as page:
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((live_server.url, "data:"))
                else elsewhere.append(request.url)
            ),
        )
        open_docs(page, live_server.url, cookie)
        listing = page.locator("#operations-cases-cases_list")
        listing.locator(".opblock-summary").click()
        listing.get_by_role("button", name="Try it out").click()
        listing.get_by_role("button", name="Execute").click()
        listing.locator(".live-responses-table .response-col_status").nth(1).wait_for()
        assert '"TUM-' in listing.locator(".live-responses-table").inner_text()
    assert elsewhere == []


@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_fits(live_server: Any, cookie: dict[str, Any], width: int) -> None:
    with chromium() as browser, clean_page(browser, width=width) as page:
        open_docs(page, live_server.url, cookie)
        assert no_horizontal_scroll(page)
