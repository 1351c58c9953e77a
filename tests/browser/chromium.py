"""Real Chromium for the journeys: one browser a session, one clean page a test."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# Chromium reports a refused status, or a line cut by a test, as an error of the console.
EXPECTED_NOISE = re.compile(
    r"Failed to load resource: (the server responded|net::ERR_INTERNET_DISCONNECTED)"
)


def require_chromium() -> None:
    """Skip without Chromium, unless REQUIRE_BROWSER says that there must be one."""
    if Path(CHROMIUM).exists():
        return
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(f"REQUIRE_BROWSER is set and {CHROMIUM} does not exist")
    pytest.skip(f"no Chromium at {CHROMIUM}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser."""
    require_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, headless=True
        )
        yield browser
        browser.close()


@contextmanager
def clean_page(
    browser: Browser, width: int = 1440, height: int = 900
) -> Iterator[Page]:
    """A page of its own that fails the test on any error of its console."""
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    errors: list[str] = []
    page.on(
        "console",
        lambda message: (
            errors.append(message.text)
            if message.type == "error" and not EXPECTED_NOISE.match(message.text)
            else None
        ),
    )
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def sign_in(page: Page, address: str, email: str, password: str = "demo") -> None:
    """Sign in through the form, as a person does."""
    page.goto(f"{address}/account/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", password)
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/login" not in url)


def answer(page: Page, **answers: object) -> None:
    """Fill in a form: texts, selects, chips (one code or a list), true and false."""
    for name, value in answers.items():
        field = page.locator(f"[name='{name}']:not([type=hidden])")
        kind = field.first.evaluate("element => element.type")
        if kind in {"radio", "checkbox"}:
            codes = value if isinstance(value, list) else [value]
            for code in codes:
                text = str(code).lower() if isinstance(code, bool) else str(code)
                choose(page, f"[name='{name}'][value='{text}']")
        elif kind.startswith("select"):
            field.select_option(str(value))
        else:
            field.fill(str(value))


def choose(page: Page, selector: str) -> None:
    """Click the chip of a choice, which waits until the page stands still."""
    box = page.locator(selector)
    if not box.is_checked():
        page.locator(f"label:has({selector})").click()
    assert box.is_checked()


def save(page: Page) -> None:
    """Send the form and wait for the page that follows.

    Not for a navigation: keeping a draft changes the address of the page as well.
    """
    with page.expect_event("domcontentloaded"):
        page.click("main form .form-foot button[type=submit]")


def no_horizontal_scroll(page: Page) -> bool:
    return bool(
        page.evaluate(
            "document.documentElement.scrollWidth"
            " <= document.documentElement.clientWidth"
        )
    )
