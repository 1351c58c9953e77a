"""Rules between tumour, resection and the MRI after it (R35, R37, R40)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from cases import choices
from cases.rules.rows import MRI, READ_FOR_EXTENT, SURGERY, is_index, is_preoperative
from registry.rules import Breach, CrossRule, PatientRows, Row, period, shown

# The extent of resection is read on an MRI within three months.
EXTENT_READ_WITHIN = timedelta(days=92)


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
        return bool(study["purpose"] in READ_FOR_EXTENT)
    surely = (
        operated.last <= when.first and when.last <= operated.first + EXTENT_READ_WITHIN
    )
    perhaps = (
        operated.first <= when.last and when.first <= operated.last + EXTENT_READ_WITHIN
    )
    return surely or (perhaps and study["purpose"] in READ_FOR_EXTENT)


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


RULES = (
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
)
