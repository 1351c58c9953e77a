"""The audit trail as a page, the newest events first."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View

from registry.audit.sealing import last_seal
from registry.days import DayError, read_day
from registry.models import AuditEvent, User
from registry.views.administration import administers

PAGE = 50
LISTED = 10
NUMBERS = frozenset("0123456789")


# Names under which events keep the codes of what a list has shown.
LISTS = ("cases", "codes", "found", "patients")
LONGEST = 120


@administers
class AuditTrail(View):
    """Action, person, days and record narrow the events; ``before`` pages without
    counting, so a long trail is as quick as a short one."""

    def get(self, request: HttpRequest) -> HttpResponse:
        form = TrailForm(request.GET)
        found = matching(form) if form.is_valid() else AuditEvent.objects.none()
        asked = {name: request.GET.get(name, "") for name in form.fields}
        before = number(request.GET.get("before", ""))
        if before is not None:
            found = found.filter(pk__lt=before)
        events = list(found.order_by("-pk")[: PAGE + 1])
        people = User.objects.in_bulk({event.actor_id for event in events} - {None})
        context = {
            "form": form,
            "sealed": state_of_seals(),
            "narrowed": any(asked.values()),
            "rows": [
                (event, people.get(event.actor_id or 0), details(event.body))
                for event in events[:PAGE]
            ],
            "newest_url": address(asked) if before is not None else "",
            "older_url": address(asked | {"before": events[PAGE - 1].pk})
            if len(events) > PAGE
            else "",
        }
        return render(request, "registry/audit.html", context)


def state_of_seals() -> dict[str, Any]:
    """When the events were sealed last, how many wait, and whether for too long."""
    seal = last_seal(AuditEvent._meta.db_table)
    waiting = AuditEvent.objects.filter(pk__gt=seal.upto)
    oldest = waiting.order_by("pk").values_list("at", flat=True).first()
    limit = timezone.now() - timedelta(minutes=settings.AUDIT_UNSEALED_MINUTES)
    late = oldest is not None and oldest < limit
    return {"at": seal.at, "waiting": waiting.count(), "late": late}


class TypedDayField(forms.CharField):
    """A day as people write it."""

    def clean(self, value: Any) -> date | None:
        text = super().clean(value)
        try:
            day = read_day(text) if text else None
        except DayError:
            day = None
        if text and (day is None or day.precision != "day"):
            raise ValidationError(_("Write a day, such as 2026-03-14."), "invalid")
        return day


class TrailForm(forms.Form):
    """What to look for in the trail."""

    action = forms.ChoiceField(label=gettext_lazy("Action"), required=False)
    person = forms.CharField(
        label=gettext_lazy("Who: name or e-mail address"),
        required=False,
        max_length=LONGEST,
    )
    target = forms.CharField(
        label=gettext_lazy("Record, alone or in a list"),
        required=False,
        max_length=LONGEST,
    )
    since = TypedDayField(label=gettext_lazy("From"), required=False)
    until = TypedDayField(label=gettext_lazy("To"), required=False)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        choices = [("", _("All")), *((name, name) for name in known_actions())]
        self.fields["action"].choices = choices  # type: ignore[attr-defined]


def matching(form: TrailForm) -> QuerySet[AuditEvent]:
    """Events that satisfy everything asked."""
    asked, found = form.cleaned_data, AuditEvent.objects.all()
    if asked["action"]:
        found = found.filter(action=asked["action"])
    if asked["person"]:
        named = Q(name__icontains=asked["person"]) | Q(email__icontains=asked["person"])
        people = User.objects.filter(named).values_list("pk", flat=True)
        found = found.filter(actor_id__in=list(people))
    if asked["target"]:
        listed = [Q(body__contains={name: [asked["target"]]}) for name in LISTS]
        found = found.filter(reduce(or_, listed, Q(target=asked["target"])))
    if asked["since"]:
        found = found.filter(at__gte=beginning_of(asked["since"]))
    if asked["until"]:
        found = found.filter(at__lt=beginning_of(asked["until"] + timedelta(days=1)))
    return found


def beginning_of(day: date) -> datetime:
    """Midnight by the clock of the person who asks."""
    return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001


def details(body: dict[str, Any]) -> SafeString:
    """``role: surgeon, days: 90``; of a long list the first ten."""
    parts = [(name, in_words(value)) for name, value in body.items()]
    return format_html_join(", ", "{}: {}", parts)


def in_words(value: Any) -> str | SafeString:
    """A value of an event; what is empty is said, so that no name stands alone."""
    if value is None or value in ("", [], {}):
        return _("none")
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    if not isinstance(value, list):
        return str(value)
    shown = [(item,) for item in value[:LISTED]]
    # A code breaks at its hyphen else.
    told = format_html_join(" ", '<span class="is-code">{}</span>', shown)
    more = len(value) - LISTED
    return format_html("{} + {}", told, more) if more > 0 else told


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
