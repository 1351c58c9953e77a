"""What came back: proportions, rates and curves of an event over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from outcomes.measures.base import (
    WHOLE,
    Cells,
    Group,
    Row,
    WholeGroups,
    hide_group,
    known_groups,
    ordered,
    proportion,
    started,
)
from outcomes.measures.grouping import By, is_known, named, split_by_group
from outcomes.measures.half_years import half_years
from outcomes.stats.follow_up import reverse_kaplan_meier_median_from_counts
from outcomes.stats.logrank import logrank_from_counts
from outcomes.stats.rates import incidence_rate, rate_ratio
from outcomes.stats.result import not_estimable
from outcomes.stats.survival import SurvivalCurve, kaplan_meier_from_counts

DAYS_IN_YEAR = 365.25
SURVIVAL_AT = (365, 730, 1826)
CURVE = "curve"  # the part of a group that is hidden as one
MOST_POINTS = 200  # of a curve in an answer
MOST_RISK_COLUMNS = 12
RESIDUAL_NOTE = (
    "A residual cannot recur. Its growth is a regrowth: see the measure “progression”."
)

Counts = tuple[list[int], list[int], list[int]]


@dataclass(frozen=True)
class EventMeasure(WholeGroups):
    """An event among operated cases, and survival free of it and of death.

    ``events`` are the columns of which one must be true; a case is assessed where one
    of them is known. ``survival`` names the columns ``<survival>_days``, ``_event`` and
    ``_exclusion`` of the curve.
    """

    name: str
    survival: str
    events: tuple[str, ...]
    windows: tuple[str, ...] = ()
    default_window: str = ""
    details: ClassVar = (
        "dated_events",
        "deaths",
        "regrowths",
        "new_lesions",
        "excluded",
        "note",
    )

    def cells(self, group: Group) -> Cells:
        """Those of the proportion, and those that the curve gives away."""
        ended, n = 0, 0
        if group["curve"]:
            ended, n = group["curve"]["n_events"], group["curve"]["n"]
        more = max(ended - group["events"], 0)
        return {**super().cells(group), CURVE: [ended, n - ended, more]}

    def hide(self, group: Group, part: str) -> None:
        """The group, or its curve alone where the shares tell too little to hide."""
        if part == WHOLE:
            hide_group(group)
        elif group.get("curve"):
            group["curve"], group["steps"] = None, None

    def reduce(self, facts: QuerySet[Any], by: By, window: str) -> list[Row]:
        """Counts by group, day, event and reason of exclusion."""
        happened, known = Q(), Q()
        for event in self.events:
            happened |= Q(**{f"{event}_event": True})
            known |= Q(**{f"{event}_event__isnull": False})
        days = Coalesce(*(f"{event}_days" for event in self.events), None)
        followed = facts.filter(has_operation=True).alias(person_days=days)
        found = followed.order_by().values_list(
            *by,
            F(f"{self.survival}_days"),
            F(f"{self.survival}_event"),
            F(f"{self.survival}_exclusion"),
        )
        return ordered(
            found.annotate(
                n=Count("pk"),
                n_assessed=Count("pk", filter=known),
                n_events=Count("pk", filter=happened),
                n_dated_events=Count(
                    "pk", filter=happened & Q(person_days__isnull=False)
                ),
                days=Sum("person_days", default=0),
                n_deaths=Count("pk", filter=Q(death_event=True)),
                n_regrowths=Count("pk", filter=Q(regrowth_event=True)),
                n_new_lesions=Count("pk", filter=Q(new_lesion_event=True)),
            )
        )

    def conclude(self, rows: Sequence[Row], by: By, window: str) -> dict[str, Any]:
        split = split_by_group(rows, by)
        groups = [self._group(named(key, by), part) for key, part in split]
        known = [part for key, part in split if is_known(named(key, by))]
        return {
            "n_cases": sum(group["n"] for group in groups),
            "groups": groups,
            "test": compare_curves([counts_by_day(part) for part in known]),
            "differences": rate_ratios(known_groups(groups)),
        }

    def _group(self, name: dict[str, Any], rows: Sequence[Row]) -> Group:
        totals = np.array([row[3:] for row in rows], dtype=np.int64).reshape(-1, 8)
        n, assessed, events, dated, person_days, deaths, regrowths, new = map(
            int, totals.sum(axis=0)
        )
        counts = counts_by_day(rows)
        curve = kaplan_meier_from_counts(*counts) if counts[0] else None
        excluded = excluded_by_reason(rows)
        group: Group = {
            **started(name),
            "n": n,
            "assessed": assessed,
            "events": events,
            "proportion": proportion(events, assessed),
            "person_years": person_days / DAYS_IN_YEAR,
            "dated_events": dated,
            "rate_per_100_person_years": incidence_rate(
                dated, person_days / DAYS_IN_YEAR
            ).to_json(),
            "deaths": deaths,
            "regrowths": regrowths,
            "new_lesions": new,
            "excluded": excluded,
            **described_curve(curve, counts),
        }
        if excluded.get("residual_tumour"):
            group["note"] = RESIDUAL_NOTE
        return group


def counts_by_day(rows: Sequence[Row]) -> Counts:
    """Days with the events and the censored cases on each."""
    followed = [row for row in rows if row[0] is not None]
    days = [row[0] for row in followed]
    events = [row[3] if row[1] else 0 for row in followed]
    censored = [0 if row[1] else row[3] for row in followed]
    return days, events, censored


def excluded_by_reason(rows: Sequence[Row]) -> dict[str, int]:
    """Cases that are not on the curve, by the reason."""
    found: dict[str, int] = {}
    for row in rows:
        if row[2] is not None:
            found[row[2]] = found.get(row[2], 0) + row[3]
    return found


def described_curve(curve: SurvivalCurve | None, counts: Counts) -> dict[str, Any]:
    """The curve with numbers at risk, survival at fixed times, median follow-up."""
    if curve is None:
        return {"curve": None, "steps": None, "median_follow_up_days": None}
    events, censored = half_years(*counts)
    last = int(curve.days[-1])
    step = 365 * max(1, -(-last // (365 * MOST_RISK_COLUMNS)))
    risk_days = list(range(0, last + 1, step))
    follow_up = reverse_kaplan_meier_median_from_counts(*counts)
    return {
        "curve": thinned(curve),
        "steps": {"events": events, "censored": censored},
        "at_risk": {"days": risk_days, "n": list(curve.at_risk_at(risk_days))},
        "survival_at": [
            {"day": day, **point.to_json()}
            for day, point in zip(
                SURVIVAL_AT, curve.survival_at(SURVIVAL_AT), strict=True
            )
        ],
        "median_follow_up_days": follow_up.value,
        "median_follow_up": follow_up.to_json(),
    }


def thinned(curve: SurvivalCurve) -> dict[str, Any]:
    """The curve with at most :data:`MOST_POINTS` days, each as exact as before.

    Many thousands of cases have an event or a censored case on almost every day; a
    picture needs fewer. ``points`` says how many days there were.
    """
    found: dict[str, Any] = curve.to_json()
    length = len(curve.days)
    kept = np.unique(np.linspace(0, length - 1, min(length, MOST_POINTS)).astype(int))
    for name in ("days", "survival", "lower", "upper", "at_risk", "events", "censored"):
        found[name] = [found[name][place] for place in kept]
    return found | {"points": length}


def compare_curves(counts: Sequence[Counts]) -> dict[str, Any]:
    """Log-rank test of the groups that have follow-up."""
    usable = [group for group in counts if group[0]]
    if len(usable) < 2:
        reason = "fewer than two groups have follow-up"
        return not_estimable("log-rank", reason).to_json()
    return logrank_from_counts(usable).to_json()


def rate_ratios(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """Each group's rate against that of the first group with follow-up."""
    usable = [group for group in groups if group["person_years"] > 0]
    return [
        {
            "group": group["group"],
            "reference": usable[0]["group"],
            "rate_ratio": rate_ratio(
                group["dated_events"],
                group["person_years"],
                usable[0]["dated_events"],
                usable[0]["person_years"],
            ).to_json(),
        }
        for group in usable[1:]
    ]


# After GTR on MRI: recurrence, and survival free of recurrence and death.
RECURRENCE = EventMeasure("recurrence", "rfs", ("recurrence",))
# Of any resection: recurrence or regrowth, and progression-free survival.
PROGRESSION = EventMeasure("progression", "pfs", ("recurrence", "regrowth"))
