"""The list of cases that a person may read."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import F, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from cases.completeness import completeness_of
from cases.forms import PatientSearchForm
from cases.models import Case, MriStudy, Operation
from cases.views.finding import person_of
from outcomes.schedule import Schedule, schedules_of
from outcomes.views.case_page import all_parts
from outcomes.views.filter_panel import filtered, panel_context
from outcomes.views.paging import Order, address, counted, page_of
from registry import audit
from registry.display import MEANINGS, levels_shown
from registry.permissions import Permission, can, centres_with, check

ORDERS = {
    "-entered": Order(None, descending=True),
    "entered": Order(None, descending=False),
    "-operated": Order("operated", descending=True),
    "operated": Order("operated", descending=False),
}
USUAL = "-entered"


def readable_cases(request: HttpRequest) -> QuerySet[Any]:
    cases: Any = Case.objects.visible_to(request.user)
    return cases.current()


def with_day(cases: QuerySet[Any]) -> QuerySet[Any]:
    """Cases with an index operation of a known day, as ``operated``."""
    return cases.filter(
        operations__index_operation=True,
        operations__voided_at__isnull=True,
        operations__surgery_date__isnull=False,
    ).annotate(operated=F("operations__surgery_date"))


def with_parts(cases: QuerySet[Any]) -> QuerySet[Any]:
    """What a line shows, in a fixed number of queries."""
    current = {"voided_at__isnull": True}
    operations = Operation.objects.filter(**current).prefetch_related("complications")
    return cases.select_related("patient", "centre").prefetch_related(
        Prefetch("operations", operations),
        Prefetch("mri_studies", MriStudy.objects.filter(**current)),
    )


@require_safe
def case_list(request: HttpRequest) -> HttpResponse:
    """One page of cases; one event names those shown."""
    check(person_of(request), Permission.READ_CASES)
    sort = request.GET.get("sort", USUAL)
    if sort not in ORDERS:
        raise BadRequest(_("Unknown order."))
    cases, errors = filtered(request, readable_cases(request))
    order = ORDERS[sort]
    shown = with_day(cases) if order.column else cases
    page = page_of(with_parts(shown), order, request.GET, lambda case: case.operated)
    audit.record(
        "case.listed", actor=request.user, cases=[case.code for case in page.rows]
    )
    context = panel_context(request, errors) | {
        "columns": columns(request, sort),
        "rows": lines(page.rows, sees_several_centres(request)),
        "previous_url": page_address(request, before=page.previous_cursor),
        "next_url": page_address(request, after=page.next_cursor),
        "count": count_words(*counted(cases)),
        "without_day": bool(order.column),
        "may_write": can(person_of(request), Permission.WRITE_CASES),
        "may_search": can(person_of(request), Permission.READ_IDENTITY),
        "search_form": PatientSearchForm(auto_id="search_%s"),
    }
    return render(request, "cases/list.html", context, status=400 if errors else 200)


def page_address(request: HttpRequest, **cursor: str | None) -> str | None:
    return address(request.GET, **cursor) if any(cursor.values()) else None


def count_words(number: int, more: bool) -> str:
    if more:
        return _("more than %(n)s cases") % {"n": f"{number:,}"}
    text = ngettext("%(n)s case", "%(n)s cases", number)
    return text % {"n": f"{number:,}"}


def columns(request: HttpRequest, sort: str) -> list[dict[str, Any]]:
    def sorted_by(label: str, name: str) -> dict[str, Any]:
        down = sort == f"-{name}"
        column = {
            "label": label,
            "sort_url": address(request.GET, sort=name if down else f"-{name}"),
        }
        if sort.lstrip("-") == name:
            column["sorted"] = "descending" if down else "ascending"
        return column

    return [
        sorted_by(_("Case"), "entered"),
        {"label": _("Patient")},
        *([{"label": _("Centre")}] if sees_several_centres(request) else []),
        sorted_by(_("Operated"), "operated"),
        {"label": _("Compartment")},
        {"label": _("Levels")},
        {"label": _("Histology")},
        {
            "label": _("Answered"),
            "number": True,
            "hint": _("Share of needed fields with a value or a reason"),
        },
        {"label": _("State")},
        {"label": _("Next visit")},
    ]


def sees_several_centres(request: HttpRequest) -> bool:
    centres = centres_with(person_of(request), Permission.READ_CASES)
    return centres is None or len(centres) > 1


def lines(cases: list[Case], with_centre: bool) -> list[dict[str, Any]]:
    schedules = schedules_of([case.pk for case in cases], timezone.localdate())
    return [line(case, schedules.get(case.pk), with_centre) for case in cases]


def line(case: Case, schedule: Schedule | None, with_centre: bool) -> dict[str, Any]:
    operated = case.operated_on
    answered = completeness_of(all_parts(case))
    return {
        "url": reverse("cases:detail", args=[case.code]),
        "cells": [
            {"value": case.code},
            {"value": case.patient.code, "muted": True},
            *([{"value": case.centre.code}] if with_centre else []),
            {"value": operated.isoformat() if operated else "–"},
            {
                "value": case.get_compartment_display() or "–",
                "key": MEANINGS.get(case.compartment or ""),
            },
            {"value": levels_shown(case.level_rostral, case.level_caudal) or "–"},
            {"value": case.get_histology_who2021_display() or "–"},
            {"value": f"{answered.percent} %", "number": True},
            {"value": case.get_status_display(), "state": case.status},
            next_visit_cell(schedule),
        ],
    }


CHIP_OF_STATE = {"due": "info", "overdue": "overdue", "lost": "error"}


def next_visit_cell(schedule: Schedule | None) -> dict[str, Any]:
    """The appointment to care for, as a cell of the table."""
    if schedule is None or schedule.state == "not_needed":
        return {"value": "–", "muted": True}
    if schedule.cared_for is None:
        return {"value": _("died"), "muted": True}
    visit = schedule.cared_for
    words = {
        "overdue": _("%(visit)s, overdue"),
        "lost": _("%(visit)s, lost"),
    }.get(schedule.state, _("%(visit)s, %(day)s"))
    told = words % {"visit": visit.label, "day": visit.on.isoformat()}
    if schedule.state == "later":
        return {"value": told, "muted": True}
    hint = _("until %(day)s; last contact %(contact)s") % {
        "day": visit.until,
        "contact": schedule.contact_on,
    }
    return {"value": told, "state": CHIP_OF_STATE[schedule.state], "hint": hint}
