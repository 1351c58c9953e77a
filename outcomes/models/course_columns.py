"""The facts of treatment and observation: resection, re-operation, death, follow-up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from cases.choices import EorMri
from outcomes.models.endpoint_columns import days_of, event_of, status_of
from outcomes.models.fact_column import FactColumn, Kind, Release, precision_of
from outcomes.models.reasons import (
    GIVEN_BY_THE_RECORD,
    NO_OPERATION,
    NOT_RECORDED,
    missing_column,
)
from registry.fields import Privacy


def count_of(
    name: str, label: Any, expression: str, definition: Any = ""
) -> FactColumn:
    return FactColumn(name, Kind.WHOLE, label, expression, definition=definition)


def _resection() -> Iterator[FactColumn]:
    extent = FactColumn(
        "eor_final",
        Kind.TEXT,
        _("extent of resection, MRI, after the last planned stage"),
        "followed.extent",
        definition=_(
            "The state at the end of the planned treatment: of the index operation, or "
            "of the last planned stage. Decides what can recur and what can grow."
        ),
        values=tuple(EorMri.choices),
    )
    yield extent
    yield missing_column(
        extent,
        "CASE WHEN operation.id IS NULL THEN 'not_operated'"
        f" ELSE coalesce(followed.extent_missing, '{NOT_RECORDED}') END",
        (*GIVEN_BY_THE_RECORD, NO_OPERATION),
    )
    yield count_of(
        "n_stages",
        _("stages of the resection"),
        "followed.n_stages",
        _("The index operation and the planned stages, a biopsy before it included."),
    )
    yield days_of(
        "last_stage_day",
        _("last planned stage"),
        "followed.last_stage_day",
        _("Days from the index operation; 0 where there was one stage."),
    )


def _reoperation() -> Iterator[FactColumn]:
    yield event_of(
        "reoperation_event",
        _("re-operation"),
        "followed.reoperated",
        _(
            "A later operation that was no planned stage, or an adverse event or "
            "recurrence that says so."
        ),
    )
    yield days_of(
        "reoperation_days",
        _("time to re-operation or competing death"),
        "CASE WHEN followed.reoperated THEN followed.reoperation_day"
        " ELSE coalesce(followed.death_day, followed.contact_day) END",
        _("Without either: days to the last contact. Empty: its day is not on file."),
    )
    yield precision_of(
        "reoperation_days",
        _("time to re-operation"),
        "CASE WHEN followed.reoperated THEN followed.reoperation_known"
        " WHEN followed.death_day IS NOT NULL THEN followed.death_known"
        " ELSE followed.contact_known END",
    )
    yield status_of(
        "reoperation_status",
        _("re-operation, death competing"),
        "CASE WHEN followed.reoperated THEN 1 WHEN followed.died THEN 2"
        " WHEN followed.case_id IS NOT NULL THEN 0 END",
        _("Of all operated cases."),
        _("Re-operation"),
    )
    yield count_of(
        "n_reoperations",
        _("re-operations"),
        "followed.n_reoperations",
        _("Operations on file after the index operation, planned stages left out."),
    )


def _death() -> Iterator[FactColumn]:
    yield event_of("death_event", _("death"), "followed.died", _("From any cause."))
    yield days_of(
        "death_days",
        _("time to death"),
        "CASE WHEN followed.died THEN followed.death_day ELSE followed.contact_day END",
        _("Without the event: days to the last contact."),
    )
    yield precision_of(
        "death_days",
        _("time to death"),
        "CASE WHEN followed.died THEN followed.death_known"
        " ELSE followed.contact_known END",
    )


def _follow_up() -> Iterator[FactColumn]:
    yield days_of(
        "followup_days",
        _("follow-up"),
        "coalesce(followed.death_day, followed.contact_day)",
        _("To death or to the last contact, visit or MRI."),
    )
    yield precision_of(
        "followup_days",
        _("follow-up"),
        "CASE WHEN followed.death_day IS NOT NULL THEN followed.death_known"
        " ELSE followed.contact_known END",
    )
    yield days_of(
        "last_mri_day",
        _("last MRI"),
        "followed.last_mri_day",
        _("Last MRI after the operation."),
    )
    yield precision_of("last_mri_day", _("last MRI"), "followed.last_mri_known")
    yield count_of(
        "n_postop_mri",
        _("MRI studies after the operation"),
        "followed.n_images",
        _("On file, dated or not."),
    )
    yield event_of(
        "lost_to_follow_up",
        _("lost to follow-up"),
        "followed.lost",
        _(
            "Alive as far as known, and without contact for more than 18 months (548 "
            "days) before the data cut-off."
        ),
    )


def _cutoff() -> Iterator[FactColumn]:
    yield FactColumn(
        "cutoff_date",
        Kind.DATE,
        _("data cut-off"),
        "%(cutoff)s",
        definition=_(
            "First day of the month, the same in all rows: as of this day a window was "
            "over or a patient lost. Later news counts as soon as it is entered."
        ),
        privacy=Privacy.SYSTEM,
        release=Release.DROP,
    )
    yield FactColumn(
        "cutoff_days",
        Kind.WHOLE,
        _("potential follow-up"),
        "CASE WHEN followed.surgery_date IS NOT NULL THEN greatest("
        "followed.cutoff_day, followed.contact_day, followed.death_day, 0) END",
        definition=_(
            "Days from the operation to the data cut-off, or to the last contact if "
            "that is later: the denominator of completeness."
        ),
        unit=_("days"),
        privacy=Privacy.DATE,  # with the cut-off it gives the day of the operation
        release=Release.DROP,
    )


COURSE_COLUMNS: tuple[FactColumn, ...] = tuple(
    column
    for columns in (_resection, _reoperation, _death, _follow_up, _cutoff)
    for column in columns()
)
