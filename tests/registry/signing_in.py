"""Signing in as the tests of accounts do it: by the form, with a password."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client

from registry.models import AuditEvent, User
from tests.factories import PASSWORD

LOGIN = "/account/login/"
WRONG = "not the password"


def sign_in(client: Client, person: User | str, password: str = PASSWORD) -> Any:
    address = person if isinstance(person, str) else person.email
    return client.post(LOGIN, {"login": address, "password": password})


def confirmed(person: User) -> Client:
    """Signed in, and confirmed by password a moment ago."""
    client = Client()
    sign_in(client, person)
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    return client


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def without_tokens(response: Any) -> str:
    """The text of a page without what differs at every request."""
    return re.sub(
        r'(csrfmiddlewaretoken" value=|CSRFToken": |nonce=)"[^"]+|value="\S+@\S+',
        "",
        response.content.decode(),
    )


def actions_of(person: User) -> list[str]:
    """What the trail tells of a person, oldest first."""
    events = AuditEvent.objects.filter(actor_id=person.pk).order_by("pk")
    return list(events.values_list("action", flat=True))
