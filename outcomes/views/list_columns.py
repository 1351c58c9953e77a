"""The columns of the list of cases: what each shows, and which a person wants to see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.choices import EorMri
from cases.completeness import of_case
from cases.labels import Label
from cases.models import Case
from outcomes.schedule import Schedule
from outcomes.views.figure_words import SHORT
from registry.days import text_of_day
from registry.display import MEANINGS, levels_shown
from registry.models import User

Cell = dict[str, Any]
PREFERENCE = "case_columns"
CHIP_OF_STATE = {"due": "info", "overdue": "overdue", "lost": "lost"}


@dataclass(frozen=True)
class Line:
    """What is known of a case when its line is written."""

    case: Case
    label: Label
    schedule: Schedule | None


@dataclass(frozen=True)
class Column:
    """One column; ``sort`` names its order, ``usual`` is shown unless taken away."""

    name: str
    label: Any
    cell: Callable[[Line], Cell]
    sort: str = ""
    usual: bool = True
    number: bool = False
    hint: Any = ""


def code_cell(line: Line) -> Cell:
    return {"value": line.case.code}


def patient_cell(line: Line) -> Cell:
    named = bool(line.label.name)
    return {
        "value": line.label.title,
        "note": line.label.number,
        "muted": not named,
        "hint": f"{line.label.title} {line.label.number}".strip(),
    }


def sex_and_age_cell(line: Line) -> Cell:
    return {"value": line.label.short_sex_and_age, "hint": line.label.sex_and_age}


def centre_cell(line: Line) -> Cell:
    return {"value": line.case.centre.code, "hint": str(line.case.centre)}


def operated_cell(line: Line) -> Cell:
    operated = line.case.operated_on
    return {"value": text_of_day(operated) if operated else "–"}


def levels_cell(line: Line) -> Cell:
    case = line.case
    return {"value": levels_shown(case.level_rostral, case.level_caudal) or "–"}


def compartment_cell(line: Line) -> Cell:
    code = line.case.compartment or ""
    whole = line.case.get_compartment_display() or ""
    short = SHORT.get(code, whole) or "–"
    return {"value": str(short), "key": MEANINGS.get(code), "hint": whole}


def histology_cell(line: Line) -> Cell:
    words = line.case.get_histology_who2021_display()
    return {"value": words or "–", "hint": words or ""}


def resection_cell(line: Line) -> Cell:
    extent = line.case.final_extent
    if not extent:
        return {"value": "–"}
    whole = EorMri(extent).label
    return {"value": str(SHORT.get(extent, whole)), "hint": str(whole)}


def answered_cell(line: Line) -> Cell:
    answered = of_case(line.case)
    return {"value": f"{answered.percent} %", "number": True}


def state_cell(line: Line) -> Cell:
    if line.case.is_void:
        return {"value": _("Void"), "state": "voided"}
    return {"value": line.case.get_status_display(), "state": line.case.status}


def next_visit_cell(line: Line) -> Cell:
    """The appointment to care for."""
    schedule = line.schedule
    if schedule is None or schedule.state == "not_needed":
        return {"value": "–", "muted": True}
    if schedule.cared_for is None:
        return {"value": _("died"), "muted": True}
    visit = schedule.cared_for
    words = {
        "overdue": _("%(visit)s, overdue"),
        "lost": _("%(visit)s, lost"),
        "due": _("%(visit)s, due"),
    }.get(schedule.state, _("%(visit)s, %(day)s"))
    told = words % {"visit": visit.label, "day": visit.on.isoformat()}
    hint = _("%(opens)s to %(until)s; last contact %(contact)s") % {
        "opens": visit.opens,
        "until": visit.until,
        "contact": text_of_day(schedule.contact_on),
    }
    state = CHIP_OF_STATE.get(schedule.state)
    return {"value": told, "state": state, "muted": state is None, "hint": hint}


COLUMNS = (
    Column("case", gettext_lazy("Case"), code_cell, sort="entered"),
    Column("patient", gettext_lazy("Patient"), patient_cell),
    Column("sex_age", gettext_lazy("Sex, age"), sex_and_age_cell),
    Column("centre", gettext_lazy("Centre"), centre_cell),
    Column("operated", gettext_lazy("Operated"), operated_cell, sort="operated"),
    Column("levels", gettext_lazy("Levels"), levels_cell),
    Column("compartment", gettext_lazy("Compartment"), compartment_cell),
    Column("histology", gettext_lazy("Histology"), histology_cell),
    Column("resection", gettext_lazy("Resection"), resection_cell, usual=False),
    Column(
        "answered",
        gettext_lazy("Answered"),
        answered_cell,
        usual=False,
        number=True,
        hint=gettext_lazy("Share of needed fields with a value or a reason"),
    ),
    Column("state", gettext_lazy("State"), state_cell),
    Column("next", gettext_lazy("Next visit"), next_visit_cell),
)
ALWAYS = COLUMNS[0]


def chosen_columns(user: User, several_centres: bool) -> tuple[Column, ...]:
    """What this person wants to see; the code always, the centre where it tells."""
    names = user.preferences.get(PREFERENCE)
    return tuple(
        column
        for column in COLUMNS
        if column is ALWAYS
        or (several_centres or column.name != "centre")
        and (column.usual if names is None else column.name in names)
    )


def choose_columns(user: User, names: Sequence[str]) -> None:
    """Keep the choice with the person; unknown names are left out."""
    known = [column.name for column in COLUMNS if column.name in names]
    user.preferences = user.preferences | {PREFERENCE: known}
    user.save(update_fields=["preferences"])


def cells(columns: Sequence[Column], line: Line) -> list[Cell]:
    return [column.cell(line) | {"column": column.name} for column in columns]
