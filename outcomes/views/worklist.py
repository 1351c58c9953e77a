"""What waits for somebody: visits due, overdue or lost, drafts, cases to verify.

Each list says how many there are in all, shows the most pressing, and leads to the list
of cases with the rest: none is cut off in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cases.choices import CaseStatus
from cases.completeness import of_case
from cases.labels import labels_of
from cases.models import Case
from cases.views.drafting import typed_rows
from cases.views.finding import person_of
from outcomes.schedule import AppointmentState, Schedule, schedules_of
from outcomes.views.case_list import readable_cases, with_parts
from outcomes.views.list_columns import CHIP_OF_STATE
from registry import audit
from registry.days import text_of_day
from registry.display import levels_shown
from registry.permissions import Permission, can, check

MOST_SHOWN = 25
WAITING = ("overdue", "due", "lost")
Row = dict[str, Any]


@dataclass(frozen=True)
class Waiting:
    """A list of the page: its first rows, how many there are, where all of them are."""

    rows: list[Row]
    count: int
    all_url: str

    @property
    def cut(self) -> bool:
        return self.count > len(self.rows)


@require_safe
def worklist(request: HttpRequest) -> HttpResponse:
    """Lists of the own centre, the most pressing first; one event names the cases."""
    check(person_of(request), Permission.READ_CASES)
    lists = waiting_visits(request) | {
        "drafts": draft_rows(request),
        "to_verify": verify_rows(request),
    }
    rows = [row for found in lists.values() for row in found.rows]
    put_labels(request, rows)
    shown = {row["code"] for row in rows}
    audit.record("case.listed", actor=request.user, cases=sorted(shown))
    context = lists | {
        "typed_drafts": typed_rows(person_of(request)),
        "visit_columns": [
            *visit_columns(),
            {"name": "steps", "label": ""},
        ],
        "case_columns": case_columns(),
        "may_write": can(person_of(request), Permission.WRITE_CASES),
        "may_verify": can(person_of(request), Permission.VERIFY_CASES),
    }
    return render(request, "outcomes/worklist.html", context)


def put_labels(request: HttpRequest, rows: list[Row]) -> None:
    """Say in each row, after its code, whom it is about."""
    labels = labels_of(request, {row["case"].pk: row["case"] for row in rows}.values())
    for row in rows:
        label = labels[row["case"].pk]
        note = " · ".join(filter(None, [label.number, label.short_sex_and_age]))
        row["cells"].insert(
            1, {"value": label.title, "note": note, "hint": f"{label.title} {note}"}
        )
        for cell, column in zip(row["cells"], row["columns"], strict=True):
            cell["column"] = column["name"]


def of_cases(
    cases: QuerySet[Any], order: tuple[str, ...], question: str, row: Any
) -> Waiting:
    """The first cases of a list in an order, and the address of all of them."""
    first = with_parts(cases).order_by(*order)[:MOST_SHOWN]
    return Waiting(
        [row(case) for case in first],
        cases.count(),
        f"{reverse('cases:list')}?{question}",
    )


def draft_rows(request: HttpRequest) -> Waiting:
    """Drafts last touched first, with the number of answers that are missing."""
    drafts = readable_cases(request).filter(status=CaseStatus.DRAFT)
    return of_cases(drafts, ("-updated_at", "-pk"), "status=draft", draft_row)


def draft_row(case: Case) -> Row:
    lacking = len(of_case(case).gaps)
    words = (
        _("%(n)s answers missing") % {"n": lacking}
        if lacking
        else _("ready to be marked complete")
    )
    return case_row(case, words, "neutral" if lacking else "ok")


def verify_rows(request: HttpRequest) -> Waiting:
    """Complete cases, the longest waiting first, for those who may verify them."""
    cases: Any = Case.objects.visible_to(request.user, Permission.VERIFY_CASES)
    waiting = (CaseStatus.COMPLETE, CaseStatus.OPENED)
    complete = cases.current().filter(status__in=waiting)
    return of_cases(complete, ("updated_at", "pk"), "status=complete", verify_row)


def verify_row(case: Case) -> Row:
    return case_row(case, _("complete since %(day)s") % {"day": case.updated_at.date()})


def case_row(case: Case, words: str, state: str = "") -> Row:
    return {
        "code": case.code,
        "case": case,
        "columns": case_columns(),
        "url": reverse("cases:detail", args=[case.code]),
        "cells": [
            {"value": case.code},
            {"value": text_of_day(case.operated_on) if case.operated_on else "–"},
            {"value": case.get_histology_who2021_display() or "–"},
            {"value": levels_shown(case.level_rostral, case.level_caudal) or "–"},
            {"value": words, "state": state},
        ],
    }


# --- visits


def waiting_visits(request: HttpRequest) -> dict[str, Waiting]:
    """The cases with an appointment to care for, by its state.

    Overdue and lost ones: the latest missed first. Due ones: the first to close.
    """
    today = timezone.localdate()
    states = waiting_states(request, today)
    schedules = schedules_of(states, today)
    chosen: dict[str, list[int]] = {}
    for state in WAITING:
        keys = [key for key, of_case in states.items() if of_case == state]
        keys.sort(key=lambda key: (until(schedules[key]), key), reverse=state != "due")
        chosen[state] = keys
    shown = [key for keys in chosen.values() for key in keys[:MOST_SHOWN]]
    cases = readable_cases(request).select_related("patient", "centre").in_bulk(shown)
    return {
        state: Waiting(
            [visit_row(cases[key], schedules[key]) for key in keys[:MOST_SHOWN]],
            len(keys),
            f"{reverse('cases:list')}?appointment={state}",
        )
        for state, keys in chosen.items()
    }


def waiting_states(request: HttpRequest, today: Any) -> dict[int, str]:
    """State by key, of the readable cases for which somebody has to do something."""
    cases = readable_cases(request).annotate(
        appointment_state=AppointmentState(F("pk"), today)
    )
    waiting = cases.filter(appointment_state__in=WAITING)
    return dict(waiting.values_list("pk", "appointment_state"))


def until(schedule: Schedule) -> Any:
    """The day on which the window to care for closes."""
    assert schedule.cared_for is not None  # noqa: S101 - it gave the state
    return schedule.cared_for.until


def visit_row(case: Case, schedule: Schedule) -> Row:
    """One missing appointment with the step that enters it."""
    visit: Any = schedule.cared_for
    words = {
        "overdue": _("overdue since %(day)s"),
        "due": _("until %(day)s"),
        "lost": _("missed on %(day)s"),
    }[schedule.state]
    enter = reverse("outcomes:visit-new", args=[case.code])
    operated = case.operated_on
    return {
        "code": case.code,
        "case": case,
        "state": schedule.state,
        "columns": visit_columns(),
        "url": reverse("cases:detail", args=[case.code]),
        "enter_url": f"{enter}?type={visit.window.name}",
        "cells": [
            {"value": case.code},
            {"value": text_of_day(operated) if operated else "–"},
            {"value": visit.label},
            {"value": visit.on.isoformat()},
            {"value": text_of_day(schedule.contact_on)},
            {
                "value": words % {"day": visit.until},
                "state": CHIP_OF_STATE[schedule.state],
            },
        ],
    }


def visit_columns() -> list[dict[str, str]]:
    return [
        {"name": "case", "label": _("Case")},
        {"name": "patient", "label": _("Patient")},
        {"name": "operated", "label": _("Operated")},
        {"name": "visit", "label": _("Visit")},
        {"name": "expected", "label": _("Expected")},
        {"name": "contact", "label": _("Last contact")},
        {"name": "waits", "label": _("State")},
    ]


def case_columns() -> list[dict[str, str]]:
    return [
        {"name": "case", "label": _("Case")},
        {"name": "patient", "label": _("Patient")},
        {"name": "operated", "label": _("Operated")},
        {"name": "histology", "label": _("Histology")},
        {"name": "levels", "label": _("Levels")},
        {"name": "waits", "label": _("State")},
    ]
