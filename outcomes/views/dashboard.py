"""The registry at a glance."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from registry.permissions import Permission, check


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    check(request.user, Permission.READ_SUMMARIES)  # type: ignore[arg-type]
    return render(request, "outcomes/dashboard.html", {})
