"""What a column of the facts is: its meaning, its type, its SQL, its release."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from registry.fields import (
    DayField,
    FlagField,
    MeasureField,
    Privacy,
    WholeNumberField,
)


class Release(StrEnum):
    """What becomes of a column in de-identified rows."""

    DROP = "drop"
    KEEP = "keep"
    ROUND = "round"  # to the nearest multiple of the column's step, never to nothing
    GROUP_RARE = "group_rare"  # values of few cases of the registry become "other"
    BAND = "band"  # of as many years as the column's step


class Kind(StrEnum):
    """The type of a column."""

    TEXT = "text"
    WHOLE = "integer"
    NUMBER = "number"
    FLAG = "boolean"
    DATE = "date"


@dataclass(frozen=True)
class FactColumn:
    """One column: what it means, what it holds, where it comes from.

    ``step`` says how coarse a rounded or banded column is released, in its own unit.
    """

    name: str
    kind: Kind
    label: Any
    expression: str
    definition: Any = ""
    unit: Any = ""
    values: tuple[tuple[str, Any], ...] = ()
    privacy: Privacy = Privacy.CLINICAL
    source: str = "derived"
    release: Release = Release.KEEP
    step: int = 0

    def model_field(self) -> models.Field[Any, Any]:
        """The column in the table; every fact may be unknown."""
        field_class = {
            Kind.TEXT: models.CharField,
            Kind.WHOLE: models.IntegerField,
            Kind.NUMBER: models.FloatField,
            Kind.FLAG: models.BooleanField,
            Kind.DATE: models.DateField,
        }[self.kind]
        extra = {"max_length": 40} if self.kind == Kind.TEXT else {}
        return field_class(null=True, **extra)


PRECISIONS = (("day", _("Day")), ("month", _("Month")), ("year", _("Year")))


def precision_of(name: str, label: Any, expression: str) -> FactColumn:
    """How well the days of the column ``name`` are known."""
    return FactColumn(
        f"{name}_precision",
        Kind.TEXT,
        _("%(what)s, how well known") % {"what": label},
        expression,
        definition=_(
            "As the vaguer of its dates. Days from a month or year are counted by the "
            "middle of what is possible."
        ),
        values=PRECISIONS,
    )


RELEASE_BY_PRIVACY = {
    Privacy.CLINICAL: Release.KEEP,
    Privacy.SENSITIVE: Release.GROUP_RARE,
}


def kind_of(field: models.Field[Any, Any]) -> Kind:
    """The kind of a described field; codes and levels are text."""
    for field_class, kind in (
        (FlagField, Kind.FLAG),
        (WholeNumberField, Kind.WHOLE),
        (MeasureField, Kind.NUMBER),
        (DayField, Kind.DATE),
    ):
        if isinstance(field, field_class):
            return kind
    return Kind.TEXT


def column_of(
    field: Any,
    expression: str,
    *,
    source: str,
    release: Release | None = None,
) -> FactColumn:
    """A column that repeats a described field under its own name."""
    privacy = getattr(field, "privacy", Privacy.CLINICAL)
    return FactColumn(
        name=field.name,
        kind=kind_of(field),
        label=field.verbose_name,
        expression=expression,
        definition=getattr(field, "definition", ""),
        unit=getattr(field, "unit", ""),
        values=tuple(field.flatchoices or ()),
        privacy=privacy,
        source=source,
        release=release or RELEASE_BY_PRIVACY.get(privacy, Release.DROP),
    )
