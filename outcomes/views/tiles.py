"""The numbers at the top of the dashboard, and the way from each to its cases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import F
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from cases.filters import strict_filter
from cases.models import Case
from cases.views.finding import person_of
from outcomes.filters import ListFilter
from outcomes.reading import POOL, as_query
from outcomes.schedule import AppointmentState
from outcomes.views.figure_words import Group, Payload, percent
from registry.permissions import Permission, can, centres_with

DAYS_IN_YEAR = 365.25
Tile = dict[str, Any]


def tiles(
    request: HttpRequest,
    told: dict[str, Payload],
    scope: str,
    filters: dict[str, str],
    beside: dict[str, Payload],
) -> list[Tile]:
    """The numbers at a glance, each with its denominator; hidden ones say so. A number
    leads to its cases where the person may read them."""
    events = told["progression_all"]["groups"][0]
    change = told["improvement_all"]["groups"][0]
    volume = told["volume"]
    found = [
        {"label": _("Cases"), "value": number(volume["n_cases"])} | opens("counted"),
        {"label": _("Operated"), "value": number(operated(told))} | opens("operated"),
        follow_up_tile(events),
        share_tile(_("Recurred or regrew"), events)
        | opens("came_back")
        | all_centres(beside.get("progression_all")),
        share_tile(_("Improved at 12 months"), change)
        | opens("improved_m12")
        | all_centres(beside.get("improvement_all")),
        completeness_tile(change) | opens("assessed_m12"),
    ]
    address = cases_address(request, scope, filters)
    for tile in found:
        question = tile.pop("outcome", None)
        if address and question and tile["value"] != _("hidden"):
            tile["url"] = address(outcome=question)
    return found + waiting_tiles(request, scope, filters, address)


def opens(outcome: str) -> Tile:
    """Which cases the number counts, in the words of the list's filter."""
    return {"outcome": outcome}


def all_centres(payload: Payload | None) -> Tile:
    """The share of all centres, as a line under that of one."""
    if payload is None:
        return {}
    group = payload["groups"][0]
    share = None if group.get("suppressed") else group["proportion"]["value"]
    words = _("hidden") if group.get("suppressed") else percent(share)
    return {"beside": _("all centres: %(share)s") % {"share": words}}


def cases_address(
    request: HttpRequest, scope: str, filters: dict[str, str]
) -> Callable[..., str] | None:
    """Makes addresses of the list for this scope; None for who cannot read it."""
    user = person_of(request)
    whole = centres_with(user, Permission.READ_CASES) is None
    if not can(user, Permission.READ_CASES) or (scope == POOL and not whole):
        return None
    asked = {} if scope == POOL else {"centre": scope}

    def address(**question: str) -> str:
        return f"{reverse('cases:list')}?{urlencode(asked | filters | question)}"

    return address


def waiting_tiles(
    request: HttpRequest,
    scope: str,
    filters: dict[str, str],
    address: Callable[..., str] | None,
) -> list[Tile]:
    """Visits overdue and patients lost, of cases that the person reads one by one."""
    if address is None or scope == POOL:
        return []
    cases: Any = Case.objects.visible_to(request.user)
    cases = cases.current().filter(centre__code=scope)
    found = strict_filter(ListFilter, as_query(filters), cases).annotate(
        appointment_state=AppointmentState(F("pk"), timezone.localdate())
    )
    waiting = found.filter(appointment_state__in=("overdue", "lost"))
    states = list(waiting.values_list("appointment_state", flat=True))
    return [
        {
            "label": label,
            "value": number(states.count(state)),
            "note": note,
            "url": address(appointment=state),
        }
        for state, label, note in (
            ("overdue", _("Visits overdue"), _("patients in contact")),
            ("lost", _("Lost to follow-up"), _("missed, silent for 18 months")),
        )
    ]


def number(value: int | None) -> str:
    return _("hidden") if value is None else f"{value:,}"


def operated(told: dict[str, Payload]) -> int | None:
    """How many were operated. A small compartment hides its part of the sum only: the
    answer about all of them together tells the number as well."""
    parts = [group.get("operated") for group in told["volume"]["groups"]]
    known = [part for part in parts if part is not None]
    if len(known) == len(parts):
        return sum(known)
    together = told["improvement_all"]["groups"][0]
    return None if together.get("suppressed") else together["n"]


def follow_up_tile(group: Group) -> Tile:
    days = group.get("median_follow_up_days")
    value = "–" if days is None else f"{days / DAYS_IN_YEAR:.1f}"
    note = _("reverse Kaplan-Meier")
    return {
        "label": _("Follow-up, median"),
        "value": value,
        "unit": "" if days is None else _("years"),
        "note": note,
    }


def share_tile(label: str, group: Group) -> Tile:
    if group.get("suppressed"):
        return {"label": label, "value": _("hidden")}
    words = _("%(n)s of %(total)s assessed; %(lower)s to %(upper)s") % {
        "n": f"{group['events']:,}",
        "total": f"{group['assessed']:,}",
        "lower": percent(group["proportion"]["lower"]),
        "upper": percent(group["proportion"]["upper"]),
    }
    return {
        "label": label,
        "value": percent(group["proportion"]["value"]),
        "note": words if group["assessed"] else _("nobody assessed yet"),
    }


def completeness_tile(group: Group) -> Tile:
    """How many of the operated have both grades at 12 months."""
    label = _("Assessed at 12 months")
    if group.get("suppressed"):
        return {"label": label, "value": _("hidden")}
    share = group["assessed"] / group["n"] if group["n"] else None
    words = _("%(n)s of %(total)s operated") % {
        "n": f"{group['assessed']:,}",
        "total": f"{group['n']:,}",
    }
    return {"label": label, "value": percent(share), "note": words}
