"""Mails that were asked for and that the worker sends."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class AskedMail(models.Model):
    """One mail to send; the row goes when it is sent.

    Links with a secret in them are made when the mail is sent, so no row holds one.
    ``person`` is empty where an address has no account: asking for it is the same work.
    """

    class Kind(models.TextChoices):
        RESET = "password_reset"
        LOCKED = "sign_in_locked"

    kind = models.CharField(max_length=20, choices=Kind)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )
    asked_at = models.DateTimeField(default=timezone.now)
    # Where it was asked, so that its link leads there.
    secure = models.BooleanField()
    host = models.CharField(max_length=255)
    language = models.CharField(max_length=20)

    class Meta:
        verbose_name = "mail asked for"

    def __str__(self) -> str:
        return self.kind
