"""Rules between an event, the resection and its MRI (R62, R63, R65)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.utils.translation import gettext_lazy as _

from cases.choices import EorMri
from cases.rules.rows import (
    EXTENT,
    READ_FOR_EXTENT,
    SURGERY,
    final_extent,
    final_stage,
    index_of,
    is_index,
    is_preoperative,
)
from outcomes.choices import RecurrenceKind
from outcomes.models.recurrence import WITH_RESIDUAL
from registry.rules import (
    Breach,
    CrossRule,
    PatientRows,
    Period,
    Row,
    ordered,
    period,
    shown,
)


def _event_needs(
    kind: RecurrenceKind, extents: tuple[str, ...]
) -> Callable[[PatientRows], Iterator[Breach]]:
    """An event of this kind needs a resection that ended in one of these extents."""

    def breaks(rows: PatientRows) -> Iterator[Breach]:
        for event in rows.of("recurrence"):
            index = index_of(rows, event.case)
            extent = final_extent(rows, event.case)
            if event["kind"] == kind and index and extent not in extents:
                yield Breach((event, index))

    return breaks


def _event_without_operation(rows: PatientRows) -> Iterator[Breach]:
    for event in rows.of("recurrence"):
        if index_of(rows, event.case) is None:
            yield Breach((event,))


def _no_mri_of_that_day(rows: PatientRows) -> Iterator[Breach]:
    for event in rows.of("recurrence"):
        day = period(event, "detected_on")
        studies = rows.of("mri", event.case)
        seen = [period(one, "mri_date") for one in studies if not is_preoperative(one)]
        if day and not any(one and one.may_be(day) for one in seen):
            yield Breach((event,), {"day": shown(event, "detected_on")})


def _no_clear_mri_before(rows: PatientRows) -> Iterator[Breach]:
    """A recurrence without the earlier MRI on which the resection was seen to be total."""
    for event in rows.of("recurrence"):
        stage, day = final_stage(rows, event.case), period(event, "detected_on")
        if event["kind"] != RecurrenceKind.RECURRENCE or not (stage and day):
            continue
        operated = period(stage, "surgery_date")
        studies = rows.of("mri", event.case)
        if not any(_shows_total(study, operated, day) for study in studies):
            yield Breach((event,), {"day": shown(event, "detected_on")})


def _shows_total(study: Row, operated: Period | None, before: Period) -> bool:
    """Whether it may be made after the last stage, before the event, and shows no
    residual. One of an unknown day counts by its purpose."""
    if is_preoperative(study) or study["residual_present"]:
        return False
    made = period(study, "mri_date")
    if made is None:
        return study["purpose"] in READ_FOR_EXTENT
    after = operated is None or not made.surely_before(operated)
    return after and made.first < before.last


RULES = (
    CrossRule(
        "R62",
        "event_without_operation",
        _("A recurrence, regrowth or new lesion needs the index operation first."),
        {"recurrence": ("kind",), "operation": ("index_operation",)},
        _event_without_operation,
    ),
    CrossRule(
        "R62",
        "recurrence_without_gtr",
        _("Recurrence follows GTR on MRI. A residual that grows is a regrowth."),
        {"recurrence": ("kind",), "operation": EXTENT},
        _event_needs(RecurrenceKind.RECURRENCE, (EorMri.GTR,)),
    ),
    CrossRule(
        "R62",
        "regrowth_without_residual",
        _("Regrowth needs a known residual (NTR, STR, PR or biopsy)."),
        {"recurrence": ("kind",), "operation": EXTENT},
        _event_needs(RecurrenceKind.REGROWTH, WITH_RESIDUAL),
    ),
    CrossRule(
        "R63",
        "no_mri_of_that_day",
        _(
            "An event was seen on %(day)s, and no post-operative MRI of that day is on "
            "file. Enter the MRI first."
        ),
        {"recurrence": ("detected_on",), "mri": ("mri_date", "purpose")},
        _no_mri_of_that_day,
    ),
    CrossRule(
        "R63",
        "no_clear_mri_before",
        _(
            "The recurrence of %(day)s needs an earlier MRI after the operation that "
            "shows no residual. Enter it first, without its day if that is not known."
        ),
        {
            "recurrence": ("detected_on", "kind"),
            "mri": ("mri_date", "purpose", "residual_present"),
            "operation": EXTENT,
        },
        _no_clear_mri_before,
    ),
    CrossRule(
        "R65",
        "event_before_operation",
        _("The event of %(later)s must follow the operation of %(earlier)s."),
        {"recurrence": ("detected_on",), "operation": SURGERY},
        ordered(
            ("operation", "surgery_date"),
            ("recurrence", "detected_on"),
            only=lambda operation, _event: is_index(operation),
            same_day=False,
        ),
    ),
)
