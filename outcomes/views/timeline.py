"""Visits of a case against the windows in which they are expected."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes import choices
from outcomes.models import Visit
from outcomes.models.joa import JOA_MAXIMUM
from outcomes.schedule import SCHEDULED, Appointment, Schedule, target_day
from registry.display import shown

ROMAN = dict(choices.MCCORMICK_GRADES)
SHORT_SITE = {
    choices.PainSite.LOCAL: gettext_lazy("local"),
    choices.PainSite.RADICULAR: gettext_lazy("radicular"),
    choices.PainSite.SEGMENTAL: gettext_lazy("segmental"),
    choices.PainSite.BELOW: gettext_lazy("below the level"),
    choices.PainSite.FUNICULAR: gettext_lazy("funicular"),
    choices.PainSite.SURGICAL: gettext_lazy("wound or muscle"),
    choices.PainSite.OTHER: gettext_lazy("other"),
}
TARGETS = {window.name: target_day(window) for window in SCHEDULED}


def long_date(day: date) -> str:
    """``14 March 2026``."""
    return dateformat.format(day, "j F Y")


def visit_line(visit: Visit) -> dict[str, Any]:
    """One visit as a line of the timeline."""
    return {
        "visit": visit,
        "label": visit.get_visit_type_display(),
        "on": visit.visit_date,
        "day": visit.visit_day,
        "about": not visit.day_is_exact,
        "mccormick": ROMAN.get(visit.mmcs or 0),
        "mccormick_note": _version_note(visit),
        "joa": _joa(visit),
        "pain": pain_words(visit),
        "gait": shown(visit._meta.get_field("gait"), visit.gait),
        "bladder": shown(visit._meta.get_field("bladder"), visit.bladder),
    }


def _version_note(visit: Visit) -> str:
    usual = choices.MccormickVersion.MODIFIED
    if visit.mmcs is None or visit.mmcs_version in (None, usual):
        return ""
    return str(visit.get_mmcs_version_display())


def _joa(visit: Visit) -> str:
    if visit.joa_total is None:
        return ""
    return f"{visit.joa_total.normalize():f} / {JOA_MAXIMUM[visit.joa_region]}"


def pain_words(visit: Visit) -> str:
    """``radicular 6, segmental 2``; empty when pain was not asked for."""
    if visit.pain_present is None:
        return ""
    if not visit.pain_present:
        return _("none")
    named = []
    for site in visit.pain_distribution or ():
        intensity = getattr(visit, choices.PAIN_NRS_FIELDS[site])
        name = str(SHORT_SITE[site])
        named.append(name if intensity is None else f"{name} {intensity}")
    return ", ".join(named) or _("yes, place not given")


def expected_line(expected: Appointment) -> dict[str, Any]:
    """A window without a visit, in words."""
    words = {
        "later": _("Expected about %(day)s") % {"day": long_date(expected.on)},
        "due": _("Due until %(day)s") % {"day": long_date(expected.until)},
        "overdue": _("Overdue since %(day)s") % {"day": long_date(expected.until)},
        "lost": _("Missed; lost to follow-up"),
    }
    return {
        "expected": expected,
        "label": expected.label,
        "type": expected.window.name,
        "words": words.get(expected.state, _("No visit was entered")),
        "state": expected.state,
    }


def timeline(visits: list[Visit], schedule: Schedule | None) -> list[dict[str, Any]]:
    """Visits and missing windows in the order of time."""
    lines = [(_order(visit), visit_line(visit)) for visit in visits]
    if schedule:
        lines += [
            (target_day(each.window), expected_line(each))
            for each in schedule.windows
            if each.state != "done" and not _after_death(each, schedule)
        ]
    return [line for _day, line in sorted(lines, key=lambda pair: pair[0])]


def _after_death(expected: Appointment, schedule: Schedule) -> bool:
    """Whether the window opened when the patient had died, on whatever day."""
    if expected.state != "died":
        return False
    return schedule.died_on is None or expected.opens > schedule.died_on


def _order(visit: Visit) -> float:
    """The day of the visit; of its window where the day is not known."""
    if visit.visit_day is not None:
        return visit.visit_day
    return TARGETS.get(visit.visit_type, float("inf"))


def pain_table(visits: list[Visit]) -> dict[str, Any] | None:
    """Intensity by site (rows) and visit (columns); None without any pain."""
    dated = sorted(
        (visit for visit in visits if visit.pain_present is not None), key=_order
    )
    rows = []
    for site, name in choices.PAIN_NRS_FIELDS.items():
        cells = [_pain_cell(visit, site, name) for visit in dated]
        if any(cell not in ("", "0") for cell in cells):
            rows.append({"label": choices.PainSite(site).label, "cells": cells})
    if not rows:
        return None
    heads = [
        {"label": visit.get_visit_type_display(), "on": visit.visit_date}
        for visit in dated
    ]
    return {"heads": heads, "rows": rows}


def _pain_cell(visit: Visit, site: str, name: str) -> str:
    intensity = getattr(visit, name)
    if intensity is not None:
        return str(intensity)
    if site in (visit.pain_distribution or ()):
        return "?"
    return "0" if not visit.pain_present else ""
