from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.local_time import check_zone
from registry.permissions import CENTRE_ROLES, Role


class Centre(models.Model):
    """A hospital that enters cases."""

    code = models.CharField(
        _("code"),
        max_length=12,
        unique=True,
        validators=[
            RegexValidator(
                r"^[A-Z0-9][A-Z0-9-]{1,11}$",
                _("Write 2 to 12 capital letters, digits or hyphens."),
            )
        ],
        error_messages={"unique": _("A centre with this code exists.")},
    )
    name = models.CharField(_("name"), max_length=150)
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        default="",
        validators=[check_zone],
        help_text=_("Decides which day is today there."),
    )
    is_active = models.BooleanField(_("enters cases"), default=True)
    is_synthetic = models.BooleanField(
        _("synthetic or published cases only"), default=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A role of a person, in one centre or in the whole registry."""

    user = models.ForeignKey(
        "registry.User", models.PROTECT, related_name="memberships"
    )
    centre = models.ForeignKey(
        Centre,
        models.PROTECT,
        related_name="memberships",
        null=True,
        blank=True,
        verbose_name=_("centre"),
    )
    role = models.CharField(_("role"), max_length=30, choices=Role.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        "registry.User", models.PROTECT, related_name="+", null=True, editable=False
    )
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_by = models.ForeignKey(
        "registry.User", models.PROTECT, related_name="+", null=True, editable=False
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=Role.values), name="membership_role_known"
            ),
            models.CheckConstraint(
                condition=Q(role__in=sorted(CENTRE_ROLES), centre__isnull=False)
                | (~Q(role__in=sorted(CENTRE_ROLES)) & Q(centre__isnull=True)),
                name="membership_role_matches_centre",
                violation_error_message=_(
                    "Surgeons and coordinators belong to a centre; "
                    "the other roles to the registry as a whole."
                ),
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="membership_ended_pair",
            ),
            models.UniqueConstraint(
                fields=["user", "centre", "role"],
                condition=Q(ended_at__isnull=True),
                nulls_distinct=False,
                name="membership_once",
                violation_error_message=_("This person holds the role already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()}, {self.centre or _('registry')}"
