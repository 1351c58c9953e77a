"""When each background worker last ran the sweep; shown by ``/readyz``."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone

FORGET_AFTER = timedelta(days=1)


class WorkerHeartbeat(models.Model):
    """One row per worker, renewed by its sweeps."""

    worker = models.CharField(max_length=200, primary_key=True)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = "worker heartbeat"

    def __str__(self) -> str:
        return self.worker

    @classmethod
    def beat(cls, worker: str) -> None:
        """Renew this worker's row, and forget workers that are gone for a day."""
        now = timezone.now()
        cls.objects.update_or_create(worker=worker, defaults={"seen_at": now})
        cls.objects.filter(seen_at__lt=now - FORGET_AFTER).delete()
