"""Tokens: shown once, refused in every wrong form, limited in their rate."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from registry.api.throttling import AnonymousRateThrottle, TokenRateThrottle
from registry.models import ApiToken, AuditEvent
from registry.permissions import Role
from tests.registry.api_cast import make_person
from tests.registry.api_client import Api, codes_of, token_of

pytestmark = pytest.mark.django_db


def bearer(token: str) -> int:
    return int(Api(None).get("centres/", authorization=f"Bearer {token}").status_code)


def test_S14_only_a_digest_is_stored() -> None:
    token = token_of(make_person(Role.SURGEON))

    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM registry_apitoken t")
        (stored,) = cursor.fetchone()

    assert token not in stored
    assert hashlib.sha512(token.encode()).hexdigest() in stored


def test_S14_the_token_stands_in_no_log_and_no_trail() -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logging.getLogger().addHandler(handler)
    token = token_of(make_person(Role.SURGEON))
    try:
        for path in ("centres/", "nothing/", "cases/?x=1", f"cases/?token={token}"):
            body = Api(None).get(path, authorization=f"Bearer {token}").body
            assert path.endswith(token) or token not in body.decode()
    finally:
        logging.getLogger().removeHandler(handler)

    assert token not in json.dumps(list(AuditEvent.objects.values("target", "body")))
    assert f"Bearer {token}" not in written.getvalue()


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "0" * 64,
        "a" * 10_240,
        "é" * 64,
        "\x00" * 64,
        "../../etc/passwd",
        "' OR 1=1 --",
        "two words",
    ],
)
def test_S15_malformed_tokens_are_strangers(token: str) -> None:
    stranger = Api(None)
    stranger.client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")

    answer = stranger.get("centres/")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer["Content-Type"] == "application/problem+json"


def test_S15_expired_and_revoked_tokens_are_strangers() -> None:
    person = make_person(Role.SURGEON)
    expired, revoked, good = (token_of(person) for _n in range(3))
    ApiToken.objects.filter(token_key=expired[:15]).update(
        expiry=timezone.now() - timedelta(seconds=1)
    )
    ApiToken.objects.filter(token_key=revoked[:15]).delete()

    assert [bearer(token) for token in (expired, revoked, good)] == [401, 401, 200]


def test_S15_a_token_of_the_right_length_but_wrong_end_is_a_stranger() -> None:
    token = token_of(make_person(Role.SURGEON))

    assert bearer(token[:-1] + ("0" if token[-1] != "0" else "1")) == 401


@pytest.mark.parametrize("name", ["token", "access_token", "auth", "Authorization"])
def test_S16_a_token_in_the_address_is_refused(name: str) -> None:
    person = make_person(Role.SURGEON)
    token = token_of(person)

    assert Api(None).get(f"cases/?{name}={token}").status_code == 401
    known = Api(person).get(f"cases/?{name}={token}")
    assert (known.status_code, codes_of(known)) == (400, {name: "unknown_parameter"})


def test_a_read_only_token_reads_only() -> None:
    reader = Api(make_person(Role.SURGEON), read_only=True)

    assert reader.get("cases/").status_code == 200
    for verb in ("POST", "PATCH", "PUT", "DELETE"):
        answer = reader.call(verb, "patients/", {"sex": "F"})
        assert (answer.status_code, answer.json()["code"]) == (403, "read_only_token")


def test_the_day_of_use_is_noted() -> None:
    person = make_person(Role.SURGEON)
    Api(person).get("cases/")

    assert ApiToken.objects.get(user=person).last_used_on == timezone.localdate()


@pytest.fixture
def two_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    for throttle in (TokenRateThrottle, AnonymousRateThrottle):
        monkeypatch.setattr(throttle, "rate", "2/min", raising=False)


def test_requests_are_limited_by_token(two_a_minute: None) -> None:
    person = make_person(Role.SURGEON)
    first, second = Api(person), Api(person)

    statuses = [first.get("centres/").status_code for _n in range(3)]
    refused = first.get("centres/")

    assert statuses == [200, 200, 429]
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert refused.json()["code"] == "throttled"
    assert second.get("centres/").status_code == 200


def test_addresses_that_do_not_exist_are_limited_too(two_a_minute: None) -> None:
    person = Api(make_person(Role.SURGEON))
    assert [person.get("nothing/").status_code for _n in range(3)] == [404, 404, 429]


def test_S3_refused_strangers_are_limited_by_address(two_a_minute: None) -> None:
    assert [bearer("0" * 64) for _n in range(3)] == [401, 401, 429]
    assert bearer(token_of(make_person(Role.SURGEON))) == 200


def test_S3_a_forged_forwarding_header_changes_no_address(two_a_minute: None) -> None:
    stranger = Api(None)
    statuses = [
        stranger.get("centres/", x_forwarded_for=f"10.0.0.{n}").status_code
        for n in range(3)
    ]

    assert statuses == [401, 401, 429]
