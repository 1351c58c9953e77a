"""What every page needs: navigation by role, session limits, notices."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from registry import __version__
from registry.models import User
from registry.permissions import PERMISSIONS, Permission, all_roles_of, can

# URL name, label, icon, the permission that shows it, and where its pages live.
NAVIGATION: tuple[tuple[str, Any, str, Permission, str], ...] = (
    (
        "outcomes:worklist",
        _("Worklist"),
        "worklist",
        Permission.READ_CASES,
        "/worklist/",
    ),
    ("cases:list", _("Cases"), "cases", Permission.READ_CASES, "/cases/"),
    (
        "outcomes:dashboard",
        _("Dashboard"),
        "dashboard",
        Permission.READ_SUMMARIES,
        "/dashboard/",
    ),
    (
        "administration:people",
        _("People"),
        "people",
        Permission.ADMINISTER,
        "/administration/people/",
    ),
    (
        "administration:centres",
        _("Centres"),
        "centre",
        Permission.ADMINISTER,
        "/administration/centres/",
    ),
    (
        "administration:grants",
        _("Finer data"),
        "eye",
        Permission.GRANT_DETAIL,
        "/administration/finer-data/",
    ),
    (
        "administration:audit",
        _("Audit trail"),
        "history",
        Permission.ADMINISTER,
        "/administration/audit/",
    ),
    ("api-docs", _("API"), "external", Permission.READ_SUMMARIES, "/api/v1/docs/"),
)


# In the session, so that it ends with it and follows nobody to another desk.
NAMES_HIDDEN = "names_hidden"


def names_hidden(request: HttpRequest) -> bool:
    """Whether the person hides names for now, as before an audience."""
    return bool(request.session.get(NAMES_HIDDEN))


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The entries a person may use, with the present one marked."""
    allowed = {
        permission
        for role in all_roles_of(request.user)  # type: ignore[arg-type]
        for permission in PERMISSIONS[role]
    }
    entries = []
    for name, label, icon, permission, path in NAVIGATION:
        if permission not in allowed:
            continue
        active = request.path.startswith(path)
        entries.append(
            {"label": label, "url": reverse(name), "icon": icon, "active": active}
        )
    return entries


def registry(request: HttpRequest) -> dict[str, Any]:
    """Context of ``base.html``; nothing that needs a query for strangers."""
    context: dict[str, Any] = {"version": __version__, "synthetic": settings.DEMO_DATA}
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        context |= {
            "nav": navigation(request),
            "session_idle_seconds": settings.SESSION_COOKIE_AGE,
            "keepalive_url": reverse("keep-alive"),
            "account_url": reverse("account"),
            "current_centre": own_centres(user),
            "may_search": can(user, Permission.READ_CASES),
            "may_see_names": can(user, Permission.READ_IDENTITY),
            "names_hidden": names_hidden(request),
        }
    return context


def own_centres(user: User) -> str:
    """The centres of a person's roles in words; empty for roles in the registry."""
    names = {str(role.centre): None for role in user.current_memberships if role.centre}
    return " · ".join(names)
