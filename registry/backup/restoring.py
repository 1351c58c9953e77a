"""Restoring a backup into a database that holds nothing yet, all or nothing."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import zipfile
from typing import IO

from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from registry.backup.container import CHUNK_BYTES, DUMP, copy
from registry.backup.database import Database, rows_of
from registry.backup.errors import BackupError
from registry.backup.making import TABLES, counted_rows, last_words
from registry.backup.manifest import Manifest

# Where a role is made, it takes its password from the variable that docker-compose.yml
# uses; without one nobody can sign in as the role until it is given one.
PASSWORDS = {
    "registry_owner": "OWNER_DATABASE_PASSWORD",
    "registry_app": "APP_DATABASE_PASSWORD",
}
RIGHTS_OF_THE_OWNER = (
    "ALTER DATABASE {database} OWNER TO {owner}",
    "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
    "ALTER SCHEMA public OWNER TO {owner}",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
)
RIGHTS_OF_THE_APPLICATION = (
    "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {application}",
    "GRANT USAGE ON SCHEMA public TO {application}",
)


def check_dump(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Read the whole dump once: is it what the manifest says?"""
    mark, size = hashlib.sha256(), 0
    try:
        with archive.open(DUMP) as dump:
            while chunk := dump.read(CHUNK_BYTES):
                mark.update(chunk)
                size += len(chunk)
    except zipfile.BadZipFile:
        size = -1
    if (size, mark.hexdigest()) != (manifest.dump_bytes, manifest.dump_sha256):
        raise BackupError("The dump is not the one of its manifest: it was altered.")


def check_empty(database: Database) -> None:
    """Refuse a database in which anything stands."""
    with database.connected() as connection:
        tables = [table for (table,) in rows_of(connection, TABLES)]
    if tables:
        raise BackupError(
            f"The database holds {len(tables)} tables already ({tables[0]}, …). A backup"
            " is restored into an empty database only; nothing was changed."
        )


def restore(database: Database, archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Roles, then tables and rows in one transaction, then a count of every table."""
    owner = prepare_roles(database, manifest)
    arguments = ["--single-transaction", "--exit-on-error", "--no-owner"]
    arguments += ["--no-privileges", *([f"--role={owner}"] if owner else [])]
    command = database.command("pg_restore", *arguments)
    with archive.open(DUMP) as dump:
        run(command, database, dump)
    with database.connected() as connection:
        if counted_rows(connection) != manifest.rows:
            raise BackupError("The restored tables do not hold the rows of the backup.")
    with database.connected() as connection:
        rows_of(connection, "ANALYZE")


def run(command: list[str], database: Database, dump: IO[bytes]) -> None:
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(  # noqa: S603
            command,
            env=database.environment,
            stdin=subprocess.PIPE,
            stdout=complaints,
            stderr=complaints,
        ) as process,
    ):
        assert process.stdin is not None  # noqa: S101
        try:
            copy(dump, process.stdin)
            process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended, and says why
        if process.wait() != 0:
            raise BackupError(
                f"pg_restore failed, nothing was restored: {last_words(complaints)}"
            )


def prepare_roles(database: Database, manifest: Manifest) -> str:
    """Make the roles of the backup where they lack; the role that shall own the tables.

    Empty: whoever restores owns them, as in a local run.
    """
    with database.connected() as connection:
        may = (
            "SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        )
        ((superuser, creates),) = rows_of(connection, may)
        for role in filter(None, [manifest.owner, manifest.application]):
            ensure_role(connection, role, allowed=superuser or creates)
        if not superuser or not manifest.owner:
            return ""
        names = {
            "database": sql.Identifier(connection.info.dbname),
            "owner": sql.Identifier(manifest.owner),
            "application": sql.Identifier(manifest.application),
        }
        rights = [*RIGHTS_OF_THE_OWNER]
        rights += RIGHTS_OF_THE_APPLICATION if manifest.application else ()
        for statement in rights:
            text = sql.SQL(statement).format(**names).as_string(connection)
            rows_of(connection, text)
    return manifest.owner


def ensure_role(connection: Connection, role: str, *, allowed: bool) -> None:
    known = "SELECT 1 FROM pg_roles WHERE rolname = %(role)s"
    if rows_of(connection, known, {"role": role}):
        return
    if not allowed:
        raise BackupError(
            f"The role {role} of the backup lacks here, and you may not make it."
            " Restore as a superuser, or make it first."
        )
    password = os.environ.get(PASSWORDS.get(role, ""))
    create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
        sql.Identifier(role), sql.Literal(password)
    )
    rows_of(connection, create.as_string(connection))
