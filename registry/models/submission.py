from __future__ import annotations

from django.db import models
from django.utils import timezone


class Submission(models.Model):
    """A create request that was carried out once.

    The browser sends a token with each form, the API an Idempotency-Key; the same key
    sent again gives the record made the first time instead of a second one.
    """

    user = models.ForeignKey("registry.User", models.PROTECT, related_name="+")
    key = models.CharField(max_length=80)
    fingerprint = models.CharField(max_length=64)
    record_code = models.CharField(max_length=24)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="submission_once")
        ]

    def __str__(self) -> str:
        return self.record_code
