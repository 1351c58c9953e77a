"""The forms of the JOA score: their items, points and maximum."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Case as CaseExpression
from django.db.models import F, Value, When
from django.db.models.expressions import CombinedExpression

from outcomes.stats import scales, scores

JOA_ITEMS: dict[str, tuple[str, ...]] = {
    "cervical17": (
        "joa_ue_motor",
        "joa_le_motor",
        "joa_ue_sens",
        "joa_le_sens",
        "joa_trunk_sens",
        "joa_bladder",
    ),
    "cervical17_rev": (
        "joa_ue_motor",
        "joa_shoulder",
        "joa_le_motor",
        "joa_ue_sens",
        "joa_le_sens",
        "joa_trunk_sens",
        "joa_bladder",
    ),
    "thoracic11": ("joa_le_motor", "joa_le_sens", "joa_trunk_sens", "joa_bladder"),
    "lumbar29": ("joa_lumbar_total",),
}
# The points of each item by form; those of the lumbar form are entered as a total.
JOA_POINTS: dict[str, dict[str, tuple[float, ...]]] = {
    form: {f"joa_{item}": points for item, points in found.items()}
    for form in JOA_ITEMS
    if (found := scores.JOA_ITEMS.get(scales.SHORT_CODES[form]))
}
JOA_MAXIMUM = {
    "cervical17": 17,
    "cervical17_rev": 17,
    "thoracic11": 11,
    "lumbar29": 29,
}
ALL_JOA_ITEMS = tuple(
    dict.fromkeys(item for items in JOA_ITEMS.values() for item in items)
)


def joa_total() -> Any:
    """Sum of the sub-scores of the form; NULL as soon as one is missing."""
    number: Any = models.DecimalField(max_digits=5, decimal_places=1, null=True)
    branches = []
    for form, items in JOA_ITEMS.items():
        total: Any = F(items[0])
        for item in items[1:]:
            total = CombinedExpression(total, "+", F(item), output_field=number)
        branches.append(When(joa_region=form, then=total))
    return CaseExpression(*branches, default=Value(None), output_field=number)
