"""What does not hold of the trail, in words; nothing if it is whole.

One pass over the chain replays for each table which rows were sealed, compares them a
seal at a time and so needs the same memory for ten events and ten million.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from registry.audit.evidence import (
    Evidence,
    column_names,
    fix_settings,
    hashed_rows,
    last_number,
    sealed_tables,
)
from registry.audit.explaining import unexplained
from registry.audit.heads import Head
from registry.audit.sealing import GENESIS, MARK_BYTES, digest_of, mac_of
from registry.audit.spans import Span, in_words, numbers_in, size, spans_of, without
from registry.models.audit import Seal

LOWEST = -(2**63)
HIGHEST = 2**63 - 1
SEALS_AT_ONCE = 100
SPANS_AT_ONCE = 1000
ROWS_IN = """
SELECT evidence.{key} FROM unnest(%s::bigint[], %s::bigint[]) AS span (first, last)
JOIN {table} AS evidence ON evidence.{key} BETWEEN span.first AND span.last
ORDER BY evidence.{key} LIMIT 100000
"""
WAITING = """
SELECT count(*), min(evidence.{key})
FROM unnest(%s::bigint[], %s::bigint[]) AS span (first, last)
JOIN {table} AS evidence ON evidence.{key} BETWEEN span.first AND span.last
WHERE evidence.{at} < %s
"""


@dataclass
class Replay:
    """What the seals read so far say of one table."""

    evidence: Evidence
    present: frozenset[str]
    upto: int = 0
    total: int = 0
    columns: list[str] = field(default_factory=list)
    shape: str = ""
    # Numbers up to ``upto`` without a sealed row, and those of them that may still come.
    unfilled: list[Span] = field(default_factory=list)
    awaited: list[Span] = field(default_factory=list)
    unreadable: bool = False


def problems(heads: Iterable[Head] = (), *, restored: bool = False) -> Iterator[str]:
    """Each place at which chain, rows under it, or records and history disagree.

    ``heads`` were kept outside; those later than the chain's end are a cut tail, unless
    the database was ``restored`` from a backup made before them.
    """
    with one_moment():
        fix_settings()
        replays = {
            each.table: Replay(each, frozenset(column_names(each.table)))
            for each in sealed_tables()
        }
        yield from chain(replays, list(heads), restored)
        for replay in replays.values():
            yield from beside_the_seals(replay)
        yield from unexplained()


@contextmanager
def one_moment() -> Iterator[None]:
    """Everything is read as it was at one moment, unless the caller has begun already."""
    alone = not connection.in_atomic_block
    with transaction.atomic():
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def chain(
    replays: dict[str, Replay], heads: list[Head], restored: bool
) -> Iterator[str]:
    """Every seal against its predecessor, its own hash, its rows and the heads."""
    previous = GENESIS
    outside = {head.seal: head for head in heads}
    begun = beginnings()
    last = 0
    for seal in Seal.objects.order_by("pk").iterator(chunk_size=SEALS_AT_ONCE):
        if seal.previous != previous:
            yield f"seal {seal.pk}: does not follow its predecessor"
        if not hmac.compare_digest(seal.mac, mac_of(seal)):
            yield f"seal {seal.pk}: was altered"
        head = outside.get(seal.pk)
        if head and hmac.compare_digest(head.mac, seal.mac):
            del outside[seal.pk]
        previous, last = seal.mac, seal.pk
        if seal.pk >= begun.get(seal.table, 0):
            yield from replayed(seal, replays)
    for number, head in sorted(outside.items()):
        if not (restored and number > last):
            yield (
                f"seal {number}: known outside since {head.at}, missing or altered here"
            )


def beginnings() -> dict[str, int]:
    """The seal from which each table was begun anew, if it was."""
    anew = Seal.objects.exclude(reason="").order_by().values("table")
    return dict(anew.annotate(begun=Max("pk")).values_list("table", "begun"))


def replayed(seal: Seal, replays: dict[str, Replay]) -> Iterator[str]:
    """Take a seal into account and compare its rows."""
    replay = replays.get(seal.table)
    if seal.reason and replay is None:
        return
    if replay is None or not replay.present:
        yield f"seal {seal.pk}: its table {seal.table} is gone"
        return
    spans = [(first, last) for first, last in seal.spans]
    if seal.after != replay.upto or seal.total != replay.total + seal.count:
        yield f"seal {seal.pk}: does not go on where {seal.table} was sealed"
    if seal.shape != replay.shape:
        replay.columns, replay.shape = seal.columns, seal.shape
    yield from rows_under(seal, spans, replay)
    unsealed = [*replay.unfilled]
    if seal.upto > seal.after:
        unsealed.append((seal.after + 1, seal.upto))
    replay.unfilled = without(unsealed, spans)
    replay.awaited = [(first, last) for first, last, _id, _at in seal.awaited]
    replay.upto, replay.total = seal.upto, seal.total


def rows_under(seal: Seal, spans: list[Span], replay: Replay) -> Iterator[str]:
    """Rows of one seal that are missing or altered."""
    lost = sorted(set(replay.columns) - replay.present)
    if lost and not replay.unreadable:
        replay.unreadable = True
        yield (
            f"{seal.table}: sealed rows cannot be compared, column {lost[0]} is gone;"
            " after an update that removed it: manage.py seal_anew"
        )
    if lost:
        return
    rows = list(hashed_rows(replay.evidence, replay.columns, spans, seal.count))
    if digest_of(rows) == seal.digest and size(spans) == seal.count:
        return
    yield from differing(seal, spans, dict(rows))


def differing(seal: Seal, spans: list[Span], found: dict[int, bytes]) -> Iterator[str]:
    marks = bytes(seal.marks)
    missing, altered = [], []
    for place, number in enumerate(numbers_in(spans)):
        mark = marks[place * MARK_BYTES : (place + 1) * MARK_BYTES]
        if number not in found:
            missing.append(number)
        elif found[number][:MARK_BYTES] != mark:
            altered.append(number)
    for numbers, what in ((altered, "was altered"), (missing, "is missing")):
        for span in spans_of(numbers):
            yield f"{seal.table} {in_words(span)}: {what}"
    if not missing and not altered:
        yield f"{seal.table}, rows of seal {seal.pk}: altered"


def beside_the_seals(replay: Replay) -> Iterator[str]:
    """Rows where none may be, and rows that wait for their seal for too long."""
    evidence = replay.evidence
    if not replay.present:
        yield f"{evidence.table}: is gone"
        return
    given = max(last_number(evidence), replay.upto)
    dead = without(replay.unfilled, replay.awaited)
    forbidden = [(LOWEST, 0), *dead, (given + 1, HIGHEST)]
    for start in range(0, len(forbidden), SPANS_AT_ONCE):
        part = forbidden[start : start + SPANS_AT_ONCE]
        for span in spans_of(numbers_within(evidence, part)):
            yield f"{evidence.table} {in_words(span)}: was inserted later"
    count, first = too_long_unsealed(replay, given)
    if count:
        yield (
            f"{evidence.table} {first}: unsealed for more than"
            f" {settings.AUDIT_UNSEALED_MINUTES} minutes ({count} rows);"
            " do worker and beat run?"
        )


def numbers_within(evidence: Evidence, spans: list[Span]) -> list[int]:
    firsts, lasts = zip(*spans, strict=True)
    with connection.cursor() as cursor:
        statement = evidence.composed(ROWS_IN)
        cursor.execute(statement, [list(firsts), list(lasts)])
        return [number for (number,) in cursor.fetchall()]


def too_long_unsealed(replay: Replay, given: int) -> tuple[int, int]:
    """How many, and the first."""
    spans = [*replay.awaited, (replay.upto + 1, given)]
    firsts, lasts = zip(*spans, strict=True)
    limit = timezone.now() - timedelta(minutes=settings.AUDIT_UNSEALED_MINUTES)
    with connection.cursor() as cursor:
        statement = replay.evidence.composed(WAITING)
        cursor.execute(statement, [list(firsts), list(lasts), limit])
        count, first = cursor.fetchone()
    return count, first
