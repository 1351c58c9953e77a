"""What the outcomes do when news of a case comes.

Facts are derived inside the transaction that changed the case, so a page never shows
the one without the other. Summaries follow after commit.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.dispatch import receiver

from cases.signals import case_changed
from outcomes import facts
from outcomes.signals import outcome_changed


@receiver([case_changed, outcome_changed], dispatch_uid="outcomes.facts")
def refresh_facts(sender: object, case_ids: Iterable[int], **kwargs: object) -> None:
    """Facts follow in the same transaction."""
    facts.refresh(case_ids)
