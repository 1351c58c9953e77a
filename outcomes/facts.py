"""Refreshing the derived facts, always by the one definition in ``sql/facts/``.

One row a case, voided rows left out; alike for one case, an import and the full rebuild.
Each file holds row sources of one subject, of the cases in ``%(cases)s``; a later file
may speak of the sources of an earlier one. What stands in braces is put in here: columns
with their expressions from ``models/fact_columns.py``, the windows from ``windows.py``.
``%(cutoff)s`` is the data cut-off: what depends on the calendar is told as of that day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from cases.models import Case
from outcomes.models import CaseFacts
from outcomes.models.fact_columns import FACT_COLUMNS
from outcomes.models.mri_columns import features_sql
from outcomes.models.outcome_columns import (
    joa_maximum_sql,
    joa_reasons_sql,
    pivot_sql,
)
from outcomes.models.pain_columns import nrs_reasons_sql, pain_sites_sql
from outcomes.models.pseudonym import pseudonym_sql
from outcomes.models.score_columns import score_pivot_sql, scores_sql
from outcomes.windows import (
    EARLY_DEATH_DAYS,
    LOST_AFTER_DAYS,
    RESIDUAL_PAIN_FROM_DAY,
    WINDOWS_VERSION,
    windows_sql,
)

SQL_FOLDER = Path(__file__).parent / "sql" / "facts"
ROW_SOURCES = ("treatment", "imaging", "visits", "course", "windows")
# Cases of one transaction of the rebuild: their rows are locked while it runs, so a
# save that meets it waits for a moment only.
REBUILD_BATCH = 5000

# Held by the transaction that takes a batch up to date, so that workers do not do it twice.
UPKEEP_LOCK = 5_283_001

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
  AND (facts.definition IS DISTINCT FROM %(definition)s
    OR facts.cutoff_date < %(cutoff)s)
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
    return _whole_statement().format(
        windows=windows_sql(),
        residual_pain_from_day=RESIDUAL_PAIN_FROM_DAY,
        early_death_days=EARLY_DEATH_DAYS,
        lost_after_days=LOST_AFTER_DAYS,
        features=features_sql(),
        joa_maximum=joa_maximum_sql(),
        joa_reasons=joa_reasons_sql(),
        nrs_reasons=nrs_reasons_sql(),
        pain_sites=pain_sites_sql(),
        scores=scores_sql(),
        pivot=pivot_sql(),
        score_pivot=score_pivot_sql(),
        names=", ".join(quoted),
        columns=",\n  ".join(expressions),
        excluded=", ".join(f"excluded.{name}" for name in quoted),
        compared=", ".join(f'present."{name}"' for name in compared),
        compared_excluded=", ".join(f'excluded."{name}"' for name in compared),
    )


def _whole_statement() -> str:
    """The files of the folder as one statement."""
    sources = ",\n\n".join(_file(name) for name in ROW_SOURCES)
    return f"WITH\n{sources}\n{_file('insert')}"


def _file(name: str) -> str:
    return (SQL_FOLDER / f"{name}.sql").read_text().rstrip()


@cache
def upsert_sql() -> str:
    """The statement; its parameters are ``cases`` and those of :func:`the_same_for_all`."""
    return _upsert_template()


def data_cutoff() -> date:
    """The day as of which windows are over and patients lost: the first of the month.

    By months, so that the facts of all cases share it and change with the calendar
    rarely, and all at once; by UTC, whoever saves.
    """
    return timezone.now().date().replace(day=1)


def the_same_for_all() -> dict[str, Any]:
    """Parameters of the statement that do not depend on the case."""
    return {"definition": definition(), "cutoff": data_cutoff()}


def refresh(case_ids: Iterable[int]) -> None:
    """Derive the facts of these cases anew, in the caller's transaction.

    The case rows are locked first. Of two transactions that touch one case the second
    then derives from what the first has committed, not from what it saw before.
    """
    cases = sorted(set(case_ids))
    if not cases:
        return
    parameters = {"cases": cases} | the_same_for_all()
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
        places = {"cases": "$1", "definition": "$2", "cutoff": "$3"}
        statement = upsert_sql() % places
        cursor.execute(f"PREPARE {name} (bigint[], text, date) AS {statement}")
    return (
        "SET LOCAL plan_cache_mode = force_generic_plan;"
        f"EXECUTE {name} (%(cases)s, %(definition)s, %(cutoff)s);"
        "SET LOCAL plan_cache_mode = auto"
    )


def rebuild(
    *,
    outdated_only: bool = False,
    batch: int = REBUILD_BATCH,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Derive the facts of every case in batches; returns how many were visited.

    ``outdated_only`` takes the cases whose facts are missing, of an older definition or
    as of an earlier data cut-off.
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


def own_turn(lock: int = UPKEEP_LOCK) -> bool:
    """Whether no other transaction does the work of this lock; until this one ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock])
        row = cursor.fetchone()
    return bool(row and row[0])


def _next_cases(after: int, batch: int, outdated_only: bool) -> Sequence[int]:
    if outdated_only:
        return outdated(limit=batch, after=after)
    found = Case.objects.filter(pk__gt=after).order_by("pk")
    return list(found.values_list("pk", flat=True)[:batch])


def outdated(*, limit: int, after: int = 0) -> list[int]:
    """Keys of cases whose facts are missing, or of an older definition or cut-off."""
    with connection.cursor() as cursor:
        limits = {"after": after, "limit": limit}
        cursor.execute(OUTDATED, limits | the_same_for_all())
        return [case_id for (case_id,) in cursor.fetchall()]


def facts_of(case: Case) -> CaseFacts | None:
    """The facts of one case; None once it is voided."""
    return CaseFacts.objects.filter(pk=case.pk).first()
