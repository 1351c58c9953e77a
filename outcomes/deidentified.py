"""De-identified facts: an allow-list of columns, transformed in the database.

Codes become keyed pseudonyms, dates and codes of centres are left out (days from the
operation stay), ages of 90 and more are pooled, the year of operation becomes a band of
three years, sizes are rounded, and values that few cases of the registry share become
"other". Patients who withdrew their consent are not in the rows at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Case as CaseExpression
from django.db.models import (
    CharField,
    Count,
    F,
    FloatField,
    Func,
    IntegerField,
    Max,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Least
from django.utils.translation import gettext_lazy as _

from outcomes.models import CaseFacts
from outcomes.models.fact_column import FactColumn, Kind, Release
from outcomes.models.fact_columns import FACT_COLUMNS
from outcomes.models.facts import CaseFactsQuerySet
from outcomes.models.pseudonym import Pseudonym
from outcomes.summaries import wanted_of
from registry.fields import Privacy

OLDEST_AGE = 90
OTHER = "other"
COMMON_SECONDS = 3600
ROUNDED_TO = {"volume_cm3": 1}  # decimal places; sizes in mm have none


class Rounded(Func):
    """To ``places`` decimals, half away from zero."""

    template = "round((%(expressions)s)::numeric, %(places)s)::float8"
    output_field = FloatField()


class YearBand(Func):
    """``2013-2015`` for 2013, 2014 and 2015."""

    template = (
        "((%(expressions)s) - mod(%(expressions)s, 3))::text || '-' ||"
        " ((%(expressions)s) - mod(%(expressions)s, 3) + 2)::text"
    )
    output_field = CharField()


PSEUDONYM_COLUMNS = (
    FactColumn(
        "case",
        Kind.TEXT,
        _("case"),
        "pseudonym",
        definition=_("Pseudonym of the case, the same in all answers."),
        privacy=Privacy.CODE,
    ),
    FactColumn(
        "patient",
        Kind.TEXT,
        _("patient"),
        "patient_code",
        definition=_("Pseudonym of the patient, who may have several tumours."),
        privacy=Privacy.CODE,
    ),
)


def deidentified_columns() -> tuple[FactColumn, ...]:
    """The columns of de-identified rows, in order, as they are described there."""
    return PSEUDONYM_COLUMNS + tuple(
        as_released(column) for column in FACT_COLUMNS if column.release != Release.DROP
    )


def as_released(column: FactColumn) -> FactColumn:
    """The description of a column after its transform."""
    if column.release == Release.BAND:
        definition = _("Bands of three years.")
        return replace(column, kind=Kind.TEXT, definition=definition, values=())
    if column.release == Release.GROUP_RARE and column.kind == Kind.TEXT:
        named = {code: label for code, label in column.values}
        named.setdefault(OTHER, _("Other, or a value of few cases"))
        return replace(column, values=tuple(named.items()))
    if column.release == Release.POOL_90:
        definition = _("%(before)s Ages of 90 and more are given as 90.")
        return replace(column, definition=definition % {"before": column.definition})
    return column


def common_values(name: str) -> list[str]:
    """Values of a column that as many cases as the threshold share, or more.

    Counting reads the whole table, so one count serves every page until a case changes.
    """
    latest = CaseFacts.objects.aggregate(latest=Max("pk"))["latest"]
    moment = f"{wanted_of(None)}-{latest}-{settings.DISCLOSURE_THRESHOLD}"
    found = cache.get_or_set(
        f"common-{name}-{moment}", lambda: counted_as_common(name), COMMON_SECONDS
    )
    return list(found or [])


def counted_as_common(name: str) -> list[str]:
    counted = CaseFacts.objects.for_research().exclude(**{name: None}).values(name)
    return [
        row[name]
        for row in counted.annotate(n=Count("pk")).order_by(name)
        if row["n"] >= settings.DISCLOSURE_THRESHOLD
    ]


def shown(column: FactColumn) -> Any:
    """The expression by which a column of the facts leaves the registry."""
    name = column.name
    if name == "case":
        return F("pseudonym")  # kept with the row: rows are ordered by it
    if name == "patient":
        return Pseudonym(F("patient_code"))
    if column.release == Release.POOL_90:
        return Least(F(name), Value(OLDEST_AGE), output_field=IntegerField())
    if column.release == Release.BAND:
        return YearBand(F(name))
    if column.release == Release.ROUND:
        return Rounded(F(name), places=ROUNDED_TO.get(name, 0))
    if column.release == Release.GROUP_RARE and column.kind == Kind.TEXT:
        return CaseExpression(
            When(**{f"{name}__isnull": True}, then=Value(None)),
            When(**{f"{name}__in": common_values(name)}, then=F(name)),
            default=Value(OTHER),
            output_field=CharField(),
        )
    return F(name)


@dataclass(frozen=True)
class Selection:
    """Columns asked for and the query that yields them in this order."""

    names: tuple[str, ...]
    rows: QuerySet[Any]

    def dicts(self, chunk: int = 2000) -> Iterator[dict[str, Any]]:
        for row in self.rows.iterator(chunk_size=chunk):
            yield dict(zip(self.names, row, strict=True))


def deidentified(
    queryset: CaseFactsQuerySet, fields: tuple[str, ...] | None = None
) -> Selection:
    """De-identified rows of a queryset of facts; ``fields`` chooses among the columns.

    Raises KeyError for a name that is not on the allow-list. Start from
    ``CaseFacts.objects.visible_to(user, …)`` as ever.
    """
    allowed = {column.name: column for column in deidentified_columns()}
    names = tuple(allowed) if fields is None else fields
    expressions = [shown(column) for column in (allowed[name] for name in names)]
    rows = queryset.for_research().values_list(*expressions)
    return Selection(names, rows)
