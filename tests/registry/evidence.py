"""The tables of evidence as the database's own catalogue tells them, and their attack.

Nothing here asks the code which tables it protects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pghistory
from django.db import connection, transaction

from cases.models import PatientIdentity
from registry import audit
from registry.audit.heads import Head
from registry.audit.sealing import seal_all
from registry.audit.verifying import problems
from registry.models import User
from tests.factories import make_centre, make_user
from tests.registry.api_cast import whole_case

# A history has the columns of pghistory; the rest of the trail has these names.
OF_EVIDENCE = """
SELECT relname FROM pg_class
WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND (
  relname ~ '(audit|seal|pghistory)' OR EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'pgh_obj_id'))
ORDER BY relname
"""
OF_TABLES = """
SELECT relname FROM pg_class
WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY relname
"""
OF_COLUMNS = """
SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
  AND attgenerated = '' ORDER BY attnum
"""
# Something else than what stands there, by the type of the column.
OTHER = {
    "character varying": "CASE WHEN coalesce({0}, '') = '' THEN 'x' ELSE '' END",
    "text": "CASE WHEN coalesce({0}, '') = '' THEN 'x' ELSE '' END",
    "boolean": "NOT coalesce({0}, false)",
    "jsonb": "'{{\"altered\": true}}'::jsonb",
    "uuid": "gen_random_uuid()",
    "date": "coalesce({0}, '2020-01-01') + 1",
    "timestamp with time zone": "coalesce({0}, now()) + interval '1 day'",
    "character varying[]": "array_append({0}, 'x')",
    "smallint[]": "array_append({0}, 1::smallint)",
}
NUMBERS = {"integer", "bigint", "smallint", "numeric", "double precision"}


@dataclass(frozen=True)
class Table:
    name: str
    key: str


def run(statement: str, values: Sequence[Any] = ()) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return int(cursor.rowcount)


def rows(statement: str, values: Sequence[Any] = ()) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall()


def evidence_tables() -> list[str]:
    return [name for (name,) in rows(OF_EVIDENCE)]


def all_tables() -> set[str]:
    return {name for (name,) in rows(OF_TABLES)}


def columns(table: str) -> dict[str, str]:
    return dict(rows(OF_COLUMNS, [table]))


def rows_of_evidence() -> list[Table]:
    """The tables whose rows are under the seals, and the column that counts them."""
    tables = []
    for name in evidence_tables():
        known = columns(name)
        key = next(each for each in ("pgh_id", "number", "id") if each in known)
        tables.append(Table(name, key))
    return [each for each in tables if each.name != "registry_seal"]


def tracked_tables() -> dict[str, str]:
    """Clinical table by its history: the history's name less its ending."""
    known = all_tables()
    found = {
        name: name.removesuffix("event")
        for name in evidence_tables()
        if "pgh_obj_id" in columns(name)
    }
    assert set(found.values()) <= known
    return found


def something_else(column: str, kind: str) -> str:
    if kind in NUMBERS:
        return f'coalesce("{column}", 0) + 1'
    return OTHER[kind].format(f'"{column}"')


@contextmanager
def triggers_off() -> Iterator[None]:
    """What only a superuser of the database can do."""
    run("SET session_replication_role = replica")
    try:
        yield
    finally:
        run("SET session_replication_role = DEFAULT")


@contextmanager
def undone() -> Iterator[None]:
    """Whatever the block does is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def as_application() -> Iterator[None]:
    """The rights of web and workers: those that prepare_deployment grants."""
    run("SET ROLE test_application_role")
    try:
        yield
    finally:
        run("RESET ROLE")


def found(heads: Sequence[Head] = ()) -> list[str]:
    """What does not hold."""
    return list(problems(heads))


def lived_in() -> User:
    """A registry in which every table of evidence holds rows of two requests."""
    centre = make_centre()
    by = make_user("surgeon", centre, password=None)
    for request in ("first", "second"):
        with pghistory.context(user=by.pk, request=request, door="browser"):
            records = whole_case(centre, by)
            PatientIdentity.objects.create(
                patient=records["patients"], centre=centre, updated_by=by
            )
        audit.record("case.created", actor=by, target=records["cases"].code)
    return by


def sealed_registry() -> User:
    by = lived_in()
    seal_all()
    return by
