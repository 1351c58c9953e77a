"""What comes round every few seconds: the sweep, which finds what a lost message left
behind, the sealer of the audit trail, and the post."""

from __future__ import annotations

import logging

from celery import Task, shared_task
from django.conf import settings

from registry import clearing, post
from registry.audit import heads, sealing
from registry.backup import keeping
from registry.daily import once_a_day
from registry.embedded.places import var_folder
from registry.models.heartbeat import WorkerHeartbeat
from registry.signals import sweep

logger = logging.getLogger(__name__)


@shared_task(name="registry.sweep", bind=True)
def run_sweep(self: Task) -> None:
    """Show that this worker lives, then let every app look for its stale rows."""
    WorkerHeartbeat.beat(self.request.hostname or "called directly")
    for receiver, answer in sweep.send_robust(sender=None):
        if isinstance(answer, Exception):
            logger.error(
                "a sweep failed: %s",
                getattr(receiver, "__qualname__", receiver),
                exc_info=answer,
            )


@shared_task(name="registry.seal_audit")
def seal_audit() -> None:
    """Put what was committed under the chain; once a day keep its head outside."""
    sealing.seal_all()
    heads.publish_if_due()


@shared_task(name="registry.send_mail")
def send_mail() -> None:
    """Send the mails about accounts that were asked for."""
    post.send_waiting()


@shared_task(name="registry.clear")
def clear_old() -> None:
    """Delete what nobody needs any more, once a day."""
    once_a_day("cleared", clearing.clear)


@shared_task(name="registry.back_up")
def back_up() -> None:
    """Of a local run, once a day; production has its own place and hour for it."""
    if settings.LOCAL:
        folder = var_folder() / "backups"
        once_a_day("backed-up", lambda: keeping.back_up_and_thin(folder))
