"""The sealer: puts committed rows under the chain, a few thousand at a time.

Whoever gets the lock is the sealer; it waits for nobody and nobody waits for it. Each
seal is one transaction, so a sealer that is killed leaves nothing half done, and the
next one goes on where the last seal ends. Numbers of rows come from sequences: those
that are not there belong to transactions that are still open or have failed. They are
awaited until every transaction of that moment has ended.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from registry.audit.evidence import (
    Evidence,
    column_names,
    fix_settings,
    hashed_rows,
    last_number,
    sealed_tables,
)
from registry.audit.spans import Span, spans_of, without
from registry.models.audit import Seal

SEAL_LOCK = 0x4D59454C  # "MYEL"
GENESIS = "0" * 64
MOST_ROWS = 5000
MARK_BYTES = 4
# A statement takes a number a moment before its transaction has an id by which to see
# whether it has ended.
GRACE_SECONDS = 60
MOMENT = """
SELECT clock_timestamp(), pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
  (SELECT system_identifier::text FROM pg_control_system())
"""
NEXT_TRANSACTION = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
# [first, last, transaction, found at]
Awaited = list[int]


@dataclass(frozen=True)
class Moment:
    """The database's clock, its oldest open transaction, and which server it is."""

    at: datetime
    oldest: int
    server: str

    @property
    def epoch(self) -> int:
        return int(self.at.timestamp())


def seal_all() -> int:
    """Seal whatever was committed; returns the number of rows.

    Stops where another sealer is at work.
    """
    sealed = 0
    for evidence in sealed_tables():
        while True:
            seal = seal_next(evidence)
            sealed += seal.count if seal else 0
            if seal is None or seal.count < MOST_ROWS:
                break
    return sealed


@transaction.atomic
def seal_next(evidence: Evidence) -> Seal | None:
    """One seal over the next rows of a table; None without news or without the lock.

    The order of the questions matters: the oldest open transaction is asked before the
    rows and the next one after them, so that no row falls between.
    """
    if not own_turn():
        return None
    fix_settings()
    before = last_seal(evidence.table)
    given, moment = last_number(evidence), moment_now()
    columns = column_names(evidence.table)
    waiting = [(first, last) for first, last, _id, _at in before.awaited]
    late = list(hashed_rows(evidence, columns, waiting, MOST_ROWS))
    fresh = [(before.upto + 1, given)]
    new = list(hashed_rows(evidence, columns, fresh, MOST_ROWS - len(late)))
    rows = late + new
    upto = new[-1][0] if new else before.upto
    spans = spans_of(number for number, _hash in rows)
    all_taken = len(late) < MOST_ROWS
    awaited = still_awaited(before, spans, moment, all_taken)
    if not rows and awaited == before.awaited:
        return None
    awaited += newly_awaited(without([(before.upto + 1, upto)], spans), moment)
    seal = Seal(
        at=moment.at,
        table=evidence.table,
        after=before.upto,
        upto=upto,
        spans=[list(span) for span in spans],
        count=len(rows),
        total=before.total + len(rows),
        digest=digest_of(rows),
        marks=b"".join(each[:MARK_BYTES] for _number, each in rows),
        awaited=awaited,
        server=moment.server,
    )
    return append(seal, columns, before)


def begin_anew(table: str, reason: str) -> Seal:
    """Seal a table from its first row again, after a migration that rewrote its rows.

    Earlier seals of the table stay in the chain, their rows are compared no more.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEAL_LOCK])
        moment = moment_now()
        empty = Seal(table=table, shape="", upto=0, total=0, awaited=[])
        seal = Seal(
            at=moment.at,
            table=table,
            after=0,
            upto=0,
            spans=[],
            count=0,
            total=0,
            digest=digest_of([]),
            marks=b"",
            awaited=[],
            server=moment.server,
            reason=reason,
        )
        return append(seal, column_names(table), empty)


def append(seal: Seal, columns: list[str], before: Seal) -> Seal:
    """Put the seal at the end of the chain."""
    seal.shape = shape_of(columns)
    seal.columns = columns if seal.shape != before.shape else []
    last = Seal.objects.order_by("-pk").values_list("mac", flat=True).first()
    seal.previous = last or GENESIS
    seal.mac = mac_of(seal)
    seal.save(force_insert=True)
    return seal


def last_seal(table: str) -> Seal:
    """The last seal of a table; one that ends at 0 where there is none."""
    found = Seal.objects.filter(table=table).defer("marks").order_by("-pk").first()
    return found or Seal(table=table, upto=0, total=0, awaited=[], shape="", server="")


def still_awaited(
    before: Seal, taken: list[Span], moment: Moment, all_taken: bool
) -> list[Awaited]:
    """What may still come of the numbers that were awaited.

    Nothing of a span whose transactions have all ended, if all its rows were taken; and
    nothing on another server: a restored dump holds no open transactions.
    """
    left: list[Awaited] = []
    for first, last, transaction_id, found_at in before.awaited:
        over = before.server != moment.server or (
            moment.oldest >= transaction_id and moment.epoch - found_at >= GRACE_SECONDS
        )
        if all_taken and over:
            continue
        rest = without([(first, last)], taken)
        left += [[start, stop, transaction_id, found_at] for start, stop in rest]
    return left


def newly_awaited(gaps: list[Span], moment: Moment) -> list[Awaited]:
    """Numbers that were skipped just now."""
    if not gaps:
        return []
    with connection.cursor() as cursor:
        cursor.execute(NEXT_TRANSACTION)
        (following,) = cursor.fetchone()
    return [[first, last, following, moment.epoch] for first, last in gaps]


def own_turn() -> bool:
    """Whether this transaction is the sealer until it ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEAL_LOCK])
        (got,) = cursor.fetchone()
    return bool(got)


def moment_now() -> Moment:
    with connection.cursor() as cursor:
        cursor.execute(MOMENT)
        return Moment(*cursor.fetchone())


def digest_of(rows: list[tuple[int, bytes]]) -> str:
    """SHA-256 over number and hash of each row, in the order of the seal."""
    whole = hashlib.sha256()
    for number, each in rows:
        whole.update(number.to_bytes(8, "big", signed=True) + each)
    return whole.hexdigest()


def shape_of(columns: list[str]) -> str:
    return hashlib.sha256("\n".join(columns).encode()).hexdigest()[:16]


def mac_of(seal: Seal) -> str:
    """HMAC-SHA256 over the canonical form of everything that the seal says."""
    said: dict[str, Any] = {
        field.name: getattr(seal, field.name)
        for field in Seal._meta.local_fields
        if field.name not in {"id", "mac"}
    }
    said["at"] = seal.at.astimezone(UTC).isoformat(timespec="microseconds")
    said["marks"] = bytes(seal.marks).hex()
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"))
    key = settings.AUDIT_KEY.encode()
    return hmac.new(key, canonical.encode(), hashlib.sha256).hexdigest()
