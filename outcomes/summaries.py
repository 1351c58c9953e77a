"""Summaries: numbers of a measure in a scope, computed live or kept as rows.

A stored row is refreshed by claiming it with a conditional UPDATE, computing from
scratch and writing only if nobody wrote something newer. So it does not matter how
often, in which order or on how many machines a refresh is asked for.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg2.errors import QueryCanceled

from outcomes import kept, released
from outcomes.changes import wanted_of as wanted_of
from outcomes.changes import withdrawn_of as withdrawn_of
from outcomes.claims import claim
from outcomes.facts import without_time_limit
from outcomes.measures import MEASURES, Measure
from outcomes.measures.grouping import (
    MOST_GROUPS,
    By,
    check_few_groups,
    count_groups,
    parse_by,
)
from outcomes.measures.reasons import with_codes
from outcomes.models import CaseFacts, ReleasedFacts, Summary
from outcomes.models.facts import CaseFactsQuerySet
from outcomes.stats.result import jsonable

logger = logging.getLogger(__name__)

# What is kept as rows, for each centre and for the pool: measure, grouping, window.
STORED: tuple[tuple[str, str, str], ...] = (
    ("recurrence", "", ""),
    ("recurrence", "compartment", ""),
    ("recurrence", "eor_final", ""),
    ("recurrence", "compartment,eor_final", ""),
    ("progression", "", ""),
    ("progression", "compartment", ""),
    ("progression", "eor_final", ""),
    ("improvement", "", "m12"),
    ("improvement", "compartment", "m12"),
    ("improvement", "compartment", "last"),
    ("residual-pain", "", "m12"),
    ("residual-pain", "compartment", "m12"),
    ("mri-features", "compartment", ""),
    ("volume", "compartment", ""),
)
# So long the database may count while somebody waits for the page.
PATIENCE_MS = 3000

ENSURE_ROWS = """
INSERT INTO outcomes_summary (centre_id, released, measure, "by", "window", input_hash,
  code_version, withdrawn, done, tried, attempts, runs, duration_ms, error)
SELECT scope.id, scope.released, kept.measure, kept.by, kept.window,
  '', '', '', -1, -1, 0, 0, 0, ''
FROM unnest(%(measures)s, %(bys)s, %(windows)s) AS kept (measure, by, "window")
CROSS JOIN (
  SELECT id, false FROM registry_centre
  UNION ALL VALUES (NULL::bigint, false), (NULL, true)) AS scope (id, released)
WHERE NOT EXISTS (
  SELECT 1 FROM outcomes_summary present
  WHERE present.centre_id IS NOT DISTINCT FROM scope.id
    AND present.released = scope.released AND present.by = kept.by
    AND present.measure = kept.measure AND present.window = kept.window)
ON CONFLICT DO NOTHING
"""
FOLD_CHANGES = """
WITH folded AS (
  DELETE FROM outcomes_casechange WHERE id IN (
    SELECT id FROM outcomes_casechange ORDER BY id LIMIT 100000 FOR UPDATE SKIP LOCKED)
  RETURNING centre_id
)
INSERT INTO outcomes_changecount AS present (centre_id, counted)
SELECT centre_id, count(*) FROM folded GROUP BY centre_id ORDER BY centre_id
ON CONFLICT (centre_id) DO UPDATE SET counted = present.counted + excluded.counted
"""
WRITE = """
UPDATE outcomes_summary
SET payload = %(payload)s, as_of = %(as_of)s, n_cases = %(n_cases)s,
  input_hash = %(input_hash)s, code_version = %(code)s,
  withdrawn = %(withdrawn)s, done = %(wanted)s,
  duration_ms = %(duration_ms)s, runs = runs + 1, attempts = 0, error = '',
  claimed_at = NULL
WHERE id = %(summary)s
  AND (done < %(wanted)s OR done = %(wanted)s AND (as_of IS NULL OR as_of < %(as_of)s))
