"""Rules between what happens afterwards and the rest, by the ids of the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from django.utils.translation import gettext_lazy as _

from cases.choices import EorMri
from cases.rules import (
    AFTER_OPERATION,
    EXTENT,
    SURGERY,
    final_extent,
    index_of,
    is_index,
    is_preoperative,
)
from outcomes.choices import RecurrenceKind, VisitType, Vital
from outcomes.models import Recurrence, Visit, VitalStatus
from outcomes.models.recurrence import WITH_RESIDUAL
from outcomes.windows import AFTER, LAST
from registry.days import days_between, first_and_last
from registry.rules import (
    Breach,
    CrossRule,
    Kind,
    PatientRows,
    Row,
    Severity,
    ordered,
    period,
    shown,
)

OF_CASE = {"voided_at": None, "case__voided_at": None}
KINDS = (
    Kind("visit", Visit, "case__patient", "case_id", OF_CASE),
    Kind("recurrence", Recurrence, "case__patient", "case_id", OF_CASE),
    Kind("vital", VitalStatus, "patient"),
)
VISIT = ("visit_date", "visit_type")
# Visits for which the patient comes back; that of discharge may be the day before.
RETURNS = (VisitType.M3, VisitType.M6, VisitType.M12, VisitType.M24, VisitType.M60)
DEATH = ("death_date",)


def _is_before(visit: Row) -> bool:
    return bool(visit["visit_type"] == VisitType.PREOP)


def _is_after(visit: Row) -> bool:
    return visit["visit_type"] not in (VisitType.PREOP, VisitType.UNSCHEDULED)


def _contact_before_first(rows: PatientRows) -> Iterator[Breach]:
    """The last contact precedes even the first operation of the patient."""
    dated = [row for row in rows.of("operation") if row["surgery_date"]]
    first = min(
        dated, key=lambda row: first_and_last(row["surgery_date"]), default=None
    )
    for vital in rows.of("vital"):
        contact = period(vital, "last_contact_date")
        operated = period(first, "surgery_date") if first else None
        if contact and operated and first and contact.surely_before(operated):
            yield Breach(
                (vital, first),
                {
                    "contact": shown(vital, "last_contact_date"),
                    "day": shown(first, "surgery_date"),
                },
            )


def _dead_while_alive(rows: PatientRows) -> Iterator[Breach]:
    for vital, complication in rows.pairs("vital", "complication"):
        fatal = complication["clavien_dindo"] == "V" or complication["saves_v2"] == 6
        if fatal and vital["vital_status"] == Vital.ALIVE:
            yield Breach((vital, complication))


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


def _differ(name: str) -> Callable[[PatientRows], Iterator[Breach]]:
    """Two visits of a case differ in a form of which the scores are never compared."""

    def breaks(rows: PatientRows) -> Iterator[Breach]:
        for case in rows.of("case"):
            by_form: dict[str, Row] = {}
            for visit in rows.of("visit", case.pk):
                if visit[name]:
                    by_form.setdefault(visit[name], visit)
            if len(by_form) > 1:
                yield Breach(tuple(by_form.values()))

    return breaks


def _same_window(rows: PatientRows) -> Iterator[Breach]:
    for case in rows.of("case"):
        index = index_of(rows, case.pk)
        operated = index["surgery_date"] if index else None
        for one, other in combinations(rows.of("visit", case.pk), 2):
            if not operated or not one["visit_date"] or not other["visit_date"]:
                continue
            windows = [
                window
                for window in AFTER
                if window is not LAST
                and all(
                    window.opens
                    <= days_between(operated, visit["visit_date"], at_least=0)
                    <= window.closes
                    for visit in (one, other)
                )
            ]
            if windows:
                days = (shown(one, "visit_date"), shown(other, "visit_date"))
                named = {"one": days[0], "other": days[1]}
                yield Breach((one, other), {**named, "window": windows[0].label})


def _after_death(
    kind: str, name: str, words: object, *also: str, said: str = ""
) -> CrossRule:
    """R06: nothing of this kind after the death; the same day is allowed."""
    return CrossRule(
        "R06",
        said or f"{kind}_after_death",
        words,
        {kind: (name, *also), "vital": DEATH},
        ordered((kind, name), ("vital", "death_date")),
    )


RULES = (
    CrossRule(
        "R05",
        "preop_visit_after_operation",
        _("The visit before the operation, %(earlier)s, follows that of %(later)s."),
        {"visit": VISIT, "operation": SURGERY},
        ordered(
            ("visit", "visit_date"),
            ("operation", "surgery_date"),
            only=lambda visit, operation: _is_before(visit) and is_index(operation),
        ),
    ),
    CrossRule(
        "R05",
        "visit_before_operation",
        _("The follow-up visit of %(later)s precedes the operation of %(earlier)s."),
        {"visit": VISIT, "operation": SURGERY},
        ordered(
            ("operation", "surgery_date"),
            ("visit", "visit_date"),
            only=lambda operation, visit: is_index(operation) and _is_after(visit),
        ),
    ),
    CrossRule(
        "R05",
        "visit_before_discharge",
        _("The follow-up visit of %(later)s precedes the discharge of %(earlier)s."),
        {"visit": VISIT, "operation": ("discharge_date", "index_operation")},
        ordered(
            ("operation", "discharge_date"),
            ("visit", "visit_date"),
            only=lambda operation, visit: (
                is_index(operation) and visit["visit_type"] in RETURNS
            ),
        ),
        Severity.WARNING,
    ),
    CrossRule(
        "R05",
        "mri_before_discharge",
        _("The follow-up MRI of %(later)s precedes the discharge of %(earlier)s."),
        {
            "mri": ("mri_date", "purpose"),
            "operation": ("discharge_date", "index_operation"),
        },
        ordered(
            ("operation", "discharge_date"),
            ("mri", "mri_date"),
            only=lambda operation, study: (
                is_index(operation) and study["purpose"] == AFTER_OPERATION[-1]
            ),
        ),
        Severity.WARNING,
    ),
    CrossRule(
        "R05",
        "contact_before_operation",
        _("The last contact of %(contact)s precedes the operation of %(day)s."),
        {"vital": ("last_contact_date",), "operation": ("surgery_date",)},
        _contact_before_first,
    ),
    _after_death(
        "visit",
        "visit_date",
        _("The visit of %(earlier)s follows the death, %(later)s."),
    ),
    _after_death(
        "mri", "mri_date", _("The MRI of %(earlier)s follows the death, %(later)s.")
    ),
    _after_death(
        "operation",
        "surgery_date",
        _("The operation of %(earlier)s follows the death, %(later)s."),
    ),
    _after_death(
        "operation",
        "discharge_date",
        _("The discharge of %(earlier)s follows the death, %(later)s."),
        said="discharge_after_death",
    ),
    _after_death(
        "complication",
        "ae_onset_date",
        _("The complication of %(earlier)s follows the death, %(later)s."),
    ),
    _after_death(
        "complication",
        "resolved_date",
        _("The complication ended on %(earlier)s, after the death of %(later)s."),
        said="resolved_after_death",
    ),
    _after_death(
        "recurrence",
        "detected_on",
        _("The event of %(earlier)s follows the death, %(later)s."),
    ),
    CrossRule(
        "R06",
        "onset_after_death",
        _("The first symptom of %(earlier)s follows the death, %(later)s."),
        {"case": ("onset_date",), "vital": DEATH},
        ordered(("case", "onset_date"), ("vital", "death_date")),
    ),
    CrossRule(
        "R42",
        "fatal_while_alive",
        _("A complication of grade V or SAVES 6 is a death; the patient is “alive”."),
        {
            "complication": ("clavien_dindo", "saves_v2"),
            "vital": ("vital_status",),
        },
        _dead_while_alive,
    ),
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
    CrossRule(
        "R46",
        "joa_form_changes",
        _("JOA forms differ between visits; their points are not compared."),
        {"visit": ("joa_region",)},
        _differ("joa_region"),
        Severity.WARNING,
    ),
    CrossRule(
        "R49",
        "mccormick_version_changes",
        _("McCormick versions differ between visits; their grades are not compared."),
        {"visit": ("mmcs_version",)},
        _differ("mmcs_version"),
        Severity.WARNING,
    ),
    CrossRule(
        "R60",
        "same_window",
        _("Visits of %(one)s and %(other)s both fill the window “%(window)s”."),
        {"visit": VISIT, "operation": SURGERY},
        _same_window,
        Severity.WARNING,
    ),
)
