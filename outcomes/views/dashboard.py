"""The registry at a glance: a handful of questions, answered from the summaries."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cases.views.finding import person_of
from outcomes.reading import POOL, summary_for
from outcomes.views.figure_words import Payload, percent
from outcomes.views.figures import (
    improvement_figure,
    pain_figure,
    survival_figure,
    volume_figure,
)
from registry.models import Centre
from registry.permissions import Permission, centres_with, check

DAYS_IN_YEAR = 365.25
# What the page asks: measure, grouping, window.
QUESTIONS = {
    "volume": ("volume", "compartment", ""),
    "recurrence": ("recurrence", "compartment", ""),
    "progression": ("progression", "eor_mri", ""),
    "progression_all": ("progression", "", ""),
    "improvement": ("improvement", "compartment", "m12"),
    "improvement_all": ("improvement", "", "m12"),
    "pain": ("residual-pain", "compartment", "m12"),
}


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """The page, or while numbers are recounted its figures alone.

    A page that waits for fresh numbers asks again by htmx and is told 204 as long as
    nothing changed.
    """
    check(person_of(request), Permission.READ_SUMMARIES)
    scopes = scopes_of(request)
    scope = request.GET.get("scope", scopes[0]["value"])
    if not scope or set(request.GET) - {"scope", "seen"}:
        raise BadRequest(_("Unknown parameter."))
    told = {name: ask(request.user, scope, *asked) for name, asked in QUESTIONS.items()}
    stale = any(payload["stale"] for payload in told.values())
    mark = freshness(told)
    waiting = request.headers.get("HX-Request") == "true"
    if waiting and request.GET.get("seen") == mark:
        return HttpResponse(status=204)
    context = {
        "scopes": [each | {"active": each["value"] == scope} for each in scopes],
        "scope": scope,
        "stale": stale,
        "mark": mark,
        "tiles": tiles(told),
        "figures": figures(told),
        "protected": any(payload.get("suppressed") for payload in told.values()),
    }
    page = "outcomes/dashboard_figures.html" if waiting else "outcomes/dashboard.html"
    return render(request, page, context)


def ask(user: Any, scope: str, measure: str, by: str, window: str) -> Payload:
    """The numbers by group; of all together where every single group is hidden."""
    payload = summary_for(user, measure, by, scope=scope, window=window)
    hidden = all(group.get("suppressed") for group in payload["groups"])
    if by and payload["groups"] and hidden and measure != "volume":
        payload = summary_for(user, measure, scope=scope, window=window)
        payload["suppressed"] = True
    return payload


def scopes_of(request: HttpRequest) -> list[dict[str, str]]:
    """The own centres first, then the pool; for roles in the registry the pool first."""
    allowed = centres_with(person_of(request), Permission.READ_CASES)
    pool = {"value": POOL, "label": _("All centres")}
    centres = Centre.objects.filter(is_active=True)
    if allowed is None:
        return [pool, *[{"value": c.code, "label": c.name} for c in centres]]
    own = [{"value": c.code, "label": c.name} for c in centres.filter(pk__in=allowed)]
    return [*own, pool]


def freshness(told: dict[str, Payload]) -> str:
    """Changes when any number or its state changes."""
    newest = max(payload["as_of"] for payload in told.values())
    stale = sum(payload["stale"] for payload in told.values())
    return f"{newest}-{stale}"


def as_of_words(payload: Payload) -> str:
    moment = parse_datetime(payload["as_of"])
    return timezone.localtime(moment).strftime("%H:%M on %Y-%m-%d")


def figures(told: dict[str, Payload]) -> list[dict[str, Any]]:
    """The figures in the order of the questions."""
    drawn = {
        "volume": volume_figure(told["volume"]),
        "progression": survival_figure(
            told["progression"],
            "progression",
            _("How long do patients stay free of recurrence, by extent of resection?"),
            _("Recurred or regrew"),
            _(
                "Recurrence after gross total resection, or regrowth of a residual; "
                "death counts as an event of the curve."
            ),
        ),
        "recurrence": survival_figure(
            told["recurrence"],
            "recurrence",
            _("What came back after gross total resection?"),
            _("Recurred"),
            _("Gross total on MRI only: a residual cannot recur."),
        ),
        "improvement": improvement_figure(told["improvement"]),
        "pain": pain_figure(told["pain"]),
    }
    return [
        figure | {"as_of": as_of_words(told[name]), "stale": told[name]["stale"]}
        for name, figure in drawn.items()
    ]


def tiles(told: dict[str, Payload]) -> list[dict[str, Any]]:
    """Four numbers, each with its denominator; hidden ones say so."""
    events = told["progression_all"]["groups"][0]
    change = told["improvement_all"]["groups"][0]
    volume = told["volume"]
    operated = [group.get("operated") for group in volume["groups"]]
    found = [
        {"label": _("Cases"), "value": number(volume["n_cases"])},
        {"label": _("Operated"), "value": number(total(operated))},
        follow_up_tile(events),
        share_tile(_("Recurred or regrew"), events),
        share_tile(_("Improved at 12 months"), change),
        completeness_tile(change),
    ]
    return found


def number(value: int | None) -> str:
    return _("hidden") if value is None else f"{value:,}"


def total(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def follow_up_tile(group: dict[str, Any]) -> dict[str, Any]:
    days = group.get("median_follow_up_days")
    value = "–" if days is None else f"{days / DAYS_IN_YEAR:.1f}"
    note = _("reverse Kaplan-Meier")
    return {
        "label": _("Follow-up, median"),
        "value": value,
        "unit": "" if days is None else _("years"),
        "note": note,
    }


def share_tile(label: str, group: dict[str, Any]) -> dict[str, Any]:
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


def completeness_tile(group: dict[str, Any]) -> dict[str, Any]:
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
