"""Keys of the links by which a password is set."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator

INVITATION_DAYS = 7


class _LongLived(PasswordResetTokenGenerator):
    """Checks by a clock that stands back, so that a key lives as much longer."""

    def _now(self) -> datetime:
        longer = timedelta(days=INVITATION_DAYS)
        return (
            super()._now() - longer + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
        )


class LinkTokens(PasswordResetTokenGenerator):
    """A key lives an hour; that of an invitation, before the first password, a week.

    The invited may be on duty or away, and cannot ask for another link themselves.
    """

    def check_token(self, user: Any, token: Any) -> bool:
        if super().check_token(user, token):
            return True
        invited = user is not None and not user.has_usable_password()
        return invited and _LongLived().check_token(user, token)
