from __future__ import annotations

from datetime import timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from cases.models.case import Case
from cases.models.patient import Patient
from registry.models.clinical import random_code
from registry.permissions import Permission, centres_with

KEPT_FOR = timedelta(days=30)


def new_code() -> str:
    return random_code("DRF", 8)


class DraftQuerySet(models.QuerySet["Draft"]):
    def visible_to(self, user: Any) -> Self:
        """The person's own drafts, of patients whom they may still write about.

        A draft that may name somebody is gone with the right to read identities.
        """
        writing = self._in_centres(centres_with(user, Permission.WRITE_CASES))
        naming = self._in_centres(centres_with(user, Permission.READ_IDENTITY))
        return self.filter(
            writing,
            Q(names_person=False) | naming,
            Q(case=None) | Q(case__voided_at=None),
            Q(patient=None) | Q(patient__voided_at=None),
            user=user.pk,
            saved_at__gte=timezone.now() - KEPT_FOR,
        )

    def _in_centres(self, centres: set[int] | None) -> Q:
        """Patients of the centres; one not yet entered belongs to none so far."""
        if centres is None:
            return Q()
        no_patient = Q(patient=None) if centres else Q(pk=None)
        return no_patient | Q(patient__centre__in=centres)

    def expired(self) -> Self:
        return self.filter(saved_at__lt=timezone.now() - KEPT_FOR)


class Draft(models.Model):
    """What one person typed into one form and has not saved yet.

    ``place`` is the address of the form: it names the kind of record, its row, what it
    hangs on and the kind of visit. A patient not yet entered has the form's ``token``
    instead. The content may name a person and is encrypted (:mod:`cases.drafts`).
    """

    code = models.CharField(max_length=16, unique=True, default=new_code)
    user = models.ForeignKey("registry.User", models.CASCADE, related_name="+")
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="+", null=True)
    case = models.ForeignKey(Case, models.CASCADE, related_name="+", null=True)
    place = models.CharField(max_length=300)
    token = models.CharField(max_length=32, default="", blank=True)
    title = models.CharField(max_length=120)
    names_person = models.BooleanField()
    content = models.BinaryField()
    version = models.PositiveIntegerField(default=1)
    saved_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = DraftQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "patient", "case", "place", "token"],
                nulls_distinct=False,
                name="draft_once_a_place",
            ),
        ]

    def __str__(self) -> str:
        return self.code
