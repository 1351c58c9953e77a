"""De-identified rows: an allow-list of columns of the released facts.

Codes become keyed pseudonyms, dates and codes of centres are left out (days from the
operation stay, in weeks); sizes, minutes and millilitres are rounded, and values that
few cases of the registry share become "other". Sex, age, region, year, compartment and
neurofibromatosis are told as finely as nobody is alone in them: ages in bands of 5, 10
or 20 years, years of operation in bands of 3 or 9, or not at all. ``outcomes.released``
makes that table, docs/decisions says why. Patients who withdrew their consent are not
in it.

A *limited set*, for a granted purpose, tells the same columns as they were recorded,
without codes and dates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Case as CaseExpression
from django.db.models import (
    CharField,
    F,
    Func,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from outcomes.models.fact_column import FactColumn, Kind, Release
from outcomes.models.fact_columns import FACT_COLUMNS
from outcomes.models.facts import CaseFactsQuerySet
from outcomes.models.pseudonym import Pseudonym
from outcomes.quasi_identifiers import OLDEST_AGE, PLACE, QUASI_IDENTIFIERS
from outcomes.released_sql import OTHER, WITHHELD
from registry.fields import Privacy

WITHHELD_REASON = (WITHHELD, _("Withheld, so that nobody is alone"))
# Dates and codes apart, what limited sets tell and released rows do not.
LIMITED_TOO = ("cutoff_days",)


class Digits(Func):
    """A number as a text of at least two digits, or of all it has."""

    template = "to_char(%(expressions)s, '%(digits)s')"
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
WITHHELD_COLUMN = FactColumn(
    "withheld",
    Kind.TEXT,
    _("withheld values"),
    "withheld",
    definition=_(
        "Columns whose value, or whose lack of one, is not told of this row, with "
        "spaces between: too few other rows are like it."
    ),
)


def deidentified_columns() -> tuple[FactColumn, ...]:
    """The columns of de-identified rows, in order, as they are described there."""
    return (
        *PSEUDONYM_COLUMNS,
        *(
            as_released(column)
            for column in FACT_COLUMNS
            if column.release != Release.DROP
        ),
        WITHHELD_COLUMN,
    )


def limited_columns() -> tuple[FactColumn, ...]:
    """The columns of a limited set, in order, as they are described there."""
    return PSEUDONYM_COLUMNS + tuple(
        as_limited(column)
        for column in FACT_COLUMNS
        if column.release != Release.DROP or column.name in LIMITED_TOO
    )


def as_limited(column: FactColumn) -> FactColumn:
    """The description of a column of a limited set, where only ages are limited."""
    if is_age(column):
        words = _("%(before)s %(oldest)s stands for all from there on.") % {
            "before": column.definition,
            "oldest": OLDEST_AGE,
        }
        return replace(column, release=Release.KEEP, definition=str(words))
    return replace(column, release=Release.KEEP)


def as_released(column: FactColumn) -> FactColumn:
    """The description of a column after its transform."""
    if column.release == Release.BAND:
        steps = QUASI_IDENTIFIERS[PLACE[column.name]].steps
        words = _(
            "%(before)s In bands of %(steps)s years%(oldest)s, or withheld: as narrow as "
            "enough rows are alike."
        ) % {
            "before": column.definition,
            "steps": _(" or ").join(map(str, steps)),
            "oldest": _("; the oldest together") if is_age(column) else "",
        }
        return replace(column, kind=Kind.TEXT, definition=str(words).strip())
    if column.release == Release.ROUND:
        words = _("%(before)s To the nearest %(step)s, from %(step)s up.") % {
            "before": column.definition,
            "step": column.step,
        }
        return replace(column, definition=str(words).strip())
    if column.release == Release.GROUP_RARE and column.kind == Kind.TEXT:
        column = with_other(column)
    if column.name.endswith("_missing") and can_be_withheld(column.name):
        return replace(column, values=(*column.values, WITHHELD_REASON))
    return column


def with_other(column: FactColumn) -> FactColumn:
    """The column with the value of those that are told as one."""
    named = dict(column.values)
    named.setdefault(OTHER, _("Other, or a value of few cases"))
    return replace(column, values=tuple(named.items()))


def can_be_withheld(name: str) -> bool:
    return any(found.is_told_with(name) for found in QUASI_IDENTIFIERS)


def is_age(column: FactColumn) -> bool:
    return column.name == "age_at_surgery"


def in_words(column: FactColumn) -> CaseExpression:
    """``2013-2015`` for years, ``60 to 64`` and ``90 or more`` for ages.

    Not ``10-14``, which spreadsheets take for a day of October.
    """
    digits, between = ("FM00", " to ") if is_age(column) else ("FM0000", "-")
    first = Digits(F(column.name), digits=digits)
    last = Digits(F(f"{column.name}_to"), digits=digits)
    return CaseExpression(
        When(**{f"{column.name}__isnull": True}, then=Value(None)),
        When(
            **{f"{column.name}_to__isnull": True}, then=Concat(first, Value(" or more"))
        ),
        default=Concat(first, Value(between), last),
        output_field=CharField(),
    )


def pooled_age(name: str) -> CaseExpression:
    """The age, the oldest as one; nothing where none is known, unlike LEAST."""
    oldest = When(**{f"{name}__gt": OLDEST_AGE}, then=Value(OLDEST_AGE))
    return CaseExpression(oldest, default=F(name))


def shown(column: FactColumn, *, limited: bool = False) -> Any:
    """The expression by which a column leaves the registry.

    Of the released facts, or for a limited set of the facts themselves.
    """
    name = column.name
    if name == "case":
        return F("pseudonym")  # kept with the row: rows are ordered by it
    if name == "patient":
        return Pseudonym(F("patient_code"))
    if limited:
        return pooled_age(name) if is_age(column) else F(name)
    return in_words(column) if column.release == Release.BAND else F(name)


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
    """De-identified rows of a queryset of released facts; ``fields`` chooses columns.

    Raises KeyError for a name that is not on the allow-list. Start from
    ``ReleasedFacts.objects.visible_to(user, …)`` as ever, after
    ``outcomes.released.keep_up()``.
    """
    return selected(queryset, deidentified_columns(), fields, limited=False)


def limited_set(
    queryset: CaseFactsQuerySet, fields: tuple[str, ...] | None = None
) -> Selection:
    """The same of a queryset of facts for a person with a grant."""
    return selected(queryset, limited_columns(), fields, limited=True)


def selected(
    queryset: CaseFactsQuerySet,
    columns: tuple[FactColumn, ...],
    fields: tuple[str, ...] | None,
    *,
    limited: bool,
) -> Selection:
    allowed = {column.name: column for column in columns}
    names = tuple(allowed) if fields is None else fields
    expressions = [shown(allowed[name], limited=limited) for name in names]
    return Selection(names, queryset.for_research().values_list(*expressions))
