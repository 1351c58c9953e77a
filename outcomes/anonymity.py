"""How many patients look alike in rows that leave the registry.

k-anonymity counts the rows that share all values of what somebody outside may know
(Sweeney L. Int J Uncertainty Fuzziness Knowl Based Syst 2002;10:557-570).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count, F

from outcomes.deidentified import shown
from outcomes.models.fact_columns import COLUMN_BY_NAME
from outcomes.models.facts import CaseFactsQuerySet

# What a neighbour, an employer or a newspaper may know (REFERENCE, section 7).
QUASI_IDENTIFIERS = (
    "sex",
    "age_at_surgery",
    "region",
    "surgery_year",
    "compartment",
    "nf_status",
)
# What somebody who saw the chart of one patient knows besides.
MEASURED = ("operative_time_min", "blood_loss_ml", "size_cc_mm", "visit_day_m12")


@dataclass(frozen=True)
class Anonymity:
    """Rows by how many others they look like.

    ``k`` is the size of the smallest set of rows that look alike, None without rows;
    ``unique`` and ``few`` count rows that are alone, and in sets below the threshold.
    """

    rows: int
    k: int | None
    unique: int
    few: int

    @property
    def share_unique(self) -> float:
        return self.unique / self.rows if self.rows else 0.0


def measured(
    queryset: CaseFactsQuerySet, names: tuple[str, ...], *, released: bool
) -> Anonymity:
    """Anonymity over the columns, as they are stored or as they are released."""
    chosen: dict[str, Any] = {
        f"of_{name}": shown(COLUMN_BY_NAME[name]) if released else F(name)
        for name in names
    }
    alike = queryset.for_research().order_by().values(**chosen).annotate(n=Count("pk"))
    sizes = list(alike.values_list("n", flat=True))
    return Anonymity(
        rows=sum(sizes),
        k=min(sizes, default=None),
        unique=sum(1 for n in sizes if n == 1),
        few=sum(n for n in sizes if n < settings.DISCLOSURE_THRESHOLD),
    )
