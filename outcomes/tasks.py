"""Background work of the outcomes. Tasks take keys and hold no logic."""

from __future__ import annotations

from celery import shared_task

from outcomes import summaries


@shared_task(name="outcomes.refresh_summaries")
def refresh_summaries(centre_id: int | None) -> None:
    """Refresh what is stale in a scope; None is the pool of all centres."""
    summaries.refresh_scope(centre_id)
