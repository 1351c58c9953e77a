"""Rules between days of follow-up, operation and death (R05, R06, R42)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.utils.translation import gettext_lazy as _

from cases.rules.days import not_before_birth
from cases.rules.rows import AFTER_OPERATION, SURGERY, is_index, is_preoperative
from outcomes.choices import Vital
from outcomes.rules.rows import RETURNS, VISIT, is_after, is_before
from registry.days import first_and_last
from registry.rules import (
    Breach,
    CrossRule,
    PatientRows,
    Row,
    Severity,
    ordered,
    period,
    shown,
)

DEATH = ("death_date",)


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


def _contact_before_last(
    kind: str, name: str
) -> Callable[[PatientRows], Iterator[Breach]]:
    """The patient was seen after the day of the last contact.

    Told of the latest row of ``kind`` alone: the facts count it as a contact anyway.
    """

    def breaks(rows: PatientRows) -> Iterator[Breach]:
        dated = [row for row in rows.of(kind) if row[name] and _is_contact(row)]
        last = max(dated, key=lambda row: row[name], default=None)
        vital = rows.one("vital")
        if vital is None or last is None or vital["last_contact_date"] is None:
            return
        contact, seen = period(vital, "last_contact_date"), period(last, name)
        if contact and seen and contact.surely_before(seen):
            named = {"contact": shown(vital, "last_contact_date")}
            yield Breach((vital, last), {**named, "day": shown(last, name)})

    return breaks


def _is_contact(row: Row) -> bool:
    return row.kind != "mri" or not is_preoperative(row)


def _dead_while_alive(rows: PatientRows) -> Iterator[Breach]:
    for vital, complication in rows.pairs("vital", "complication"):
        fatal = complication["clavien_dindo"] == "V" or complication["saves_v2"] == 6
        if fatal and vital["vital_status"] == Vital.ALIVE:
            yield Breach((vital, complication))


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
            only=lambda visit, operation: is_before(visit) and is_index(operation),
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
            only=lambda operation, visit: is_index(operation) and is_after(visit),
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
    CrossRule(
        "R05",
        "contact_before_visit",
        _("The last contact of %(contact)s precedes the visit of %(day)s."),
        {"vital": ("last_contact_date",), "visit": ("visit_date",)},
        _contact_before_last("visit", "visit_date"),
        Severity.WARNING,
    ),
    CrossRule(
        "R05",
        "contact_before_mri",
        _("The last contact of %(contact)s precedes the MRI of %(day)s."),
        {"vital": ("last_contact_date",), "mri": ("mri_date", "purpose")},
        _contact_before_last("mri", "mri_date"),
        Severity.WARNING,
    ),
    *not_before_birth(
        "visit",
        "visit_date",
        "visit",
        _("The visit of %(day)s precedes the year of birth, %(year)s."),
        _("The visit of %(later)s precedes the date of birth."),
    ),
    *not_before_birth(
        "vital",
        "last_contact_date",
        "contact",
        _("The last contact of %(day)s precedes the year of birth, %(year)s."),
        _("The last contact of %(later)s precedes the date of birth."),
    ),
    *not_before_birth(
        "vital",
        "death_date",
        "death",
        _("The death of %(day)s precedes the year of birth, %(year)s."),
        _("The death of %(later)s precedes the date of birth."),
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
)
