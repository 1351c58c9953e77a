"""The base of every clinical row."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.constraints import Rule, described_fields
from registry.fields import MissingReason, Need
from registry.models.partly_known import PartlyKnownDays
from registry.permissions import Permission, centres_with, own_centres_with

CONSENT_WITHDRAWN = "withdrawn"
# Crockford's base 32: no I, L, O, U, so that a code read over the telephone survives.
CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def random_code(prefix: str, length: int) -> str:
    """An opaque code such as ``SCT-7K2M9Q``; derived from nothing."""
    return f"{prefix}-{''.join(secrets.choice(CODE_ALPHABET) for _n in range(length))}"


class ClinicalQuerySet(models.QuerySet[Any]):
    """Every read starts from ``visible_to``."""

    def visible_to(
        self, user: Any, permission: Permission = Permission.READ_CASES
    ) -> Self:
        """Rows of the centres in which the person has the permission.

        Whose role is held in the whole registry has no part in the care, so of patients
        who withdrew their consent to research they see nothing: only the staff of the
        own centre do.
        """
        centres = centres_with(user, permission)
        if centres is not None:
            return self.filter(**{f"{self.model.CENTRE_PATH}__in": centres})
        withdrawn = Q(**{self.model.CONSENT_PATH: CONSENT_WITHDRAWN})
        cared_for = own_centres_with(user, permission)
        if not cared_for:
            return self.exclude(withdrawn)
        own = Q(**{f"{self.model.CENTRE_PATH}__in": cared_for})
        return self.filter(~withdrawn | own)

    def current(self) -> Self:
        """Rows that were not voided."""
        return self.filter(voided_at__isnull=True)


class ClinicalRecord(PartlyKnownDays):
    """A row about a patient: coded, versioned, voided but never deleted."""

    CODE_PREFIX: ClassVar[str]
    CODE_LENGTH: ClassVar[int] = 8
    CENTRE_PATH: ClassVar[str]
    # Where the patient's consent to research stands, from this row.
    CONSENT_PATH: ClassVar[str]
    # What two rows of one and the same thing share; empty: nothing tells.
    SAME_WHEN: ClassVar[tuple[str, ...]] = ()
    # Names in ``missing`` that stand for whole rows hanging on this one.
    ROWS_WITH_REASON: ClassVar[tuple[str, ...]] = ()

    code = models.CharField(max_length=16, unique=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    missing = models.JSONField(default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        "registry.User", models.PROTECT, related_name="+", editable=False
    )
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_by = models.ForeignKey(
        "registry.User", models.PROTECT, related_name="+", editable=False
    )
    voided_at = models.DateTimeField(null=True, editable=False)
    voided_by = models.ForeignKey(
        "registry.User", models.PROTECT, related_name="+", null=True, editable=False
    )
    void_reason = models.CharField(max_length=500, default="", editable=False)

    objects = ClinicalQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            Rule(
                condition=Q(
                    voided_at__isnull=True, voided_by__isnull=True, void_reason=""
                )
                | (
                    Q(voided_at__isnull=False, voided_by__isnull=False)
                    & ~Q(void_reason="")
                ),
                name="%(class)s_voided_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @classmethod
    def random_code(cls) -> str:
        """A code for a new row; the caller checks that nobody has it."""
        return random_code(cls.CODE_PREFIX, cls.CODE_LENGTH)

    @property
    def is_void(self) -> bool:
        return self.voided_at is not None

    def clean(self) -> None:
        super().clean()
        errors = self.missing_errors()
        if errors:
            raise ValidationError(errors)

    def missing_errors(self) -> dict[str, ValidationError]:
        """Errors of the ``missing`` map, by field."""
        names = {field.name: field for field in described_fields(type(self))}
        errors: dict[str, ValidationError] = {}
        for name, reason in self.missing.items():
            is_row = name in self.ROWS_WITH_REASON
            if not is_row and (name not in names or not names[name].null):
                errors["missing"] = ValidationError(
                    _("%(name)s is not a field that can be missing."),
                    "missing_field",
                    {"name": name},
                )
            elif reason not in MissingReason.values:
                errors[name] = ValidationError(
                    _("“%(reason)s” is not a reason for a missing value."),
                    "missing_reason",
                    {"reason": reason},
                )
            elif not is_row and getattr(self, name) is not None:
                errors[name] = ValidationError(
                    _("Give a value or a reason why there is none, not both."),
                    "value_and_reason",
                )
        return errors

    def applicable(self, field: Any) -> bool:
        """Whether a conditional field applies to this row; models say more."""
        return field.need != Need.OPTIONAL

    def incomplete_fields(self) -> list[Any]:
        """Needed fields with neither a value nor a reason."""
        return [
            field
            for field in described_fields(type(self))
            if field.need != Need.OPTIONAL
            and self.applicable(field)
            and getattr(self, field.attname) in (None, "")
            and field.name not in self.missing
        ]
