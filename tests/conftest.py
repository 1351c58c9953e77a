"""The embedded PostgreSQL for the tests, and flushing under append-only triggers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.db.backends.postgresql.operations import DatabaseOperations

from registry.embedded.places import var_folder
from registry.embedded.postgres import THROW_AWAY, EmbeddedPostgres


@pytest.fixture(scope="session")
def test_server() -> Iterator[EmbeddedPostgres]:
    """The tests' own server; every worker of pytest-xdist shares it."""
    server = EmbeddedPostgres(var_folder() / "test-postgres", settings=THROW_AWAY)
    server.hold()
    yield server
    server.release()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    test_server: EmbeddedPostgres, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """The server must run before pytest-django creates the test database."""


@pytest.fixture(scope="session", autouse=True)
def _flush_append_only_tables() -> Iterator[None]:
    """Let the flush after a transactional test empty the audit and history tables.

    Their triggers refuse TRUNCATE, which is what they are for. Only the flush runs with
    triggers off; every test meets them.
    """
    ordinary = DatabaseOperations.execute_sql_flush

    def flush(self: DatabaseOperations, sql_list: list[str]) -> Any:
        with connections[self.connection.alias].cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            try:
                return ordinary(self, sql_list)
            finally:
                cursor.execute("SET session_replication_role = DEFAULT")

    DatabaseOperations.execute_sql_flush = flush
    yield
    DatabaseOperations.execute_sql_flush = ordinary
