"""The network address of whoever asks, the same for lockout, limits and throttles."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address that the outermost trusted proxy saw.

    Each proxy appends what it saw to ``X-Forwarded-For``, so only the last
    ``PROXY_COUNT`` entries are worth anything: what stands before them is the client's
    own claim. Without a readable entry it is the address of the connection.
    """
    connection: str = request.META.get("REMOTE_ADDR", "")
    if not settings.PROXY_COUNT:
        return connection
    entries = request.headers.get("X-Forwarded-For", "").split(",")
    claimed = entries[-min(settings.PROXY_COUNT, len(entries))].strip()
    try:
        return str(ip_address(claimed))
    except ValueError:
        return connection
