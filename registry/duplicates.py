"""Rows that look like one that is there already: asked about before they are saved.

A model names in ``SAME_WHEN`` what two rows of one thing share. A person may know
better and says so by naming the rows found; nobody is refused for good. Imports compare
old and new by themselves and do not ask.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Q

from registry.days import same_day
from registry.models import ClinicalQuerySet, ClinicalRecord
from registry.records import BLANK
from registry.sql import may_be


class LooksAlike(Exception):
    """Rows that may be the same as the one to be saved, and were not acknowledged."""

    def __init__(self, codes: list[str]) -> None:
        self.codes = codes
        super().__init__(f"looks like {', '.join(codes)}")


def wait_for_others(about: str) -> None:
    """Wait until whoever asks about the same has committed or given up.

    Two who save the same at once see each other's rows only then. Call it in the
    transaction of the save, after the row was written.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"alike {about}"]
        )


def rows_alike(
    model: type[ClinicalRecord], values: Mapping[str, Any], record: Any = None
) -> ClinicalQuerySet:
    """Current rows that share ``SAME_WHEN`` with the clean ``values`` of a row.

    ``values`` holds the row above as well, the first of ``SAME_WHEN``. For a correction
    of ``record`` only a change of one of those fields is asked about.
    """
    rows = model.objects.all()
    before = {name: getattr(record, name, None) for name in model.SAME_WHEN}
    same = {name: values.get(name, before[name]) for name in model.SAME_WHEN}
    untouched = record is not None and all(
        same_day(same[name], before[name]) for name in same
    )
    if not same or untouched or any(value in BLANK for value in same.values()):
        return rows.none()
    wait_for_others(f"{model._meta.label}:{same[model.SAME_WHEN[0]].pk}")
    alike = [_alike(name, value) for name, value in same.items()]
    return rows.current().filter(*alike).exclude(pk=getattr(record, "pk", None))


def _alike(name: str, value: Any) -> Q:
    """Days are alike that may be one day: May 2014 and 3 May 2014."""
    return may_be(name, value) if isinstance(value, date) else Q(**{name: value})


def ask_about(rows: ClinicalQuerySet, acknowledged: Collection[str]) -> None:
    """Raise LooksAlike for rows that nobody said to be others."""
    codes = list(rows.order_by("code").values_list("code", flat=True))
    if set(codes) - set(acknowledged):
        raise LooksAlike(codes)
