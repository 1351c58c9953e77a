"""Mails about an account leave by the worker: a request only writes a row."""

from __future__ import annotations

import re
from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registry import post, tasks
from registry.models import AskedMail, User
from registry.permissions import Role
from tests.factories import make_centre, make_user

pytestmark = pytest.mark.django_db
RESET = "/account/password/reset/"


@pytest.fixture
def surgeon() -> User:
    return make_user(Role.SURGEON, make_centre())


def statements(email: str) -> list[str]:
    """What a request for a new password asks of the database, without its values."""
    client = Client()
    client.get(RESET)
    with CaptureQueriesContext(connection) as asked:
        assert client.post(RESET, {"email": email}).status_code == 302
    texts = [
        re.sub(r"'[^']*'|(?<=_)curs_\w+|\bs[\d_x]+\b", "…", each["sql"])
        for each in asked
    ]
    return [re.split(" VALUES | WHERE ", text)[0] for text in texts]


def test_S4_a_known_address_costs_the_same_work_as_an_unknown_one(
    surgeon: User,
) -> None:
    statements("somebody@registry.example")  # what the process asks once
    assert statements(surgeon.email) == statements("nobody@registry.example")
    assert mail.outbox == []
    assert AskedMail.objects.filter(person=None).count() == 2


def test_the_worker_sends_what_was_asked_and_forgets_it(surgeon: User) -> None:
    Client().post(RESET, {"email": surgeon.email})
    Client().post(RESET, {"email": "nobody@registry.example"})
    tasks.send_mail()
    assert [message.to for message in mail.outbox] == [[surgeon.email]]
    assert "http://testserver/account/password/reset/key/" in mail.outbox[0].body
    assert not AskedMail.objects.exists()
    tasks.send_mail()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("header", [None, ("HTTP_X_FORWARDED_PROTO", "https")])
def test_the_link_leads_to_where_it_was_asked(
    surgeon: User, settings: Any, header: tuple[str, str] | None
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = header
    AskedMail.objects.create(
        kind=AskedMail.Kind.RESET,
        person=surgeon,
        secure=True,
        host="testserver",
        language="en",
    )
    post.send_waiting()
    assert "https://testserver/account/password/reset/key/" in mail.outbox[0].body


def test_a_mail_server_that_is_away_costs_no_mail(surgeon: User, settings: Any) -> None:
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert Client().post(RESET, {"email": surgeon.email}).status_code == 302
    assert post.send_waiting() == 0
    assert AskedMail.objects.count() == 1
    settings.EMAIL_BACKEND = backend
    assert post.send_waiting() == 1
    assert [message.to for message in mail.outbox] == [[surgeon.email]]


class Choosy(EmailBackend):
    """A mail server that knows one address no more."""

    unknown = ""

    def send_messages(self, messages: Any) -> int:
        if messages[0].to == [self.unknown]:
            raise SMTPRecipientsRefused({self.unknown: (550, b"no such user")})
        return int(super().send_messages(messages))


@pytest.mark.parametrize("gone", ["address", "host"])
def test_a_mail_that_is_refused_holds_no_other_up(
    surgeon: User, settings: Any, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.{Choosy.__name__}"
    other = make_user(Role.SURGEON, make_centre())
    for person in (surgeon, other):
        Client().post(RESET, {"email": person.email})
    first = AskedMail.objects.order_by("pk")[:1]
    if gone == "address":
        monkeypatch.setattr(Choosy, "unknown", surgeon.email)
    else:
        AskedMail.objects.filter(pk__in=first).update(host="left.example.org")
    assert post.send_waiting() == 1
    assert [message.to for message in mail.outbox] == [[other.email]]
    assert AskedMail.objects.get().person == surgeon


def test_nothing_is_sent_after_an_hour_or_to_who_left(surgeon: User) -> None:
    Client().post(RESET, {"email": surgeon.email})
    AskedMail.objects.update(asked_at=timezone.now() - timedelta(minutes=61))
    post.send_waiting()
    Client().post(RESET, {"email": surgeon.email})
    User.objects.update(is_active=False)
    post.send_waiting()
    assert mail.outbox == []
    assert not AskedMail.objects.exists()