"""
SWEEPABLE = """
WITH change AS (
  SELECT centre_id, sum(n) AS n FROM (
    SELECT centre_id, counted AS n FROM outcomes_changecount
    UNION ALL SELECT centre_id, count(*) FROM outcomes_casechange GROUP BY centre_id
  ) AS part GROUP BY centre_id
)
SELECT DISTINCT summary.centre_id
FROM outcomes_summary summary
CROSS JOIN LATERAL (
  SELECT coalesce(sum(n), 0) AS wanted FROM change
  WHERE summary.centre_id IS NULL OR change.centre_id = summary.centre_id
) AS scope
WHERE summary.done < scope.wanted OR summary.code_version <> %(code)s
"""


def compute(
    measure: str,
    by: str | By = (),
    filters: Mapping[str, Any] | None = None,
    queryset: CaseFactsQuerySet | None = None,
    window: str = "",
    columns: By | None = None,
    site: str = "",
    most_groups: int = MOST_GROUPS,
    patient: bool = True,
) -> dict[str, Any]:
    """The numbers of a measure, now; the shape is the same for stored rows.

    ``queryset`` holds the facts to count, filtered already; ``filters`` is only told
    in the answer. Patients who withdrew are never counted. ``columns`` are what
    ``queryset`` holds for the columns of ``by`` where not they themselves. Raises
    ValidationError for an unknown measure, grouping, window or site, and for more than
    ``most_groups``; where nobody is ``patient``, TakesLong instead of working on.
    """
    asked, by = measure_of(measure, site), parse_by(by)
    window = window_of(asked, window)
    facts = CaseFacts.objects.all() if queryset is None else queryset
    as_of = timezone.now()
    with nullcontext() if patient else for_moments():
        rows = asked.reduce(facts.for_research(), columns or by, window)
    check_few_groups(rows, by, most_groups)
    if not patient and count_groups(rows, by) > asked.groups_at_once:
        raise TakesLong
    return {
        "measure": measure,
        "by": list(by),
        "window": window or None,
        "as_of": as_of.isoformat(),
        "stale": False,
        "problem": None,
        "input_hash": hash_of(measure, by, window, rows),
        "code_version": kept.code_version(),
        "filters": dict(filters or {}),
        **with_codes(jsonable(asked.conclude(rows, by, window))),
    }


class TakesLong(Exception):
    """An answer that is not for a web request."""


@contextmanager
def for_moments() -> Iterator[None]:
    """Let the database work for :data:`PATIENCE_MS` only; raises TakesLong."""
    limit = "SELECT set_config('statement_timeout', %s, true)"
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout')")
            before = cursor.fetchone()
            cursor.execute(limit, [f"{PATIENCE_MS}ms"])
            yield
            cursor.execute(limit, before)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TakesLong from error
        raise


def measure_of(name: str, site: str = "") -> Measure:
    """The measure of that name, for a site of pain if asked; raises ValidationError."""
    if name not in MEASURES:
        message = _("There is no measure “%(name)s”.") % {"name": name[:40]}
        raise ValidationError({"measure": ValidationError(message, "invalid_choice")})
    measure = MEASURES[name]
    if not site:
        return measure
    if site not in measure.sites:
        message = (
            _("Choose a site of %(names)s.") % {"names": ", ".join(measure.sites)}
            if measure.sites
            else _("This measure is not asked by site.")
        )
        raise ValidationError({"site": ValidationError(message, "invalid_choice")})
    return measure.at(site)


def window_of(measure: Measure, window: str) -> str:
    """The window asked for, or the measure's own; raises ValidationError."""
    window = window or measure.default_window
    if window and window not in measure.windows:
        message = (
            _("Choose a window of %(names)s.") % {"names": ", ".join(measure.windows)}
            if measure.windows
            else _("This measure has no windows.")
        )
        raise ValidationError({"window": ValidationError(message, "invalid_choice")})
    return window


