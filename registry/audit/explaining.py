"""Clinical rows against their history: each row is what its last event says.

A change past the triggers leaves a row that its history does not explain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import connection, models
from psycopg2 import sql

MOST_NAMED = 20
UNEXPLAINED = """
WITH latest AS (
  SELECT DISTINCT ON (pgh_obj_id) * FROM {history} ORDER BY pgh_obj_id, pgh_id DESC
), told AS (
  SELECT coalesce(present.{key}, latest.pgh_obj_id) AS number, CASE
    WHEN latest.pgh_obj_id IS NULL THEN 'has no history'
    WHEN present.{key} IS NULL AND latest.pgh_label <> 'delete' THEN 'is gone, its history does not say so'
    WHEN present.{key} IS NOT NULL AND latest.pgh_label = 'delete' THEN 'is there, its history says deleted'
    WHEN present.{key} IS NOT NULL AND ({here}) IS DISTINCT FROM ({then}) THEN 'is not what its history says'
  END AS what
  FROM {table} AS present FULL JOIN latest ON latest.pgh_obj_id = present.{key}
)
SELECT what, count(*), (array_agg(number ORDER BY number))[1:%s]
FROM told WHERE what IS NOT NULL GROUP BY what ORDER BY what
"""


@dataclass(frozen=True)
class Tracked:
    """A clinical table, its key, its history, and the columns that both have."""

    table: str
    key: str
    history: str
    columns: tuple[str, ...]


def tracked_tables() -> list[Tracked]:
    """Every table whose changes the triggers record."""
    return [
        tracked(model)
        for model in apps.get_models()
        if "pgh_event_model" in vars(model)
    ]


def tracked(model: type[models.Model]) -> Tracked:
    history: type[models.Model] = model.pgh_event_model  # type: ignore[attr-defined]
    theirs = {field.column for field in history._meta.local_fields}
    columns = [str(field.column) for field in model._meta.local_fields]
    key = str(model._meta.pk.column)
    kept = tuple(name for name in columns if name in theirs)
    return Tracked(model._meta.db_table, key, history._meta.db_table, kept)


def unexplained() -> Iterator[str]:
    """Each clinical row that its history does not explain, in words.

    The database compares whole tables; of many rows of a kind the first are named.
    """
    for each in tracked_tables():
        with connection.cursor() as cursor:
            cursor.execute(comparison(each), [MOST_NAMED])
            found = cursor.fetchall()
        for what, count, numbers in found:
            for number in numbers:
                yield f"{each.table} {number}: {what}"
            if count > len(numbers):
                yield f"{each.table}: {count - len(numbers)} more: {what}"


def comparison(each: Tracked) -> sql.Composed:
    def columns_of(source: str) -> sql.Composed:
        names = [sql.Identifier(source, name) for name in each.columns]
        return sql.SQL("ROW({})").format(sql.SQL(", ").join(names))

    return sql.SQL(UNEXPLAINED).format(
        table=sql.Identifier(each.table),
        history=sql.Identifier(each.history),
        key=sql.Identifier(each.key),
        here=columns_of("present"),
        then=columns_of("latest"),
    )
