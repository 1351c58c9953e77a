"""Passwords are changed, set anew, and good enough."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from registry import post
from registry.models import User
from registry.permissions import Role
from tests.factories import PASSWORD, make_centre, make_user
from tests.pages import signed_in
from tests.registry.signing_in import (
    LOGIN,
    actions_of,
    is_in,
    sign_in,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def surgeon() -> User:
    return make_user(Role.SURGEON, make_centre())


def change_password(client: Client, new: str, old: str = PASSWORD) -> Any:
    return client.post(
        "/account/password/change/",
        {"oldpassword": old, "password1": new, "password2": new},
    )


def test_S7_a_new_password_ends_every_session(surgeon: User) -> None:
    client, elsewhere = Client(), Client()
    for each in (client, elsewhere):
        sign_in(each, surgeon)
    assert change_password(client, "another good sentence")["Location"] == LOGIN
    assert not is_in(client)
    assert not is_in(elsewhere)
    sign_in(client, surgeon, "another good sentence")
    assert is_in(client)
    assert "password.changed" in actions_of(surgeon)
    assert mail.outbox[-1].subject == "Myelon: Your password was changed"


@pytest.mark.parametrize(
    "password", ["seven77", "password123", "qwertyuiop", "1234567890", "{email}"]
)
def test_S18_weak_passwords_are_refused(surgeon: User, password: str) -> None:
    client = signed_in(surgeon)
    response = change_password(client, password.format(email=surgeon.email))
    assert response.status_code == 200
    surgeon.refresh_from_db()
    assert surgeon.check_password(PASSWORD)


@pytest.mark.parametrize(
    "password",
    [
        "x7" * 32,
        " spaces all around it ",
        "正しい馬の電池の留め金だ",
        "Größe über alles",
    ],
)
def test_S18_long_passwords_of_every_script_are_taken(
    surgeon: User, password: str
) -> None:
    assert change_password(signed_in(surgeon), password).status_code == 302
    client = Client()
    sign_in(client, surgeon, password)
    assert is_in(client)


def test_S18_passwords_are_kept_as_argon2(surgeon: User) -> None:
    assert surgeon.password.startswith("argon2$")


def reset_link(person: User, **headers: str) -> str:
    Client().post("/account/password/reset/", {"email": person.email}, headers=headers)
    post.send_waiting()
    found = re.search(r"http://[^\s]+", mail.outbox[-1].body)
    assert found
    return found[0]


def set_password(link: str, password: str) -> Any:
    client = Client()
    form = client.get(link)
    if form.status_code != 302:
        return form
    return client.post(form["Location"], {"password1": password, "password2": password})


def test_S19_the_reset_link_works_once(surgeon: User) -> None:
    elsewhere = Client()
    sign_in(elsewhere, surgeon)
    link = reset_link(surgeon)
    assert set_password(link, "another good sentence").status_code == 302
    surgeon.refresh_from_db()
    assert surgeon.check_password("another good sentence")
    assert not is_in(elsewhere)
    again = set_password(link, "a third good sentence")
    assert "This link no longer works" in again.content.decode()


def test_S19_the_reset_link_ends_after_an_hour(
    surgeon: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.PASSWORD_RESET_TIMEOUT == 3600
    link = reset_link(surgeon)
    later = timezone.now().replace(tzinfo=None) + timezone.timedelta(minutes=61)
    monkeypatch.setattr(
        "django.contrib.auth.tokens.PasswordResetTokenGenerator._now",
        lambda self: later,
    )
    assert "no longer works" in set_password(link, "x").content.decode()


def test_S19_the_reset_link_names_the_own_host(surgeon: User) -> None:
    client = Client(raise_request_exception=False)
    for headers in ({"host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}):
        client.post(
            "/account/password/reset/", {"email": surgeon.email}, headers=headers
        )
    post.send_waiting()
    assert all("evil" not in message.body for message in mail.outbox)
    assert reset_link(surgeon).startswith("http://testserver/account/password/")


def test_a_mail_server_that_is_away_breaks_no_page(
    surgeon: User, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    asked = Client().post("/account/password/reset/", {"email": surgeon.email})
    changed = change_password(signed_in(surgeon), "another good sentence")
    assert [asked.status_code, changed.status_code] == [302, 302]
