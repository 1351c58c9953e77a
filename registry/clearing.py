"""What nobody needs any more is deleted once a night, however many beats ring.

Never a record and never evidence: sessions that ended, keys of requests that nobody will
repeat, tokens that expired, failures that no lockout counts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module

from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from registry.models import ApiToken, Submission

logger = logging.getLogger(__name__)
# A form that stayed open, or a script that was repeated, comes back within days.
SUBMISSIONS_KEPT = timedelta(days=30)
TOKENS_KEPT = timedelta(days=30)  # so that their owner still sees why they ended
FAILURES_KEPT = timedelta(days=7)


def clear() -> dict[str, int]:
    """Rows deleted by kind; also in the log."""
    now = timezone.now()
    cleared = {name: kind(now) for name, kind in KINDS.items()}
    logger.info("cleared: %s", cleared)
    return cleared


def sessions(now: datetime) -> int:
    before = Session.objects.count()
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    return before - Session.objects.count()


def places_of_sessions(now: datetime) -> int:
    """Where people were signed in; the session itself is gone."""
    alive = Session.objects.values("session_key")
    return UserSession.objects.exclude(session_key__in=alive).delete()[0]


def submissions(now: datetime) -> int:
    return Submission.objects.filter(created_at__lt=now - SUBMISSIONS_KEPT).delete()[0]


def tokens(now: datetime) -> int:
    return ApiToken.objects.filter(expiry__lt=now - TOKENS_KEPT).delete()[0]


def failures(now: datetime) -> int:
    """Of sign-in, long past every lock."""
    return AccessAttempt.objects.filter(attempt_time__lt=now - FAILURES_KEPT).delete()[
        0
    ]


KINDS: dict[str, Callable[[datetime], int]] = {
    "sessions": sessions,
    "places of sessions": places_of_sessions,
    "submissions": submissions,
    "tokens": tokens,
    "failures": failures,
}
