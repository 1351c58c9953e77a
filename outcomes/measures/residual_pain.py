"""Who still hurts, where, and whether the pain is old or new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from django.db.models import Count, QuerySet

from outcomes.measures.base import (
    WHOLE,
    Cells,
    ComparedByCells,
    Group,
    Row,
    compare_shares,
    count,
    hide_group,
    one_row_a_group,
    proportion,
    started,
)
from outcomes.measures.grouping import By, named, split_by_group
from outcomes.models.outcome_columns import RESIDUAL_PAIN as STATES
from outcomes.models.outcome_columns import SEGMENTAL_COURSES
from outcomes.models.pain_columns import SITES as FLAGS
from outcomes.windows import RESIDUAL_PAIN_WINDOWS

# Where it hurts, as categories: at one site only, or at several.
SITES = tuple(code for code, _label in STATES)
SITES_PART = "sites"  # of a group, hidden as one
SEGMENTAL, MIXED, ANY, NONE = "segmental", "mixed", "any", "none"
# What a test can be asked for: a site with or without others, several, any.
ASKED_SITES = (SEGMENTAL, *(name for name in FLAGS if name != SEGMENTAL), MIXED, ANY)
MODERATE_NRS = 4
WINDOWS = tuple(window.name for window in RESIDUAL_PAIN_WINDOWS)
# Segmental pain before the operation and at the visit, told by whether it is new; a
# course not known before is one of its own, so that together they are the assessed.
COURSES = tuple(code for code, _label in SEGMENTAL_COURSES)
DETAILS = ("at_site", "nrs_4_or_more", "segmental_course")


@dataclass(frozen=True)
class ResidualPain(ComparedByCells):
    """Pain put down to the tumour or its operation, of operated cases, by visit.

    ``site`` is what counts as the event: pain at a site, alone or with others; at
    several; or any. Segmental pain is the question of the study.
    """

    site: str = SEGMENTAL

    name = "residual-pain"
    windows = WINDOWS
    default_window = "m12"
    sites: ClassVar[tuple[str, ...]] = ASKED_SITES

    def at(self, site: str) -> ResidualPain:
        return replace(self, site=site)

    def reduce(self, facts: QuerySet[Any], by: By, window: str) -> list[Row]:
        """One row of counts a group: all cases, then each window's counts."""
        counts = [item for name in WINDOWS for item in self._counts(name)]
        numbered = {f"count_{place}": item for place, item in enumerate(counts)}
        operated = facts.filter(has_operation=True)
        return one_row_a_group(operated, by, n=Count("pk"), **numbered)

    def _counts(self, window: str) -> list[Count]:
        pain = f"residual_pain_{window}"
        worst, course = f"residual_pain_nrs_{window}", f"segmental_pain_course_{window}"
        return [
            *(count(**{pain: site}) for site in SITES),
            *(count(**{f"residual_{site}_pain_{window}": True}) for site in FLAGS),
            count(**{f"{worst}__gte": MODERATE_NRS}),
            count(**{f"{worst}__isnull": False}),
            *(count(**{course: code}) for code in COURSES),
        ]

    def cells(self, group: Group) -> Cells:
        """The visit that was asked for decides about the group, each other for itself."""
        whole = [*_together(group), group["n"] - group["assessed"]]
        if self.site not in (SEGMENTAL, ANY):
            # Asked one after the other, the sites tell all of them.
            whole += [site["n"] for site in group["sites"].values()]
            whole += [group["any"]["n"] - at["n"] for at in group["at_site"].values()]
        return {WHOLE: whole, SITES_PART: _cells(group, group)} | {
            visit: _cells(group, told) for visit, told in group["visits"].items()
        }

    def hide(self, group: Group, part: str) -> None:
        if part == WHOLE:
            hide_group(group)
        elif part == SITES_PART:
            group["sites"] = None
        elif "visits" in group:
            group["visits"][part] = {"suppressed": True}

    def limit(self, group: Group) -> None:
        for told in [group, *group.get("visits", {}).values()]:
            for name in DETAILS:
                told.pop(name, None)

    def conclude(self, rows: Sequence[Row], by: By, window: str) -> dict[str, Any]:
        groups = [
            _group(named(key, by), part[0], window, self.site)
            for key, part in split_by_group(rows, by)
        ]
        return {
            "n_cases": sum(group["n"] for group in groups),
            "groups": groups,
            "site": self.site,
            **compare_shares(groups, endpoint(self.site)),
        }


def endpoint(site: str) -> str:
    """What the shares and their test speak of."""
    return f"residual_{site}_pain"


def _together(group: Group) -> list[int]:
    """Segmental pain, pain without it, none: any two of the questions tell the third."""
    segmental, painful = group["at_site"][SEGMENTAL]["n"], group["any"]["n"]
    elsewhere = max(painful - segmental, 0)
    return [segmental, elsewhere, group["assessed"] - painful]


def _cells(group: Group, told: dict[str, Any]) -> list[int]:
    counts = [site["n"] for site in told["sites"].values()]
    events, assessed = told["events"], told["assessed"]
    return [*counts, events, assessed - events, group["n"] - assessed]


def _group(name: dict[str, Any], numbers: Row, window: str, site: str) -> Group:
    width = len(SITES) + len(FLAGS) + 2 + len(COURSES)
    visits = {
        visit: _visit(numbers[1 + place * width : 1 + (place + 1) * width], site)
        for place, visit in enumerate(WINDOWS)
    }
    return {**started(name), "n": numbers[0], **visits[window], "visits": visits}


def _visit(numbers: Sequence[int], asked: str) -> dict[str, Any]:
    sites = dict(zip(SITES, numbers, strict=False))
    behind = len(SITES) + len(FLAGS)
    at_site = dict(zip(FLAGS, numbers[len(SITES) : behind], strict=True))
    moderate, rated, *courses = numbers[behind:]
    assessed = sum(sites.values())
    painful = assessed - sites[NONE]
    events = {**at_site, MIXED: sites[MIXED], ANY: painful}[asked]
    return {
        "endpoint": endpoint(asked),
        "assessed": assessed,
        "events": events,
        "proportion": proportion(events, assessed),
        "any": {"n": painful, "proportion": proportion(painful, assessed)},
        "sites": _shares(sites, assessed),
        "at_site": _shares(at_site, assessed),
        "nrs_4_or_more": {"n": moderate, "proportion": proportion(moderate, rated)},
        "segmental_course": dict(zip(COURSES, courses, strict=True)),
    }


def _shares(counts: dict[str, int], assessed: int) -> dict[str, Any]:
    return {
        site: {"n": n, "proportion": proportion(n, assessed)}
        for site, n in counts.items()
    }


RESIDUAL_PAIN = ResidualPain()
