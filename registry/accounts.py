"""Sign-in: e-mail and password, lockout, second factor; nobody signs up by themselves."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account import signals as account_signals
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa import signals as factor_signals
from allauth.usersessions.models import UserSession
from axes.signals import user_locked_out
from django.conf import settings
from django.contrib.auth.signals import (
    user_logged_in,
    user_logged_out,
    user_login_failed,
)
from django.dispatch import receiver
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils import timezone
from django.utils.translation import gettext_lazy

from registry import audit, post
from registry.client_address import client_address
from registry.models import AskedMail, AuditEvent, User

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by an administrator."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": gettext_lazy(
            "The address and the password do not belong together."
        ),
        "incorrect_password": gettext_lazy("This is not your password."),
        "enter_current_password": gettext_lazy("This is not your present password."),
        "too_many_login_attempts": gettext_lazy(
            "Too many attempts. Wait for a few minutes, then try again."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def reauthenticate(self, user: User, password: str) -> bool:
        """Name the person to the lockout: failures without a name are counted together
        and would lock everybody behind the same address."""
        found = self.authenticate(
            context.request,
            email=user.email,
            login=user.email.lower(),
            password=password,
        )
        return found is not None and found.pk == user.pk

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """A new password ends all sessions, this one too."""
        return resolve_url(settings.LOGIN_URL)

    def send_mail(self, template_prefix: str, email: str, context: Any) -> None:
        """A mail server that is away must not turn a changed password into a 500."""
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as error:
            logger.error("mail not sent: %s (%s)", template_prefix, type(error))


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
def tell_locked_out(
    sender: Any, request: HttpRequest, username: str | None, **kwargs: Any
) -> None:
    """The person learns by mail what the sign-in page must not tell a stranger.

    Every further attempt during the lock arrives here too; the mail goes out once.
    """
    person = _person(username)
    told = person is not None and _was_locked_lately(person)
    audit.record("session.locked", actor=person)
    if person is not None and not told:
        post.ask(AskedMail.Kind.LOCKED, person, request)


@receiver([account_signals.password_changed, account_signals.password_reset])
def record_new_password(sender: Any, user: User, **kwargs: Any) -> None:
    """Django refuses the other sessions from now on: they carry a hash of the old one."""
    audit.record("password.changed", actor=user, target=f"person:{user.pk}")


@receiver(
    [
        factor_signals.authenticator_added,
        factor_signals.authenticator_removed,
        factor_signals.authenticator_reset,
    ]
)
def record_second_factor(
    sender: Any, request: HttpRequest, user: User, authenticator: Any, **kwargs: Any
) -> None:
    """A change of the second factor ends every other session."""
    audit.record(
        "second_factor.changed",
        actor=user,
        target=f"person:{user.pk}",
        kind=authenticator.type,
        present=user.authenticator_set.filter(type=authenticator.type).exists(),  # type: ignore[attr-defined]
    )
    end_sessions(user, except_key=request.session.session_key)


@receiver(factor_signals.authentication_failed)
def record_refused_code(sender: Any, user: User, **kwargs: Any) -> None:
    audit.record("second_factor.refused", actor=user)


def end_sessions(person: User, except_key: str | None = None) -> None:
    """Sign the person out everywhere, or everywhere else."""
    for session in UserSession.objects.filter(user=person).exclude(
        session_key=except_key
    ):
        session.end()


def _was_locked_lately(person: User) -> bool:
    return AuditEvent.objects.filter(
        action="session.locked",
        actor_id=person.pk,
        at__gt=timezone.now() - settings.AXES_COOLOFF_TIME,
    ).exists()


def _person(address: str | None) -> User | None:
    return User.objects.filter(email__iexact=address or "").first()
