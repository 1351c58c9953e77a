"""Rules between days: birth, first symptom, MRI, operation, complication (R02 to R43)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from cases.rules.rows import (
    AFTER_OPERATION,
    MRI,
    SURGERY,
    is_index,
    is_planned,
    is_preoperative,
)
from registry.rules import Breach, CrossRule, PatientRows, Row, ordered, period, shown

OLDEST = 110
ONSET = ("onset_date", "incidental")


def _born_too_late(kind: str, name: str) -> Callable[[PatientRows], Iterator[Breach]]:
    """A date of a row of ``kind`` lies before the patient's year of birth."""

    def breaks(rows: PatientRows) -> Iterator[Breach]:
        for patient, row in rows.pairs("patient", kind):
            when, born = period(row, name), patient["birth_year"]
            if when and born and when.last.year < born:
                yield Breach((patient, row), {"day": shown(row, name), "year": born})

    return breaks


def not_before_birth(
    kind: str, name: str, said: str, by_year: Any, by_day: Any
) -> tuple[CrossRule, CrossRule]:
    """R05: no date of ``kind`` before the year of birth, nor before the day of it."""
    return (
        CrossRule(
            "R05",
            f"{said}_before_birth_year",
            by_year,
            {kind: (name,), "patient": ("birth_year",)},
            _born_too_late(kind, name),
        ),
        CrossRule(
            "R05",
            f"{said}_before_birth",
            by_day,
            {kind: (name,), "identity": ("birth_date",)},
            ordered(("identity", "birth_date"), (kind, name)),
        ),
    )


def _too_old(rows: PatientRows) -> Iterator[Breach]:
    for patient, operation in rows.pairs("patient", "operation"):
        when, born = period(operation, "surgery_date"), patient["birth_year"]
        if when and born and when.first.year - born > OLDEST + 1:
            age = when.first.year - born
            yield Breach((patient, operation), {"age": age, "year": born})


def _born_in_two_years(rows: PatientRows) -> Iterator[Breach]:
    for patient, identity in rows.pairs("patient", "identity"):
        born = period(identity, "birth_date")
        if born and patient["birth_year"] not in (None, born.first.year):
            yield Breach((patient, identity))


def _index_not_earliest(rows: PatientRows) -> Iterator[Breach]:
    for index, other in rows.pairs("operation", "operation"):
        if not is_index(index) or is_index(other) or is_planned(other):
            continue
        first, second = (period(row, "surgery_date") for row in (index, other))
        if first and second and second.surely_before(first):
            days = {"index": shown(index, "surgery_date")}
            yield Breach((index, other), {**days, "day": shown(other, "surgery_date")})


def _began_before_operation(rows: PatientRows) -> Iterator[Breach]:
    for operation, complication in rows.pairs("operation", "complication"):
        if complication["operation_id"] != operation.pk:
            continue
        operated = period(operation, "surgery_date")
        began = period(complication, "ae_onset_date")
        if operated and began and began.surely_before(operated):
            named = {"day": shown(operation, "surgery_date")}
            yield Breach(
                (operation, complication),
                {**named, "began": shown(complication, "ae_onset_date")},
            )


def _onset_is_told(case: Row, _other: Row) -> bool:
    return not case["incidental"]


RULES = (
    CrossRule(
        "R02",
        "operation_before_birth",
        _("The operation of %(day)s precedes the year of birth, %(year)s."),
        {"operation": ("surgery_date",), "patient": ("birth_year",)},
        _born_too_late("operation", "surgery_date"),
    ),
    CrossRule(
        "R03",
        "age_out_of_range",
        _("Born in %(year)s, the patient was operated on at about %(age)s years."),
        {"operation": ("surgery_date",), "patient": ("birth_year",)},
        _too_old,
    ),
    CrossRule(
        "R03",
        "birth_year_differs",
        _("The date and the year of birth do not agree."),
        {"identity": ("birth_date",), "patient": ("birth_year",)},
        _born_in_two_years,
    ),
    CrossRule(
        "R05",
        "operation_before_birth",
        _("The operation of %(later)s precedes the date of birth."),
        {"operation": ("surgery_date",), "identity": ("birth_date",)},
        ordered(("identity", "birth_date"), ("operation", "surgery_date")),
    ),
    *not_before_birth(
        "case",
        "onset_date",
        "onset",
        _("The first symptom of %(day)s precedes the year of birth, %(year)s."),
        _("The first symptom of %(later)s precedes the date of birth."),
    ),
    *not_before_birth(
        "mri",
        "mri_date",
        "mri",
        _("The MRI of %(day)s precedes the year of birth, %(year)s."),
        _("The MRI of %(later)s precedes the date of birth."),
    ),
    CrossRule(
        "R05",
        "mri_before_onset",
        _(
            "The pre-operative MRI of %(later)s precedes the first symptom, %(earlier)s."
        ),
        {"case": ONSET, "mri": MRI},
        ordered(
            ("case", "onset_date"),
            ("mri", "mri_date"),
            only=lambda case, study: (
                _onset_is_told(case, study) and is_preoperative(study)
            ),
        ),
    ),
    CrossRule(
        "R05",
        "operation_before_onset",
        _("The operation of %(later)s precedes the first symptom, %(earlier)s."),
        {"operation": ("surgery_date",), "case": ONSET},
        ordered(
            ("case", "onset_date"), ("operation", "surgery_date"), only=_onset_is_told
        ),
    ),
    CrossRule(
        "R05",
        "preop_mri_after_operation",
        _("The pre-operative MRI of %(earlier)s follows the operation of %(later)s."),
        {"mri": MRI, "operation": SURGERY},
        ordered(
            ("mri", "mri_date"),
            ("operation", "surgery_date"),
            only=lambda study, operation: (
                is_preoperative(study) and is_index(operation)
            ),
        ),
    ),
    CrossRule(
        "R05",
        "postop_mri_before_operation",
        _("The post-operative MRI of %(later)s precedes the operation of %(earlier)s."),
        {"mri": MRI, "operation": SURGERY},
        ordered(
            ("operation", "surgery_date"),
            ("mri", "mri_date"),
            only=lambda operation, study: (
                is_index(operation) and study["purpose"] in AFTER_OPERATION
            ),
        ),
    ),
    CrossRule(
        "R34",
        "index_not_earliest",
        _(
            "The index operation is the earliest, but for a planned stage or a biopsy: "
            "that of %(day)s precedes the one of %(index)s."
        ),
        {"operation": ("index_operation", "surgery_date", "relation_to_index")},
        _index_not_earliest,
    ),
    CrossRule(
        "R43",
        "complication_before_operation",
        _("The complication of %(began)s precedes the operation of %(day)s."),
        {
            "complication": ("ae_onset_date", "operation_id"),
            "operation": ("surgery_date",),
        },
        _began_before_operation,
    ),
)
