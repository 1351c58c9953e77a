"""What came back: proportions, rates and curves of an event over time.

Two endpoints, each named with every number that speaks of it: the event, with death
competing; and survival free of it, which death ends too.
"""

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
    count,
    hide_group,
    one_row_a_group,
    ordered,
    proportion,
    started,
)
from outcomes.measures.curves import (
    DAYS_IN_YEAR,
    Course,
    Followed,
    compared_incidence,
    compared_survival,
    described,
    followed,
)
from outcomes.measures.grouping import By, is_known, named, split_by_group
from outcomes.stats.rates import incidence_rate, rate_ratio

CURVE = "curve"  # the part of a group that is hidden as one
RESIDUAL_NOTE = (
    "A residual cannot recur. Its growth is a regrowth: see the measure “progression”."
)
# Numbers of a row behind its day, event and exclusion.
COUNTED = 9


@dataclass(frozen=True)
class EventMeasure(WholeGroups):
    """An event among operated cases, and survival free of it and of death.

    ``events`` are the columns of which one must be true; a case is assessed where one
    of them is known. ``survival`` names the columns ``<survival>_days``, ``_event`` and
    ``_exclusion`` of the curve, ``endpoint`` what ends it.
    """

    name: str
    survival: str
    endpoint: str
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
        "died_first",
        "survival_rate_per_100_person_years",
        "cumulative_incidence",
        "incidence_at",
        "recurred",
    )

    def cells(self, group: Group) -> Cells:
        """Those of the proportion, and those that the curve gives away."""
        ended, n = 0, 0
        if group["curve"]:
            ended, n = group["curve"]["n_events"], group["curve"]["n"]
        more = max(ended - group["events"], 0)
        curve = [ended, n - ended, more]
        return {
            WHOLE: [*super().cells(group)[WHOLE], *_other_ways(group)],
            CURVE: curve,
        }

    def hide(self, group: Group, part: str) -> None:
        """The group, or its curve alone where the shares tell too little to hide."""
        if part == WHOLE:
            hide_group(group)
        elif group.get("curve"):
            group["curve"], group["steps"] = None, None

    def reduce(self, facts: QuerySet[Any], by: By, window: str) -> list[Row]:
        """Counts by group, day, event and reason of exclusion."""
        ends, day = f"{self.survival}_event", f"{self.survival}_days"
        happened, known, first = Q(), Q(), Q()
        for event in self.events:
            happened |= Q(**{f"{event}_event": True})
            known |= Q(**{f"{event}_event__isnull": False})
            # Else death ended the survival, before the event or without it.
            first |= Q(**{f"{event}_event": True, f"{event}_days": F(day)})
        days = Coalesce(*(f"{event}_days" for event in self.events), None)
        operated = facts.filter(has_operation=True).alias(person_days=days)
        found = operated.order_by().values_list(
            *by, F(day), F(ends), F(f"{self.survival}_exclusion")
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
                n_first=Count("pk", filter=first & Q(**{ends: True})),
            )
        )

    def conclude(self, rows: Sequence[Row], by: By, window: str) -> dict[str, Any]:
        groups: list[Group] = []
        compared: list[Followed] = []
        for key, part in split_by_group(rows, by):
            name = named(key, by)
            found = followed(name, course_of(part))
            groups.append(self._group(name, part, found))
            if found and is_known(name):
                compared.append(found)
        incidence = compared_incidence(compared, self.name)
        add_rate_ratios(incidence["differences"], groups)
        return {
            "n_cases": sum(group["n"] for group in groups),
            "groups": groups,
            **compared_survival(compared, self.endpoint),
            "competing_risks": incidence,
        }

    def limit_comparisons(self, answer: dict[str, Any]) -> None:
        """Values at fixed times could go on where the curves of a group end."""
        for block in (answer, answer.get("competing_risks", {})):
            for found in block.get("differences", []):
                found.pop("survival_difference_at", None)
                found.pop("incidence_difference_at", None)

    def _group(
        self, name: dict[str, Any], rows: Sequence[Row], found: Followed | None
    ) -> Group:
        totals = np.array([row[3:] for row in rows], dtype=np.int64)
        n, assessed, events, dated, person_days, deaths, regrowths, new, _first = map(
            int, totals.reshape(-1, COUNTED).sum(axis=0)
        )
        excluded = excluded_by_reason(rows)
        group: Group = {
            **started(name),
            "n": n,
            "endpoint": self.name,
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
            **described(found, self.name, self.endpoint),
        }
        if excluded.get("residual_tumour"):
            group["note"] = RESIDUAL_NOTE
        return group


def _other_ways(group: Group) -> list[int]:
    """Who progressed otherwise than by recurrence, and who could in no other way.

    Both measures are told, so that the difference of their counts is known as well.
    """
    if "recurred" not in group:
        return []
    events, assessed = group["recurred"]
    only_here = group["assessed"] - assessed
    return [group["events"] - events, only_here]


def recurred(facts: QuerySet[Any], by: By) -> dict[Any, tuple[int, int]]:
    """Of each group how many recurred, and how many could."""
    asked = facts.filter(has_operation=True)
    rows = one_row_a_group(
        asked,
        by,
        events=count(recurrence_event=True),
        assessed=count(recurrence_event__isnull=False),
    )
    return {tuple(row[: len(by)]): (row[-2], row[-1]) for row in rows}


def course_of(rows: Sequence[Row]) -> Course:
    """What happened on each day to those who were followed."""
    seen = [row for row in rows if row[0] is not None]
    return Course(
        days=[row[0] for row in seen],
        events=[row[11] if row[1] else 0 for row in seen],
        deaths=[row[3] - row[11] if row[1] else 0 for row in seen],
        censored=[0 if row[1] else row[3] for row in seen],
    )


def excluded_by_reason(rows: Sequence[Row]) -> dict[str, int]:
    """Cases that are not on the curve, by the reason."""
    found: dict[str, int] = {}
    for row in rows:
        if row[2] is not None:
            found[row[2]] = found.get(row[2], 0) + row[3]
    return found


def add_rate_ratios(
    differences: Sequence[dict[str, Any]], groups: Sequence[Group]
) -> None:
    """Each group's rate of the event against that of the reference."""
    rates = {
        tuple(group["group"].values()): (group["dated_events"], group["person_years"])
        for group in groups
    }
    for found in differences:
        pair = (rates[tuple(found[who].values())] for who in ("group", "reference"))
        events, years = zip(*pair, strict=True)
        found["rate_ratio"] = rate_ratio(
            events[0], years[0], events[1], years[1]
        ).to_json()


# After GTR on MRI: recurrence, and survival free of recurrence and death.
RECURRENCE = EventMeasure(
    "recurrence", "rfs", "recurrence_free_survival", ("recurrence",)
)
# Of any resection: recurrence or regrowth, and progression-free survival.
PROGRESSION = EventMeasure(
    "progression", "pfs", "progression_free_survival", ("recurrence", "regrowth")
)
