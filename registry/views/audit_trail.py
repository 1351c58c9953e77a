"""The audit trail as a page, the newest events first."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views import View

from registry.models import AuditEvent, User
from registry.views.administration import administers

PAGE = 50
LISTED = 10
NUMBERS = frozenset("0123456789")


@administers
class AuditTrail(View):
    """An action or a target narrows the events; ``before`` pages without counting, so a
    long trail is as quick as a short one."""

    def get(self, request: HttpRequest) -> HttpResponse:
        asked = {
            "action": request.GET.get("action", "")[:60].replace("\x00", ""),
            "target": request.GET.get("target", "")[:120].replace("\x00", "").strip(),
        }
        found = matching({name: value for name, value in asked.items() if value})
        before = number(request.GET.get("before", ""))
        if before is not None:
            found = found.filter(pk__lt=before)
        events = list(found.order_by("-pk")[: PAGE + 1])
        people = User.objects.in_bulk({event.actor_id for event in events} - {None})
        context = {
            **asked,
            "rows": [
                (event, people.get(event.actor_id or 0), details(event.body))
                for event in events[:PAGE]
            ],
            "actions": known_actions(),
            "newest_url": address(asked) if before is not None else "",
            "older_url": address(asked | {"before": events[PAGE - 1].pk})
            if len(events) > PAGE
            else "",
        }
        return render(request, "registry/audit.html", context)


def details(body: dict[str, Any]) -> str:
    """``role: surgeon, days: 90``; of a long list the first ten."""
    return ", ".join(f"{name}: {in_words(value)}" for name, value in body.items())


def in_words(value: Any) -> str:
    if not isinstance(value, list):
        return str(value)
    shown = " ".join(map(str, value[:LISTED]))
    return f"{shown} + {len(value) - LISTED}" if len(value) > LISTED else shown


def matching(asked: dict[str, str]) -> Any:
    return AuditEvent.objects.filter(**asked)


def number(text: str) -> int | None:
    """An event's number as typed; None for anything else."""
    return int(text) if 0 < len(text) < 19 and set(text) <= NUMBERS else None


def known_actions() -> list[str]:
    """Every action in the trail, found by one step of the index for each."""
    actions: list[str] = []
    while True:
        later = AuditEvent.objects.filter(action__gt=actions[-1] if actions else "")
        first = later.order_by("action").values_list("action", flat=True).first()
        if first is None:
            return actions
        actions.append(first)


def address(query: dict[str, Any]) -> str:
    kept = {name: value for name, value in query.items() if value}
    return f"{reverse('administration:audit')}?{urlencode(kept)}"
