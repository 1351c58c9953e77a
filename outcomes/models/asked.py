from __future__ import annotations

from django.db import models
from django.db.models import Q


class AskedSummary(models.Model):
    """Numbers that somebody asked for and that take too long to wait for.

    ``key`` is a hash of ``question``, so that everybody who asks the same waits for the
    same row. ``wanted_at`` says since when somebody waits; it is empty once answered.
    """

    key = models.CharField(max_length=64, unique=True)
    question = models.JSONField()
    centre = models.ForeignKey(
        "registry.Centre", models.CASCADE, related_name="+", null=True
    )
    asked_at = models.DateTimeField()
    wanted_at = models.DateTimeField(null=True)
    payload = models.JSONField(null=True)
    as_of = models.DateTimeField(null=True)
    code_version = models.CharField(max_length=32, blank=True)
    # As of a stored summary: who had withdrawn, and the changes taken in.
    withdrawn = models.CharField(max_length=32, default="", blank=True)
    done = models.BigIntegerField(default=-1)
    # Work in progress and its failures.
    claimed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name_plural = "asked summaries"
        constraints = [
            models.CheckConstraint(
                condition=Q(payload__isnull=True) | Q(as_of__isnull=False),
                name="asked_payload_dated",
            ),
        ]

    def __str__(self) -> str:
        return self.key[:12]
