"""What the released table is made with, and the table itself, which is a view."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from cases.models import Case
from outcomes.models.facts import CaseFactsQuerySet, FactRow


class ReleaseState(models.Model):
    """Of which facts and by which rule the levels are; one row at most."""

    ONLY = 1

    id = models.SmallIntegerField(primary_key=True, default=ONLY)
    mark = models.CharField(max_length=200)
    renewed_at = models.DateTimeField()
    n_cases = models.PositiveIntegerField()
    # Rows of the smallest set that is told alike; None without rows.
    k = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="release_only_one")
        ]

    def __str__(self) -> str:
        return f"k = {self.k}, {self.renewed_at:%Y-%m-%d %H:%M}"


class ReleaseLevel(models.Model):
    """How finely rows with these quasi-identifiers are told.

    Rows whose values are in no row here are told nothing of.
    """

    values_key = models.CharField(max_length=240, primary_key=True)
    # One for each quasi-identifier, in the order of ``outcomes.quasi_identifiers``.
    levels = ArrayField(models.SmallIntegerField())
    n_cases = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.values_key}: {self.levels}"


class CommonValue(models.Model):
    """A value that as many cases as the threshold share; others are told as "other"."""

    column = models.CharField(max_length=63)
    value = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["column", "value"], name="common_once")
        ]

    def __str__(self) -> str:
        return f"{self.column}: {self.value}"


class ReleasedFactsQuerySet(CaseFactsQuerySet):
    """Rows of the view, which has no patient who withdrew."""

    def for_research(self) -> Any:
        return self


class ReleasedFacts(FactRow):
    """The facts as they leave the registry, for people who read no cases.

    A view, made by ``outcomes.released`` after each migration. Ages and years are the
    first of their band, ``…_to`` the last one; codes and dates are empty.
    """

    case = models.OneToOneField(
        Case, models.DO_NOTHING, primary_key=True, related_name="+", db_constraint=False
    )
    centre = models.ForeignKey(
        "registry.Centre", models.DO_NOTHING, related_name="+", db_constraint=False
    )
    age_at_surgery_to = models.IntegerField(null=True)
    surgery_year_to = models.IntegerField(null=True)
    withheld = models.TextField(null=True)  # noqa: DJ001, as every fact

    objects = ReleasedFactsQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "outcomes_releasedfacts"
        verbose_name_plural = "released facts"
