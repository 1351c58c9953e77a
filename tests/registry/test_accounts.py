"""Signing in, being locked, sessions."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from axes.models import AccessAttempt
from django.core import mail
from django.test import Client
from django.utils import timezone

from registry import post
from registry.account_forms import SignInForm
from registry.models import AuditEvent, User
from registry.permissions import Role
from tests.factories import PASSWORD, make_centre, make_user
from tests.pages import signed_in
from tests.registry.signing_in import (
    LOGIN,
    WRONG,
    actions_of,
    is_in,
    sign_in,
    without_tokens,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def surgeon() -> User:
    return make_user(Role.SURGEON, make_centre())


def test_a_person_signs_in_and_out(surgeon: User) -> None:
    client = Client()
    assert sign_in(client, surgeon.email.upper())["Location"] == "/"
    assert is_in(client)
    assert client.post("/account/logout/")["Location"] == LOGIN
    assert not is_in(client)
    assert actions_of(surgeon) == ["session.started", "session.ended"]


def test_S7_the_cookie_of_an_ended_session_opens_nothing(surgeon: User) -> None:
    client, thief = Client(), Client()
    sign_in(client, surgeon)
    thief.cookies = client.cookies.copy()
    client.post("/account/logout/")
    assert not is_in(thief)


def test_T4_a_refused_sign_in_is_told_without_what_was_typed(surgeon: User) -> None:
    sign_in(Client(), surgeon, WRONG)
    sign_in(Client(), "my-secret-password", WRONG)
    events = AuditEvent.objects.filter(action="session.refused")
    assert [event.actor_id for event in events] == [surgeon.pk]
    assert all(event.body == {} and event.target == "" for event in events)


def test_S1_five_wrong_passwords_lock_and_look_like_a_wrong_one(surgeon: User) -> None:
    client = Client()
    refused = [sign_in(client, surgeon, WRONG) for _attempt in range(6)]
    locked = sign_in(client, surgeon)
    assert {response.status_code for response in [*refused, locked]} == {200}
    assert len({without_tokens(response) for response in [*refused, locked]}) == 1
    assert not is_in(client)
    assert AuditEvent.objects.filter(action="session.locked").exists()
    post.send_waiting()
    assert len(mail.outbox) == 1
    assert mail.outbox[0].to == [surgeon.email]


def test_S1_the_lock_ends_after_fifteen_minutes(surgeon: User) -> None:
    client = Client()
    for _attempt in range(6):
        sign_in(client, surgeon, WRONG)
    earlier = timezone.now() - timezone.timedelta(minutes=16)
    AccessAttempt.objects.update(attempt_time=earlier)
    sign_in(client, surgeon)
    assert is_in(client)


def test_S2_a_lock_leaves_the_colleagues_at_the_same_address_alone(
    surgeon: User,
) -> None:
    colleague = make_user(Role.SURGEON, surgeon.memberships.get().centre)
    for _attempt in range(6):
        sign_in(Client(), surgeon, WRONG)
    client = Client()
    sign_in(client, colleague)
    assert is_in(client)


def test_S2_a_lock_holds_at_its_address_only(surgeon: User) -> None:
    for _attempt in range(6):
        sign_in(Client(REMOTE_ADDR="192.0.2.1"), surgeon, WRONG)
    client = Client(REMOTE_ADDR="192.0.2.2")
    sign_in(client, surgeon)
    assert is_in(client)


def test_S2_wrong_confirmations_lock_nobody_else(surgeon: User) -> None:
    colleague = make_user(Role.SURGEON, surgeon.memberships.get().centre)
    client, other = signed_in(surgeon), signed_in(colleague)
    for _attempt in range(6):
        client.post("/account/reauthenticate/", {"password": WRONG})
    for typed in (client, other):
        answer = typed.post(
            "/account/reauthenticate/?next=/account/", {"password": PASSWORD}
        )
        assert (answer.status_code == 302) == (typed is other)


def test_S3_one_address_that_tries_many_people_is_slowed() -> None:
    client = Client()
    answers = [
        sign_in(client, f"person{number}@registry.example", WRONG)
        for number in range(61)
    ]
    assert "Too many attempts. Wait" in answers[30].content.decode()
    assert answers[60].status_code == 429
    assert "Too many attempts from this address" in answers[60].content.decode()


def test_S4_a_stranger_does_not_learn_who_has_an_account(surgeon: User) -> None:
    known = sign_in(Client(), surgeon, WRONG)
    unknown = sign_in(Client(), "nobody@registry.example", WRONG)
    assert without_tokens(known) == without_tokens(unknown)
    asked = [
        Client().post("/account/password/reset/", {"email": email}, follow=True)
        for email in (surgeon.email, "nobody@registry.example")
    ]
    assert without_tokens(asked[0]) == without_tokens(asked[1])
    assert mail.outbox == []
    post.send_waiting()
    assert [message.to for message in mail.outbox] == [[surgeon.email]]


def test_nobody_signs_up() -> None:
    client = Client()
    for address in ("/account/signup/", "/accounts/signup/", "/account/email/"):
        assert client.get(address).status_code in {302, 404}
        assert client.post(address, {"email": "x@y.example"}).status_code in {302, 404}
    assert not User.objects.exists()


def host_of(location: str) -> str:
    """Where a browser goes: it takes backslashes for slashes."""
    here = "http://testserver/account/login/"
    return urlsplit(urljoin(here, location.replace("\\", "/"))).netloc


@pytest.mark.parametrize(
    "onward",
    [
        "//evil.example",
        "https:evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "%2f%2fevil.example",
        "javascript:alert(1)",
        "///evil.example",
        "http:///evil.example",
        "//evil.example@127.0.0.1",
    ],
)
def test_W7_sign_in_leads_nowhere_else(surgeon: User, onward: str) -> None:
    client = Client()
    response = client.post(
        LOGIN, {"login": surgeon.email, "password": PASSWORD, "next": onward}
    )
    left = client.post("/account/logout/", {"next": onward})
    for answer in (response, left):
        assert answer.status_code == 302
        assert host_of(answer["Location"]) == "testserver"


def test_sign_in_leads_back_to_the_page_that_was_asked(surgeon: User) -> None:
    client = Client()
    asked = client.get("/account/sessions/")
    assert asked["Location"] == f"{LOGIN}?next=/account/sessions/"
    page = client.get(asked["Location"]).content.decode()
    assert '<input type="hidden" name="next" value="/account/sessions/"' in page


def test_S6_the_session_id_changes_at_sign_in(surgeon: User) -> None:
    client = Client()
    client.get(LOGIN)
    client.cookies["myelon_session"] = "f" * 32
    sign_in(client, surgeon)
    first = client.cookies["myelon_session"].value
    assert is_in(client)
    assert first != "f" * 32
    client.post("/account/logout/")
    sign_in(client, surgeon)
    assert client.cookies["myelon_session"].value not in {first, "f" * 32}


def test_S17_cookies_are_out_of_reach_of_scripts(surgeon: User) -> None:
    client = Client()
    client.get(LOGIN)
    sign_in(client, surgeon)
    for name in ("myelon_session", "myelon_csrf"):
        assert client.cookies[name]["httponly"]
        assert client.cookies[name]["samesite"] == "Lax"
        assert client.cookies[name]["path"] == "/"
        assert not client.cookies[name]["domain"]


def test_other_sessions_are_ended_from_the_list(surgeon: User) -> None:
    client, elsewhere = Client(), Client(HTTP_USER_AGENT="Firefox/140.0 Windows")
    for each in (client, elsewhere):
        sign_in(each, surgeon)
    page = client.get("/account/sessions/").content.decode()
    assert "Firefox, Windows" in page
    client.post("/account/sessions/")
    assert is_in(client)
    assert not is_in(elsewhere)


def test_the_form_names_the_person_to_the_lockout() -> None:
    form = SignInForm({"login": "A@B.example", "password": "x"})
    form.cleaned_data = {"login": "A@B.example", "password": "x"}
    assert form.user_credentials()["login"] == "a@b.example"
