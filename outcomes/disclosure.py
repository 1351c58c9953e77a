"""What a person of one centre may see of the pool of all centres.

A count of 1 up to the threshold less one describes too few patients. A group that has
such a count is hidden whole, with its curve and every comparison that it is part of;
further groups are hidden with it until the totals no longer give it away. The person
knows the numbers of the own centre exactly, so the rest of the pool is protected in
the same way. Zeros are shown: they describe nobody.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from typing import Any

from django.conf import settings

from outcomes.disclosed_curves import in_steps
from outcomes.measures import MEASURES
from outcomes.measures.base import WHOLE
from outcomes.measures.events import CURVE
from outcomes.measures.grouping import MERGED as MERGED  # told by it
from outcomes.stats.suppression import TOTAL_COST, protect

Vectors = tuple[tuple[int, ...], ...]
Keys = tuple[tuple[Any, ...], ...]
COMPARISONS = ("differences", "tests", "competing_risks")
DAILY = ("statistic", "observed", "expected", "competing")
NOBODY: dict[str, Any] = {"groups": []}


def for_other_centres(
    payload: dict[str, Any], own: dict[str, Any] | None
) -> dict[str, Any]:
    """A pooled answer with small cells hidden; ``own`` is the same of the own centre."""
    payload = copy.deepcopy(payload)
    measure = MEASURES[payload["measure"]]
    groups = payload["groups"]
    hidden = _hidden_parts(payload, own)
    coarse = copy.deepcopy(groups)
    without = {place for place, part in hidden if part in {WHOLE, CURVE}}
    in_steps(coarse, _own_groups(payload, own), without, settings.DISCLOSURE_THRESHOLD)
    payload["groups"] = groups = coarse
    for place, part in hidden:
        if part == WHOLE or (place, WHOLE) not in hidden:
            measure.hide(groups[place], part)
    for group in groups:
        measure.limit(group)
    payload["test"] = _plain_test(payload["test"])
    if "competing_risks" in payload:
        risks = payload["competing_risks"]
        risks["test"] = _plain_test(risks["test"])
    measure.limit_comparisons(payload)
    if 0 < payload["n_cases"] < settings.DISCLOSURE_THRESHOLD:
        payload["n_cases"] = None
    if hidden:
        payload["suppressed"] = True
        payload["test"] = {"estimable": False, "suppressed": True}
        for name in COMPARISONS:
            if name in payload:
                payload[name] = {} if isinstance(payload[name], dict) else []
        payload["input_hash"] = None  # few counts could be guessed from their hash
    return payload


def hidden_values(payload: dict[str, Any]) -> set[Any]:
    """Values of the groups that are hidden whole; none for several groupings at once."""
    if len(payload["by"]) != 1:
        return set()
    hidden = [group for group in payload["groups"] if group.get("suppressed")]
    return {_key(group, payload["by"])[0] for group in hidden}


def _plain_test(test: dict[str, Any]) -> dict[str, Any]:
    """Without the sums over single days, and p to two digits: neither tells a day."""
    told = {name: value for name, value in test.items() if name not in DAILY}
    for name in ("p_value", "smallest_p"):
        if told.get(name):
            told[name] = float(f"{told[name]:.2g}")
    return told


def _own_groups(
    payload: dict[str, Any], own: dict[str, Any] | None
) -> list[dict[str, Any] | None]:
    """The own centre's part of each group of the pool; None where it has none."""
    mine = {_key(group, payload["by"]): group for group in (own or NOBODY)["groups"]}
    return [mine.get(_key(group, payload["by"])) for group in payload["groups"]]


def _key(group: dict[str, Any], by: Sequence[str]) -> tuple[Any, ...]:
    return tuple(group["group"][name] for name in by)


def _hidden_parts(
    payload: dict[str, Any], own: dict[str, Any] | None
) -> set[tuple[int, str]]:
    """Place and part of what has to go."""
    measure, by = MEASURES[payload["measure"]], payload["by"]
    groups = payload["groups"]
    keys = tuple(tuple(group["group"][name] for name in by) for group in groups)
    pool = [measure.cells(group) for group in groups]
    mine = {
        tuple(group["group"][name] for name in by): measure.cells(group)
        for group in (own or {"groups": []})["groups"]
    }
    hidden = {(place, WHOLE) for place in _hidden_by_size(payload, own, keys)}
    for part in {part: None for cells in pool for part in cells}:
        places = [place for place, cells in enumerate(pool) if part in cells]
        all_counts = [tuple(pool[place][part]) for place in places]
        own_counts = [
            _padded(mine.get(keys[place], {}).get(part), len(counts))
            for place, counts in zip(places, all_counts, strict=True)
        ]
        found = hidden_groups(
            tuple(keys[place] for place in places),
            tuple(all_counts),
            tuple(own_counts),
            settings.DISCLOSURE_THRESHOLD,
        )
        hidden |= {(places[number], part) for number in found}
    return hidden


