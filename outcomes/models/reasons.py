"""Why a cell of the facts is empty: for each value that can be missing, a column.

``<value>_missing`` is NULL exactly where ``<value>`` is known. It repeats the reason that
the record gives, else says what kept the value from being there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.choices import Compartment
from outcomes.models.fact_column import FactColumn, Kind, Release, column_of
from registry.fields import MissingReason, Privacy

NOT_RECORDED = "not_recorded"
GIVEN_BY_THE_RECORD = (
    *MissingReason.choices,
    (NOT_RECORDED, _("Neither a value nor a reason was entered")),
)
NO_OPERATION = ("not_operated", _("No index operation"))
NO_VISIT = (
    NO_OPERATION,
    ("surgery_date_unknown", _("Day of the operation not known")),
    ("not_due", _("The window was not over at the data cut-off")),
    ("died", _("Died before the window closed")),
    ("withdrawn", _("Consent withdrawn")),
    ("lost", _("Lost to follow-up")),
    ("no_visit", _("No visit, though under observation")),
)
WINDOW_STATES = (
    ("seen", _("A visit with a grade or a JOA score")),
    ("visit_without_score", _("A visit without either score")),
    *NO_VISIT,
)
OF_A_VISIT = (*GIVEN_BY_THE_RECORD, *NO_VISIT)
TOO_EARLY = ("too_early", _("The visit came before day 91"))
OF_A_CHANGE = (
    *OF_A_VISIT,
    ("different_version", _("The scale or form differs from the one before")),
    ("at_ceiling", _("The score was full before")),
)
OF_AN_MRI = (*GIVEN_BY_THE_RECORD, ("no_preop_mri", _("No pre-operative MRI")))


def missing_column(
    value: FactColumn, expression: str, values: tuple[tuple[str, Any], ...]
) -> FactColumn:
    """The column that says why ``value`` is empty, by this expression where it is.

    ``expression`` must never be NULL itself.
    """
    why = f"CASE WHEN ({value.expression}) IS NULL THEN {expression} END"
    return reason_column(value, why, values)


def reason_column(
    value: FactColumn, expression: str, values: tuple[tuple[str, Any], ...]
) -> FactColumn:
    """The same by an expression that is NULL exactly where the value is known."""
    release = Release.KEEP if value.release != Release.DROP else Release.DROP
    if value.privacy == Privacy.SENSITIVE:
        release = value.release
    return FactColumn(
        f"{value.name}_missing",
        Kind.TEXT,
        _("%(what)s: why missing") % {"what": value.label},
        expression,
        definition=_("Given exactly where the value is empty."),
        values=values,
        privacy=value.privacy,
        source=value.source,
        release=release,
    )


def day_column(value: FactColumn, expression: str) -> FactColumn:
    """The day, counted from the index operation, on which ``value`` was found."""
    return FactColumn(
        f"{value.name}_day",
        Kind.WHOLE,
        _("%(what)s: day") % {"what": value.label},
        expression,
        definition=_("Days from the index operation; negative before it."),
        unit=_("days"),
        release=Release.DROP if value.release == Release.DROP else Release.KEEP,
    )


# Where a field is not asked for, as ``applicable`` of its model has it.
NOT_ASKED = {
    "myelotomy": f"tumour.compartment <> '{Compartment.INTRAMEDULLARY}'",
    "ionm_alarm": "operation.ionm_modality @> ARRAY['none']::varchar[]",
    "ionm_alarm_criterion": "operation.ionm_alarm IN ('none', 'not_done')",
    "eden_type": f"tumour.compartment <> '{Compartment.DUMBBELL}'",
    "symptom_duration_months": "tumour.incidental",
    "first_symptom": "tumour.incidental",
}


def copied(
    model: type[models.Model], alias: str, *names: str, release: Release | None = None
) -> Iterator[FactColumn]:
    """Columns that repeat fields of a model, each with the reason where it is empty."""
    for name in names:
        field: Any = model._meta.get_field(name)
        column = column_of(
            field,
            f'{alias}."{field.column}"',
            source=f"{model._meta.label}.{name}",
            release=release,
        )
        yield column
        if field.null:
            yield missing_column(column, _why_empty(alias, name), _reasons(alias))


def _reasons(alias: str) -> tuple[tuple[str, Any], ...]:
    later = (NO_OPERATION,) if alias == "operation" else ()
    return (*GIVEN_BY_THE_RECORD, *later)


def _why_empty(alias: str, name: str) -> str:
    cases = []
    if alias == "operation":
        cases.append("WHEN operation.id IS NULL THEN 'not_operated'")
    cases.append(f"WHEN {alias}.missing ? '{name}' THEN {alias}.missing ->> '{name}'")
    if name in NOT_ASKED:
        cases.append(f"WHEN {NOT_ASKED[name]} THEN 'not_applicable'")
    return f"CASE {' '.join(cases)} ELSE '{NOT_RECORDED}' END"
