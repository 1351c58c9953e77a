"""The facts of the visits: scores by window, and how a window's values are told.

Each value comes from the visit of the window that is nearest to the target and has it,
carries the day of that visit (``mmcs_m12_day``) and, where there is none, the reason
(``mmcs_m12_missing``). ``seen`` holds an array for each item, one place a window.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from outcomes import choices
from outcomes.models.fact_column import FactColumn, Kind, precision_of
from outcomes.models.joa import ALL_JOA_ITEMS, JOA_MAXIMUM
from outcomes.models.reasons import (
    OF_A_CHANGE,
    OF_A_VISIT,
    WINDOW_STATES,
    day_column,
    reason_column,
)
from outcomes.windows import (
    AFTER,
    WINDOWS,
    Window,
)

CHANGES = (
    ("improved", _("Improved")),
    ("unchanged", _("Unchanged")),
    ("worse", _("Worse")),
)
RESIDUAL_PAIN = (
    ("none", _("None")),
    ("local", _("Local, root or wound")),
    ("segmental", _("Segmental")),
    ("below_level", _("Below the level")),
    ("mixed", _("Mixed")),
)
SEGMENTAL_COURSES = (
    ("persistent", _("Present before and at the visit")),
    ("new", _("New at the visit")),
    ("resolved", _("Present before, gone at the visit")),
    ("never", _("Neither before nor at the visit")),
    ("before_unknown", _("Not known before")),
)
EXCLUSIONS = (
    ("not_operated", _("No index operation")),
    ("residual_tumour", _("A residual was left, so nothing can recur")),
    ("extent_unknown", _("Extent of resection on MRI not known")),
    ("event_day_unknown", _("Day of the event not known")),
    ("no_postoperative_mri", _("No MRI after the operation")),
    ("surgery_date_unknown", _("Day of the operation not known")),
    ("mri_day_unknown", _("Day of the MRI not known")),
    ("death_day_unknown", _("Died, day not known")),
)
# Items of the windows, put into arrays.
PIVOTED = (
    "day",
    "day_known",
    "status",
    "mmcs",
    "mmcs_version",
    "mmcs_day",
    "mmcs_why",
    "mmcs_change",
    "mmcs_change_why",
    "joa_total",
    "joa_region",
    "joa_day",
    "joa_why",
    "recovery_rate",
    "recovery_rate_why",
    "pain",
    "pain_day",
    "pain_why",
    "unseen",
    "reasons",
    "local",
    "segmental",
    "below_level",
    "site_day",
    "site_why",
    "pain_nrs_kind",
    "segmental_nrs",
    "segmental_nrs_why",
    "worst_nrs",
    "worst_nrs_why",
    "nrs_day",
    "residual_local",
    "residual_segmental",
    "residual_below_level",
    "residual_class",
    "residual_why",
    "residual_pain_nrs",
    "residual_nrs_why",
    "segmental_course",
)


def pivot_sql() -> str:
    """One array for each item, in the order of the windows."""
    return ",\n    ".join(
        f"array_agg({name} ORDER BY place) AS {name}" for name in PIVOTED
    )


def at(item: str, window: Window) -> str:
    """The SQL of an item in a window."""
    return f"seen.{item}[{WINDOWS.index(window) + 1}]"


def labelled(label: Any, window: Window) -> Any:
    return _("%(what)s, %(when)s") % {"what": label, "when": window.label}


def joa_reasons_sql() -> str:
    """The reasons given for the form or one of its items, the first that there is."""
    return ", ".join(f"reasons ->> '{name}'" for name in ("joa_region", *ALL_JOA_ITEMS))


def joa_maximum_sql() -> str:
    """The full score by form, as branches of a CASE."""
    return " ".join(f"WHEN '{name}' THEN {most}" for name, most in JOA_MAXIMUM.items())


def with_day(
    column: FactColumn, window: Window, day: str, why: str
) -> Iterator[FactColumn]:
    """A value with its day and with the reason where it is empty."""
    yield column
    yield day_column(column, at(day, window))
    yield reason_column(column, at(why, window), OF_A_VISIT)


def _visit_columns(window: Window) -> Iterator[FactColumn]:
    w = window.name
    yield FactColumn(
        f"visit_day_{w}",
        Kind.WHOLE,
        labelled(_("day of the nearest visit"), window),
        at("day", window),
        definition=_(
            "Days from the index operation. A value may come from another visit of the "
            "window: see its own day."
        ),
        unit=_("days"),
    )
    yield precision_of(
        f"visit_day_{w}",
        labelled(_("day of the nearest visit"), window),
        at("day_known", window),
    )
    yield FactColumn(
        f"visit_status_{w}",
        Kind.TEXT,
        labelled(_("seen, or why not"), window),
        at("status", window),
        definition=_(
            "Without a visit: what ended observation before the window closed; "
            "“no visit” only where nothing did."
        ),
        values=WINDOW_STATES,
    )


def _mccormick_columns(window: Window) -> Iterator[FactColumn]:
    w = window.name
    grade = FactColumn(
        f"mmcs_{w}",
        Kind.WHOLE,
        labelled(_("modified McCormick grade"), window),
        at("mmcs", window),
        definition=_("An examiner's grade before one that a patient gave."),
        values=tuple((str(n), grade) for n, grade in choices.MCCORMICK_GRADES),
    )
    yield from with_day(grade, window, "mmcs_day", "mmcs_why")
    yield FactColumn(
        f"mmcs_version_{w}",
        Kind.TEXT,
        labelled(_("McCormick version"), window),
        at("mmcs_version", window),
        values=tuple(choices.MccormickVersion.choices),
    )
    if window in AFTER:
        change = FactColumn(
            f"mmcs_change_{w}",
            Kind.TEXT,
            labelled(_("McCormick change"), window),
            at("mmcs_change", window),
            definition=_("Against the grade before; only within one version."),
            values=CHANGES,
        )
        yield change
        yield reason_column(change, at("mmcs_change_why", window), OF_A_CHANGE)


def _joa_columns(window: Window) -> Iterator[FactColumn]:
    w = window.name
    total = FactColumn(
        f"joa_total_{w}",
        Kind.NUMBER,
        labelled(_("JOA total"), window),
        at("joa_total", window),
        definition=_(
            "On the form named beside it. An examiner's score before one that a patient "
            "gave."
        ),
    )
    yield from with_day(total, window, "joa_day", "joa_why")
    yield FactColumn(
        f"joa_region_{w}",
        Kind.TEXT,
        labelled(_("JOA form"), window),
        at("joa_region", window),
        values=tuple(choices.JoaForm.choices),
    )
    if window in AFTER:
        rate = FactColumn(
            f"joa_recovery_rate_{w}",
            Kind.NUMBER,
            labelled(_("JOA recovery rate"), window),
            at("recovery_rate", window),
            definition=_(
                "Gain in percent of the possible gain; not defined where the score was "
                "full before, or between different forms."
            ),
            unit="%",
        )
        yield rate
        yield reason_column(rate, at("recovery_rate_why", window), OF_A_CHANGE)


def score_columns(window: Window) -> Iterator[FactColumn]:
    """The visit, the McCormick grade and the JOA score of a window."""
    yield from _visit_columns(window)
    yield from _mccormick_columns(window)
    yield from _joa_columns(window)
