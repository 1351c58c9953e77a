from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone


class CaseChange(models.Model):
    """One change among the cases of a centre, written in the transaction that made it.

    The changes of a centre are counted, not its cases: rows here plus ``counted`` of
    :class:`ChangeCount`. A row a change instead of a counter that everybody updates,
    so that a long import never holds up the saves of others.
    """

    centre = models.ForeignKey("registry.Centre", models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return str(self.centre_id)


class ChangeCount(models.Model):
    """Changes of a centre whose rows were folded into a number."""

    centre = models.OneToOneField(
        "registry.Centre", models.CASCADE, primary_key=True, related_name="+"
    )
    counted = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.centre_id}: {self.counted}"


class Summary(models.Model):
    """The numbers of one measure in one scope and grouping, and how fresh they are.

    ``centre`` None is the pool of all centres, for people who read no cases counted from
    the ``released`` facts. ``done`` counts the changes that the
    numbers have taken in; the row is stale while more were made (``wanted``).
    """

    centre = models.ForeignKey(
        "registry.Centre", models.CASCADE, related_name="summaries", null=True
    )
    released = models.BooleanField(default=False)
    measure = models.CharField(max_length=30)
    by = models.CharField(max_length=200, blank=True)
    window = models.CharField(max_length=12, blank=True)
    payload = models.JSONField(null=True)
    as_of = models.DateTimeField(null=True)
    n_cases = models.PositiveIntegerField(null=True)
    input_hash = models.CharField(max_length=64, blank=True)
    code_version = models.CharField(max_length=32, blank=True)
    # Who had withdrawn when the numbers were counted; a row that counted others is
    # not shown.
    withdrawn = models.CharField(max_length=32, default="", blank=True)
    done = models.BigIntegerField(default=-1)
    # Work in progress and its failures; a claim outlasts a failure, as a rest.
    claimed_at = models.DateTimeField(null=True)
    tried = models.BigIntegerField(default=-1)
    attempts = models.PositiveSmallIntegerField(default=0)
    runs = models.PositiveIntegerField(default=0)
    duration_ms = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name_plural = "summaries"
        constraints = [
            models.UniqueConstraint(
                fields=["centre", "released", "measure", "by", "window"],
                nulls_distinct=False,
                name="summary_once",
            ),
            models.CheckConstraint(
                condition=Q(payload__isnull=True)
                | Q(as_of__isnull=False, n_cases__isnull=False),
                name="summary_payload_dated",
            ),
        ]

    def __str__(self) -> str:
        scope = self.centre or "pool"
        return " ".join(filter(None, [str(scope), self.measure, self.by, self.window]))

    @property
    def age_seconds(self) -> float | None:
        """Seconds since the numbers were computed."""
        as_of: Any = self.as_of
        return None if as_of is None else (timezone.now() - as_of).total_seconds()
