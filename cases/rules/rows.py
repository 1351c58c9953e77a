"""The kinds of rows that rules compare, and what several rules ask of them."""

from __future__ import annotations

from datetime import date

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
from registry.rules import Kind, PatientRows, Row

AFTER_OPERATION = (
    choices.MriPurpose.EARLY_POSTOP,
    choices.MriPurpose.POSTOP_3M,
    choices.MriPurpose.FOLLOWUP,
)
# On these the extent of resection is read.
READ_FOR_EXTENT = AFTER_OPERATION[:2]
SURGERY = ("surgery_date", "index_operation")
MRI = ("mri_date", "purpose")
# What the extent of resection at the start of follow-up depends on.
EXTENT = ("eor_mri", *SURGERY, "relation_to_index", "missing")

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


def final_stage(rows: PatientRows, case: int | None) -> Row | None:
    """The last planned stage of the resection of which the extent applies."""
    stages = [
        row
        for row in rows.of("operation", case)
        if (is_index(row) or is_planned(row))
        and row["missing"].get("eor_mri") != MissingReason.NOT_APPLICABLE
    ]
    return max(stages, key=_place, default=None)


def final_extent(rows: PatientRows, case: int | None) -> str | None:
    """Extent on MRI after the last planned stage, as ``Case.final_extent`` has it."""
    last = final_stage(rows, case)
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
