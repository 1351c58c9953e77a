"""Making a backup: dump and manifest from one snapshot of the database."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import IO, Any

from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from registry.backup.container import CHUNK_BYTES, DUMP, MANIFEST, sealed
from registry.backup.database import Database, rows_of
from registry.backup.errors import BackupError
from registry.backup.manifest import FORMAT, Manifest

# Everybody signs in again after a restore: an old session must not live anew.
WITHOUT_ROWS = ("django_session", "usersessions_usersession", "django_cache")
APPLICATION_ROLE = "registry_app"

TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY 1
"""
ROLES = """
SELECT
  coalesce((SELECT r.rolname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
    WHERE c.oid = to_regclass('public.django_migrations') AND NOT r.rolsuper), ''),
  coalesce((SELECT rolname FROM pg_roles WHERE rolname = %(application)s
    AND has_schema_privilege(oid, 'public', 'USAGE')), '')
"""


def make_backup(
    database: Database,
    target: IO[bytes],
    *,
    recipients: Sequence[str] = (),
    keys: Mapping[str, str],
) -> Manifest:
    """Write a backup to a stream; ``keys`` are the marks of keys in force.

    Raises BackupError where the database does not answer or the dump does not succeed.
    """
    with database.connected() as connection:
        connection.set_session("REPEATABLE READ", readonly=True)
        ((snapshot,),) = rows_of(connection, "SELECT pg_export_snapshot()")
        told = facts_of(connection)
        with (
            sealed(target, recipients) as stream,
            zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive,
        ):
            dump = write_dump(database, archive, snapshot)
            manifest = Manifest(
                format=FORMAT,
                made_at=datetime.now(UTC).isoformat(timespec="seconds"),
                myelon=version_of_myelon(),
                keys=dict(keys),
                **told,
                **dump,
            )
            archive.writestr(MANIFEST, manifest.as_json())
    return manifest


def facts_of(connection: Connection) -> dict[str, Any]:
    """What the snapshot holds."""
    migrations = rows_of(
        connection, "SELECT app, name FROM django_migrations ORDER BY 1, 2"
    )
    roles = rows_of(connection, ROLES, {"application": APPLICATION_ROLE})
    ((owner, application),) = roles
    return {
        "postgresql": connection.server_version,
        "migrations": [list(row) for row in migrations],
        "rows": counted_rows(connection),
        "owner": owner,
        "application": application,
    }


def counted_rows(connection: Connection) -> dict[str, int]:
    """Rows of every table whose rows are kept."""
    counts = {}
    for (table,) in rows_of(connection, TABLES):
        if table not in WITHOUT_ROWS:
            statement = sql.SQL("SELECT count(*) FROM public.{}")
            text = statement.format(sql.Identifier(table)).as_string(connection)
            ((counts[table],),) = rows_of(connection, text)
    return counts


def write_dump(
    database: Database, archive: zipfile.ZipFile, snapshot: str
) -> dict[str, Any]:
    """``pg_dump`` into the archive; size and hash of what it wrote."""
    without = [f"--exclude-table-data=public.{table}" for table in WITHOUT_ROWS]
    command = database.command(
        "pg_dump", "--format=custom", f"--snapshot={snapshot}", *without
    )
    mark, size = hashlib.sha256(), 0
    with (
        tempfile.TemporaryFile() as complaints,
        archive.open(zipfile.ZipInfo(DUMP), "w", force_zip64=True) as entry,
        subprocess.Popen(  # noqa: S603
            command,
            env=database.environment,
            stdout=subprocess.PIPE,
            stderr=complaints,
        ) as process,
    ):
        assert process.stdout is not None  # noqa: S101
        while chunk := process.stdout.read(CHUNK_BYTES):
            entry.write(chunk)
            mark.update(chunk)
            size += len(chunk)
        if process.wait() != 0:
            raise BackupError(f"pg_dump failed: {last_words(complaints)}")
    return {"dump_bytes": size, "dump_sha256": mark.hexdigest()}


def last_words(complaints: IO[bytes]) -> str:
    """The last lines that a program wrote about its failure."""
    complaints.seek(0)
    lines = complaints.read().decode(errors="replace").strip().splitlines()
    return "\n".join(lines[-5:])


def version_of_myelon() -> str:
    try:
        return version("myelon")
    except PackageNotFoundError:
        return "unknown"
