"""An embedded database of an older PostgreSQL: refused by name, then taken over."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from registry.backup.errors import BackupError
from registry.backup.upgrading import programs_for, upgrade
from registry.embedded.errors import ServiceError
from registry.embedded.postgres import EmbeddedPostgres
from tests.backup_parts import OLD, older_data, plain_dump
from tests.template_database import ensure_template_database

pytestmark = pytest.mark.services

COUNT = "SELECT count(*) FROM django_migrations"


def one(server: EmbeddedPostgres, statement: str) -> object:
    with closing(server.connect("myelon")) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()


def test_older_data_are_refused_with_the_way_out_and_upgraded_by_it(
    test_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    data = tmp_path / "postgres"
    older_data(data, plain_dump(test_server, ensure_template_database(test_server)))
    server = EmbeddedPostgres(data)
    with pytest.raises(ServiceError, match="by PostgreSQL 16.*upgrade_postgres"):
        server.hold()
    server.release()
    assert (data / "PG_VERSION").read_text() == f"{OLD}\n"

    kept, file = upgrade(data, tmp_path / "backups", {})

    assert (kept / "PG_VERSION").read_text() == f"{OLD}\n"
    assert file.stat().st_size > 100_000
    server.hold()
    try:
        assert "PostgreSQL 18" in str(one(server, "SELECT version()"))
        assert one(server, COUNT) == one_of(test_server)
    finally:
        server.release()
    with pytest.raises(BackupError, match="needs no upgrade"):
        upgrade(data, tmp_path / "backups", {})


def one_of(server: EmbeddedPostgres) -> object:
    name = ensure_template_database(server)
    with closing(server.connect(name)) as connection, connection.cursor() as cursor:
        cursor.execute(COUNT)
        return cursor.fetchone()


def test_a_version_that_nobody_has_is_told_with_the_other_way(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="backup FILE.*restore FILE"):
        programs_for(9, tmp_path)
