from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class DetailGrantQuerySet(models.QuerySet[Any]):
    """Grants of finer data."""

    def in_force(self) -> Any:
        """Neither ended nor past their last day."""
        return self.filter(ended_at=None, until__gte=timezone.localdate())


class DetailGrant(models.Model):
    """That a person may read finer de-identified data, for what, and until when.

    A row is never changed but to end it: another purpose is another grant.
    """

    user = models.ForeignKey(
        "registry.User", models.PROTECT, related_name="detail_grants"
    )
    purpose = models.CharField(_("purpose"), max_length=500)
    until = models.DateField(_("last day"))
    granted_at = models.DateTimeField(default=timezone.now, editable=False)
    granted_by = models.ForeignKey(
        "registry.User", models.PROTECT, related_name="+", editable=False
    )
    ended_at = models.DateTimeField(null=True, editable=False)
    ended_by = models.ForeignKey(
        "registry.User", models.PROTECT, related_name="+", null=True, editable=False
    )

    objects = DetailGrantQuerySet.as_manager()

    class Meta:
        ordering = ["-granted_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="detail_grant_ended_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(purpose=""), name="detail_grant_has_purpose"
            ),
            models.CheckConstraint(
                condition=~Q(granted_by=models.F("user")),
                name="detail_grant_by_another",
                violation_error_message=_("Somebody else must grant this."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.until}"

    def clean(self) -> None:
        super().clean()
        if self.until and self.until < timezone.localdate():
            message = _("This day is over. Choose a later one.")
            raise ValidationError({"until": ValidationError(message, "past")})

    @property
    def is_in_force(self) -> bool:
        return self.ended_at is None and self.until >= timezone.localdate()
