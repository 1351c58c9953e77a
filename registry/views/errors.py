"""Pages for what went wrong; the API answers in problem+json instead."""

from __future__ import annotations

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form is too old, or did not come from here."""
    return render(request, "403_csrf.html", status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Without context processors: they may be what failed. The number of the request
    finds the fault in the logs and tells nothing else."""
    number = structlog.contextvars.get_contextvars().get("request_id", "")
    page = render_to_string("500.html", {"request_number": number})
    return HttpResponse(page, status=500)
