"""The audit trail as a page."""

from __future__ import annotations

import ast
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape, strip_tags

from registry import audit
from registry.audit.sealing import seal_all
from registry.embedded.places import BASE_DIR
from registry.models import AuditEvent, User
from registry.permissions import Role
from registry.templatetags.browsers import browser_name
from registry.views.audit_trail import LISTS
from tests.factories import PASSWORD, make_user
from tests.pages import signed_in

pytestmark = pytest.mark.django_db
PEOPLE = "/administration/people/"
CENTRES = "/administration/centres/"
AUDIT = "/administration/audit/"


@pytest.fixture
def administrator() -> User:
    return make_user(Role.ADMINISTRATOR)


@pytest.fixture
def page(administrator: User) -> Client:
    """The administrator's browser, confirmed a moment ago."""
    client = signed_in(administrator)
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    return client


def told(action: str) -> AuditEvent:
    return AuditEvent.objects.filter(action=action).latest("pk")


def text_of(response: Any) -> str:
    return str(response.content.decode())


def test_the_trail_shows_the_newest_first_and_pages_back(page: Client) -> None:
    for number in range(120):
        audit.record("identity.read", target=f"SCT-{number:06d}")
    seen: list[str] = []
    address = f"{AUDIT}?action=identity.read"
    while address:
        answer = page.get(address)
        seen += [event.target for event, _person, _details in answer.context["rows"]]
        address = answer.context["older_url"]
    assert seen == [f"SCT-{number:06d}" for number in reversed(range(120))]


def test_the_trail_says_how_far_it_is_sealed(page: Client) -> None:
    assert "Nothing is sealed yet" in text_of(page.get(AUDIT))
    seal_all()
    audit.record("identity.read")
    text = text_of(page.get(AUDIT))
    assert "Sealed at" in text
    assert "1 event waits for its seal" in text
    assert "too long" not in text
    long_ago = timezone.now() - timedelta(minutes=16)
    seal_all()
    AuditEvent.objects.create(action="case.read", at=long_ago)
    assert "too long" in text_of(page.get(AUDIT))


def test_the_trail_is_narrowed_by_action_and_target(page: Client) -> None:
    audit.record("identity.read", target="SCT-000001", cases=["TUM-1"] * 12)
    audit.record("identity.read", target="SCT-000002")
    answer = page.get(AUDIT, {"action": "identity.read", "target": "SCT-000001 "})
    rows = answer.context["rows"]
    assert [event.target for event, _person, _details in rows] == ["SCT-000001"]
    assert strip_tags(rows[0][2]).endswith("TUM-1 + 2")
    assert "identity.read" in dict(answer.context["form"].fields["action"].choices)
    assert "No event matches" in text_of(page.get(AUDIT, {"target": "nobody"}))


def rows_of(page: Client, **asked: str) -> list[str]:
    answer = page.get(AUDIT, asked)
    return [event.target for event, _person, _details in answer.context["rows"]]


def test_the_trail_is_narrowed_by_person(page: Client) -> None:
    mizuno = make_user(Role.ANALYST, name="Mizuno Aoi", email="aoi@hospital.example")
    audit.record("identity.read", actor=mizuno, target="SCT-000001")
    audit.record("identity.read", target="SCT-000002")
    for words in ("mizuno", "aoi@hospital", "Aoi"):
        assert rows_of(page, person=words, action="identity.read") == ["SCT-000001"]
    assert rows_of(page, person="nobody") == []


def test_a_record_is_found_in_the_lists_that_showed_it(page: Client) -> None:
    """One event of a list names all its rows, under three names."""
    for name in ("cases", "codes", "found"):
        audit.record("case.listed", target=name, **{name: ["TUM-1", "TUM-2"]})
    audit.record("case.read", target="TUM-2")
    audit.record("case.read", target="TUM-22", cases=["TUM-22"])
    assert rows_of(page, target="TUM-2") == ["TUM-2", "found", "codes", "cases"]


def test_every_list_of_codes_in_an_event_has_a_name_that_is_searched() -> None:
    """A further name for such a list would hide who saw a record."""
    named = {
        keyword.arg
        for app in ("registry", "cases", "outcomes")
        for path in (BASE_DIR / app).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "audit.record"
        for keyword in call.keywords
        if isinstance(keyword.value, ast.ListComp)
        and ast.unparse(keyword.value.elt).endswith(".code")
    }
    assert named
    assert named <= set(LISTS)


def test_the_trail_is_narrowed_by_days_of_ones_own_clock(
    page: Client, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    night = datetime(2026, 3, 1, 16, tzinfo=UTC)  # 2 March, one o'clock, in Tokyo
    with monkeypatch.context() as clock:
        clock.setattr(timezone, "now", lambda: night)
        audit.record("case.read", target="TUM-1")
    assert rows_of(page, since="2026-03-02", until="2.3.2026") == ["TUM-1"]
    assert rows_of(page, until="2026-03-01") == []


def test_a_day_that_is_none_is_told_at_its_field(page: Client) -> None:
    answer = page.get(AUDIT, {"since": "31/02"})
    assert set(answer.context["form"].errors) == {"since"}
    assert "Write a day, such as 2026-03-14" in text_of(answer)


@pytest.mark.parametrize(
    "query",
    [
        "before=x",
        "before=-1",
        "before=１",
        "before=" + "9" * 40,
        "action=%00",
        "target=%ff",
    ],
)
def test_odd_questions_to_the_trail_are_answered(page: Client, query: str) -> None:
    assert page.get(f"{AUDIT}?{query}").status_code == 200


@pytest.mark.parametrize("nothing", [[], {}, "", None])
def test_what_is_empty_is_said(page: Client, nothing: object) -> None:
    audit.record("list.viewed", actor=make_user(Role.ANALYST), cases=nothing, count=0)
    assert "cases: none, count: 0" in text_of(page.get(AUDIT))


@pytest.mark.parametrize("words", ["<script>alert(1)</script>", "{{7*7}}", "' OR 1=1"])
def test_names_are_shown_as_they_are(page: Client, words: str) -> None:
    person = make_user(Role.ANALYST, name=words)
    audit.record("person.seen", actor=person, target=words[:100], words=words)
    for address in (PEOPLE, f"{PEOPLE}{person.pk}/", AUDIT):
        text = text_of(page.get(address))
        assert "<script>alert" not in text
        assert escape(words) in text


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0",
            "Firefox, Windows",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) Chrome/150 Safari/537 Edg/150",
            "Edge, Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU like Mac OS X) Safari/604", "Safari, iPhone"),
        ("Mozilla/5.0 (Macintosh; Mac OS X 10) Safari/605", "Safari, macOS"),
        ("curl/8.0", "curl/8.0"),
        ("", "unknown"),
    ],
)
def test_browsers_by_the_names_that_people_know(user_agent: str, name: str) -> None:
    assert browser_name(user_agent) == name
