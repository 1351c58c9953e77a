"""Answers about the pool, kept as rows until the copy they were told from is replaced.

An answer depends on the copy, on who left it since, on the centres whose numbers the
person knows, on the question, and on the code; all of that is the row's name, so a row
is never wrong, only no longer asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from outcomes.kept import code_version
from outcomes.models import PoolAnswer, PoolCopy

# More questions than a day brings; the hourly task throws the oldest of them away.
MOST_KEPT = 5000

# The cases of the copy that still count, as a mark.
PRESENT = """
SELECT coalesce(md5(string_agg(copy.case_id::text, ',' ORDER BY copy.case_id)), '')
FROM outcomes_poolfacts copy JOIN outcomes_casefacts facts USING (case_id)
WHERE facts.consent_research IS DISTINCT FROM 'withdrawn'
"""


def kept_or_told(
    copy: PoolCopy,
    centres: Collection[int],
    question: tuple[str, ...],
    tell: Callable[[], dict[str, Any]],
) -> dict[str, Any]:
    """The answer kept for this question, else the one that ``tell`` computes now.

    ``centres`` are those whose numbers the person knows. Call it while the copy is
    held, see :func:`outcomes.pool.held`.
    """
    name = name_of(copy, centres, question)
    kept = PoolAnswer.objects.filter(pk=name).first()
    if kept is not None:
        return dict(kept.payload)
    answer = tell()
    # Two may tell the same at a time; both are right.
    PoolAnswer.objects.bulk_create(
        [PoolAnswer(name=name, payload=answer, told_at=timezone.now())],
        ignore_conflicts=True,
    )
    return answer


def name_of(copy: PoolCopy, centres: Collection[int], question: tuple[str, ...]) -> str:
    """SHA-256 of everything that the answer depends on."""
    parts = [
        copy.taken_at.isoformat(),
        present(),
        sorted(centres),
        question,
        code_version(),
        settings.DISCLOSURE_THRESHOLD,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def present() -> str:
    """A mark of the cases in the copy that were neither withdrawn nor voided since."""
    with connection.cursor() as cursor:
        cursor.execute(PRESENT)
        (mark,) = cursor.fetchone()
    return str(mark)


def forget_all() -> None:
    """Throw every answer away, with the copy that they were told from."""
    PoolAnswer.objects.all().delete()


def forget_oldest(most: int = MOST_KEPT) -> None:
    """Keep so many of the latest answers only."""
    old = PoolAnswer.objects.order_by("-told_at").values("pk")[most:]
    PoolAnswer.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
