"""Parameters of the address: known ones, once each, with clean values; else a 400."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import django_filters
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter; a page and the API use the same FilterSet."""


def known_parameters(view: Any, request: Request) -> set[str]:
    """Every parameter that the view understands for this request."""
    if getattr(view, "action", "list") != "list":
        return set()
    paginator = getattr(view, "paginator", None)
    own = set(getattr(view, "parameters", ()))
    return own | set(getattr(paginator, "parameters", ())) | set(filters_of(view))


def filters_of(view: Any) -> Iterable[str]:
    filterset = getattr(view, "filterset_class", None)
    return filterset.base_filters if filterset else ()


def may_repeat(view: Any, name: str) -> bool:
    filterset = getattr(view, "filterset_class", None)
    declared = filterset.base_filters.get(name) if filterset else None
    return isinstance(
        declared,
        django_filters.MultipleChoiceFilter | django_filters.AllValuesMultipleFilter,
    )


def check_parameters(view: Any, request: Request) -> None:
    """A 400 that names each unknown, repeated or empty parameter."""
    known = known_parameters(view, request)
    errors: dict[str, list[ErrorDetail]] = {}
    for name, values in request.query_params.lists():
        # Client tools send it by habit, and JSON is what every route answers.
        if name not in known and (name, values) == ("format", ["json"]):
            continue
        if name not in known:
            errors[name[:80]] = [
                ErrorDetail(_("Unknown parameter."), "unknown_parameter")
            ]
        elif len(values) > 1 and not may_repeat(view, name):
            errors[name] = [ErrorDetail(_("Give it once."), "repeated_parameter")]
        elif "" in values:
            # Ignored it would answer another question than the one that was asked.
            message = _("Give a value, or leave the parameter out.")
            errors[name] = [ErrorDetail(message, "empty_parameter")]
        elif any("\x00" in value for value in values):
            errors[name] = [ErrorDetail(_("Invalid characters."), "invalid_text")]
    if errors:
        raise ValidationError(errors)


INSTANT = re.compile(
    r"(?:19|20|21)\d\d-\d\d-\d\d"
    r"(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d))?",
    re.ASCII,
)


def instant(name: str, text: str) -> datetime:
    """An instant, or a day (its beginning in UTC), in ISO form. Raises a 400."""
    try:
        if not INSTANT.fullmatch(text):
            raise ValueError(text)
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError as error:
        message = _("Write it as 2026-01-31 or 2026-01-31T12:00:00Z.")
        raise ValidationError({name: message}, "invalid") from error
