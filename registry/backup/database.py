"""A PostgreSQL database as the server's own programs and a bare connection see it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import make_dsn

from registry.backup.errors import BackupError
from registry.embedded.postgres import EmbeddedPostgres, programs, version_of

# Limits of the web's statements and classes of Django; a dump takes its time.
NOT_LIBPQ = {"options", "connection_factory", "cursor_factory"}


@dataclass(frozen=True)
class Database:
    """``parameters`` are those of libpq; the password never stands in a command line."""

    parameters: Mapping[str, Any]

    @classmethod
    def of_settings(cls, connection: Any) -> Database:
        """The database of a Django connection."""
        given = connection.get_connection_params()
        return cls(
            {name: value for name, value in given.items() if name not in NOT_LIBPQ}
        )

    @classmethod
    def of_server(cls, server: EmbeddedPostgres, name: str = "myelon") -> Database:
        """A database of an embedded server, as its superuser."""
        return cls(
            {
                "host": str(server.socket_folder),
                "port": server.port,
                "user": "postgres",
                "dbname": name,
            }
        )

    @property
    def address(self) -> str:
        """For ``--dbname``, without the password."""
        return make_dsn(
            **{name: v for name, v in self.parameters.items() if name != "password"}
        )

    @property
    def environment(self) -> dict[str, str]:
        password = self.parameters.get("password")
        return os.environ | ({"PGPASSWORD": str(password)} if password else {})

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """A connection of its own, in one transaction, without time limits."""
        try:
            connection = psycopg2.connect(
                **self.parameters,
                options="-c statement_timeout=0"
                " -c idle_in_transaction_session_timeout=0",
            )
        except psycopg2.OperationalError as error:
            raise BackupError(f"The database does not answer: {error}") from None
        try:
            with connection:
                yield connection
        except psycopg2.Error as error:
            raise BackupError(f"The database refused: {error}") from error
        finally:
            connection.close()

    def command(self, program: str, *arguments: str) -> list[str]:
        with self.connected() as connection:
            major = connection.server_version // 10_000
        path = client_program(program, major)
        return [str(path), "--no-password", f"--dbname={self.address}", *arguments]


def rows_of(
    connection: Connection, statement: str, values: Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def client_program(name: str, server_major: int) -> Path:
    """``pg_dump`` or ``pg_restore`` that knows this server: the wheel's own, else PATH's.

    A newer program reads an older server, never the other way round.
    """
    candidates = [programs() / name]
    installed = shutil.which(name)
    if installed:
        candidates.append(Path(installed))
    for path in candidates:
        if version_of(path) >= server_major:
            return path
    raise BackupError(
        f"The database is PostgreSQL {server_major}, and no {name} as new was found."
        f" Install the client programs of PostgreSQL {server_major}."
    )
