"""Who improved: the change of the McCormick grade, and the JOA recovery rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from outcomes.measures.base import (
    WHOLE,
    Cells,
    Group,
    Row,
    WholeGroups,
    compare_shares,
    hide_group,
    ordered,
    proportion,
    started,
)
from outcomes.measures.grouping import By, named, split_by_group
from outcomes.stats.choose import compare_differences
from outcomes.stats.means import quartiles
from outcomes.windows import AFTER

BEST_GRADE = 1
WORSE = "worse"  # the part of a group that is hidden as one
ENDPOINT = "improved_mccormick_grade"


class Improvement(WholeGroups):
    """Change from before the operation to a visit; of operated cases."""

    name = "improvement"
    windows = tuple(window.name for window in AFTER)
    default_window = "m12"
    details = ("shift", "joa_recovery", "able_to_improve", "proportion_of_able")

    def cells(self, group: Group) -> Cells:
        return {**super().cells(group), WORSE: [group["unchanged"], group["worse"]]}

    def hide(self, group: Group, part: str) -> None:
        """The group, or who of the others became worse."""
        if part == WHOLE:
            hide_group(group)
            return
        for name in ("unchanged", "worse"):
            group[name] = None
        for name in ("proportion_worse", "sign_test"):
            group.pop(name)

    def reduce(self, facts: QuerySet[Any], by: By, window: str) -> list[Row]:
        """Counts by group, grade before, grade after, change and recovery rate."""
        both = Q(
            joa_region_preop=F(f"joa_region_{window}"),
            joa_total_preop__isnull=False,
            **{f"joa_total_{window}__isnull": False},
        )
        found = (
            facts.filter(has_operation=True)
            .order_by()
            .values_list(
                *by,
                "mmcs_preop",
                f"mmcs_{window}",
                f"mmcs_change_{window}",
                f"joa_recovery_rate_{window}",
            )
        )
        return ordered(found.annotate(n=Count("pk"), n_joa=Count("pk", filter=both)))

    def conclude(self, rows: Sequence[Row], by: By, window: str) -> dict[str, Any]:
        groups = [
            _group(named(key, by), part) for key, part in split_by_group(rows, by)
        ]
        return {
            "n_cases": sum(group["n"] for group in groups),
            "groups": groups,
            **compare_shares(groups, ENDPOINT),
        }


def _group(name: dict[str, Any], rows: Sequence[Row]) -> Group:
    changes: Counter[str | None] = Counter()
    shifts: Counter[tuple[int, int]] = Counter()
    for before, after, change, _rate, n, _joa in rows:
        changes[change] += n
        if change is not None:
            shifts[before, after] += n
    improved, unchanged, worse = (
        changes[change] for change in ("improved", "unchanged", "worse")
    )
    assessed = improved + unchanged + worse
    at_best = sum(n for (before, _after), n in shifts.items() if before == BEST_GRADE)
    return {
        **started(name),
        "n": sum(changes.values()),
        "endpoint": ENDPOINT,
        "assessed": assessed,
        "events": improved,
        "improved": improved,
        "unchanged": unchanged,
        "worse": worse,
        "proportion": proportion(improved, assessed),
        "proportion_worse": proportion(worse, assessed),
        "able_to_improve": assessed - at_best,
        "proportion_of_able": proportion(improved, assessed - at_best),
        "shift": [
            {"before": before, "after": after, "n": n}
            for (before, after), n in sorted(shifts.items())
        ],
        "sign_test": compare_differences(
            "ordinal", {1: improved, 0: unchanged, -1: worse}
        ).test.to_json(),
        "joa_recovery": _recovery([(row[3], row[4], row[5]) for row in rows]),
    }


def _recovery(rows: Sequence[tuple[float | None, int, int]]) -> dict[str, Any]:
    """Quartiles of the recovery rate; the median, because it has no lower bound.

    Rows hold the rate, the cases, and those of them with both scores on one form. A
    pair without a rate was at ceiling before. One rate may stand in several rows.
    """
    paired = sum(joa for _rate, _n, joa in rows)
    rates: Counter[float] = Counter()
    for rate, n, _joa in rows:
        if rate is not None:
            rates[rate] += n
    found = quartiles(rates)
    return {
        "assessed": paired,
        "defined": found.n,
        "at_ceiling": paired - found.n,
        "quartile_1": found.quartile_1,
        "median": found.median,
        "quartile_3": found.quartile_3,
        "method": found.method,
    }


IMPROVEMENT = Improvement()
