"""Centre beside centre: the main numbers of each one that a person reads."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from cases.views.finding import person_of
from outcomes.claims import NotComputed
from outcomes.reading import POOL, reads_pool_whole
from outcomes.views.figure_links import Address, linked
from outcomes.views.figure_words import Group, Payload, percent
from outcomes.views.questions import answered
from outcomes.views.tiles import cases_address, operated

# Asked of every centre, so that more of them would make the page slow.
MOST_CENTRES = 40
ASKED = ("volume", "progression_all", "improvement_all")


def beside_each_other(
    request: HttpRequest, scopes: list[dict[str, str]], filters: dict[str, str]
) -> dict[str, Any] | None:
    """The table {columns, rows}; None where there is nothing to compare."""
    shown = [each for each in scopes if may_be_narrowed(request, each, filters)]
    if not 2 <= len(shown) <= MOST_CENTRES:
        return None
    rows = [centre_row(request, each, filters) for each in shown]
    return {"columns": columns(), "rows": rows}


def may_be_narrowed(
    request: HttpRequest, scope: dict[str, str], filters: dict[str, str]
) -> bool:
    """The pool of people of one centre is shown whole or not at all."""
    whole = reads_pool_whole(person_of(request))
    return scope["value"] != POOL or whole or not filters


def columns() -> list[str]:
    return [
        _("Centre"),
        _("Cases"),
        _("Operated"),
        _("Recurred or regrew"),
        _("of"),
        _("Share (95 % interval)"),
        _("Improved at 12 months"),
        _("of"),
        _("Share (95 % interval)"),
    ]


def centre_row(
    request: HttpRequest, scope: dict[str, str], filters: dict[str, str]
) -> list[Any]:
    code = scope["value"]
    try:
        told = answered(request.user, code, filters, ASKED)
    except NotComputed:
        told = {}
    if len(told) < len(ASKED):
        return [scope["label"], *[_("being counted")] * (len(columns()) - 1)]
    address = cases_address(request, code, filters)
    volume: Payload = told["volume"]
    all_of_them: Group = {"group": {}}
    return [
        scope["label"],
        linked(address, all_of_them, volume["n_cases"], "counted"),
        linked(address, all_of_them, operated(told), "operated"),
        *share_cells(address, told["progression_all"], "came_back", "came_back_known"),
        *share_cells(address, told["improvement_all"], "improved_m12", "assessed_m12"),
    ]


def share_cells(
    address: Address, payload: Payload, events: str, assessed: str
) -> list[Any]:
    """Events, the assessed, and the share with its limits."""
    group = payload["groups"][0]
    if group.get("suppressed"):
        return [_("hidden")] * 3
    share = group["proportion"]
    limits = f"{percent(share['lower'])} – {percent(share['upper'])}"
    return [
        linked(address, group, group["events"], events),
        linked(address, group, group["assessed"], assessed),
        f"{percent(share['value'])} ({limits})" if group["assessed"] else "–",
    ]
