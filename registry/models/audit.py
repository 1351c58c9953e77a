from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone


class AuditEvent(models.Model):
    """One thing that happened: append-only, chained by a keyed hash.

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
    previous = models.CharField(max_length=64)
    mac = models.CharField(max_length=64)

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
