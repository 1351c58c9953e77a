"""The trail of events: who did, read, exported or changed what.

Events are chained: each carries a keyed hash over itself and its predecessor, with a
key that lies outside the database. An advisory lock keeps the chain in one line.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from registry.models.audit import AuditEvent

AUDIT_LOCK = 0x4D59454C  # "MYEL"
GENESIS = "0" * 64


def record(
    action: str,
    *,
    actor: Any = None,
    target: str = "",
    centre_id: int | None = None,
    **body: Any,
) -> AuditEvent:
    """Append one event, in the transaction of what it tells of.

    ``action`` is a dotted verb such as ``identity.read``; ``body`` holds codes, counts
    and reasons, never names or free text of the record.
    """
    context = structlog.contextvars.get_contextvars()
    event = AuditEvent(
        at=timezone.now(),
        action=action,
        actor_id=getattr(actor, "pk", None),
        centre_id=centre_id,
        target=target,
        request_id=str(context.get("request_id", ""))[:64],
        body=body,
    )
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [AUDIT_LOCK])
        last = AuditEvent.objects.order_by("-pk").values_list("mac", flat=True).first()
        event.previous = last or GENESIS
        event.mac = mac_of(event)
        event.save(force_insert=True)
    return event


def mac_of(event: AuditEvent) -> str:
    """HMAC-SHA256 over the canonical form of the event and its predecessor's."""
    canonical = json.dumps(
        [
            _instant(event.at),
            event.action,
            event.actor_id,
            event.centre_id,
            event.target,
            event.request_id,
            event.body,
            event.previous,
        ],
        sort_keys=True,
        ensure_ascii=True,
        separators=(",", ":"),
    )
    return hmac.new(
        settings.AUDIT_KEY.encode(), canonical.encode(), hashlib.sha256
    ).hexdigest()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def broken_events(head: tuple[int, str] | None = None) -> Iterator[str]:
    """Each place at which the chain does not hold, in words; nothing if it is whole.

    ``head`` is an earlier (id, mac) that was published outside the database: without it
    a cut-off tail leaves a shorter chain that looks whole.
    """
    previous = GENESIS
    seen_head = head is None
    for event in AuditEvent.objects.order_by("pk").iterator(chunk_size=2000):
        if event.previous != previous:
            yield f"event {event.pk}: does not follow its predecessor"
        if not hmac.compare_digest(event.mac, mac_of(event)):
            yield f"event {event.pk}: was altered"
        if head and event.pk == head[0] and hmac.compare_digest(event.mac, head[1]):
            seen_head = True
        previous = event.mac
    if not seen_head and head:
        yield f"event {head[0]}: known from outside, missing or altered here"
