"""The registry at a glance: a handful of questions, answered from the summaries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cases.views.finding import person_of
from outcomes.claims import NotComputed
from outcomes.filters import HIDDEN_FROM_ANALYSTS
from outcomes.reading import POOL, reads_pool_whole
from outcomes.views.centres import beside_each_other
from outcomes.views.figure_links import Address
from outcomes.views.figure_words import Payload
from outcomes.views.figures import improvement_figure, pain_figure
from outcomes.views.filter_panel import leave_out_pooled, panel_context
from outcomes.views.questions import QUESTIONS, answers, of_all
from outcomes.views.survival_figure import EventWords, survival_figure
from outcomes.views.tiles import cases_address, tiles
from outcomes.views.volume_figure import volume_figure
from registry.models import Centre, User
from registry.permissions import Permission, can, centres_with, check

# Those of the list of cases that a number can be narrowed by.
FILTERS = (
    "compartment",
    "histology_who2021",
    "region",
    "surgery_date_after",
    "surgery_date_before",
)


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """The numbers, or why there are none."""
    try:
        return numbers_page(request)
    except NotComputed as error:
        return failed(request, error.problem)


def numbers_page(request: HttpRequest) -> HttpResponse:
    """The page, or while numbers are recounted its figures alone.

    A page that waits for fresh numbers asks again by htmx and is told 204 as long as
    nothing changed.
    """
    check(person_of(request), Permission.READ_SUMMARIES)
    scopes = scopes_of(request)
    scope = request.GET.get("scope", scopes[0]["value"])
    if not scope or set(request.GET) - {"scope", "seen", *FILTERS}:
        raise BadRequest(_("Unknown parameter."))
    offered = filters_offered(person_of(request), scope)
    asked_for = {name: request.GET[name] for name in offered if request.GET.get(name)}
    errors: dict[str, list[ValidationError]] = {}
    try:
        told = answers(request.user, scope, asked_for)
    except ValidationError as error:
        errors, asked_for = dict(error.error_dict), {}
        told = answers(request.user, scope, asked_for)
    computing = len(told) < len(QUESTIONS)
    stale = computing or any(payload["stale"] for payload in told.values())
    mark = freshness(told)
    waiting = request.headers.get("HX-Request") == "true"
    if waiting and request.GET.get("seen") == mark:
        return HttpResponse(status=204)
    beside = {} if computing else of_all(request.user, scope, asked_for)
    address = cases_address(request, scope, asked_for)
    context = panel_context(request, errors, offered) | {
        "clear_url": f"?scope={scope}",
        "filters_ignored": any(
            request.GET.get(name) for name in FILTERS if name not in offered
        ),
        "question": question_of(scope, asked_for),
        "kept": [("scope", scope)],
        "kept_filters": list(asked_for.items()),
        "scopes": [each | {"active": each["value"] == scope} for each in scopes],
        "scope": scope,
        "computing": computing,
        "stale": stale,
        "mark": mark,
        "tiles": [] if computing else tiles(request, told, scope, asked_for, beside),
        "figures": [] if computing else figures(told, address),
        "centres": None if computing else beside_each_other(request, scopes, asked_for),
        "pool_as_of": pool_day(request, told if scope == POOL else beside),
        "protected": any(
            payload.get("suppressed") for payload in (*told.values(), *beside.values())
        ),
    }
    if reads_released_only(person_of(request)):
        leave_out_pooled(context["filter_form"])
    page = "outcomes/dashboard_figures.html" if waiting else "outcomes/dashboard.html"
    return render(request, page, context, status=400 if errors else 200)


def failed(request: HttpRequest, problem: Payload) -> HttpResponse:
    """Instead of numbers why there are none, and when they are tried again."""
    context = {"failure": problem_words(problem)}
    return render(request, "outcomes/dashboard_failed.html", context, status=503)


def problem_words(problem: Payload | None) -> str:
    """What failed and when it is tried again; nothing where nothing failed."""
    if problem is None:
        return ""
    moment = timezone.localtime(datetime.fromisoformat(problem["next_try_at"]))
    told = {"reason": problem["reason"], "at": moment.strftime("%H:%M %Z")}
    return _("Counting failed (%(reason)s). It is tried again at %(at)s.") % told


def question_of(scope: str, filters: dict[str, str]) -> str:
    return urlencode({"scope": scope, **filters})


def filters_offered(user: User, scope: str) -> tuple[str, ...]:
    """What one may narrow the numbers by: the pool of people of one centre is shown
    whole, and analysts do not see days."""
    if scope == POOL and not reads_pool_whole(user):
        return ()
    if reads_released_only(user):
        return tuple(name for name in FILTERS if name not in HIDDEN_FROM_ANALYSTS)
    return FILTERS


def reads_released_only(user: User) -> bool:
    """Whether the person reads summaries, but no case: analysts."""
    return not can(user, Permission.READ_CASES)


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
    newest = max((payload["as_of"] for payload in told.values()), default="")
    stale = sum(payload["stale"] for payload in told.values())
    failed = sum(payload.get("problem") is not None for payload in told.values())
    return f"{newest}-{stale}-{failed}-{len(told)}"


def as_of_words(payload: Payload) -> str:
    moment = parse_datetime(payload["as_of"])
    return timezone.localtime(moment).strftime("%H:%M %Z on %Y-%m-%d")


def pool_day(request: HttpRequest, pooled: dict[str, Payload]) -> str:
    """The day of the pool's copy, for people of one centre; nothing for others."""
    if not pooled or reads_pool_whole(person_of(request)):
        return ""
    moment = parse_datetime(next(iter(pooled.values()))["as_of"])
    return timezone.localtime(moment).strftime("%Y-%m-%d")


def figures(told: dict[str, Payload], address: Address) -> list[dict[str, Any]]:
    """The figures in the order of the questions; their counts lead to the cases."""
    drawn = {
        "volume": volume_figure(told["volume"], address),
        "progression": survival_figure(
            told["progression"], progression_words(), address
        ),
        "recurrence": survival_figure(told["recurrence"], recurrence_words(), address),
        "improvement": improvement_figure(told["improvement"], address),
        "pain": pain_figure(told["pain"], address),
    }
    return [
        figure
        | {
            "as_of": as_of_words(told[name]),
            "stale": told[name]["stale"],
            "problem": problem_words(told[name].get("problem")),
        }
        for name, figure in drawn.items()
    ]


def progression_words() -> EventWords:
    return EventWords(
        "progression",
        _("How long do patients stay free of recurrence, by extent of resection?"),
        _("Recurred or regrew"),
        _("Alive without recurrence or regrowth"),
        _(
            "Progression-free survival: the curve ends with a recurrence after gross "
            "total resection, with the regrowth of a residual, or with death."
        ),
        known="came_back_known",
        events="came_back",
        died="died_before_return",
    )


def recurrence_words() -> EventWords:
    return EventWords(
        "recurrence",
        _("What came back after gross total resection?"),
        _("Recurred"),
        _("Alive without recurrence"),
        _(
            "Recurrence-free survival: the curve ends with a recurrence or with death. "
            "Gross total on MRI only: a residual cannot recur."
        ),
        known="recurred_known",
        events="recurred",
        died="died_before_recurrence",
    )
