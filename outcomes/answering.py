"""The worker's side of questions that cost too much for a web request.

Like a stored summary a row is claimed by a conditional UPDATE, so that it does not
matter how often or on how many machines it is asked for.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from outcomes import reading, summaries
from outcomes.facts import without_time_limit
from outcomes.models import AskedSummary
from outcomes.reading import Question

logger = logging.getLogger(__name__)

# A worker that died gives its claim up by silence; a long count may take its time.
CLAIM_SECONDS = 600
MOST_ATTEMPTS = 3
# Answers that nobody asked for since, and failures, after which one may ask again.
KEPT_FOR = timedelta(days=1)
FAILED_FOR = timedelta(minutes=10)

CLAIM = """
UPDATE outcomes_askedsummary
SET claimed_at = clock_timestamp(), attempts = attempts + 1
WHERE id = %(row)s AND wanted_at IS NOT NULL AND attempts < %(most)s
  AND (claimed_at IS NULL
       OR claimed_at < clock_timestamp() - make_interval(secs => %(seconds)s))
"""
UNANSWERED = """
SELECT id FROM outcomes_askedsummary
WHERE wanted_at IS NOT NULL AND attempts < %(most)s
  AND (claimed_at IS NULL
       OR claimed_at < clock_timestamp() - make_interval(secs => %(seconds)s))
ORDER BY wanted_at LIMIT 20
"""


def work(key: int) -> bool:
    """Answer a row if somebody waits for it and nobody works on it."""
    if not claim(key):
        return False
    row = AskedSummary.objects.get(pk=key)
    try:
        with transaction.atomic():
            without_time_limit()
            write(row)
    except Exception as error:
        logger.exception("a question could not be answered: %s", row.pk)
        AskedSummary.objects.filter(pk=row.pk).update(
            error=f"{type(error).__name__}: {error}"[:500], claimed_at=None
        )
        return False
    return True


def claim(key: int) -> bool:
    """Take a row for oneself for a while."""
    with connection.cursor() as cursor:
        limits = {"row": key, "most": MOST_ATTEMPTS, "seconds": CLAIM_SECONDS}
        cursor.execute(CLAIM, limits)
        return bool(cursor.rowcount)


def write(row: AskedSummary) -> None:
    """Count and store. Changes and withdrawals are read first: what is counted in them
    is visible to the query that follows."""
    done = summaries.wanted_of(row.centre_id)
    withdrawn = summaries.withdrawn_of(row.centre_id)
    payload = reading.computed(question_of(row), patient=True)
    AskedSummary.objects.filter(pk=row.pk).update(
        payload=payload,
        as_of=payload["as_of"],
        code_version=payload["code_version"],
        withdrawn=withdrawn,
        done=done,
        wanted_at=None,
        claimed_at=None,
        attempts=0,
        error="",
    )


def question_of(row: AskedSummary) -> Question:
    told: dict[str, Any] = row.question
    return Question(**told | {"by": tuple(told["by"])})


def unanswered() -> list[int]:
    """Rows that somebody waits for and nobody works on."""
    with connection.cursor() as cursor:
        limits = {"most": MOST_ATTEMPTS, "seconds": CLAIM_SECONDS}
        cursor.execute(UNANSWERED, limits)
        return [key for (key,) in cursor.fetchall()]


def forget() -> None:
    """Throw away what nobody asked for any more, and failures of a while ago."""
    now = timezone.now()
    AskedSummary.objects.filter(asked_at__lt=now - KEPT_FOR).delete()
    AskedSummary.objects.filter(
        attempts__gte=MOST_ATTEMPTS, claimed_at=None, wanted_at__lt=now - FAILED_FOR
    ).delete()
