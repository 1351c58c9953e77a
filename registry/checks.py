"""Checks of a deployment, beside Django's own."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Advice
from django.db import DatabaseError

from registry.models import User


@register(Tags.security, deploy=True)
def mails_leave_the_machine(app_configs: Any, **kwargs: Any) -> list[Error]:
    """A mail in the log puts addresses and links that set a password there."""
    if settings.LOCAL or "smtp" in settings.EMAIL_BACKEND:
        return []
    return [
        Error(
            "Mails are not sent, and may be written to the log with their links.",
            hint="Set EMAIL_URL to smtp+tls://user:password@host:587.",
            id="registry.E002",
        )
    ]


@register(Tags.security, deploy=True)
def heads_lie_outside(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Without them a cut end of the audit trail is not found."""
    if settings.LOCAL or settings.AUDIT_HEADS:
        return []
    return [
        Advice(
            "The end of the audit trail is kept nowhere outside the database.",
            hint="Set AUDIT_HEADS to a file apart from the database.",
            id="registry.W001",
        )
    ]


@register(Tags.security, deploy=True)
def no_demo_sign_ins(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Demo sign-ins have a password that the whole world knows."""
    if settings.LOCAL:
        return []
    try:
        found = User.objects.filter(is_demo=True, is_active=True).exists()
    except DatabaseError:
        return []
    if not found:
        return []
    return [
        Error(
            "Demo sign-ins exist in a production database.",
            hint="Stop the sign-in of everybody under demo.example.",
            id="registry.E001",
        )
    ]
