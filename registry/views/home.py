from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST, require_safe

from registry.context import NAMES_HIDDEN, names_hidden
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


@require_POST
def toggle_names(request: HttpRequest) -> HttpResponse:
    """Hide names on all pages of this session, or show them again."""
    request.session[NAMES_HIDDEN] = not names_hidden(request)
    return redirect(back_to(request))


def back_to(request: HttpRequest) -> str:
    """The page that the form names or was sent from, if it is one of ours; else the
    start."""
    asked = request.POST.get("next", "") or referring_path(request)
    ours = url_has_allowed_host_and_scheme(asked, allowed_hosts=None)
    return asked if ours and asked.startswith("/") else "/"


def referring_path(request: HttpRequest) -> str:
    """Path and question of the page that a form was sent from; empty for others."""
    parts = urlsplit(request.headers.get("Referer", ""))
    if parts.netloc != request.get_host():
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
