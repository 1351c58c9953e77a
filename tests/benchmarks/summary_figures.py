"""The time of every summary, by itself and by typical groupings.

Beside each stands a bare scan: one column of the same rows, read and counted. Run by
``registry_at``, which has set Django up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection

from outcomes.measures import MEASURES
from outcomes.models import CaseFacts
from outcomes.summaries import compute

Timer = Callable[[Callable[[], Any]], float]
GROUPINGS = ("", "compartment", "compartment,eor_final")
# Wide: many groups, each compared with the first.
WIDE = {"mri-features": ("region,compartment",), "recurrence": ("histology_who2021",)}
BARE_SCAN = "SELECT count(pfs_days) FROM outcomes_casefacts"


def bare_scan() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_indexonlyscan = off")
        cursor.execute(BARE_SCAN)
        cursor.fetchone()


def summary_seconds(timed: Timer) -> dict[str, float]:
    """Seconds of each measure and grouping, none of them from a stored row."""
    found = {"bare scan": timed(bare_scan)}
    for measure in MEASURES:
        for by in (*GROUPINGS, *WIDE.get(measure, ())):
            found[f"{measure} {by}".strip()] = timed(
                lambda name=measure, columns=by: compute(
                    name, columns, queryset=CaseFacts.objects.all()
                )
            )
    return found
