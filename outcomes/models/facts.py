from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from cases.choices import ResearchConsent
from cases.models import Case
from outcomes.models.fact_column import Kind
from outcomes.models.fact_columns import FACT_COLUMNS
from registry.models import ClinicalQuerySet

DURATIONS = [
    column.name
    for column in FACT_COLUMNS
    if column.kind == Kind.WHOLE and column.name.endswith("_days")
]


class CaseFactsQuerySet(ClinicalQuerySet):
    """Rows exist for cases that were not voided only."""

    def current(self) -> Any:
        return self

    def for_research(self) -> Any:
        """Without the patients who withdrew their consent.

        Whatever counts or shows facts starts here, so that a withdrawal takes effect
        at every door at once. The record itself stays, for care.
        """
        return self.exclude(consent_research=ResearchConsent.WITHDRAWN)


class FactRow(models.Model):
    """What the tables of facts share: the columns of ``FACT_COLUMNS`` and their state."""

    CENTRE_PATH = "centre"
    CONSENT_PATH = "consent_research"

    definition = models.CharField(max_length=16)
    refreshed_at = models.DateTimeField()
    # Rows leave the registry in this order, which tells nothing.
    pseudonym = models.CharField(max_length=16, default="", db_collation="C")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.pk)


for column in FACT_COLUMNS:
    FactRow.add_to_class(column.name, column.model_field())


class CaseFacts(FactRow):
    """The analysis table: one wide row a case, derived by the database alone.

    Nobody writes here but ``outcomes.facts``.
    """

    case = models.OneToOneField(
        Case, models.CASCADE, primary_key=True, related_name="facts"
    )
    centre = models.ForeignKey("registry.Centre", models.PROTECT, related_name="+")

    objects = CaseFactsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "case facts"
        indexes = [
            models.Index(fields=["centre", "case"], name="facts_centre_case"),
            models.Index(fields=["refreshed_at", "case"], name="facts_refreshed"),
            models.Index(fields=["pseudonym", "case"], name="facts_pseudonym"),
            models.Index(
                fields=["centre", "case"],
                condition=Q(consent_research=ResearchConsent.WITHDRAWN),
                name="facts_withdrawn",
            ),
        ]
        constraints = [
            # A negative duration is an error of the data, never a number to count.
            models.CheckConstraint(
                condition=Q(
                    *(
                        Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__gte": 0})
                        for name in DURATIONS
                    )
                ),
                name="facts_durations_not_negative",
            )
        ]
