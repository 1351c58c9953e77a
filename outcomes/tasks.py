"""Background work of the outcomes. Tasks take keys and hold no logic."""

from __future__ import annotations

from celery import shared_task

from outcomes import answering, pool, pool_answers, summaries, upkeep


@shared_task(name="outcomes.refresh_summaries")
def refresh_summaries(centre_id: int | None) -> None:
    """Refresh what is stale in a scope; None is the pool of all centres."""
    summaries.refresh_scope(centre_id)


@shared_task(name="outcomes.refresh_outdated_facts")
def refresh_outdated_facts() -> None:
    """Take a batch of facts up to date after a new version or with a new month."""
    upkeep.refresh_outdated()


@shared_task(name="outcomes.renew_pool")
def renew_pool() -> None:
    """Take the copy of the pool for people of one centre anew, if it is due."""
    pool.renew_if_due()
    pool_answers.forget_oldest()


@shared_task(name="outcomes.answer_question")
def answer_question(key: int) -> None:
    """Answer a question that took too long for a web request."""
    answering.work(key)
