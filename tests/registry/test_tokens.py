"""API tokens: made on a confirmed page, shown once, ended."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from registry import actions
from registry.models import ApiToken, AuditEvent, User
from registry.permissions import Role
from tests.factories import make_centre, make_user
from tests.pages import signed_in
from tests.registry.signing_in import (
    actions_of,
    confirmed,
    sign_in,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def surgeon() -> User:
    return make_user(Role.SURGEON, make_centre())


def test_S14_a_token_is_shown_once_and_stored_as_a_digest(
    surgeon: User, caplog: pytest.LogCaptureFixture
) -> None:
    client = confirmed(surgeon)
    made = client.post(
        "/account/tokens/new/", {"name": "R", "days": "30", "read_only": "on"}
    )
    secret = made.context["secret"]
    assert secret in made.content.decode()
    assert secret not in client.get("/account/").content.decode()
    token = ApiToken.objects.get()
    stored = " ".join(str(value) for value in token.__dict__.values())
    assert secret not in stored
    assert len(token.digest) >= 64
    events = AuditEvent.objects.filter(action="token.created")
    assert secret not in str(list(events.values()))
    assert secret not in caplog.text
    answer = Client().get(
        "/api/v1/cases/", headers={"Authorization": f"Bearer {secret}"}
    )
    assert answer.status_code == 200
    assert secret not in answer.content.decode()


def test_S14_a_token_needs_a_fresh_confirmation(surgeon: User) -> None:
    client = Client()
    sign_in(client, surgeon)
    for method in (client.get, client.post):
        answer = method("/account/tokens/new/")
        assert answer["Location"].startswith("/account/reauthenticate/")
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("days", ["0", "366", "-1", "x", "1e2", "9" * 400, ""])
def test_a_token_ends_within_a_year(surgeon: User, days: str) -> None:
    client = confirmed(surgeon)
    answer = client.post("/account/tokens/new/", {"name": "R", "days": days})
    assert answer.status_code == 422
    assert not ApiToken.objects.exists()


def test_S15_tokens_that_are_none_are_refused(surgeon: User) -> None:
    token, secret = actions.create_token(by=surgeon, owner=surgeon, name="R", days=1)
    actions.revoke_token(by=surgeon, token=token)
    expired, old = actions.create_token(by=surgeon, owner=surgeon, name="R", days=1)
    ApiToken.objects.filter(pk=expired.pk).update(
        expiry=timezone.now() - timezone.timedelta(seconds=1)
    )
    attempts = [
        f"Bearer {secret}",
        f"Bearer {old}",
        "Bearer",
        "Bearer x",
        "Bearer a b",
        "Bearer " + "x" * 10_000,
        "Bearer schlüssel" + "ü" * 60,
        "Bearer \x00" + "a" * 60,
        f"Token {secret}",
        "Basic YTpi",
    ]
    client = Client(raise_request_exception=False)
    for header in attempts:
        answer = client.get("/api/v1/cases/", headers={"Authorization": header})
        assert answer.status_code == 401, header[:20]


def test_tokens_are_revoked_by_their_owner_only(surgeon: User) -> None:
    token, _secret = actions.create_token(by=surgeon, owner=surgeon, name="R", days=9)
    address = f"/account/tokens/{token.token_key}/revoke/"
    other = signed_in(make_user(Role.ADMINISTRATOR, password=None))
    assert other.post(address).status_code == 404
    assert ApiToken.objects.exists()
    assert signed_in(surgeon).post(address).status_code == 302
    assert not ApiToken.objects.exists()
    assert actions_of(surgeon)[-1] == "token.revoked"
