"""The facts of the pre-operative MRI: each feature from the latest study that shows it.

A navigation study of the day before, without gadolinium, does not hide the full one. A
feature that could not be read ("not assessable", "no contrast given") is taken only
where no study could show it. Each carries the day of its study and, where it is empty,
the reason. ``preop_mri`` holds an array for each feature, the latest study first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from cases.models import MriStudy
from outcomes.models.fact_column import FactColumn, Kind, column_of, precision_of
from outcomes.models.reasons import (
    NOT_RECORDED,
    OF_AN_MRI,
    day_column,
    missing_column,
)

FEATURES = (
    "field_strength_T",
    "gd_given",
    "t1_signal",
    "t2_signal",
    "enhancement",
    "border",
    "margin_demarcation",
    "oedema_present",
    "oedema_total_seg",
    "syrinx",
    "syrinx_max_diam_mm",
    "cyst",
    "haemosiderin",
    "cord_displacement",
    "csf_cleft_or_meniscus",
    "cord_compression_grade",
)
# Conditions on a study under which a value is worth more than another one.
PREFERRED = {
    "gd_given": "gd_given",
    "enhancement": "enhancement <> 'not_done'",
    "border": "border <> 'not_assessable'",
    "margin_demarcation": "margin_demarcation <> 'not_assessable'",
    "haemosiderin": "haemosiderin <> 'not_assessable'",
    # An extent belongs to what is there: see the expressions below.
    "oedema_total_seg": "oedema_present AND oedema_total_seg IS NOT NULL",
}
OEDEMA_TOTAL = FactColumn(
    "oedema_total_seg",
    Kind.NUMBER,
    _("oedema, total"),
    "CASE WHEN preop_mri.oedema_present[preop_mri.oedema_present_at]"
    " THEN nullif(preop_mri.oedema_total_seg[preop_mri.oedema_total_seg_at], 0)"
    " WHEN NOT preop_mri.oedema_present[preop_mri.oedema_present_at] THEN 0 END",
    definition=_("Cranial and caudal extent without the tumour; 0 without oedema."),
    unit=_("segments"),
)


def features_sql() -> str:
    """For each feature the array of its values and the place of the one to take."""
    return ",\n    ".join(_feature_sql(name) for name in FEATURES)


def _feature_sql(name: str) -> str:
    first = f'min(place) FILTER (WHERE "{name}" IS NOT NULL)'
    if name in PREFERRED:
        first = f"coalesce(min(place) FILTER (WHERE {PREFERRED[name]}), {first})"
    return f'array_agg("{name}" ORDER BY place) AS "{name}", {first} AS "{name}_at"'


def _place(name: str) -> str:
    return f'preop_mri."{name}_at"'


def _column(name: str) -> FactColumn:
    if name == "oedema_total_seg":
        return OEDEMA_TOTAL
    field: Any = MriStudy._meta.get_field(name)
    value = f'preop_mri."{name}"[{_place(name)}]'
    if name == "syrinx_max_diam_mm":
        syrinx = f"preop_mri.syrinx[{_place('syrinx')}]"
        value = f"CASE WHEN {syrinx} = 'present' THEN {value} END"
    return column_of(field, value, source=f"{MriStudy._meta.label}.{name}")


def _why(name: str) -> str:
    field = "oedema_cranial_seg" if name == "oedema_total_seg" else name
    given = f"unread.reasons ->> '{field}'"
    none = ""
    if name == "syrinx_max_diam_mm":
        none = (
            f" WHEN preop_mri.syrinx[{_place('syrinx')}] = 'none' THEN 'not_applicable'"
        )
    return (
        "CASE WHEN preop_mri.case_id IS NULL THEN 'no_preop_mri'"
        f"{none} ELSE coalesce({given}, '{NOT_RECORDED}') END"
    )


def _day(name: str, column: FactColumn) -> str:
    place = _place(name)
    if name == "oedema_total_seg":
        place = (
            f"CASE WHEN preop_mri.oedema_present[{_place('oedema_present')}]"
            f" THEN {place} ELSE {_place('oedema_present')} END"
        )
    return (
        f"CASE WHEN ({column.expression}) IS NOT NULL THEN preop_mri.days[{place}] END"
    )


def _feature_columns() -> Iterator[FactColumn]:
    for name in FEATURES:
        column = _column(name)
        yield column
        yield day_column(column, _day(name, column))
        yield missing_column(column, _why(name), OF_AN_MRI)


MRI_COLUMNS: tuple[FactColumn, ...] = (
    FactColumn(
        "has_preop_mri",
        Kind.FLAG,
        _("pre-operative MRI"),
        "preop_mri.case_id IS NOT NULL",
        definition=_("Each feature is that of the latest study that shows it."),
    ),
    FactColumn(
        "preop_mri_day",
        Kind.WHOLE,
        _("latest pre-operative MRI, day"),
        "preop_mri.days[1]",
        unit=_("days"),
    ),
    precision_of(
        "preop_mri_day", _("latest pre-operative MRI"), "preop_mri.days_known[1]"
    ),
    FactColumn(
        "n_preop_mri",
        Kind.WHOLE,
        _("pre-operative MRI studies"),
        "coalesce(preop_mri.n, 0)",
    ),
    *_feature_columns(),
)
