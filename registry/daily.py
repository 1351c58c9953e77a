"""What is done once a day, however many beats and workers ask for it every hour."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache
from django.utils import timezone

CLAIM_SECONDS = 3 * 24 * 3600
Result = TypeVar("Result")


def once_a_day(name: str, work: Callable[[], Result]) -> Result | None:
    """What the work gave; None where today has had it, or another does it now.

    A failure gives the day back, so that the next hour tries again. The claim lies in
    the database: what must not be stopped from there (the heads of the audit trail) does
    not ask here.
    """
    claim = f"{name}-{timezone.now():%Y-%m-%d}"
    if not cache.add(claim, True, CLAIM_SECONDS):
        return None
    try:
        return work()
    except BaseException:
        cache.delete(claim)
        raise
