"""How many patients look alike in rows that leave the registry.

k-anonymity counts the rows that share all values of what somebody outside may know
(Sweeney L. Int J Uncertainty Fuzziness Knowl Based Syst 2002;10:557-570).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count

from outcomes.models import ReleasedFacts, ReleaseLevel
from outcomes.models.facts import CaseFactsQuerySet
from outcomes.quasi_identifiers import QUASI_IDENTIFIERS, SEPARATOR, QuasiIdentifier
from outcomes.released import counted

# What a neighbour, an employer or a newspaper may know (REFERENCE, section 7).
KNOWN_OUTSIDE = tuple(found.name for found in QUASI_IDENTIFIERS)
# What tells of these in released rows: a band has a last number, too.
RELEASED = (
    *KNOWN_OUTSIDE,
    *(f"{found.name}_to" for found in QUASI_IDENTIFIERS if found.steps),
    "withheld",
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


def measured(queryset: CaseFactsQuerySet, names: tuple[str, ...]) -> Anonymity:
    """Anonymity over the columns of the facts, or of the released facts."""
    alike = queryset.for_research().order_by().values(*names).annotate(n=Count("pk"))
    sizes = list(alike.values_list("n", flat=True))
    return Anonymity(
        rows=sum(sizes),
        k=min(sizes, default=None),
        unique=sum(1 for n in sizes if n == 1),
        few=sum(n for n in sizes if n < settings.DISCLOSURE_THRESHOLD),
    )


def withheld() -> dict[str, str]:
    """Of each quasi-identifier the share of released rows that it is withheld in.

    Of those told in bands the share of each width, too.
    """
    found: dict[str, str] = {}
    total = ReleasedFacts.objects.count() or 1
    for each in QUASI_IDENTIFIERS:
        rows = ReleasedFacts.objects.filter(withheld__regex=rf"\m{each.name}\M")
        parts = [f"withheld {rows.count() / total:.1%}"]
        for level, step in enumerate(each.steps):
            n = rows_told_at(each, level)
            parts.append(f"{step} years {n / total:.1%}")
        found[each.name] = ", ".join(parts)
    return found


def rows_told_at(each: QuasiIdentifier, level: int) -> int:
    """Rows whose band has the width of this level and whose value is known."""
    place = QUASI_IDENTIFIERS.index(each)
    keys = ReleaseLevel.objects.filter(**{f"levels__{place}": level})
    told = {tuple(key.split(SEPARATOR)) for key in keys.values_list("pk", flat=True)}
    return sum(n for values, n in counted().items() if values in told and values[place])
