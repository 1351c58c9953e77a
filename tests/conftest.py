"""The embedded PostgreSQL for the tests, and flushing under append-only triggers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.backends.postgresql.operations import DatabaseOperations

from registry.embedded.postgres import EmbeddedPostgres
from tests.processes import RunningRegistry, started_registry
from tests.template_database import ensure_template_database, shared_server


@pytest.fixture(scope="session")
def test_server() -> Iterator[EmbeddedPostgres]:
    """The tests' own server; every worker of pytest-xdist shares it."""
    server = shared_server()
    server.hold()
    yield server
    server.release()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    test_server: EmbeddedPostgres, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """The server runs and has a template before the test database is made."""
    template = ensure_template_database(test_server)
    connections["default"].settings_dict["TEST"]["TEMPLATE"] = template


@pytest.fixture
def registry_processes(
    tmp_path: Path, test_server: EmbeddedPostgres
) -> Iterator[RunningRegistry]:
    """The real system as processes, empty, for one test."""
    with started_registry(tmp_path) as registry:
        yield registry


@pytest.fixture(scope="session", autouse=True)
def _flush_append_only_tables() -> Iterator[None]:
    """Let the flush after a transactional test empty the audit and history tables.

    Their triggers refuse TRUNCATE, which is what they are for. Only the flush runs with
    triggers off; every test meets them. CASCADE is for the tables of swapped models,
    which no model names.
    """
    run, compose = DatabaseOperations.execute_sql_flush, DatabaseOperations.sql_flush

    def run_without_triggers(self: DatabaseOperations, sql_list: list[str]) -> Any:
        with self.connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            try:
                return run(self, sql_list)
            finally:
                cursor.execute("SET session_replication_role = DEFAULT")

    def compose_with_cascade(
        self: DatabaseOperations, *arguments: Any, **options: Any
    ) -> list[str]:
        return compose(self, *arguments, **options | {"allow_cascade": True})

    DatabaseOperations.execute_sql_flush = run_without_triggers
    DatabaseOperations.sql_flush = compose_with_cascade
    yield
    DatabaseOperations.execute_sql_flush = run
    DatabaseOperations.sql_flush = compose