def _hidden_by_size(payload: dict[str, Any], own: Any, keys: Keys) -> frozenset[int]:
    """Groups hidden for their number of cases alone, the same in every measure.

    All measures tell how many cases a group has; were other complements chosen in each,
    one would show what another hides.
    """
    mine = _own_groups(payload, own)
    return hidden_groups(
        keys,
        tuple((group["n"],) for group in payload["groups"]),
        tuple((group["n"] if group else 0,) for group in mine),
        settings.DISCLOSURE_THRESHOLD,
    )


def _padded(counts: Sequence[int] | None, width: int) -> tuple[int, ...]:
    return tuple(counts) if counts is not None else (0,) * width


@lru_cache(maxsize=512)
def hidden_groups(
    keys: Keys, pool: Vectors, own: Vectors, threshold: int
) -> frozenset[int]:
    """Groups to hide, given the counts of the pool and those known of the own centre.

    Where the own centre was counted later than the pool the rest may be negative: then
    nothing is known about it and the group is hidden.
    """
    rest = tuple(
        tuple(a - b for a, b in zip(everyone, mine, strict=True))
        for everyone, mine in zip(pool, own, strict=True)
    )
    uneven = {place for place, row in enumerate(rest) if min(row, default=0) < 0}
    rest = tuple(tuple(max(count, 0) for count in row) for row in rest)
    return frozenset(
        uneven | _protected(keys, pool, threshold) | _protected(keys, rest, threshold)
    )


def _protected(keys: Keys, rows: Vectors, threshold: int) -> set[int]:
    if not rows:
        return set()
    if len(keys[0]) > 1:
        return _by_margins(keys, rows, threshold)
    return _by_total(rows, threshold)


def _by_total(rows: Vectors, threshold: int) -> set[int]:
    """Groups of one grouping, the totals over all groups being known.

    Whatever stands in a hidden group can be anything from 0 to the sum of the hidden
    ones; so two groups at least are hidden, and that sum reaches the threshold.
    """
    hidden = {place for place, row in enumerate(rows) if _has_small(row, threshold)}
    order = sorted(range(len(rows)), key=lambda place: (sum(rows[place]), place))
    while hidden and len(hidden) < len(rows) and not _covered(rows, hidden, threshold):
        hidden.add(next(place for place in order if place not in hidden))
    return hidden


def _has_small(row: Sequence[int], threshold: int) -> bool:
    return any(0 < count < threshold for count in row)


def _covered(rows: Vectors, hidden: set[int], threshold: int) -> bool:
    columns = list(zip(*(rows[place] for place in hidden), strict=True))
    return len(hidden) > 1 and all(
        sum(column) >= threshold for column in columns if _has_small(column, threshold)
    )


def _by_margins(keys: Keys, rows: Vectors, threshold: int) -> set[int]:
    """Groups of several groupings, the sums over each of them being known as well.

    Groups are hidden whole, so no sum ties one count of a group to another: each count
    is a system of its own.
    """
    margins = _margins(keys)
    hidden: set[int] = set()
    for column in zip(*rows, strict=True):
        if _has_small(column, threshold) and len(hidden) < len(rows):
            hidden |= _hidden_in(column, margins, threshold)
    return hidden


def _margins(keys: Keys) -> list[list[int]]:
    """The groups that each sum adds up, of every part of the groupings."""
    found: dict[Any, list[int]] = {}
    for place, key in enumerate(keys):
        for size in range(len(key)):
            for kept in combinations(range(len(key)), size):
                name = (kept, tuple(key[dimension] for dimension in kept))
                found.setdefault(name, []).append(place)
    return list(found.values())


def _hidden_in(
    counts: Sequence[int], margins: list[list[int]], threshold: int
) -> set[int]:
    """Groups whose count has to go; all, where the sums give one away anyhow."""
    sums = [sum(counts[place] for place in places) for places in margins]
    length = len(counts) + len(sums)
    equations = []
    for number, places in enumerate(margins):
        equation = [0] * length
        for place in places:
            equation[place] = 1
        equation[len(counts) + number] = -1
        equations.append(equation)
    # A small sum is hidden where it would be shown; all others may be known.
    known = {
        len(counts) + number
        for number, total in enumerate(sums)
        if not 0 < total < threshold
    }
    costs = [1.0] * len(counts) + [TOTAL_COST] * len(sums)
    found = protect(
        [*counts, *sums], equations, threshold, costs=costs, always_shown=known
    )
    groups = range(len(counts))
    if any(place in found.exposed for place in groups):
        return set(groups)
    return {place for place in groups if found.hidden[place]}
