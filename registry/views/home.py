from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_safe

from registry.permissions import Permission, can


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The first page that a role needs."""
    user = request.user
    for permission, name in (
        (Permission.READ_CASES, "outcomes:worklist"),
        (Permission.READ_SUMMARIES, "outcomes:dashboard"),
        (Permission.ADMINISTER, "administration:people"),
    ):
        if can(user, permission):  # type: ignore[arg-type]
            return redirect(name)
    return render(request, "registry/no_role.html")


@require_GET
def keep_alive(request: HttpRequest) -> HttpResponse:
    """Counts as activity: asked for by the person in the idle dialog."""
    return HttpResponse(status=204)
