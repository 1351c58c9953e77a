"""Rules between the rows of the operation, by the ids of the data-quality table.

The words speak of both rows alike: they stand at whichever of the two was saved.
Where the table is stricter than a ward can be, docs/decisions/0011 says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from django.utils.translation import gettext_lazy as _

from cases import choices
from cases.models import (
    Case,
    Complication,
    MriStudy,
    Operation,
    Patient,
    PatientIdentity,
)
from registry.fields import MissingReason
from registry.rules import (
    Breach,
    CrossRule,
    Kind,
    PatientRows,
    Row,
    ordered,
    period,
    shown,
)

OLDEST = 110
# The extent of resection is read on an MRI within three months.
EXTENT_READ_WITHIN = timedelta(days=92)
AFTER_OPERATION = (
    choices.MriPurpose.EARLY_POSTOP,
    choices.MriPurpose.POSTOP_3M,
    choices.MriPurpose.FOLLOWUP,
)

KINDS = (
    Kind("patient", Patient, "pk"),
    Kind("identity", PatientIdentity, "pk", counts={}, to_code="patient__code"),
    Kind("case", Case, "patient", "pk"),
    Kind(
        "operation",
        Operation,
        "case__patient",
        "case_id",
        {"voided_at": None, "case__voided_at": None},
    ),
    Kind(
        "mri",
        MriStudy,
        "case__patient",
        "case_id",
        {"voided_at": None, "case__voided_at": None},
    ),
    Kind(
        "complication",
        Complication,
        "operation__case__patient",
        "operation__case_id",
        {
            "voided_at": None,
            "operation__voided_at": None,
            "operation__case__voided_at": None,
        },
    ),
)


def index_of(rows: PatientRows, case: int | None) -> Row | None:
    """The index operation of a case."""
    operations = rows.of("operation", case)
    return next((row for row in operations if row["index_operation"]), None)


def final_extent(rows: PatientRows, case: int | None) -> str | None:
    """Extent on MRI after the last planned stage, as ``Case.final_extent`` has it."""
    stages = [
        row
        for row in rows.of("operation", case)
        if (is_index(row) or is_planned(row))
        and row["missing"].get("eor_mri") != MissingReason.NOT_APPLICABLE
    ]
    last = max(stages, key=_place, default=None)
    return last["eor_mri"] if last else None


def _place(stage: Row) -> tuple[date, bool, int]:
    return (stage["surgery_date"] or date.max, not is_index(stage), stage.pk)


def is_planned(operation: Row) -> bool:
    """A planned stage of the resection that starts follow-up."""
    planned = choices.RelationToIndex.PLANNED_STAGE
    return bool(operation["relation_to_index"] == planned)


def is_index(operation: Row) -> bool:
    return bool(operation["index_operation"])


def is_preoperative(study: Row) -> bool:
    return bool(study["purpose"] == choices.MriPurpose.PREOP)


def _born_too_late(kind: str, name: str) -> Callable[[PatientRows], Iterator[Breach]]:
    """A date of a row of ``kind`` lies before the patient's year of birth."""

    def breaks(rows: PatientRows) -> Iterator[Breach]:
        for patient, row in rows.pairs("patient", kind):
            when, born = period(row, name), patient["birth_year"]
            if when and born and when.last.year < born:
                yield Breach((patient, row), {"day": shown(row, name), "year": born})

    return breaks


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


def _no_myelotomy(rows: PatientRows) -> Iterator[Breach]:
    for case, operation in rows.pairs("case", "operation"):
        if (
            case["compartment"] == choices.Compartment.INTRAMEDULLARY
            and operation["myelotomy"] == choices.Myelotomy.NONE
            and operation["eor_surgeon"] != choices.EorSurgeon.DECOMPRESSION
            and not case["subpial"]
            and case["exophytic"] in (None, choices.Exophytic.NONE)
        ):
            yield Breach((case, operation))


