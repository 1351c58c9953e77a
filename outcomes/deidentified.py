"""De-identified facts: an allow-list of columns, transformed in the database.

Codes become keyed pseudonyms, dates and codes of centres are left out (days from the
operation stay, in weeks), ages become bands of five years with 90 and more in one, the
year of operation a band of three; sizes, minutes and millilitres are rounded, and values
that few cases of the registry share become "other". How far that goes is measured by
``outcomes.anonymity``; why, docs/decisions says. Patients who withdrew their consent are not in the rows at all.
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
from django.utils.translation import gettext_lazy as _

from outcomes.models import CaseFacts
from outcomes.models.fact_column import FactColumn, Kind, Release
from outcomes.models.fact_columns import FACT_COLUMNS
from outcomes.models.facts import CaseFactsQuerySet
from outcomes.models.pseudonym import Pseudonym
from outcomes.summaries import wanted_of
from registry.fields import Privacy

OLDEST_AGE = 90
OLDEST = "90 or more"
OTHER = "other"
COMMON_SECONDS = 3600


class Rounded(Func):
    """To the nearest multiple of ``step``; what is more than nothing stays so."""

    template = (
        "(CASE WHEN (%(expressions)s) > 0"
        " THEN greatest(round((%(expressions)s)::numeric / %(step)s), 1)"
        " ELSE round((%(expressions)s)::numeric / %(step)s) END * %(step)s)::%(type)s"
    )


class Band(Func):
    """``2013-2015`` for a year, ``60 to 64`` and ``90 or more`` for an age.

    Not ``10-14``, which spreadsheets take for a day of October.
    """

    template = (
        "to_char((%(expressions)s) - mod(%(expressions)s, %(step)s), '%(digits)s')"
        " || '%(between)s' ||"
        " to_char((%(expressions)s) - mod(%(expressions)s, %(step)s) + %(step)s - 1,"
        " '%(digits)s')"
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
        words = _("%(before)s In bands of %(step)s years%(oldest)s.") % {
            "before": column.definition,
            "step": column.step,
            "oldest": _("; 90 and over together") if is_age(column) else "",
        }
        return replace(column, kind=Kind.TEXT, definition=str(words).strip())
    if column.release == Release.ROUND:
        words = _("%(before)s To the nearest %(step)s, from %(step)s up.") % {
            "before": column.definition,
            "step": column.step,
        }
        return replace(column, definition=str(words).strip())
    if column.release == Release.GROUP_RARE and column.kind == Kind.TEXT:
        named = {code: label for code, label in column.values}
        named.setdefault(OTHER, _("Other, or a value of few cases"))
        return replace(column, values=tuple(named.items()))
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


def is_age(column: FactColumn) -> bool:
    return column.name == "age_at_surgery"


def year_band(column: FactColumn) -> Band:
    return Band(F(column.name), step=column.step, between="-", digits="FM0000")


def age_band(name: str, step: int) -> CaseExpression:
    """The band of an age, and nothing where no age is known."""
    return CaseExpression(
        When(**{f"{name}__gte": OLDEST_AGE}, then=Value(OLDEST)),
        default=Band(F(name), step=step, between=" to ", digits="FM00"),
        output_field=CharField(),
    )


def shown(column: FactColumn) -> Any:
    """The expression by which a column of the facts leaves the registry."""
    name = column.name
    if name == "case":
        return F("pseudonym")  # kept with the row: rows are ordered by it
    if name == "patient":
        return Pseudonym(F("patient_code"))
    if column.release == Release.BAND:
        return age_band(name, column.step) if is_age(column) else year_band(column)
    if column.release == Release.ROUND:
        whole = column.kind == Kind.WHOLE
        kind, field = ("int", IntegerField()) if whole else ("float8", FloatField())
        return Rounded(F(name), step=column.step, type=kind, output_field=field)
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
