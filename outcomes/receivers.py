"""What the outcomes do when news of a case comes.

Facts are derived inside the transaction that changed the case, so a page never shows
the one without the other. Summaries follow after commit; if that message is lost, the
sweep finds what lags behind.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import AppConfig
from django.db import transaction
from django.db.models.signals import post_migrate, post_save, pre_migrate
from django.dispatch import receiver

from cases.signals import case_changed
from outcomes import answering, facts, released, summaries, upkeep
from outcomes.signals import outcome_changed
from outcomes.tasks import answer_question, refresh_outdated_facts, refresh_summaries
from registry.celery import enqueue, publish
from registry.models import Centre
from registry.signals import sweep


@receiver([case_changed, outcome_changed], dispatch_uid="outcomes.case_news")
def follow_case(sender: object, case_ids: Iterable[int], **kwargs: object) -> None:
    """Derive the facts and note the change now; ask for the summaries after commit."""
    case_ids = list(case_ids)
    facts.refresh(case_ids)
    for centre_id in summaries.mark_wanted(case_ids):
        enqueue(refresh_summaries, centre_id)
    enqueue(refresh_summaries, None)


@receiver(post_save, sender=Centre, dispatch_uid="outcomes.new_centre")
def make_summaries(sender: object, created: bool, **kwargs: object) -> None:
    """The rows of a centre come with the centre, never with its first case."""
    if created:
        summaries.ensure_rows()


@receiver(post_migrate, dispatch_uid="outcomes.migrated")
def make_all_summaries(sender: AppConfig, **kwargs: object) -> None:
    """The pool's rows, and those of measures that a new version brings."""
    if sender.name == "outcomes":
        released.make_view()
        summaries.ensure_rows()


@receiver(pre_migrate, dispatch_uid="outcomes.to_migrate")
def take_view_away(sender: AppConfig, **kwargs: object) -> None:
    """Columns under a view cannot be changed."""
    if sender.name == "outcomes":
        released.drop_view()


@receiver(sweep, dispatch_uid="outcomes.sweep")
def announce_stale(sender: object, **kwargs: object) -> None:
    """Ask again for whatever lags behind, each scope on its own."""
    with transaction.atomic():
        summaries.fold_changes()
    summaries.ensure_rows()
    for centre_id in summaries.stale_scopes():
        publish(refresh_summaries, centre_id)


@receiver(sweep, dispatch_uid="outcomes.outdated_facts")
def announce_outdated(sender: object, **kwargs: object) -> None:
    """Ask for facts that a new version or a new month left behind."""
    if upkeep.any_outdated():
        publish(refresh_outdated_facts)


@receiver(sweep, dispatch_uid="outcomes.unanswered")
def announce_unanswered(sender: object, **kwargs: object) -> None:
    """Ask again for questions whose message was lost or whose worker died."""
    answering.forget()
    for key in answering.unanswered():
        publish(answer_question, key)
