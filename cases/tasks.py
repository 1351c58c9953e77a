"""Background work on cases. Tasks take keys and hold no logic."""

from __future__ import annotations

from celery import shared_task

from cases import drafts


@shared_task(name="cases.clear_drafts")
def clear_drafts() -> None:
    """Delete drafts that are thirty days old."""
    drafts.clear_expired()
