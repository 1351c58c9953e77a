"""Rows by their codes, within what the person may see."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from cases.models import Case
from registry import audit
from registry.models import Centre, User
from registry.permissions import Permission, centres_with


def person_of(request: HttpRequest) -> User:
    """The person who asks; the middleware lets nobody in who is not signed in."""
    return request.user  # type: ignore[return-value]


def find_case(request: HttpRequest, code: str) -> Case:
    """The case, or 404 for strangers and for codes that nobody has.

    An attempt at a case of another centre leaves an event.
    """
    cases = Case.objects.select_related("patient", "centre")
    case = cases.visible_to(request.user).filter(code=code).first()
    if case is None:
        if Case.objects.filter(code=code).exists():
            audit.record("case.denied", actor=request.user, target=code)
        raise Http404(_("No such case."))
    return case


def find_part(model: Any, code: str, **parent: Any) -> Any:
    """A row that hangs on a case already found, or 404."""
    part = model.objects.filter(code=code, **parent).first()
    if part is None:
        raise Http404(_("No such record."))
    return part


def writable_centres(request: HttpRequest) -> list[Centre]:
    """The centres in which the person may enter patients."""
    centres = Centre.objects.filter(is_active=True)
    allowed = centres_with(person_of(request), Permission.WRITE_CASES)
    return list(centres if allowed is None else centres.filter(pk__in=allowed))
