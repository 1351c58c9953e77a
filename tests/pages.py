"""What tests of pages share: a signed-in client, and a form as a browser sends it."""

from __future__ import annotations

from typing import Any

from django.test import Client

from registry.models import User

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def form_data(response: Any) -> dict[str, Any]:
    """What a browser sends for the untouched form of a page."""
    form = response.context["forms"][0]
    sent = {name: form[name].value() for name in form.fields}
    sent["version"] = response.context["record_version"]
    return {name: value for name, value in sent.items() if value not in (None, [])}
