"""W1: hostile words in every free text run nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from registry.embedded.postgres import EmbeddedPostgres
from tests.browser.chromium import chromium, clean_page, sign_in
from tests.factories import PASSWORD
from tests.processes import RunningRegistry, started_registry

pytestmark = [pytest.mark.browser, pytest.mark.services]
FILL = "from tests.browser.hostile_words import fill\nfill()\n"


@pytest.fixture(scope="module")
def registry(
    tmp_path_factory: pytest.TempPathFactory, test_server: EmbeddedPostgres
) -> Iterator[RunningRegistry]:
    with started_registry(tmp_path_factory.mktemp("words")) as running:
        yield running


@pytest.fixture(scope="module")
def codes(registry: RunningRegistry) -> list[str]:
    printed = registry.manage("shell", "--no-imports", stdin=FILL)
    return re.findall(r"^case (\S+)$", printed, re.MULTILINE)


def visit(page: Page, address: str) -> None:
    """Open a page; it must show, and no dialog may open on it."""
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 200, (address, answer.status)


def opened(
    browser: Browser, registry: RunningRegistry, email: str, paths: list[str]
) -> None:
    dialogs: list[str] = []
    with clean_page(browser) as page:
        page.on("dialog", lambda dialog: (dialogs.append(page.url), dialog.dismiss()))
        sign_in(page, registry.url, email, PASSWORD)
        for path in paths:
            visit(page, f"{registry.url}{path}")
    assert dialogs == []


def test_W1_words_never_run_in_pages_of_the_centre(
    registry: RunningRegistry, codes: list[str]
) -> None:
    assert len(codes) > 30
    pages = ["/cases/", "/worklist/", "/dashboard/", "/account/"]
    pages += [f"/cases/{code}/" for code in codes]
    for code in codes[:4]:
        pages += [f"/cases/{code}/{part}/" for part in ("history", "tumour", "patient")]
    with chromium() as browser:
        opened(browser, registry, "coordinator@xss.example", pages)


def test_W1_words_never_run_in_identity(
    registry: RunningRegistry, codes: list[str]
) -> None:
    dialogs: list[str] = []
    with chromium() as browser, clean_page(browser) as page:
        page.on("dialog", lambda dialog: (dialogs.append(page.url), dialog.dismiss()))
        sign_in(page, registry.url, "surgeon@xss.example", PASSWORD)
        for code in codes[:10]:
            visit(page, f"{registry.url}/cases/{code}/")
            page.get_by_role("button", name="Show identity").click()
            page.wait_for_load_state("networkidle")
            assert "alert(1)" in page.inner_text("main")
    assert dialogs == []


def test_W1_words_never_run_in_administration(
    registry: RunningRegistry, codes: list[str]
) -> None:
    pages = [f"/administration/{name}/" for name in ("people", "centres", "audit")]
    with chromium() as browser:
        opened(browser, registry, "admin@xss.example", [*pages, "/account/"])


def test_words_are_in_no_log(registry: RunningRegistry) -> None:
    """Logs hold codes alone."""
    assert "alert(1)" not in registry.logs()
