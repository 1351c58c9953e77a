"""One migrated database from which the tests' databases are copied.

Migrating takes many seconds, copying a fraction of one. The template is made again when
a migration changes.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import psutil
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from registry.embedded.lease import one_at_a_time
from registry.embedded.places import BASE_DIR, var_folder
from registry.embedded.postgres import THROW_AWAY, EmbeddedPostgres


def shared_server() -> EmbeddedPostgres:
    """The server of the tests' databases; hold it while using it."""
    return EmbeddedPostgres(var_folder() / "test-postgres", settings=THROW_AWAY)


def migrations_mark() -> str:
    """Changes with every migration and with the SQL that migrations import."""
    mark = hashlib.sha256()
    patterns = ("*/migrations/*.py", "*/sql.py", "*/sql/*.*")
    paths = [path for pattern in patterns for path in BASE_DIR.glob(pattern)]
    for path in [*sorted(paths), BASE_DIR / "constraints.txt"]:
        mark.update(path.read_bytes())
    return mark.hexdigest()[:16]


def ensure_template_database(server: EmbeddedPostgres) -> str:
    """The name of the migrated database, which is made if it is missing."""
    name = f"template_{migrations_mark()}"
    with one_at_a_time(server.data.with_name("test-template.making")):
        connection = server.connect()
        try:
            with connection.cursor() as cursor:
                drop_leftovers(cursor, keep=name)
                if name not in database_names(cursor):
                    migrate_anew(server, cursor, name)
        finally:
            connection.close()
    return name


def migrate_anew(server: EmbeddedPostgres, cursor: Cursor, name: str) -> None:
    """Rename at the end: a broken attempt is never taken for the template."""
    drop(cursor, "template_new")
    server.ensure_database("template_new")
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "registry.settings",
        "DATABASE_URL": server.url("template_new"),
    }
    for command in (["migrate", "--skip-checks"], ["createcachetable"]):
        subprocess.run(
            [sys.executable, str(BASE_DIR / "manage.py"), *command, "--verbosity=0"],
            env=environment,
            check=True,
        )
    cursor.execute(
        sql.SQL("ALTER DATABASE template_new RENAME TO {}").format(sql.Identifier(name))
    )


def drop_leftovers(cursor: Cursor, keep: str) -> None:
    """Databases of runs that were killed, and templates of older migrations."""
    for name in database_names(cursor):
        kind, _, rest = name.partition("_")
        number = rest.partition("_")[0]
        if kind == "template" and name != keep:
            drop(cursor, name)
        if kind == "test" and number.isdigit() and not psutil.pid_exists(int(number)):
            drop(cursor, name)


def database_names(cursor: Cursor) -> list[str]:
    cursor.execute("SELECT datname FROM pg_database")
    return [
        name for (name,) in cursor.fetchall() if name not in {"template0", "template1"}
    ]


def drop(cursor: Cursor, name: str) -> None:
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    cursor.execute(statement.format(sql.Identifier(name)))
