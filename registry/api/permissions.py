"""Nothing is allowed that a view does not name.

A view carries ``needs``: for each action (or HTTP verb) the permissions of which the
person must hold one, somewhere. In which centre is then decided by ``visible_to`` and
by the actions.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from registry.permissions import REASONS, Permission, can

READING = frozenset(
    {
        Permission.READ_CASES,
        Permission.READ_FACTS,
        Permission.READ_CENTRE_FACTS,
        Permission.READ_SUMMARIES,
    }
)
ANYBODY = frozenset(Permission)


class DenyByDefault(BasePermission):
    """Strangers get a 401, people without one of the needed permissions a 403."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        if not handles(view, request.method or ""):
            raise MethodNotAllowed(request.method or "")
        needed = needed_permissions(view, request.method or "")
        if not any(can(request.user, permission) for permission in needed):
            raise PermissionDenied(reason(needed))
        return True


def handles(view: Any, method: str) -> bool:
    """Whether the view has a handler of its own for the verb."""
    if method == "OPTIONS":
        return False
    return callable(getattr(view, method.lower(), None))


def needed_permissions(view: Any, method: str) -> Collection[Permission]:
    """What the view asks for; an action that it does not name is nobody's."""
    needs: dict[str, Collection[Permission]] = getattr(view, "needs", {})
    verb = "GET" if method == "HEAD" else method
    return needs.get(getattr(view, "action", None) or "", needs.get(verb, ()))


def reason(needed: Collection[Permission]) -> str:
    if len(needed) == 1:
        return str(REASONS[next(iter(needed))])
    return _("Your role does not allow this.")