def hash_of(measure: str, by: By, window: str, rows: Sequence[Any]) -> str:
    """SHA-256 of the counts that the numbers were concluded from."""
    told = json.dumps([measure, by, window, rows], default=str, separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()


def ensure_rows() -> None:
    """A row for each scope and each of :data:`STORED`; existing ones stay."""
    measures, bys, windows = (list(part) for part in zip(*STORED, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            ENSURE_ROWS, {"measures": measures, "bys": bys, "windows": windows}
        )


def mark_wanted(case_ids: Iterable[int]) -> list[int]:
    """Note a change for the centres of these cases; returns their keys."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO outcomes_casechange (centre_id)"
            " SELECT DISTINCT centre_id FROM cases_case WHERE id = ANY(%s)"
            " RETURNING centre_id",
            [list(case_ids)],
        )
        return sorted(centre_id for (centre_id,) in cursor.fetchall())


def mark_all_wanted() -> None:
    """Note a change for every centre, after rows were loaded past the actions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO outcomes_casechange (centre_id) SELECT id FROM registry_centre"
        )


def fold_changes() -> None:
    """Turn noted changes into numbers, so that there are never many rows of them."""
    with connection.cursor() as cursor:
        cursor.execute(FOLD_CHANGES)


def stale_scopes() -> list[int | None]:
    """Scopes with a row that lags behind; None is the pool and comes last."""
    with connection.cursor() as cursor:
        cursor.execute(SWEEPABLE, {"code": kept.code_version()})
        scopes = [centre_id for (centre_id,) in cursor.fetchall()]
    return sorted(scopes, key=lambda centre_id: (centre_id is None, centre_id or 0))


def refresh_scope(centre_id: int | None, *, forced: bool = False) -> int:
    """Refresh the stale rows of a scope; returns how many were written."""
    scope: dict[str, Any] = {"centre_id": centre_id}
    summaries = Summary.objects.filter(**scope).order_by("pk")
    return sum(
        refresh(summary, forced=forced) for summary in summaries.defer("payload")
    )


def refresh(summary: Summary, *, forced: bool = False) -> bool:
    """Compute one row if it is stale and nobody else does; False where not written.

    ``wanted`` is read before the facts: what is counted in it is visible to the query
    that follows.
    """
    wanted = wanted_of(summary.centre_id)
    if not claim(summary, wanted, kept.code_version(), forced=forced):
        return False
    try:
        with transaction.atomic():
            without_time_limit()
            return write(summary, wanted)
    except Exception as error:
        logger.exception("a summary could not be computed: %s", summary.pk)
        # The claim stays: as long as it would hold, the row is not tried again.
        Summary.objects.filter(pk=summary.pk).update(
            error=f"{type(error).__name__}: {error}"[:500]
        )
        return False


def write(summary: Summary, wanted: int) -> bool:
    """Compute the numbers and store them, unless newer ones are there.

    The mark of the withdrawn is read first: a withdrawal that comes between makes the
    row one that is not shown.
    """
    began = time.monotonic()
    withdrawn = withdrawn_of(summary.centre_id)
    payload = compute(
        summary.measure, summary.by, {}, facts_of(summary), summary.window
    )
    with connection.cursor() as cursor:
        cursor.execute(
            WRITE,
            {
                "summary": summary.pk,
                "payload": json.dumps(payload),
                "as_of": payload["as_of"],
                "n_cases": payload["n_cases"],
                "input_hash": payload["input_hash"],
                "code": payload["code_version"],
                "withdrawn": withdrawn,
                "wanted": wanted,
                "duration_ms": round((time.monotonic() - began) * 1000),
            },
        )
        return bool(cursor.rowcount)


def facts_of(summary: Summary) -> CaseFactsQuerySet:
    """The rows that a stored row counts."""
    if summary.released:
        released.keep_up()
        return ReleasedFacts.objects.all()
    facts: CaseFactsQuerySet = CaseFacts.objects.all()
    if summary.centre_id is None:
        return facts
    return facts.filter(centre_id=summary.centre_id)
