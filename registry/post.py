"""Mails about an account leave by the worker, not within the request.

A request that mailed took longer for a known address than for an unknown one, and waited
for the mail server. It writes a row now, the same for both; the row outlives an outage
of Redis, of the worker and of the mail server.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPResponseException

from allauth.account.adapter import get_adapter
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.core import context
from django.conf import settings
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import DisallowedHost
from django.core.mail import EmailMessage
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from registry.models import AskedMail, User

logger = logging.getLogger(__name__)
# Later it would puzzle more than help: who still needs it has asked again.
SENT_WITHIN = timedelta(hours=1)
# The server answered, or the host is ours no more: the next mail may well go out.
OF_ONE_MAIL = (SMTPResponseException, SMTPRecipientsRefused, DisallowedHost)


class AskedAt(HttpRequest):
    """The place where a mail was asked for, to which its link leads; hosts are checked
    as ever."""

    def __init__(self, asked: AskedMail) -> None:
        super().__init__()
        self.META["HTTP_HOST"] = asked.host
        self.secure = asked.secure

    @property
    def scheme(self) -> str:
        """As it was told then: the header of a proxy is long gone."""
        return "https" if self.secure else "http"


def ask(kind: AskedMail.Kind, person: User | None, request: HttpRequest) -> None:
    """Note the mail in the transaction of what it tells of."""
    AskedMail.objects.create(
        kind=kind,
        person=person,
        secure=request.is_secure(),
        host=request.get_host(),
        language=translation.get_language() or settings.LANGUAGE_CODE,
    )


def send_waiting() -> int:
    """Send what waits, oldest first; the number sent.

    A mail that is refused is tried again in the next round and holds no other up; where
    the mail server is away all wait. A worker that dies after sending and before its
    commit sends that mail again.
    """
    AskedMail.objects.filter(asked_at__lt=timezone.now() - SENT_WITHIN).delete()
    sent = 0
    for number in AskedMail.objects.order_by("pk").values_list("pk", flat=True):
        try:
            sent += send_one(number)
        except OF_ONE_MAIL as error:
            logger.error("mail refused, to be tried again: %s", type(error).__name__)
        except OSError as error:
            logger.error("mail not sent, to be tried again: %s", type(error).__name__)
            break
    return sent


@transaction.atomic
def send_one(number: int) -> bool:
    """Whether it was there and no other worker held it."""
    waiting = AskedMail.objects.select_for_update(skip_locked=True)
    asked = waiting.filter(pk=number).first()
    if asked is None:
        return False
    if asked.person is not None and asked.person.is_active:
        with translation.override(asked.language):
            MESSAGES[AskedMail.Kind(asked.kind)](asked, asked.person).send()
    asked.delete()
    return True


def reset_message(asked: AskedMail, person: User) -> EmailMessage:
    """The link is made now: it holds for an hour from here."""
    request = AskedAt(asked)
    token = default_token_generator.make_token(person)
    name = user_pk_to_url_str(person)
    with context.request_context(request):
        adapter = get_adapter()
        words = {
            "user": person,
            "uid": name,
            "key": token,
            "password_reset_url": adapter.get_reset_password_from_key_url(
                f"{name}-{token}"
            ),
            "request": request,
            "current_site": get_current_site(request),
        }
        message: EmailMessage = adapter.render_mail(
            "account/email/password_reset_key", person.email, words
        )
        return message


def locked_message(asked: AskedMail, person: User) -> EmailMessage:
    return EmailMessage(
        _("Sign-in locked for 15 minutes"),
        _(
            "Somebody gave a wrong password for your account five times. Sign-in "
            "from that address is locked for 15 minutes. If it was not you, tell "
            "your administrator."
        ),
        to=[person.email],
    )


MESSAGES: dict[AskedMail.Kind, Callable[[AskedMail, User], EmailMessage]] = {
    AskedMail.Kind.RESET: reset_message,
    AskedMail.Kind.LOCKED: locked_message,
}
