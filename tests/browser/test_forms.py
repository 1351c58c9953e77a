"""Forms in a real browser: drafts, conditions, chips."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from registry.embedded.postgres import EmbeddedPostgres
from tests.browser.cases_of_forms import SURGEON
from tests.browser.chromium import answer, chromium, clean_page, save, sign_in
from tests.factories import PASSWORD
from tests.processes import RunningRegistry, eventually, started_registry

pytestmark = [pytest.mark.browser, pytest.mark.services]
FILL = "from tests.browser.cases_of_forms import fill\nfill()\n"
KEPT = re.compile(r"draft kept \d\d:\d\d")
DEVICE = """async () => {
  const databases = await indexedDB.databases();
  return JSON.stringify([{...localStorage}, {...sessionStorage}, databases,
    await caches.keys(), document.cookie, history.state]);
}"""


@pytest.fixture(scope="module")
def registry(
    tmp_path_factory: pytest.TempPathFactory, test_server: EmbeddedPostgres
) -> Iterator[RunningRegistry]:
    with started_registry(tmp_path_factory.mktemp("forms")) as running:
        yield running


@pytest.fixture(scope="module")
def codes(registry: RunningRegistry) -> dict[str, str]:
    printed = registry.manage("shell", "--no-imports", stdin=FILL)
    found: dict[str, str] = json.loads(re.findall(r"^codes (.*)$", printed, re.M)[0])
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def page(
    browser: Browser, registry: RunningRegistry, codes: dict[str, str]
) -> Iterator[Page]:
    with clean_page(browser) as page:
        sign_in(page, registry.url, SURGEON, PASSWORD)
        yield page
    registry.query("DELETE FROM cases_draft")


def note(page: Page) -> Any:
    return page.locator("[data-saved-note]")


def new_visit(registry: RunningRegistry, code: str, kind: str) -> str:
    return f"{registry.url}/cases/{code}/visits/new/?type={kind}"


def drafts(registry: RunningRegistry) -> int:
    return int(registry.query("SELECT count(*) FROM cases_draft")[0][0])


# --- drafts


def test_a_name_is_kept_in_the_registry_and_never_on_the_device(
    page: Page, registry: RunningRegistry
) -> None:
    page.evaluate("localStorage.setItem('myelon:draft:7:case-new', '{\"at\": 1}')")
    page.goto(f"{registry.url}/cases/new/")
    answer(page, family_name="Zauberberg", given_name="Hans", hospital_number="ZB-1")
    expect(note(page)).to_have_text(KEPT)
    device = page.evaluate(DEVICE)
    assert "Zauberberg" not in device
    assert "ZB-1" not in device
    assert "myelon:draft" not in device
    page.reload()
    expect(page.locator("[name=family_name]")).to_have_value("Zauberberg")


def test_a_draft_never_reaches_another_patient_or_visit(
    page: Page, registry: RunningRegistry, codes: dict[str, str]
) -> None:
    page.goto(new_visit(registry, codes["one"], "m24"))
    answer(page, visit_date="2017-03-0", mmcs="4")
    expect(note(page)).to_have_text(KEPT)
    for address in (
        new_visit(registry, codes["one"], "m60"),
        new_visit(registry, codes["other"], "m24"),
        f"{registry.url}/cases/new/?patient={codes['patient_of_other']}",
        f"{registry.url}/cases/new/",
    ):
        page.goto(address)
        assert "2017-03-0" not in page.content()
        expect(page.locator("[data-discard-draft]")).to_have_count(0)
    sign_out_and_in(page, registry)
    page.goto(f"{registry.url}/worklist/")
    page.get_by_role("link", name="New visit: 24 months").click()
    expect(page.locator("[name=visit_date]")).to_have_value("2017-03-0")
    expect(page.locator("[name=mmcs]:not([type=hidden])").first).to_be_visible()
    page.get_by_role("button", name="Throw it away").click()
    expect(page.locator("[name=visit_date]")).to_have_value("")
    assert drafts(registry) == 0


def sign_out_and_in(page: Page, registry: RunningRegistry) -> None:
    page.locator("[data-sign-out] button").click()
    page.wait_for_url(lambda url: "/login" in url)
    sign_in(page, registry.url, SURGEON, PASSWORD)


@pytest.mark.parametrize("way", ["link", "sign out", "close"])
def test_the_last_key_before_leaving_is_kept(
    page: Page, registry: RunningRegistry, codes: dict[str, str], way: str
) -> None:
    page.goto(new_visit(registry, codes["one"], "m12"))
    page.locator("[name=visit_date]").press_sequentially("2016")
    if way == "link":
        page.locator("a.rail-link[href='/cases/']").click()
    elif way == "sign out":
        page.locator("[data-sign-out] button").click()
        page.wait_for_url(lambda url: "/login" in url)
    else:
        page.close(run_before_unload=True)
    eventually(lambda: drafts(registry) == 1)
    if way == "link":
        page.goto(new_visit(registry, codes["one"], "m12"))
        expect(page.locator("[name=visit_date]")).to_have_value("2016")


def test_a_server_that_is_away_costs_no_typing(
    page: Page, registry: RunningRegistry, codes: dict[str, str]
) -> None:
    address = new_visit(registry, codes["one"], "m3")
    page.goto(address)
    page.context.set_offline(True)
    answer(page, visit_date="2015-06-01")
    expect(note(page)).to_contain_text("Not kept")
    page.click("main form .form-foot button[type=submit]")
    expect(note(page)).to_contain_text("Not kept")
    assert page.url == address
    expect(page.locator("[name=visit_date]")).to_have_value("2015-06-01")
    page.context.set_offline(False)
    expect(note(page)).to_have_text(KEPT)
    assert drafts(registry) == 1


def test_two_windows_ask_which_one_counts(
    page: Page, registry: RunningRegistry, codes: dict[str, str]
) -> None:
    address = new_visit(registry, codes["one"], "m6")
    other = page.context.new_page()
    for window in (page, other):
        window.goto(address)
    answer(page, visit_date="2015-09-01")
    expect(note(page)).to_have_text(KEPT)
    answer(other, visit_date="2015-09-22")
    expect(other.locator(".draft-note")).to_contain_text("Another window")
    expect(note(other)).to_contain_text("not kept")
    other.get_by_role("button", name="Keep what stands here").click()
    expect(note(other)).to_have_text(KEPT)
    answer(page, visit_date="2015-09-02")
    expect(page.locator(".draft-note")).to_contain_text("Another window")
    page.get_by_role("button", name="Open the other").click()
    expect(page.locator("[name=visit_date]")).to_have_value("2015-09-22")


@pytest.mark.parametrize(("choice", "left"), [("keep", 1), ("drop", 0), ("stay", 1)])
def test_cancel_asks(
    page: Page,
    registry: RunningRegistry,
    codes: dict[str, str],
    choice: str,
    left: int,
) -> None:
    address = new_visit(registry, codes["other"], "m6")
    page.goto(address)
    page.click("[data-cancel]")
    assert page.url != address  # nothing was typed: nothing is asked
    page.goto(address)
    answer(page, visit_date="2015-09-01")
    page.click("[data-cancel]")
    page.click(f"[data-leave={choice}]")
    if choice != "stay":
        page.wait_for_url(lambda url: "visits/new" not in url)
    eventually(lambda: drafts(registry) == left)


# --- conditions


@pytest.mark.parametrize("part", ["tumour/", "visits/{visit}/", "mri/{mri}/"])
def test_opening_and_saving_erases_nothing(
    page: Page, registry: RunningRegistry, codes: dict[str, str], part: str
) -> None:
    before = versions(registry, codes)
    page.goto(f"{registry.url}/cases/{codes['odd']}/{part.format(**codes)}")
    save(page)
    assert page.url.startswith(f"{registry.url}/cases/{codes['odd']}/#"), page.url
    assert versions(registry, codes) == before


def versions(registry: RunningRegistry, codes: dict[str, str]) -> list[Any]:
    return [
        registry.query(f"SELECT version FROM {table} WHERE code = %s", [codes[name]])
        for table, name in (
            ("cases_case", "odd"),
            ("outcomes_visit", "visit"),
            ("cases_mristudy", "mri"),
        )
    ]


def test_what_another_answer_removes_is_said_before_and_comes_back(
    page: Page, registry: RunningRegistry, codes: dict[str, str]
) -> None:
    address = f"{registry.url}/cases/{codes['one']}/tumour/"
    page.goto(address)
    duration = page.locator("[name=symptom_duration_months]")
    expect(duration).to_have_value("12")
    answer(page, incidental=True)
    told = page.locator(".taken-note")
    expect(told.first).to_have_text(
        "Saving will remove: Duration of symptoms (12). "
        "Choose the earlier answer again to keep it."
    )
    expect(told).to_have_count(2)
    expect(duration).to_be_hidden()
    answer(page, incidental=False)
    expect(duration).to_have_value("12")
    expect(told).to_have_count(0)
    answer(page, incidental=True)
    save(page)
    page.goto(address)
    expect(duration).to_have_value("")


def test_a_section_that_falls_away_is_told_and_comes_back_whole(
    page: Page, registry: RunningRegistry, codes: dict[str, str]
) -> None:
    page.goto(f"{registry.url}/cases/{codes['one']}/mri/new/")
    answer(page, purpose="preop", oedema_present=True)
    answer(page, oedema_cranial_seg="2", syrinx="none")
    answer(page, purpose="followup")
    expect(page.locator(".taken-note")).to_contain_text("(2)")
    answer(page, purpose="preop")
    expect(page.locator("[name=oedema_cranial_seg]")).to_have_value("2")
    expect(page.locator("[name=syrinx][value=none]")).to_be_checked()


# --- chips


def test_a_click_never_takes_an_answer_away(
    page: Page, registry: RunningRegistry, codes: dict[str, str]
) -> None:
    page.goto(f"{registry.url}/cases/{codes['one']}/tumour/")
    chip = page.locator("[name=side][value=midline]")
    expect(chip).to_be_checked()
    for _click in range(3):
        chip.click(force=True)
        expect(chip).to_be_checked()
    clear = page.locator("[data-field=side] [data-clear-chips]")
    clear.click()
    expect(chip).not_to_be_checked()
    expect(clear).to_be_hidden()
    expect(chip).to_be_focused()
    page.keyboard.press("Space")
    expect(chip).to_be_checked()
    page.keyboard.press("Backspace")
    expect(chip).not_to_be_checked()
    save(page)
    page.goto(f"{registry.url}/cases/{codes['one']}/tumour/")
    expect(page.locator("[name=side]:checked")).to_have_count(0)


def test_a_question_that_must_be_answered_has_no_clear(
    page: Page, registry: RunningRegistry, codes: dict[str, str]
) -> None:
    page.goto(f"{registry.url}/cases/{codes['one']}/mri/new/")
    chosen = page.locator("[name=purpose]:checked")
    expect(chosen).to_have_value("preop")
    chosen.focus()
    page.keyboard.press("Backspace")
    chosen.click(force=True)
    expect(chosen).to_have_value("preop")
    expect(page.locator("#features")).to_be_visible()


# --- saved twice


def test_back_after_saving_makes_no_second_row(
    page: Page, registry: RunningRegistry, codes: dict[str, str]
) -> None:
    visits = "SELECT count(*) FROM outcomes_visit v JOIN cases_case c ON c.id = case_id"
    one = f"{visits} WHERE c.code = %s"
    page.goto(new_visit(registry, codes["other"], "m3"))
    answer(page, visit_date="2015-06-02", mmcs="2")
    save(page)
    before = registry.query(one, [codes["other"]])
    page.go_back()
    answer(page, visit_date="2015-06-03", mmcs="2")
    save(page)
    expect(page.get_by_role("alert")).to_contain_text("Is this the same?")
    assert registry.query(one, [codes["other"]]) == before
    page.get_by_role("link", name=re.compile("^VIS-")).click()
    expect(page.locator("[name=visit_date]")).to_have_value("2015-06-02")
