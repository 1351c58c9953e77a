from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from cases.models import Case
from outcomes.models.facts import CaseFacts, CaseFactsQuerySet, FactRow


class PoolFactsQuerySet(CaseFactsQuerySet):
    """Rows of the copy."""

    def for_research(self) -> Any:
        """Without cases that were voided or whose patients withdrew since."""
        present = CaseFacts.objects.for_research()
        return self.filter(case__in=present.values("case"))


class PoolFacts(FactRow):
    """A copy of the facts, from which people of one centre are told of the pool.

    Nobody writes here but ``outcomes.pool``. Its references are not enforced: a case is
    never deleted, and taking the copy should not lock all cases.
    """

    case = models.OneToOneField(
        Case,
        models.CASCADE,
        primary_key=True,
        related_name="+",
        db_constraint=False,
    )
    centre = models.ForeignKey(
        "registry.Centre", models.PROTECT, related_name="+", db_constraint=False
    )

    objects = PoolFactsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "pool facts"


class PoolCopy(models.Model):
    """When the copy in :class:`PoolFacts` was taken; one row at most."""

    ONLY = 1

    id = models.SmallIntegerField(primary_key=True, default=ONLY)
    taken_at = models.DateTimeField()
    # Changes of all centres by then, as summaries.wanted_of() counts them.
    changes = models.BigIntegerField()
    n_cases = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "pool copies"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="pool_copy_only_one")
        ]

    def __str__(self) -> str:
        return f"{self.n_cases} at {self.taken_at:%Y-%m-%d %H:%M}"


class PoolAnswer(models.Model):
    """What people who know the same centres are told of one question to the copy.

    Nobody writes here but ``outcomes.pool_answers``, whose rows can be lost at any time.
    """

    name = models.CharField(max_length=64, primary_key=True)
    payload = models.JSONField()
    told_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "pool answers"

    def __str__(self) -> str:
        return self.name
