"""The copy of the facts from which people of one centre are told of the pool.

Told live, the pool would tell of every single patient who comes: yesterday's number
less today's. So it is told from a copy, taken anew once a day at most and only after
enough cases changed that the person does not know. Who withdrew and what was voided
leaves it at once all the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from outcomes import pool_answers
from outcomes.facts import own_turn, without_time_limit
from outcomes.models import CaseFacts, PoolCopy, PoolFacts
from outcomes.models.fact_columns import FACT_COLUMNS
from outcomes.summaries import wanted_of
from registry.models import Membership

KEPT_FOR = timedelta(days=1)
# Held by the transaction that takes the copy.
COPY_LOCK = 5_283_002

# A new month moves these in all rows: that nobody came must not look like news.
CALENDAR = frozenset({"cutoff_date", "cutoff_days", "lost_to_follow_up"})
CALENDAR_PARTS = ("visit_status_", "_missing")

CHANGED = """
SELECT facts.centre_id, count(*)
FROM ({facts}) facts LEFT JOIN outcomes_poolfacts copy USING (case_id)
WHERE copy.case_id IS NULL OR ({live}) IS DISTINCT FROM ({copied})
GROUP BY facts.centre_id
"""
HOLD = "SELECT 1 FROM outcomes_poolcopy FOR SHARE"


@contextmanager
def held() -> Iterator[PoolCopy]:
    """The copy, which stays the same until the end; the first one is taken for it.

    A transaction that takes another waits with its last statement for this one.
    """
    with transaction.atomic():
        if not PoolCopy.objects.exists():
            take_first()
        with connection.cursor() as cursor:
            cursor.execute(HOLD)
        yield PoolCopy.objects.get()


def take_first() -> None:
    """Take the copy if there is none, after whoever is at it.

    It is as good as live, but nobody of a centre was told an earlier number.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COPY_LOCK])
        if not PoolCopy.objects.exists():
            take()


def renew_if_due() -> bool:
    """Take the copy anew if it is old and enough changed; whether it was taken."""
    with transaction.atomic():
        without_time_limit()
        if not own_turn(COPY_LOCK) or not is_due():
            return False
        take()
    return True


def is_due() -> bool:
    """Whether another copy may be taken; the cheap questions come first.

    A copy of nothing has told nothing, so it does not have to grow old.
    """
    copy = PoolCopy.objects.first()
    if copy is None:
        return True
    if copy.n_cases and timezone.now() - copy.taken_at < KEPT_FOR:
        return False
    if copy.changes == wanted_of(None):
        return False
    return enough_changed()


def enough_changed() -> bool:
    """Whether cases changed, and for everybody none or enough of those of others.

    Cases that left are not counted: they left the answers when it happened, so nobody
    hides among them any more.
    """
    changed = changed_cases()
    centres: dict[int, set[int]] = defaultdict(set)
    held_now = Membership.objects.filter(ended_at=None, centre__isnull=False)
    for person, centre in held_now.values_list("user_id", "centre_id"):
        centres[person].add(centre)
    total, least = sum(changed.values()), settings.DISCLOSURE_THRESHOLD
    known = [sum(changed.get(key, 0) for key in keys) for keys in centres.values()]
    return total >= least and all(not 0 < total - mine < least for mine in known)


def changed_cases() -> dict[int, int]:
    """New and changed cases since the copy was taken, by centre."""
    names = ["centre_id", *(c.name for c in FACT_COLUMNS if not by_calendar(c.name))]
    facts, values = CaseFacts.objects.for_research().query.sql_with_params()
    statement = CHANGED.format(
        facts=facts,
        live=", ".join(f'facts."{name}"' for name in names),
        copied=", ".join(f'copy."{name}"' for name in names),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return dict(cursor.fetchall())


def by_calendar(name: str) -> bool:
    """Whether a column changes with the data cut-off alone."""
    return name in CALENDAR or any(part in name for part in CALENDAR_PARTS)


@transaction.atomic
def take() -> None:
    """Replace the copy by the facts of now. Readers see the old one until the end.

    The row that readers hold is written last, so that they wait for nothing else.
    """
    names = [field.attname for field in PoolFacts._meta.concrete_fields]
    quoted = ", ".join(f'"{name}"' for name in names)
    changes = wanted_of(None)
    rows, values = (
        CaseFacts.objects.for_research().values_list(*names).query.sql_with_params()
    )
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM outcomes_poolfacts")
        pool_answers.forget_all()
        cursor.execute(f"INSERT INTO outcomes_poolfacts ({quoted}) {rows}", values)
        n_cases = cursor.rowcount
    PoolCopy.objects.update_or_create(
        pk=PoolCopy.ONLY,
        defaults={
            "taken_at": timezone.now(),
            "changes": changes,
            "n_cases": n_cases,
        },
    )
