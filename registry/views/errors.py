"""Pages for what went wrong; the API answers in problem+json instead."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form is too old, or did not come from here."""
    return render(request, "403_csrf.html", status=403)
