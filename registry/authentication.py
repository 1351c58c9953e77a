"""Who asks, over the API: an API token, or the session of the browser."""

from __future__ import annotations

import re
import time
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from rest_framework.authentication import (
    SessionAuthentication,
    get_authorization_header,
)
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from registry.models import ApiToken, User

# Everything else is refused before it comes near the database.
TOKEN_FORM = re.compile(rb"[0-9A-Za-z]{32,128}")


class TokenAuthentication(KnoxTokenAuthentication):
    """``Authorization: Bearer <token>``. It stands first, so strangers get a 401."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        parts = get_authorization_header(request).split()
        if not parts:
            return None
        if len(parts) != 2 or parts[0].lower() != b"bearer":
            raise AuthenticationFailed(
                _("Write the header as “Authorization: Bearer” and the token."),
                "malformed_token",
            )
        if not TOKEN_FORM.fullmatch(parts[1]):
            raise AuthenticationFailed(_("This token is not valid."), "invalid_token")
        user, token = self.authenticate_credentials(parts[1])
        if token.read_only and request.method not in SAFE_METHODS:
            raise PermissionDenied(
                _("This token only reads. Make one that may write."), "read_only_token"
            )
        note_use(token)
        return user, token

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        try:
            found: tuple[User, ApiToken] = super().authenticate_credentials(token)
        except AuthenticationFailed as error:
            # One answer for unknown, expired and revoked tokens, and inactive people.
            raise AuthenticationFailed(
                _("This token is not valid."), "invalid_token"
            ) from error
        return found


def note_use(token: ApiToken) -> None:
    """Remember the day of the last use, written once a day."""
    today = timezone.localdate()
    if token.last_used_on != today:
        ApiToken.objects.filter(pk=token.pk).update(last_used_on=today)


class BrowserSessionAuthentication(SessionAuthentication):
    """The session of the pages. Every change needs the CSRF token as well.

    Requests over the API never extend a session; its limits hold here too.
    """

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        found: tuple[Any, None] | None = super().authenticate(request)
        if found and session_is_over(request):
            return None
        return found


def session_is_over(request: Request) -> bool:
    now = int(time.time())
    seen = request.session.get("seen_at", now)
    began = request.session.get("began_at", now)
    return (
        now - seen > settings.SESSION_COOKIE_AGE
        or now - began > settings.SESSION_ABSOLUTE_AGE
    )
