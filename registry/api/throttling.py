"""Requests per minute: by token, and by address for those who are nobody."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import AnonRateThrottle, SimpleRateThrottle

from registry.client_address import client_address


class TokenRateThrottle(SimpleRateThrottle):
    """Each token has an allowance of its own, and each signed-in browser user."""

    scope = "user"

    def get_rate(self) -> str:
        return str(api_settings.DEFAULT_THROTTLE_RATES[self.scope])

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        if not request.user.is_authenticated:
            return None
        token = getattr(request.auth, "token_key", None)
        ident = f"token-{token}" if token else f"person-{request.user.pk}"
        return self.cache_format % {"scope": self.scope, "ident": ident}


class AnonymousRateThrottle(AnonRateThrottle):
    """By the address that the lockout counts by, for views that strangers may use."""

    scope = "anon"

    def get_ident(self, request: Request) -> str:
        return client_address(request)

    def get_rate(self) -> str:
        return str(api_settings.DEFAULT_THROTTLE_RATES[self.scope])


class RefusedRateThrottle(AnonymousRateThrottle):
    """By address, for every 401: nobody tries tokens without end."""

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        ident = self.get_ident(request)
        return self.cache_format % {"scope": self.scope, "ident": ident}
