"""The list of cases that a person may read."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import F, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from cases.labels import labels_of
from cases.models import Case, MriStudy, Operation
from cases.permissions import sees_void
from cases.views.finding import person_of
from outcomes.models import Recurrence, Visit
from outcomes.schedule import schedules_of
from outcomes.views.filter_panel import filtered, panel_context
from outcomes.views.list_columns import (
    COLUMNS,
    Column,
    Line,
    cells,
    choose_columns,
    chosen_columns,
)
from outcomes.views.paging import Order, address, counted, page_of
from registry import audit
from registry.permissions import Permission, can, centres_with, check
from registry.views.home import back_to

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


def listed_cases(request: HttpRequest) -> QuerySet[Any]:
    """The cases that count; with ``voided=true`` those that do not, for those who write
    or verify."""
    if asks_void(request):
        cases: Any = Case.objects.visible_to(request.user)
        return cases.filter(voided_at__isnull=False)
    return readable_cases(request)


def asks_void(request: HttpRequest) -> bool:
    asked = request.GET.get("voided", "false")
    if asked not in {"true", "false"}:
        raise BadRequest(_("Unknown state."))
    return asked == "true" and sees_void(person_of(request))


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
    return cases.select_related(
        "patient__vital_status_record", "centre"
    ).prefetch_related(
        Prefetch("operations", operations),
        Prefetch("mri_studies", MriStudy.objects.filter(**current)),
        Prefetch("visits", Visit.objects.filter(**current)),
        Prefetch("recurrences", Recurrence.objects.filter(**current)),
    )


@require_safe
def case_list(request: HttpRequest) -> HttpResponse:
    """One page of cases; one event names those shown."""
    check(person_of(request), Permission.READ_CASES)
    sort = request.GET.get("sort", USUAL)
    if sort not in ORDERS:
        raise BadRequest(_("Unknown order."))
    cases, errors = filtered(request, listed_cases(request))
    order = ORDERS[sort]
    shown = with_day(cases) if order.column else cases
    page = page_of(with_parts(shown), order, request.GET, lambda case: case.operated)
    audit.record(
        "case.listed", actor=request.user, cases=[case.code for case in page.rows]
    )
    several = sees_several_centres(request)
    columns = chosen_columns(person_of(request), several)
    context = panel_context(request, errors) | {
        "columns": heads(request, columns, sort),
        "rows": lines(request, page.rows, columns),
        "choices": [
            {"name": each.name, "label": each.label, "chosen": each in columns}
            for each in COLUMNS[1:]
            if several or each.name != "centre"
        ],
        "previous_url": page_address(request, before=page.previous_cursor),
        "next_url": page_address(request, after=page.next_cursor),
        "count": count_words(*counted(cases)),
        "without_day": bool(order.column),
        "void_shown": asks_void(request),
        "void_url": address(request.GET, voided=None if asks_void(request) else "true"),
        "sees_void": sees_void(person_of(request)),
        "may_write": can(person_of(request), Permission.WRITE_CASES),
    }
    return render(request, "cases/list.html", context, status=400 if errors else 200)


def page_address(request: HttpRequest, **cursor: str | None) -> str | None:
    return address(request.GET, **cursor) if any(cursor.values()) else None


def count_words(number: int, more: bool) -> str:
    if more:
        return _("more than %(n)s cases") % {"n": f"{number:,}"}
    text = ngettext("%(n)s case", "%(n)s cases", number)
    return text % {"n": f"{number:,}"}


def heads(
    request: HttpRequest, columns: tuple[Column, ...], sort: str
) -> list[dict[str, Any]]:
    """The head of each column, with the address that sorts by it."""
    found = []
    for column in columns:
        head: dict[str, Any] = {
            "name": column.name,
            "label": column.label,
            "number": column.number,
            "hint": column.hint,
        }
        if column.sort:
            down = sort == f"-{column.sort}"
            asked = column.sort if down else f"-{column.sort}"
            head["sort_url"] = address(request.GET, sort=asked)
            if sort.lstrip("-") == column.sort:
                head["sorted"] = "descending" if down else "ascending"
        found.append(head)
    return found


def sees_several_centres(request: HttpRequest) -> bool:
    centres = centres_with(person_of(request), Permission.READ_CASES)
    return centres is None or len(centres) > 1


def lines(
    request: HttpRequest, cases: list[Case], columns: tuple[Column, ...]
) -> list[dict[str, Any]]:
    schedules = schedules_of([case.pk for case in cases], timezone.localdate())
    labels = labels_of(request, cases)
    return [
        {
            "url": reverse("cases:detail", args=[case.code]),
            "cells": cells(
                columns, Line(case, labels[case.pk], schedules.get(case.pk))
            ),
        }
        for case in cases
    ]


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Keep which columns the person wants to see, and go back to the list."""
    check(person_of(request), Permission.READ_CASES)
    choose_columns(person_of(request), request.POST.getlist("column"))
    return redirect(back_to(request))
