"""Rows whose days may be known to the month or the year only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Self

from django.db import models

from registry.days import PartialDay


class PartlyKnownDays(models.Model):
    """Mixin: ``precision`` says which days are known to the month or year only.

    Such a column holds the middle of its month or year, so that counting goes on and
    errs to neither side. Rows that are read have their days as :class:`PartialDay`, so
    that what is shown is never more than what is known. docs/decisions/0018.
    """

    precision = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        record = super().from_db(*args, **kwargs)
        vars(record).update(partial_days(vars(record)))
        return record


def partial_days(columns: Mapping[str, Any]) -> dict[str, PartialDay]:
    """The days of a row of which its ``precision`` says that they are known in part."""
    precision: Mapping[str, str] = columns.get("precision") or {}
    days: dict[str, date] = {
        name: columns[name] for name in precision if columns.get(name)
    }
    return {name: PartialDay.known(day, precision[name]) for name, day in days.items()}
