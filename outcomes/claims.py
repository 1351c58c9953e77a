"""Who may compute a stored summary now, and what is told of one that fails.

A row is taken by a conditional UPDATE, so several workers on several machines never
compute the same. Who asks and does not get it goes on; the sweep comes back.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection

from outcomes.models import Summary

# A worker that died gives its claim up by silence.
CLAIM_SECONDS = 20
MOST_ATTEMPTS = 3
# A row that failed so often is tried again after a while: what made it fail may be gone.
RETRY_SECONDS = 600
# A refresh that takes long rests afterwards, so that a large registry is not counted
# without a pause while people save; the sweep comes back to it. Never for so long that
# the numbers are not fresh within a minute of a save: ten seconds, or as long as the
# counting itself takes.
LONG_REFRESH_MS = 500
REST_FACTOR = 30
LONGEST_REST_MS = 10_000

CLAIM = """
UPDATE outcomes_summary
SET claimed_at = clock_timestamp(), tried = %(wanted)s,
  attempts = CASE WHEN tried = %(wanted)s THEN least(attempts + 1, 1000) ELSE 1 END
WHERE id = %(summary)s
  AND (%(forced)s OR done < %(wanted)s OR code_version <> %(code)s)
  AND (claimed_at IS NULL OR claimed_at < clock_timestamp() - make_interval(secs =>
         CASE WHEN tried = %(wanted)s AND attempts >= %(most_attempts)s
           THEN %(retry_seconds)s ELSE %(claim_seconds)s END))
  AND (%(forced)s OR as_of IS NULL OR duration_ms < %(long_ms)s
       OR as_of < clock_timestamp() - make_interval(secs => least(
            duration_ms * %(rest)s::bigint,
            greatest(%(longest_rest_ms)s, duration_ms)) / 1000.0))
"""


class NotComputed(Exception):
    """There are no numbers because computing them fails; holds what is told of it."""

    def __init__(self, problem: dict[str, Any]) -> None:
        self.problem = problem
        super().__init__(problem["reason"])


def claim(summary: Summary, wanted: int, code: str, *, forced: bool = False) -> bool:
    """Take a row for oneself for a while; False where it is fresh, taken or resting.

    A row that failed :data:`MOST_ATTEMPTS` times is left until new changes come, or for
    :data:`RETRY_SECONDS`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            CLAIM,
            {
                "summary": summary.pk,
                "wanted": wanted,
                "code": code,
                "forced": forced,
                "claim_seconds": CLAIM_SECONDS,
                "most_attempts": MOST_ATTEMPTS,
                "retry_seconds": RETRY_SECONDS,
                "rest": REST_FACTOR,
                "longest_rest_ms": LONGEST_REST_MS,
                "long_ms": LONG_REFRESH_MS,
            },
        )
        return bool(cursor.rowcount)


def problem_of(summary: Summary) -> dict[str, Any] | None:
    """Why a row is not fresh although it was tried; None where nothing failed.

    Of the error its kind only: its text may tell of a record.
    """
    if not summary.error or summary.claimed_at is None:
        return None
    given_up = summary.attempts >= MOST_ATTEMPTS
    pause = timedelta(seconds=RETRY_SECONDS if given_up else CLAIM_SECONDS)
    return {
        "code": "not_computed",
        "reason": summary.error.partition(":")[0],
        "attempts": summary.attempts,
        "next_try_at": (summary.claimed_at + pause).isoformat(),
    }
