from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone


class AuditEvent(models.Model):
    """One thing that happened: append-only, under a :class:`Seal` soon after commit.

    No foreign keys to live rows: the trail outlives what it speaks of. Triggers refuse
    UPDATE, DELETE and TRUNCATE; ``verify_audit`` detects what a superuser changed.
    """

    at = models.DateTimeField(default=timezone.now)
    action = models.CharField(max_length=60)
    actor_id = models.BigIntegerField(null=True)
    centre_id = models.BigIntegerField(null=True)
    target = models.CharField(max_length=120, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    body = models.JSONField(default=dict)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["actor_id", "-at"], name="audit_actor"),
            models.Index(fields=["target", "-at"], name="audit_target"),
            models.Index(fields=["action", "-at"], name="audit_action"),
            # Finds a record among those that a list has shown.
            GinIndex(fields=["body"], name="audit_body", opclasses=["jsonb_path_ops"]),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target}".strip()


class Seal(models.Model):
    """A link of the chain: some committed rows of one table of evidence.

    ``spans`` are the numbers of the rows, ``digest`` is SHA-256 over them in this
    order, ``marks`` the first four bytes of each row's hash, by which an altered row
    is named. Numbers between ``after`` and ``upto`` that no span holds belong to
    transactions that were open or had failed; ``awaited`` are those that may still
    come: [first, last, transaction by whose end it is decided, found at (epoch)].
    ``columns`` are what the hashes tell of, empty while ``shape``, their mark, is that
    of the seal before. A seal with a ``reason`` has no rows and begins its table anew.
    """

    at = models.DateTimeField()
    table = models.CharField(max_length=63)
    after = models.BigIntegerField()
    upto = models.BigIntegerField()
    spans = models.JSONField()
    count = models.PositiveIntegerField()
    total = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    marks = models.BinaryField()
    columns = models.JSONField()
    shape = models.CharField(max_length=16)
    awaited = models.JSONField()
    server = models.CharField(max_length=20)
    reason = models.CharField(max_length=200, blank=True)
    previous = models.CharField(max_length=64, unique=True)
    mac = models.CharField(max_length=64)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["table", "-id"], name="seal_of_table")]

    def __str__(self) -> str:
        return f"{self.pk}: {self.table} {self.after + 1} to {self.upto}"
