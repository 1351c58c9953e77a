"""``/healthz``: the process answers. ``/readyz``: it can serve people.

Both are answered before any other middleware: no session, no redirect to https, no
check of the host name, so that a load balancer can always ask.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

import redis
from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from psycopg2.errors import DiskFull

from registry.models.heartbeat import WorkerHeartbeat

logger = logging.getLogger(__name__)
# libpq waits at least two seconds; with the statement limit the answer comes within four.
PROBE_OPTIONS = {"connect_timeout": 2, "options": "-c statement_timeout=1000"}
REDIS_SECONDS = 0.4


class HealthMiddleware:
    """Answers the two health addresses and passes everything else on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz":
            return never_cached({"status": "ok"}, 200)
        if request.path_info == "/readyz":
            return readiness()
        return self.get_response(request)


def never_cached(content: dict[str, Any], status: int) -> JsonResponse:
    """The headers that the middleware passed by would have set."""
    headers = {
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
    }
    return JsonResponse(content, status=status, headers=headers)


def readiness() -> JsonResponse:
    """503 without the database, with migrations missing or with a full disk.

    Redis and the worker are shown only: saving works without them.
    """
    checks = {**database_checks(), "redis": redis_answers()}
    ready = all(checks[name] == "ok" for name in ("database", "migrations", "storage"))
    status = "ok" if ready else "unavailable"
    return never_cached({"status": status, **checks}, 200 if ready else 503)


def database_checks() -> dict[str, Any]:
    """Ask over a new connection: a kept one would wait on a frozen server for ever."""
    probe = connection.copy()
    probe.settings_dict["OPTIONS"] |= PROBE_OPTIONS
    checks: dict[str, Any] = {
        "database": "unavailable",
        "migrations": "unknown",
        "storage": "unknown",
        "worker_age_seconds": None,
    }
    try:
        missing = missing_migrations(probe)
        checks["database"] = "ok"
        checks["migrations"] = f"{len(missing)} missing" if missing else "ok"
        if not missing:
            checks["worker_age_seconds"] = worker_age_seconds(probe)
        checks["storage"] = storage(probe)
    except DatabaseError as error:
        logger.warning("not ready, the database does not answer: %s", type(error))
        checks["database"] = "unavailable"
    finally:
        probe.close()
    return checks


def storage(probe: BaseDatabaseWrapper) -> str:
    """``full`` when the server has no room for a megabyte.

    A sort that does not fit into memory leaves no row, no log and no bloat behind.
    """
    try:
        with probe.cursor() as cursor:
            cursor.execute("SET work_mem = '64kB'")
            cursor.execute(
                "SELECT count(*) FROM (SELECT n FROM generate_series(1, 60000) n"
                " ORDER BY -n OFFSET 1) sorted"
            )
    except DatabaseError as error:
        if isinstance(error.__cause__, DiskFull):
            return "full"
        raise
    return "ok"


def missing_migrations(probe: BaseDatabaseWrapper) -> set[tuple[str, str]]:
    with probe.cursor() as cursor:
        cursor.execute("SELECT to_regclass('django_migrations')")
        if cursor.fetchone()[0] is None:
            return set(known_migrations())
        cursor.execute("SELECT app, name FROM django_migrations")
        applied = set(cursor.fetchall())
    return {
        key
        for key, replaced in known_migrations().items()
        if key not in applied and not (replaced and replaced <= applied)
    }


@cache
def known_migrations() -> dict[tuple[str, str], frozenset[tuple[str, str]]]:
    """Each migration of this code, with those that it replaces if it is a squash."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return {
        key: frozenset((app, name) for app, name in migration.replaces)
        for key, migration in loader.disk_migrations.items()
    }


def worker_age_seconds(probe: BaseDatabaseWrapper) -> int | None:
    """Seconds since any worker ran the sweep; None before the first."""
    table = probe.ops.quote_name(WorkerHeartbeat._meta.db_table)
    with probe.cursor() as cursor:
        cursor.execute(
            f"SELECT floor(extract(epoch FROM now() - max(seen_at))) FROM {table}"  # noqa: S608
        )
        age = cursor.fetchone()[0]
    return None if age is None else int(age)


def redis_answers() -> str:
    client = redis.Redis.from_url(
        redis_client_url(settings.REDIS_URL),
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
        retry=None,
    )
    try:
        client.ping()
    except (redis.RedisError, OSError):
        return "unavailable"
    finally:
        client.close()
    return "ok"


def redis_client_url(broker_url: str) -> str:
    """The broker's address as the Redis client spells it.

    >>> redis_client_url("redis+socket:///run/redis.sock?virtual_host=0")
    'unix:///run/redis.sock?db=0'
    """
    if not broker_url.startswith("redis+socket://"):
        return broker_url
    return broker_url.replace("redis+socket", "unix").replace("virtual_host", "db")
