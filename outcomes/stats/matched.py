"""What a matching answers, and the cases it starts from, in the order of their keys.

Everything works on cases sorted by key: so the order of rows cannot matter, and ties
fall to the smaller key.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Hashable, Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outcomes.stats.checks import (
    FloatArray,
    as_floats,
    as_labels,
    as_number,
    check_count,
    check_same_length,
)
from outcomes.stats.design import as_binary
from outcomes.stats.errors import StatError
from outcomes.stats.neighbours import IntArray, grid_unit, to_grid
from outcomes.stats.result import Result

Key = str | int
Order = Literal["descending", "ascending", "random", "closest", "key"]
CaliperSD = Literal["all", "pooled", "treated"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MatchedSet(Result):
    """One treated case with its controls, nearest first, and their distances.

    ``control_weight`` is 1 / number of controls, the weight of each of them beside
    the treated case's 1: so every set counts alike, however many controls it found.
    """

    treated: Key
    controls: tuple[Key, ...]
    distances: tuple[float, ...]
    control_weight: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Matching(Result):
    """Matched sets with every choice that made them.

    ``caliper`` is in standard deviations of the score, ``caliper_width`` the same in
    units of the score; a distance equal to the width is allowed. ``sets`` and
    ``unmatched_treated`` are sorted by key. A set may hold fewer controls than
    ``ratio``, so an analysis of all cases together needs ``att_weights``; ``pairs``
    counts controls in sets.
    """

    method: str
    distance: str
    sets: tuple[MatchedSet, ...]
    unmatched_treated: tuple[Key, ...]
    unused_controls: tuple[Key, ...]
    pairs: int
    ratio: int
    order: str
    seed: int | None
    caliper: float | None
    caliper_sd: str | None
    caliper_width: float | None
    exact: bool
    total_distance: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Caliper(Result):
    """The widest allowed difference of scores: ``multiple`` times a named SD."""

    multiple: float
    sd: CaliperSD

    def __post_init__(self) -> None:
        multiple = as_number(self.multiple, "caliper")
        if multiple < 0:
            raise StatError(f"caliper must be at least 0, not {self.multiple!r}")
        object.__setattr__(self, "multiple", multiple)

    def width(self, score: FloatArray, treated: NDArray[np.bool_]) -> float:
        """In units of the score."""
        return self.multiple * score_sd(score, treated, self.sd)


@dataclasses.dataclass(frozen=True)
class Cases:
    """Cases sorted by key; ``strata`` are codes within which matches are made."""

    keys: tuple[Key, ...]
    treated: NDArray[np.bool_]
    strata: IntArray
    order: IntArray

    def sorted(self, values: FloatArray) -> FloatArray:
        """Values given by row, in the order of keys."""
        return np.asarray(values[self.order])


@dataclasses.dataclass(frozen=True)
class Scores:
    """Scores of sorted cases on the grid, with the caliper in grid steps."""

    values: FloatArray
    grid: IntArray
    unit: float
    width: float | None

    @property
    def limit(self) -> int | None:
        """One step of the grid is left for rounding at the border."""
        return None if self.width is None else math.floor(self.width / self.unit) + 1


def sort_cases(
    keys: Sequence[Key], treated: ArrayLike, exact: Sequence[Hashable] | None
) -> Cases:
    """Checked cases; raises StatError for doubled keys or a missing group."""
    labels, group = as_labels(keys, "keys"), as_binary(treated, "treated").astype(bool)
    check_same_length(keys=labels, treated=group)
    if len({type(label) for label in labels}) > 1:
        raise StatError("keys must be all texts or all whole numbers")
    key_array = np.asarray(labels)
    order = np.argsort(key_array, kind="stable")
    ordered = key_array[order]
    if (ordered[1:] == ordered[:-1]).any():
        raise StatError("keys contain duplicates")
    strata = np.zeros(len(labels), dtype=np.int64)
    if exact is not None:
        found = as_labels(exact, "exact")
        check_same_length(keys=labels, exact=found)
        codes = {label: code for code, label in enumerate(dict.fromkeys(found))}
        strata = np.array([codes[label] for label in found], dtype=np.int64)
    return Cases(tuple(ordered.tolist()), group[order], strata[order], order)


def sort_scores(cases: Cases, score: ArrayLike, caliper: Caliper | None) -> Scores:
    """Checked scores in the order of keys."""
    given = as_floats(score, "score")
    check_same_length(keys=cases.keys, score=given)
    values = cases.sorted(given)
    unit = grid_unit(values)
    width = None if caliper is None else caliper.width(values, cases.treated)
    return Scores(values, to_grid(values, unit), unit, width)


def score_sd(
    score: FloatArray, treated: NDArray[np.bool_], definition: CaliperSD
) -> float:
    """Standard deviation (n - 1) over all, over the treated, or pooled.

    Pooled is the root of the mean of both groups' variances (Austin PC. Pharm Stat
    2011;10:150-161), whatever the sizes of the groups.
    """
    parts = {
        "all": [score],
        "treated": [score[treated]],
        "pooled": [score[treated], score[~treated]],
    }
    if definition not in parts:
        raise StatError(f"the caliper's SD is one of {', '.join(parts)}")
    if min(len(part) for part in parts[definition]) < 2:
        raise StatError(f"a standard deviation ({definition}) needs two cases")
    variances = [float(np.var(part, ddof=1)) for part in parts[definition]]
    return math.sqrt(sum(variances) / len(variances))


def check_ratio(ratio: int) -> int:
    """At least one control per treated case."""
    if check_count(ratio, "ratio") < 1:
        raise StatError(f"ratio must be a whole number of at least 1, not {ratio!r}")
    return int(ratio)


def collect(
    cases: Cases, pairs: Iterable[tuple[int, int, float]]
) -> tuple[tuple[MatchedSet, ...], tuple[Key, ...], tuple[Key, ...]]:
    """Sets, unmatched treated keys and unused control keys, each sorted by key."""
    by_treated: dict[int, list[tuple[float, int]]] = {}
    used = cases.treated.copy()
    for treated, control, distance in pairs:
        by_treated.setdefault(treated, []).append((distance, control))
        used[control] = True
    keys = cases.keys
    sets = []
    for treated in sorted(by_treated):
        found = sorted(by_treated[treated])
        sets.append(
            MatchedSet(
                treated=keys[treated],
                controls=tuple(keys[control] for _, control in found),
                distances=tuple(distance for distance, _ in found),
                control_weight=1 / len(found),
            )
        )
    treated_places = np.flatnonzero(cases.treated).tolist()
    unmatched = tuple(
        keys[place] for place in treated_places if place not in by_treated
    )
    unused = tuple(keys[place] for place in np.flatnonzero(~used).tolist())
    return tuple(sets), unmatched, unused


def att_weights(matching: Matching) -> dict[Key, float]:
    """The weight of every matched case for the effect in the treated, as R's MatchIt.

    1 for a treated case; for a control its set's ``control_weight`` times one factor
    that makes the weights of all controls add up to their number. Any weighted mean is
    the same without the factor. Unmatched cases are left out (MatchIt gives them 0).
    """
    factor = matching.pairs / len(matching.sets) if matching.sets else 1.0
    weights: dict[Key, float] = {found.treated: 1.0 for found in matching.sets}
    for found in matching.sets:
        weights.update(dict.fromkeys(found.controls, found.control_weight * factor))
    return weights
