"""Rules between an event, the resection and its MRI (R62, R63, R65)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.utils.translation import gettext_lazy as _

from cases.choices import EorMri
from cases.rules.rows import (
    EXTENT,
    SURGERY,
    final_extent,
    index_of,
    is_index,
    is_preoperative,
)
from outcomes.choices import RecurrenceKind
from outcomes.models.recurrence import WITH_RESIDUAL
from registry.rules import Breach, CrossRule, PatientRows, ordered, period, shown


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
