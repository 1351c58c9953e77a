"""Pages for what went wrong; the API answers in problem+json instead."""

from __future__ import annotations

import structlog
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from registry.problems import is_api, plain_problem


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form is too old, or did not come from here."""
    return render(request, "403_csrf.html", status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What cannot be read: by Django before any view sees it, or by a page of ours.

    Only our own words say what is wrong.
    """
    if is_api(request):
        title = _("The request cannot be read")
        return plain_problem(400, "bad_request", title, title)
    reason = str(exception) if isinstance(exception, BadRequest) else ""
    return render(request, "400.html", {"reason": reason}, status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Without context processors: they may be what failed. The number of the request
    finds the fault in the logs and tells nothing else."""
    number = structlog.contextvars.get_contextvars().get("request_id", "")
    if is_api(request):
        return plain_problem(
            500,
            "server_error",
            _("Something is broken in the registry"),
            _("Your request is not at fault. Its number in the logs is %s.") % number,
        )
    page = render_to_string("500.html", {"request_number": number})
    return HttpResponse(page, status=500)
