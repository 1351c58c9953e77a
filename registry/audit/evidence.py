"""The tables that are evidence, and their rows as marks.

Evidence is what proves who did what: the events, the history of every clinical table
and the context (person, request, door, reason) of the history. The lockout's counters,
sessions and tokens are working state; what happens to them is an event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pghistory.models
from django.apps import apps
from django.db import connection, models
from psycopg2 import sql

from registry.audit.spans import Span
from registry.models.audit import AuditEvent

# Rows are told as JSON: nothing of how it is written may depend on the session.
FIXED_SETTINGS = """
SET LOCAL timezone = 'UTC';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL bytea_output = 'hex';
SET LOCAL extra_float_digits = 1;
SET LOCAL statement_timeout = 0;
"""
ROWS = """
SELECT evidence.{key},
  sha256(convert_to(to_jsonb(part)::text, 'UTF8'))
FROM {table} AS evidence CROSS JOIN LATERAL (SELECT {columns}) AS part
WHERE evidence.{key} BETWEEN %s AND %s ORDER BY evidence.{key} LIMIT %s
"""
COLUMNS = """
SELECT attname FROM pg_attribute
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
  AND attgenerated = '' ORDER BY attname
"""


@dataclass(frozen=True)
class Evidence:
    """An append-only table: its rows are counted by ``key``, written at ``at``."""

    table: str
    key: str
    at: str

    def composed(self, statement: str, columns: Iterable[str] = ()) -> sql.Composed:
        """The statement with the names of table, key, time and columns set in."""
        named = [sql.Identifier("evidence", column) for column in columns]
        return sql.SQL(statement).format(
            table=sql.Identifier(self.table),
            key=sql.Identifier(self.key),
            at=sql.Identifier(self.at),
            columns=sql.SQL(", ").join(named),
        )


def history_models() -> list[type[models.Model]]:
    """The history of every clinical table."""
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if issubclass(model, pghistory.models.Event) and model._meta.managed
    ]


def sealed_tables() -> list[Evidence]:
    """Every table whose rows come under the seals."""
    return [
        Evidence(AuditEvent._meta.db_table, "id", "at"),
        Evidence(pghistory.models.Context._meta.db_table, "number", "created_at"),
        *(
            Evidence(model._meta.db_table, "pgh_id", "pgh_created_at")
            for model in history_models()
        ),
    ]


def fix_settings() -> None:
    """Settings of this transaction under which rows are always told alike."""
    with connection.cursor() as cursor:
        cursor.execute(FIXED_SETTINGS)


def column_names(table: str) -> list[str]:
    """Stored columns in alphabetical order; none where the table is gone."""
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS, [f'"{table}"'])
        return [name for (name,) in cursor.fetchall()]


def last_number(evidence: Evidence) -> int:
    """The highest number given to a row so far, also of open transactions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(pg_sequence_last_value("
            "pg_get_serial_sequence(%s, %s)::regclass), 0)",
            [f'"{evidence.table}"', evidence.key],
        )
        (number,) = cursor.fetchone()
    return int(number)


def hashed_rows(
    evidence: Evidence, columns: Iterable[str], spans: Iterable[Span], most: int
) -> Iterator[tuple[int, bytes]]:
    """Number and SHA-256 of the first rows within the spans, in their order.

    Adding a column changes no hash, because ``columns`` are those of the sealing.
    """
    statement = evidence.composed(ROWS, columns)
    for first, last in spans:
        if most <= 0:
            return
        with connection.cursor() as cursor:
            cursor.execute(statement, [first, last, most])
            found = cursor.fetchall()
        most -= len(found)
        for number, digest in found:
            yield number, bytes(digest)
