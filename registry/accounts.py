"""Sign-in: e-mail and password, lockout, second factor; nobody signs up by themselves."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm
from axes.signals import user_locked_out
from django.contrib.auth.signals import (
    user_logged_in,
    user_logged_out,
    user_login_failed,
)
from django.core.mail import send_mail
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext as _

from registry import audit
from registry.models import User


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by an administrator."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class SignInForm(LoginForm):
    """Hands the lockout the address that was typed."""

    def user_credentials(self) -> dict[str, Any]:
        credentials: dict[str, Any] = super().user_credentials()
        credentials["login"] = credentials.get("email", "").lower()
        return credentials


@receiver(user_logged_in)
def record_sign_in(sender: Any, user: User, **kwargs: Any) -> None:
    audit.record("session.started", actor=user)


@receiver(user_logged_out)
def record_sign_out(sender: Any, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        audit.record("session.ended", actor=user)


@receiver(user_login_failed)
def record_failed_sign_in(
    sender: Any, credentials: dict[str, Any], **kwargs: Any
) -> None:
    """The address stays out of the trail: people type passwords into that field."""
    audit.record("session.refused", actor=_person(credentials.get("login")))


@receiver(user_locked_out)
def tell_locked_out(sender: Any, username: str | None, **kwargs: Any) -> None:
    """The person learns by mail what the sign-in page must not tell a stranger."""
    person = _person(username)
    audit.record("session.locked", actor=person)
    if person is not None:
        send_mail(
            _("Sign-in locked for 15 minutes"),
            _(
                "Somebody gave a wrong password for your account five times. Sign-in "
                "from that address is locked for 15 minutes. If it was not you, tell "
                "your administrator."
            ),
            None,
            [person.email],
            fail_silently=True,
        )


def _person(address: str | None) -> User | None:
    return User.objects.filter(email__iexact=address or "").first()
