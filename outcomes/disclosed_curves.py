"""Curves for people of one centre: in steps that describe enough patients each.

Survival times the number at risk gives every single day of an event back, and an exact
value of survival tells its factors. So a curve is made anew from counts of half years
put together: each count of events, and of cases whose follow-up ended, is nothing or at
least the threshold, in the pool, in the pool without the own centre, and in all groups
that are hidden, taken together. All groups of an answer share their steps, so that no
difference between groups tells more.

Within a step events come at its end, after half of those whose follow-up ended: the
actuarial estimate (Cutler SJ, Ederer F. J Chronic Dis 1958;8:699-712).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outcomes.measures.half_years import last_day
from outcomes.stats.follow_up import reverse_kaplan_meier_median_from_counts
from outcomes.stats.rates import incidence_rate
from outcomes.stats.survival import kaplan_meier_from_counts

METHOD = "actuarial, log-log"
# Rows: events, follow-up ended. Columns: half years from the operation.
Table = NDArray[np.int64]
# Half years that are wanted first, at 1, 2, 5 and 10 years; then the earliest.
WANTED = (2, 4, 10, 20)


def table_of(group: dict[str, Any] | None, width: int) -> Table:
    """Counts of a group by half year; zeros for a group that is not there."""
    found = np.zeros((2, width), dtype=np.int64)
    steps = (group or {}).get("steps") or {}
    for row, name in enumerate(("events", "censored")):
        counts = steps.get(name, [])
        found[row, : len(counts)] = counts
    return found


def in_steps(
    groups: list[dict[str, Any]],
    own: list[dict[str, Any] | None],
    without: Collection[int],
    threshold: int,
) -> None:
    """Replace the curves of groups; edits ``groups``.

    ``own`` holds the own centre's part of each group as it was before hiding,
    ``without`` the places of groups whose curve is hidden. A curve of which no step
    can be told becomes None.
    """
    known = [
        group["steps"] for group in [*groups, *own] if group and group.get("steps")
    ]
    lengths = [len(steps["events"]) for steps in known]
    width = max(lengths, default=0)
    pool = [table_of(group, width) for group in groups]
    rest = [mine - table_of(part, width) for mine, part in zip(pool, own, strict=True)]
    told = [table for tables in (pool, rest) for table in watched(tables, without)]
    cuts = common_cuts(told, width, threshold)
    for place, group in enumerate(groups):
        if "curve" in group:
            retell(group, pool[place], [] if place in without else cuts, threshold)


def watched(tables: list[Table], hidden: Collection[int]) -> list[Table]:
    """What a reader can know: each shown group, and the others taken together."""
    shown = [table for place, table in enumerate(tables) if place not in hidden]
    others = [table for place, table in enumerate(tables) if place in hidden]
    return [*shown, sum(others[1:], others[0])] if others else shown


def common_cuts(tables: list[Table], width: int, threshold: int) -> list[int]:
    """Half years at whose end every table can be told."""
    cuts: list[int] = []
    for step in dict.fromkeys([*WANTED, *range(1, width + 1)]):
        longer = sorted({*cuts, step})
        if step <= width and all(safe(table, longer, threshold) for table in tables):
            cuts = longer
    return cuts


def safe(table: Table, cuts: Sequence[int], threshold: int) -> bool:
    """Whether every count between the cuts, and after the last, is 0 or enough."""
    sums = between(table, [*cuts, table.shape[1]])
    return bool(((sums == 0) | (sums >= threshold)).all())


def between(table: Table, cuts: Sequence[int]) -> Table:
    """Sums of the half years from one cut to the next, beginning at the operation."""
    reached = np.pad(np.cumsum(table, axis=1), ((0, 0), (1, 0)))
    return np.diff(reached[:, [0, *cuts]], axis=1)


def retell(group: dict[str, Any], table: Table, cuts: list[int], least: int) -> None:
    """Put in the curve of the steps, and whatever else is told of time; edits it."""
    years = round(group["person_years"])
    rate = incidence_rate(group["dated_events"], years)
    group["person_years"], group["rate_per_100_person_years"] = years, rate.to_json()
    counted = group.pop("steps", None)
    for name in ("at_risk", "survival_at", "median_follow_up"):
        group.pop(name, None)
    group["median_follow_up_days"] = None
    before, group["curve"] = group["curve"], None
    if before and counted and cuts:
        known = before["n"], before["n_events"]
        group |= described(between(table, cuts), cuts, *known, least)
        group["curve"]["endpoint"] = before.get("endpoint")


def described(
    sums: Table, cuts: list[int], n: int, n_events: int, least: int
) -> dict[str, Any]:
    """The curve from the counts of its steps alone, with those still followed."""
    days = [last_day(step) for step in cuts]
    events, ended = sums.tolist()
    followed = (n - np.cumsum(sums.sum(axis=0))).tolist()
    early = [count // 2 for count in ended]
    rows = [
        row
        for day, d, c, half in zip(days, events, ended, early, strict=True)
        for row in ((day - 1, 0, half), (day, d, c - half))
    ]
    later = n_events - sum(events)
    rows.append((last_day(cuts[-1] + 1), later, followed[-1] - later))
    seen = [row for row in rows if row[1] or row[2]]
    on, with_event, without = (list(column) for column in zip(*seen, strict=True))
    points = kaplan_meier_from_counts(on, with_event, without).survival_at(days)
    median = reverse_kaplan_meier_median_from_counts(on, with_event, without).value
    return {
        "curve": {
            "days": days,
            "survival": [point.value for point in points],
            "lower": [point.lower for point in points],
            "upper": [point.upper for point in points],
            "at_risk": followed,
            "n": n,
            "n_events": n_events,
            "method": METHOD,
            "interval": "log-log",
            "points": len(days),
            "note": f"in steps of at least {least} patients",
        },
        "at_risk": {"days": [0, *days], "n": [n, *followed]},
        "survival_at": [
            {"day": day, **point.to_json(), "method": METHOD}
            for day, point in zip(days, points, strict=True)
        ],
        "median_follow_up_days": median,
    }
