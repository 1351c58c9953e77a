"""Questions that cost too much for a web request: rows that the worker answers.

A question is counted at once where that takes moments. Where the database needs longer
than :data:`outcomes.summaries.PATIENCE_MS`, or the answer has very many groups, it
becomes a row, and whoever asks is told to come back. All who ask the same wait for the
same row; it is answered by whoever claims it, on any machine, and if the message to the
worker is lost the sweep sends another.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from outcomes import kept, reading
from outcomes.answering import MOST_ATTEMPTS
from outcomes.models import AskedSummary
from outcomes.reading import POOL, Question, TooCostly
from outcomes.tasks import answer_question
from registry.celery import enqueue
from registry.models import User

# The next visit of a case changes with the calendar, so no answer is older than this.
FRESH_FOR = timedelta(days=1)
QUEUED, RUNNING, FAILED = "queued", "running", "failed"

ASK = """
INSERT INTO outcomes_askedsummary AS present (key, question, centre_id, asked_at,
  wanted_at, code_version, withdrawn, done, attempts, error)
VALUES (%(key)s, %(question)s, %(centre)s, now(), now(), '', '', -1, 0, '')
ON CONFLICT (key) DO UPDATE SET asked_at = now(),
  wanted_at = coalesce(present.wanted_at, now())
RETURNING id
"""


class BeingComputed(Exception):
    """The answer comes later; ``row`` is where it will stand."""

    def __init__(self, row: AskedSummary) -> None:
        super().__init__(row.key)
        self.row = row

    @property
    def state(self) -> str:
        if self.row.attempts >= MOST_ATTEMPTS and self.row.claimed_at is None:
            return FAILED
        return QUEUED if self.row.claimed_at is None else RUNNING


def answer(
    user: User, measure: str, by: Any = (), filters: Any = None, **asked: Any
) -> dict[str, Any]:
    """As :func:`outcomes.reading.summary_for`, be it from a row that a worker wrote.

    Raises BeingComputed where there is no such row yet.
    """
    try:
        return reading.summary_for(user, measure, by, filters, **asked)
    except TooCostly as costly:
        told = told_or_wanted(costly.question)
    return told | {"scope": asked.get("scope") or POOL}


def told_or_wanted(question: Question) -> dict[str, Any]:
    """The row's numbers, which may lag behind; a worker is asked for newer ones."""
    row = AskedSummary.objects.filter(key=key_of(question)).first()
    if row is None or not kept.is_shown(row):
        raise BeingComputed(wanted(question))
    stale = lags_behind(row)
    if stale:
        wanted(question)
    else:
        AskedSummary.objects.filter(pk=row.pk).update(asked_at=timezone.now())
    told: Any = row.payload
    return {**told, "stale": stale}


def key_of(question: Question) -> str:
    told = json.dumps(asdict(question), sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()


def lags_behind(row: AskedSummary) -> bool:
    old: Any = row.as_of
    return kept.lags_behind(row) or timezone.now() - old > FRESH_FOR


def wanted(question: Question) -> AskedSummary:
    """The row of the question, which somebody waits for from now on."""
    values = {
        "key": key_of(question),
        "question": json.dumps(asdict(question)),
        "centre": question.centre_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(ASK, values)
        (key,) = cursor.fetchone()
    enqueue(answer_question, key)
    return AskedSummary.objects.get(pk=key)
