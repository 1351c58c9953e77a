"""The facts of what happened afterwards: scores and pain by window, and endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from outcomes import choices
from outcomes.models.fact_column import FactColumn, Kind
from outcomes.models.visit import JOA_MAXIMUM
from outcomes.windows import (
    AFTER,
    PREOP,
    RESIDUAL_PAIN_WINDOWS,
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
# Pivoted in SQL: name of the value and the aggregate that picks the only row.
PIVOTED = {
    "day": "max",
    "mmcs": "max",
    "mmcs_version": "max",
    "joa_total": "max",
    "joa_region": "max",
    "pain": "bool_or",
    "pain_nrs_kind": "max",
    "pain_segmental_nrs": "max",
    "pain_worst_nrs": "max",
    "segmental": "bool_or",
    "pain_class": "max",
    "late_enough": "bool_or",
}


def pivot_sql() -> str:
    """One column for each value and window, such as ``mmcs_m12``."""
    return ",\n    ".join(
        f"{aggregate}({name}) FILTER (WHERE period = '{window.name}')"
        f" AS {name}_{window.name}"
        for window in WINDOWS
        for name, aggregate in PIVOTED.items()
    )


def _labelled(label: Any, window: Window) -> Any:
    return _("%(what)s, %(when)s") % {"what": label, "when": window.label}


def _mmcs_change(window: Window) -> str:
    w = window.name
    return (
        f"CASE WHEN seen.mmcs_version_{w} = seen.mmcs_version_preop THEN"
        f" CASE sign(seen.mmcs_{w} - seen.mmcs_preop)"
        " WHEN -1 THEN 'improved' WHEN 0 THEN 'unchanged' WHEN 1 THEN 'worse' END END"
    )


def _recovery_rate(window: Window) -> str:
    maximum = "CASE seen.joa_region_preop {} END".format(
        " ".join(f"WHEN '{form}' THEN {most}" for form, most in JOA_MAXIMUM.items())
    )
    w = window.name
    return (
        f"CASE WHEN seen.joa_region_{w} = seen.joa_region_preop"
        f" AND seen.joa_total_preop < {maximum}"
        f" THEN 100.0::float8 * (seen.joa_total_{w} - seen.joa_total_preop)"
        f" / ({maximum} - seen.joa_total_preop) END"
    )


def _score_columns(window: Window) -> Iterator[FactColumn]:
    w = window.name
    yield FactColumn(
        f"visit_day_{w}",
        Kind.WHOLE,
        _labelled(_("day of the visit"), window),
        f"seen.day_{w}",
        definition=_("Days from the index operation."),
        unit=_("days"),
    )
    yield FactColumn(
        f"mmcs_{w}",
        Kind.WHOLE,
        _labelled(_("modified McCormick grade"), window),
        f"seen.mmcs_{w}",
        values=tuple((str(n), grade) for n, grade in choices.MCCORMICK_GRADES),
    )
    yield FactColumn(
        f"mmcs_version_{w}",
        Kind.TEXT,
        _labelled(_("McCormick version"), window),
        f"CASE WHEN seen.mmcs_{w} IS NOT NULL THEN seen.mmcs_version_{w} END",
        values=tuple(choices.MccormickVersion.choices),
    )
    if window in AFTER:
        yield FactColumn(
            f"mmcs_change_{w}",
            Kind.TEXT,
            _labelled(_("McCormick change"), window),
            _mmcs_change(window),
            definition=_("Against the grade before; only within one version."),
            values=CHANGES,
        )
    yield FactColumn(
        f"joa_total_{w}",
        Kind.NUMBER,
        _labelled(_("JOA total"), window),
        f"seen.joa_total_{w}",
    )
    yield FactColumn(
        f"joa_region_{w}",
        Kind.TEXT,
        _labelled(_("JOA form"), window),
        f"CASE WHEN seen.joa_total_{w} IS NOT NULL THEN seen.joa_region_{w} END",
        values=tuple(choices.JoaForm.choices),
    )
    if window in AFTER:
        yield FactColumn(
            f"joa_recovery_rate_{w}",
            Kind.NUMBER,
            _labelled(_("JOA recovery rate"), window),
            _recovery_rate(window),
            definition=_(
                "Gain in percent of the possible gain; not defined where the score was "
                "full before, or between different forms."
            ),
            unit="%",
        )


def _pain_columns(window: Window) -> Iterator[FactColumn]:
    w = window.name
    yield FactColumn(
        f"pain_present_{w}", Kind.FLAG, _labelled(_("pain"), window), f"seen.pain_{w}"
    )
    yield FactColumn(
        f"pain_nrs_kind_{w}",
        Kind.TEXT,
        _labelled(_("intensity asked for"), window),
        f"seen.pain_nrs_kind_{w}",
        values=tuple(choices.PainKind.choices),
    )
    yield FactColumn(
        f"pain_segmental_nrs_{w}",
        Kind.WHOLE,
        _labelled(_("NRS, segmental"), window),
        f"seen.pain_segmental_nrs_{w}",
        definition=_("0 where the visit found no segmental pain."),
    )
    yield FactColumn(
        f"pain_worst_nrs_{w}",
        Kind.WHOLE,
        _labelled(_("NRS, worst site"), window),
        f"seen.pain_worst_nrs_{w}",
        definition=_("0 where the visit found no pain."),
    )
    if window not in RESIDUAL_PAIN_WINDOWS:
        return
    yield FactColumn(
        f"residual_segmental_pain_{w}",
        Kind.FLAG,
        _labelled(_("residual segmental pain"), window),
        f"CASE WHEN seen.late_enough_{w} THEN seen.segmental_{w} END",
        definition=_("Segmental pain at the level, from the 3-month window on."),
    )
    yield FactColumn(
        f"residual_pain_{w}",
        Kind.TEXT,
        _labelled(_("residual pain"), window),
        f"CASE WHEN seen.late_enough_{w} THEN seen.pain_class_{w} END",
        definition=_("By site, from the 3-month window on; “other” sites left out."),
        values=RESIDUAL_PAIN,
    )


WINDOW_COLUMNS: tuple[FactColumn, ...] = tuple(
    column
    for window in (PREOP, *AFTER)
    for columns in (_score_columns, _pain_columns)
    for column in columns(window)
)


def _days(name: str, label: Any, expression: str, definition: Any = "") -> FactColumn:
    return FactColumn(
        name, Kind.WHOLE, label, expression, definition=definition, unit=_("days")
    )


def _event(name: str, label: Any, expression: str, definition: Any = "") -> FactColumn:
    return FactColumn(name, Kind.FLAG, label, expression, definition=definition)


def _exclusion(name: str, label: Any) -> FactColumn:
    return FactColumn(
        name,
        Kind.TEXT,
        label,
        f"CASE WHEN operation.id IS NULL THEN 'not_operated' ELSE followed.{name} END",
        values=EXCLUSIONS,
    )


def _seen_again(kind: str, population: str) -> str:
    """Recorded, or not while an MRI could have shown it; else not known."""
    return (
        f"CASE WHEN NOT {population} THEN NULL WHEN followed.{kind}s > 0 THEN true"
        " WHEN followed.n_images > 0 THEN false END"
    )


def _time_to(kind: str, population: str) -> str:
    return (
        f"CASE WHEN NOT {population} THEN NULL"
        f" WHEN followed.{kind}s > 0 THEN followed.{kind}_day"
        " WHEN followed.n_images > 0 THEN followed.image_day END"
    )


LAST_MRI_CENSORS = _("Without the event: days to the last MRI after the operation.")

ENDPOINT_COLUMNS: tuple[FactColumn, ...] = (
    _event(
        "recurrence_event",
        _("recurrence"),
        _seen_again("recurrence", "followed.was_free"),
        _("After GTR on MRI; not known without an MRI after the operation."),
    ),
    _days(
        "recurrence_days",
        _("time to recurrence"),
        _time_to("recurrence", "followed.was_free"),
        LAST_MRI_CENSORS,
    ),
    _event(
        "regrowth_event",
        _("regrowth"),
        _seen_again("regrowth", "followed.had_residual"),
        _("Growth of a residual (NTR, STR, PR or biopsy on MRI)."),
    ),
    _days(
        "regrowth_days",
        _("time to regrowth"),
        _time_to("regrowth", "followed.had_residual"),
        LAST_MRI_CENSORS,
    ),
    _event(
        "new_lesion_event",
        _("new lesion elsewhere"),
        _seen_again("new_lesion", "(operation.id IS NOT NULL)"),
        _("Neither a recurrence nor a regrowth."),
    ),
    _days(
        "new_lesion_days",
        _("time to a new lesion"),
        _time_to("new_lesion", "(operation.id IS NOT NULL)"),
        LAST_MRI_CENSORS,
    ),
    _event(
        "rfs_event",
        _("recurrence or death"),
        "CASE WHEN followed.case_id IS NOT NULL AND followed.rfs_exclusion IS NULL"
        " THEN coalesce(followed.recurrence_day, followed.death_day) IS NOT NULL END",
        _("After GTR on MRI. A new lesion elsewhere does not count."),
    ),
    _days(
        "rfs_days",
        _("recurrence-free survival"),
        "CASE WHEN followed.rfs_exclusion IS NULL THEN coalesce("
        "least(followed.recurrence_day, followed.death_day), followed.image_day) END",
        LAST_MRI_CENSORS,
    ),
    _exclusion("rfs_exclusion", _("why not in recurrence-free survival")),
    _event(
        "pfs_event",
        _("recurrence, regrowth or death"),
        "CASE WHEN followed.case_id IS NOT NULL AND followed.pfs_exclusion IS NULL"
        " THEN coalesce(followed.progression_day, followed.death_day) IS NOT NULL END",
    ),
    _days(
        "pfs_days",
        _("progression-free survival"),
        "CASE WHEN followed.pfs_exclusion IS NULL THEN coalesce("
        "least(followed.progression_day, followed.death_day), followed.image_day) END",
        LAST_MRI_CENSORS,
    ),
    _exclusion("pfs_exclusion", _("why not in progression-free survival")),
    _event("death_event", _("death"), "followed.died", _("From any cause.")),
    _days(
        "death_days",
        _("time to death"),
        "CASE WHEN followed.died THEN followed.death_day ELSE followed.contact_day END",
        _("Without the event: days to the last contact."),
    ),
    _days(
        "followup_days",
        _("follow-up"),
        "coalesce(followed.death_day, followed.contact_day)",
        _("To death or to the last contact, visit or MRI."),
    ),
    _days(
        "last_mri_day",
        _("last MRI"),
        "followed.last_mri_day",
        _("Last MRI after the operation."),
    ),
)
