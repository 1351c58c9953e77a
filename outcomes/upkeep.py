"""Facts that grew old without a change of their case.

A new version derives them by another definition, and every month moves the data
cut-off. The sweep asks whether any are left behind; the work is done in batches, one at
a time, so that a large registry is taken up to date beside its daily work.
"""

from __future__ import annotations

from django.core.cache import cache
from django.db import transaction

from outcomes import facts, summaries

UP_TO_DATE_SECONDS = 3600


def any_outdated() -> bool:
    """Whether facts are of an earlier definition or cut-off.

    Looking reads the whole table; once nothing is left, the answer serves for an hour.
    """
    mark = f"facts-{facts.definition()}-{facts.data_cutoff()}"
    if cache.get(mark):
        return False
    if facts.outdated(limit=1):
        return True
    cache.set(mark, True, UP_TO_DATE_SECONDS)
    return False


def refresh_outdated(batch: int = facts.REBUILD_BATCH) -> int:
    """Derive a batch of outdated facts anew; returns how many cases it took.

    None while another worker is at it.
    """
    with transaction.atomic():
        facts.without_time_limit()
        if not facts.own_turn():
            return 0
        cases = facts.outdated(limit=batch)
        facts.refresh(cases)
        if cases:
            summaries.mark_wanted(cases)
    return len(cases)
