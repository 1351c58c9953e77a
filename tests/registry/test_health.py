"""The two health addresses: what they say, and what they do not depend on."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from registry import health
from registry.health import HealthMiddleware, redis_client_url
from registry.models.heartbeat import WorkerHeartbeat


def answer(path: str, host: str = "testserver") -> HttpResponse:
    def unreachable(request: HttpRequest) -> HttpResponse:
        raise AssertionError("the request went on to the other middleware")

    return HealthMiddleware(unreachable)(RequestFactory(SERVER_NAME=host).get(path))


@pytest.fixture
def own_connection() -> Iterator[None]:
    """The probe connects like the test does, to the test database."""
    yield
    connection.close()


def readiness() -> tuple[int, dict[str, object]]:
    response = answer("/readyz")
    return response.status_code, json.loads(response.content)


def test_process_answers_without_a_database() -> None:
    """No ``django_db`` marker: touching the database would fail this test."""
    response = answer("/healthz", host="any-name.example")
    assert (response.status_code, response.content) == (200, b'{"status": "ok"}')
    assert response["Cache-Control"] == "no-store"


def test_everything_else_goes_on() -> None:
    passed = HealthMiddleware(lambda request: HttpResponse(b"page"))
    response = passed(RequestFactory().get("/healthz/"))
    assert response.content == b"page"


@pytest.mark.django_db(transaction=True)
def test_ready_with_the_worker_s_age() -> None:
    WorkerHeartbeat.objects.create(
        worker="w", seen_at=timezone.now() - timedelta(seconds=90)
    )
    status, checks = readiness()
    assert status == 200
    assert checks["database"] == checks["migrations"] == checks["status"] == "ok"
    assert 90 <= checks["worker_age_seconds"] < 120


@pytest.mark.django_db(transaction=True)
def test_stopped_redis_and_missing_worker_are_shown_and_do_not_fail(
    settings: LazySettings,
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    status, checks = readiness()
    assert status == 200
    assert checks["redis"] == "unavailable"
    assert checks["worker_age_seconds"] is None


@pytest.mark.django_db(transaction=True)
def test_missing_migration_is_not_ready() -> None:
    """F28: the web refuses readiness while migrations are missing."""
    delete = "DELETE FROM django_migrations WHERE app = 'sessions'"
    with connection.cursor() as cursor:
        cursor.execute(delete + " RETURNING app, name, applied")
        rows = cursor.fetchall()
    try:
        status, checks = readiness()
    finally:
        with connection.cursor() as cursor:
            for row in rows:
                cursor.execute(
                    "INSERT INTO django_migrations (app, name, applied)"
                    " VALUES (%s, %s, %s)",
                    row,
                )
    assert status == 503
    assert checks["migrations"] == "1 missing"


@pytest.mark.django_db(transaction=True)
def test_stopped_database_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nonexistent")
    status, checks = readiness()
    assert status == 503
    assert checks["database"] == "unavailable"
    assert checks["migrations"] == "unknown"


@pytest.mark.django_db(transaction=True)
def test_silent_database_is_not_ready_within_four_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F22: a server that takes connections and never answers. Four seconds is the
    promise to the load balancer, which gives up after that."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        monkeypatch.setitem(connection.settings_dict, "PORT", silent.getsockname()[1])
        began = time.monotonic()
        status, checks = readiness()
    assert status == 503
    assert time.monotonic() - began < 4


def test_every_migration_of_this_code_is_known() -> None:
    known = health.known_migrations()
    assert ("registry", "0001_initial") in known
    assert ("sessions", "0001_initial") in known


@pytest.mark.parametrize(
    ("broker", "client"),
    [
        ("redis://:secret@redis:6379/0", "redis://:secret@redis:6379/0"),
        ("redis+socket:///a/b.sock?virtual_host=0", "unix:///a/b.sock?db=0"),
    ],
)
def test_client_reads_the_broker_s_address(broker: str, client: str) -> None:
    assert redis_client_url(broker) == client
