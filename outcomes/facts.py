"""Refreshing the derived facts, always by the one definition in ``sql/facts.sql``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from cases.models import Case
from outcomes.models import CaseFacts
from outcomes.models.fact_columns import FACT_COLUMNS
from outcomes.models.outcome_columns import pivot_sql
from outcomes.models.pseudonym import pseudonym_sql
from outcomes.windows import RESIDUAL_PAIN_FROM_DAY, WINDOWS_VERSION, windows_sql

SQL_FOLDER = Path(__file__).parent / "sql"
# Cases of one transaction of the rebuild: their rows are locked while it runs, so a
# save that meets it waits for a moment only.
REBUILD_BATCH = 5000

# Planning the statement takes longer than running it for a few cases, so each
# connection prepares it once.
PREPARED_UP_TO = 50

LOCK_CASES = """
SELECT 1 FROM cases_case WHERE id = ANY(%(cases)s) ORDER BY id FOR NO KEY UPDATE
"""
REMOVE_VOIDED = """
DELETE FROM outcomes_casefacts USING cases_case
WHERE case_id = cases_case.id AND case_id = ANY(%(cases)s)
  AND cases_case.voided_at IS NOT NULL
"""
OUTDATED = """
SELECT tumour.id FROM cases_case tumour
LEFT JOIN outcomes_casefacts facts ON facts.case_id = tumour.id
WHERE tumour.id > %(after)s AND tumour.voided_at IS NULL
  AND facts.definition IS DISTINCT FROM %(definition)s
ORDER BY tumour.id LIMIT %(limit)s
"""


@cache
def definition() -> str:
    """A mark of how facts are derived: SQL, columns, windows, key of the pseudonyms."""
    mark = hashlib.sha256(_upsert_template().encode()).hexdigest()[:8]
    return f"{WINDOWS_VERSION}-{mark}"


def _upsert_template() -> str:
    """The upsert without its mark, which is made from it."""
    kept = ["centre_id", "definition", "pseudonym"]
    compared = [*kept, *(column.name for column in FACT_COLUMNS)]
    names = ["case_id", "refreshed_at", *compared]
    quoted = [f'"{name}"' for name in names]
    expressions = [
        "tumour.id",
        "now()",
        "tumour.centre_id",
        "%(definition)s",
        pseudonym_sql("tumour.code"),
        *(column.expression for column in FACT_COLUMNS),
    ]
    return (
        (SQL_FOLDER / "facts.sql")
        .read_text()
        .format(
            windows=windows_sql(),
            residual_pain_from_day=RESIDUAL_PAIN_FROM_DAY,
            pivot=pivot_sql(),
            names=", ".join(quoted),
            columns=",\n  ".join(expressions),
            excluded=", ".join(f"excluded.{name}" for name in quoted),
            compared=", ".join(f'present."{name}"' for name in compared),
            compared_excluded=", ".join(f'excluded."{name}"' for name in compared),
        )
    )


@cache
def upsert_sql() -> str:
    """The statement with parameters ``cases`` (a list of keys) and ``definition``."""
    return _upsert_template()


def refresh(case_ids: Iterable[int]) -> None:
    """Derive the facts of these cases anew, in the caller's transaction.

    The case rows are locked first. Of two transactions that touch one case the second
    then derives from what the first has committed, not from what it saw before.
    """
    cases = sorted(set(case_ids))
    if not cases:
        return
    parameters: dict[str, Any] = {"cases": cases, "definition": definition()}
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(LOCK_CASES, parameters)
        if len(cases) > PREPARED_UP_TO:
            cursor.execute(upsert_sql(), parameters)
        else:
            cursor.execute(_prepared(cursor), parameters)
        cursor.execute(REMOVE_VOIDED, parameters)


def _prepared(cursor: CursorWrapper) -> str:
    """The statement that runs the upsert with a plan made once for the connection.

    Asked for each time, because a pool may have put another server behind it.
    """
    name = "refresh_facts_" + definition().replace("-", "_")
    cursor.execute("SELECT 1 FROM pg_prepared_statements WHERE name = %s", [name])
    if cursor.fetchone() is None:
        statement = upsert_sql() % {"cases": "$1", "definition": "$2"}
        cursor.execute(f"PREPARE {name} (bigint[], text) AS {statement}")
    return (
        "SET LOCAL plan_cache_mode = force_generic_plan;"
        f"EXECUTE {name} (%(cases)s, %(definition)s);"
        "SET LOCAL plan_cache_mode = auto"
    )


def rebuild(
    *,
    outdated_only: bool = False,
    batch: int = REBUILD_BATCH,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Derive the facts of every case in batches; returns how many were visited.

    ``outdated_only`` takes the cases whose facts are missing or of an older definition.
    Each batch is its own transaction, so the work can be broken off and taken up again.
    """
    visited, last = 0, 0
    while cases := _next_cases(last, batch, outdated_only):
        with transaction.atomic():
            without_time_limit()
            refresh(cases)
        visited, last = visited + len(cases), cases[-1]
        if progress:
            progress(visited)
    return visited


def without_time_limit() -> None:
    """Lift the statement timeout for the rest of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")


def _next_cases(after: int, batch: int, outdated_only: bool) -> Sequence[int]:
    if not outdated_only:
        found = Case.objects.filter(pk__gt=after).order_by("pk")
        return list(found.values_list("pk", flat=True)[:batch])
    with connection.cursor() as cursor:
        cursor.execute(
            OUTDATED, {"after": after, "limit": batch, "definition": definition()}
        )
        return [case_id for (case_id,) in cursor.fetchall()]


def facts_of(case: Case) -> CaseFacts | None:
    """The facts of one case; None once it is voided."""
    return CaseFacts.objects.filter(pk=case.pk).first()
