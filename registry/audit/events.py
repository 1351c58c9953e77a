"""Events: who did, read, exported or changed what."""

from __future__ import annotations

from typing import Any

import structlog
from django.utils import timezone

from registry.models.audit import AuditEvent


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
    and reasons, never names or free text of the record. Takes no lock: the sealer puts
    the event under the chain after commit.
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
    event.save(force_insert=True)
    return event
