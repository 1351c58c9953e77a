"""What waits for somebody: drafts, visits due or overdue, cases to verify."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cases.choices import CaseStatus
from cases.completeness import completeness_of
from cases.models import Case, Operation
from cases.views.drafting import typed_rows
from cases.views.finding import person_of
from outcomes.models import Visit, VitalStatus
from outcomes.schedule import (
    APPOINTMENTS,
    Expected,
    expectation,
    is_lost,
)
from outcomes.views.case_list import readable_cases, with_parts
from outcomes.views.case_page import all_parts
from outcomes.windows import LOST_AFTER_DAYS, Window
from registry import audit
from registry.display import levels_shown
from registry.permissions import Permission, can, check

MOST_SHOWN = 25
Row = dict[str, Any]


@require_safe
def worklist(request: HttpRequest) -> HttpResponse:
    """Lists of the own centre, the most pressing first; one event names the cases."""
    check(person_of(request), Permission.READ_CASES)
    today = timezone.localdate()
    waiting = waiting_visits(request, today)
    overdue = [row for row in waiting if row["expected"].state == "overdue"]
    due = [row for row in waiting if row["expected"].state == "due"]
    drafts = draft_rows(request)
    to_verify = verify_rows(request)
    shown = [row["code"] for row in (*drafts, *to_verify, *overdue, *due)]
    audit.record("case.listed", actor=request.user, cases=sorted(set(shown)))
    context = {
        "typed_drafts": typed_rows(person_of(request)),
        "drafts": drafts,
        "to_verify": to_verify,
        "overdue": overdue[:MOST_SHOWN],
        "due": due[:MOST_SHOWN],
        "visit_columns": [*visit_columns(), {"label": ""}],
        "case_columns": case_columns(),
        "may_write": can(person_of(request), Permission.WRITE_CASES),
        "may_verify": can(person_of(request), Permission.VERIFY_CASES),
        "most_shown": MOST_SHOWN,
    }
    return render(request, "outcomes/worklist.html", context)


def draft_rows(request: HttpRequest) -> list[Row]:
    """Drafts last touched first, with the number of answers that are missing."""
    drafts = with_parts(readable_cases(request).filter(status=CaseStatus.DRAFT))
    rows = []
    for case in drafts.order_by("-updated_at", "-pk")[:MOST_SHOWN]:
        lacking = len(completeness_of(all_parts(case)).lacking)
        words = (
            _("%(n)s answers missing") % {"n": lacking}
            if lacking
            else _("ready to be marked complete")
        )
        rows.append(case_row(case, words, "neutral" if lacking else "ok"))
    return rows


def verify_rows(request: HttpRequest) -> list[Row]:
    """Complete cases, the longest waiting first, for those who may verify them."""
    cases: Any = Case.objects.visible_to(request.user, Permission.VERIFY_CASES)
    complete = with_parts(cases.current().filter(status=CaseStatus.COMPLETE))
    return [
        case_row(case, _("complete since %(day)s") % {"day": case.updated_at.date()})
        for case in complete.order_by("updated_at", "pk")[:MOST_SHOWN]
    ]


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


def waiting_visits(request: HttpRequest, today: date) -> list[Row]:
    """The latest missing appointment of each case, the most recent first."""
    by_case: dict[int, tuple[Operation, Expected]] = {}
    for window in APPOINTMENTS:
        for operation in without_visit(request, window, today):
            operated = operation.surgery_date
            expected = expectation(window, operated, today, reached=-999)
            by_case[operation.case_id] = (operation, expected)
    rows = [visit_row(*found, today) for found in by_case.values()]
    return sorted(rows, key=lambda row: row["expected"].until, reverse=True)


def without_visit(
    request: HttpRequest, window: Window, today: date
) -> QuerySet[Operation]:
    """Index operations whose window is open, or closed for less than 18 months, and
    of which no visit is known since it opened."""
    operations: Any = Operation.objects.visible_to(request.user)
    since = OuterRef("surgery_date") + timedelta(days=window.opens)
    visits = Visit.objects.filter(case=OuterRef("case"), voided_at__isnull=True)
    seen = visits.filter(Q(visit_type=window.name) | Q(visit_date__gte=since))
    dead = VitalStatus.objects.filter(
        patient=OuterRef("case__patient"), voided_at__isnull=True, vital_status="dead"
    )
    last_visit = visits.values("case").annotate(day=Max("visit_date")).values("day")
    return (
        operations.current()
        .filter(
            ~Exists(seen),
            ~Exists(dead),
            index_operation=True,
            case__voided_at__isnull=True,
            surgery_date__lte=today - timedelta(window.opens),
            surgery_date__gte=today - timedelta(window.closes + LOST_AFTER_DAYS),
        )
        .select_related("case")
        .annotate(
            last_visit=Subquery(last_visit),
            last_contact=F("case__patient__vital_status_record__last_contact_date"),
        )
        .order_by("-surgery_date", "-pk")[: 2 * MOST_SHOWN]
    )


def visit_row(operation: Operation, expected: Expected, today: date) -> Row:
    """One missing appointment with the step that enters it."""
    known: Any = operation
    days = (operation.surgery_date, known.last_visit, known.last_contact)
    contact = max(day for day in days if day)
    lost = is_lost(contact, today, died=False)
    state = "overdue" if expected.state == "overdue" else "info"
    words = _("overdue since %(day)s") if state == "overdue" else _("until %(day)s")
    if lost:
        words = _("lost to follow-up")
    case = operation.case
    enter = reverse("outcomes:visit-new", args=[case.code])
    return {
        "code": case.code,
        "expected": expected,
        "url": reverse("cases:detail", args=[case.code]),
        "enter_url": f"{enter}?type={expected.window.name}",
        "cells": [
            {"value": case.code},
            {"value": operation.surgery_date.isoformat()},
            {"value": expected.label},
            {"value": expected.on.isoformat()},
            {"value": contact.isoformat()},
            {
                "value": words % {"day": expected.until},
                "state": "error" if lost else state,
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
