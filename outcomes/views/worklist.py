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
from cases.completeness import completeness_of
from cases.models import Case
from cases.views.drafting import typed_rows
from cases.views.finding import person_of
from outcomes.schedule import AppointmentState, Schedule, schedules_of
from outcomes.views.case_list import CHIP_OF_STATE, readable_cases, with_parts
from outcomes.views.case_page import all_parts
from registry import audit
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
    shown = {row["code"] for found in lists.values() for row in found.rows}
    audit.record("case.listed", actor=request.user, cases=sorted(shown))
    context = lists | {
        "typed_drafts": typed_rows(person_of(request)),
        "visit_columns": [*visit_columns(), {"label": ""}],
        "case_columns": case_columns(),
        "may_write": can(person_of(request), Permission.WRITE_CASES),
        "may_verify": can(person_of(request), Permission.VERIFY_CASES),
    }
    return render(request, "outcomes/worklist.html", context)


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
    lacking = len(completeness_of(all_parts(case)).lacking)
    words = (
        _("%(n)s answers missing") % {"n": lacking}
        if lacking
        else _("ready to be marked complete")
    )
    return case_row(case, words, "neutral" if lacking else "ok")


def verify_rows(request: HttpRequest) -> Waiting:
    """Complete cases, the longest waiting first, for those who may verify them."""
    cases: Any = Case.objects.visible_to(request.user, Permission.VERIFY_CASES)
    complete = cases.current().filter(status=CaseStatus.COMPLETE)
    return of_cases(complete, ("updated_at", "pk"), "status=complete", verify_row)


def verify_row(case: Case) -> Row:
    return case_row(case, _("complete since %(day)s") % {"day": case.updated_at.date()})


def case_row(case: Case, words: str, state: str = "") -> Row:
    return {
        "code": case.code,
        "url": reverse("cases:detail", args=[case.code]),
        "cells": [
            {"value": case.code},
            {"value": case.operated_on.isoformat() if case.operated_on else "–"},
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
        "lost": _("missed; no contact for 18 months"),
    }[schedule.state]
    enter = reverse("outcomes:visit-new", args=[case.code])
    operated = case.operated_on
    return {
        "code": case.code,
        "state": schedule.state,
        "url": reverse("cases:detail", args=[case.code]),
        "enter_url": f"{enter}?type={visit.window.name}",
        "cells": [
            {"value": case.code},
            {"value": operated.isoformat() if operated else "–"},
            {"value": visit.label},
            {"value": visit.on.isoformat()},
            {"value": schedule.contact_on.isoformat()},
            {
                "value": words % {"day": visit.until},
                "state": CHIP_OF_STATE[schedule.state],
            },
        ],
    }


def visit_columns() -> list[dict[str, str]]:
    labels = (
        _("Case"),
        _("Operated"),
        _("Visit"),
        _("Expected"),
        _("Last contact"),
        _("State"),
    )
    return [{"label": label} for label in labels]


def case_columns() -> list[dict[str, str]]:
    labels = (_("Case"), _("Operated"), _("Histology"), _("Levels"), _("State"))
    return [{"label": label} for label in labels]