def _residual_after_gtr(rows: PatientRows) -> Iterator[Breach]:
    for operation, study in rows.pairs("operation", "mri"):
        if not is_index(operation) or operation["eor_mri"] != choices.EorMri.GTR:
            continue
        residual = study["residual_present"] or (study["residual_max_mm"] or 0) > 0
        if residual and _reads_extent(operation, study):
            yield Breach((operation, study), {"day": _day(study)})


def _reads_extent(operation: Row, study: Row) -> bool:
    """Whether the extent of resection is judged on this study."""
    if is_preoperative(study):
        return False
    when, operated = period(study, "mri_date"), period(operation, "surgery_date")
    if not when or not operated:
        return bool(study["purpose"] in AFTER_OPERATION[:2])
    surely = (
        operated.last <= when.first and when.last <= operated.first + EXTENT_READ_WITHIN
    )
    perhaps = (
        operated.first <= when.last and when.first <= operated.last + EXTENT_READ_WITHIN
    )
    return surely or (perhaps and study["purpose"] in AFTER_OPERATION[:2])


def _day(row: Row) -> str:
    return shown(row, "mri_date") if row["mri_date"] else "–"


def _opened_elsewhere(rows: PatientRows) -> Iterator[Breach]:
    for case, operation in rows.pairs("case", "operation"):
        # Cord segments lie higher than the vertebrae of the same number.
        if (
            not is_index(operation)
            or case["level_basis"] == choices.LevelBasis.CORD_SEGMENT
        ):
            continue
        top, bottom = case["level_rostral_ordinal"], case["level_caudal_ordinal"]
        first, last = operation["levels_from_ordinal"], operation["levels_to_ordinal"]
        if None not in (top, bottom, first, last) and (last < top or first > bottom):
            tumour = f"{case['level_rostral']}–{case['level_caudal']}"
            opened = (
                f"{operation['levels_opened_from']}–{operation['levels_opened_to']}"
            )
            yield Breach((case, operation), {"tumour": tumour, "opened": opened})


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


ONSET = ("onset_date", "incidental")
SURGERY = ("surgery_date", "index_operation")
MRI = ("mri_date", "purpose")
# What the extent of resection at the start of follow-up depends on.
EXTENT = ("eor_mri", *SURGERY, "relation_to_index", "missing")

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
    CrossRule(
        "R05",
        "onset_before_birth_year",
        _("The first symptom of %(day)s precedes the year of birth, %(year)s."),
        {"case": ("onset_date",), "patient": ("birth_year",)},
        _born_too_late("case", "onset_date"),
    ),
    CrossRule(
        "R05",
        "onset_before_birth",
        _("The first symptom of %(later)s precedes the date of birth."),
        {"case": ("onset_date",), "identity": ("birth_date",)},
        ordered(("identity", "birth_date"), ("case", "onset_date")),
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
        "R35",
        "no_myelotomy",
        _(
            "Resecting an intramedullary tumour takes a myelotomy, unless it is "
            "exophytic or subpial."
        ),
        {
            "operation": ("myelotomy", "eor_surgeon"),
            "case": ("compartment", "subpial", "exophytic"),
        },
        _no_myelotomy,
    ),
    CrossRule(
        "R37",
        "residual_after_gtr",
        _("The MRI of %(day)s shows a residual, so the resection was not gross total."),
        {
            "operation": ("eor_mri", *SURGERY),
            "mri": ("residual_present", "residual_max_mm", *MRI),
        },
        _residual_after_gtr,
    ),
    CrossRule(
        "R40",
        "opened_elsewhere",
        _("The levels opened, %(opened)s, do not touch the tumour at %(tumour)s."),
        {
            "operation": (
                "levels_opened_from",
                "levels_opened_to",
                "levels_from_ordinal",
                "levels_to_ordinal",
                "index_operation",
            ),
            "case": (
                "level_rostral",
                "level_caudal",
                "level_basis",
                "level_rostral_ordinal",
                "level_caudal_ordinal",
            ),
        },
        _opened_elsewhere,
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
