"""Coarsening rows until each shares what may be known of it with k - 1 others.

Rows are told by a tuple of *quasi-identifiers*, each of which can be told at several
levels: level 0 is the finest, the last one tells nothing. All rows begin in one class
that tells nothing. A class is split off where at least k of its rows are alike at a
finer level and none, or at least k, remain; so every class has k rows or more whenever
there are k rows at all (Samarati P. IEEE Trans Knowl Data Eng 2001;13:1010-1027; local
suppression and splitting of classes as LeFevre K, DeWitt D, Ramakrishnan R. ICDE 2006).

Classes are kept from one time to the next and only split further, such that of the rows
that were there before each part has none or at least k: who keeps both tables, and knows
rows by their pseudonyms, cannot intersect them to fewer than k. A class that fell below
k, because rows left it, is dissolved; what was told of its rows before stays told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from outcomes.stats.errors import StatError

Tuple = tuple[object, ...]
Levels = tuple[int, ...]
# Rows that are told alike: the levels, and the values at these levels.
Class = tuple[Levels, Tuple]
# By their values, how rows were told the last time, and how many they were.
Before = Mapping[Tuple, tuple[Levels, int]]


class Ladder(Protocol):
    """The levels of one quasi-identifier and what each of them loses, from 0 up."""

    @property
    def costs(self) -> Sequence[float]: ...

    def at(self, value: object, level: int) -> object:
        """The value as it is told at a level; all values are one at the last."""


@dataclass(frozen=True)
class _Scale:
    """The ladders with all combinations of their levels, the least loss first."""

    ladders: Sequence[Ladder]
    combinations: tuple[Levels, ...]

    def told(self, values: Tuple, levels: Levels) -> Tuple:
        return tuple(
            ladder.at(value, level)
            for ladder, value, level in zip(self.ladders, values, levels, strict=True)
        )

    def finer(self, levels: Levels) -> list[Levels]:
        """Combinations that tell more and in nothing less, the least loss first."""
        return [
            found
            for found in self.combinations
            if found != levels
            and all(a <= b for a, b in zip(found, levels, strict=True))
        ]

    @property
    def nothing(self) -> Levels:
        return tuple(len(ladder.costs) - 1 for ladder in self.ladders)


def coarsened(
    counts: Mapping[Tuple, int],
    ladders: Sequence[Ladder],
    k: int,
    before: Before | None = None,
) -> dict[Tuple, Levels]:
    """The levels at which each tuple of values is told.

    ``counts`` holds the rows of each tuple, ``before`` the levels and rows of the last
    time. Every class of the answer has at least ``k`` rows; with fewer than ``k`` rows in
    all, nothing is told of any. The answer does not depend on the order of ``counts``.
    Raises StatError for a k below 1 and for levels that there are not.
    """
    if k < 1:
        raise StatError("k must be 1 or more")
    scale = _scale(ladders)
    ordered = sorted((key for key, n in counts.items() if n > 0), key=repr)
    before = before or {}
    classes = _kept(scale, counts, ordered, k, before)
    _enter_others(scale, classes, ordered)
    _fill_up(scale, classes, counts, k)
    rows = _Rows(counts, {v: min(n, counts.get(v, 0)) for v, (_l, n) in before.items()})
    told: dict[Tuple, Levels] = {}
    for (levels, _values), members in sorted(classes.items(), key=repr):
        told |= _split(scale, levels, members, rows, k)
    return told


def smallest_class(
    counts: Mapping[Tuple, int], ladders: Sequence[Ladder], told: Mapping[Tuple, Levels]
) -> int | None:
    """Rows of the smallest class, counted anew; None without rows."""
    scale = _scale(ladders)
    sizes: dict[Class, int] = defaultdict(int)
    for values, levels in told.items():
        sizes[levels, scale.told(values, levels)] += counts.get(values, 0)
    return min((n for n in sizes.values() if n), default=None)


def _scale(ladders: Sequence[Ladder]) -> _Scale:
    every = product(*(range(len(ladder.costs)) for ladder in ladders))

    def loss(levels: Levels) -> tuple[float, Levels]:
        costs = (
            ladder.costs[level] for ladder, level in zip(ladders, levels, strict=True)
        )
        return round(sum(costs), 9), levels

    return _Scale(ladders, tuple(sorted(every, key=loss)))


def _kept(
    scale: _Scale,
    counts: Mapping[Tuple, int],
    ordered: Iterable[Tuple],
    k: int,
    before: Before,
) -> dict[Class, list[Tuple]]:
    """The classes of the last time that still have k rows."""
    known = set(scale.combinations)
    classes: dict[Class, list[Tuple]] = defaultdict(list)
    for values in ordered:
        if values in before:
            levels, _n = before[values]
            if levels not in known:
                raise StatError("a level that there is not")
            classes[levels, scale.told(values, levels)].append(values)
    large = {
        name: members
        for name, members in classes.items()
        if sum(counts[values] for values in members) >= k
    }
    return defaultdict(list, large)


def _enter_others(
    scale: _Scale, classes: dict[Class, list[Tuple]], ordered: Iterable[Tuple]
) -> None:
    """Put rows without a class into the finest that has room, or where nothing is told."""
    inside = {values for members in classes.values() for values in members}
    present = {levels for levels, _values in classes}
    finest_first = [levels for levels in scale.combinations if levels in present]
    there = set(classes)
    for values in ordered:
        if values not in inside:
            names = ((levels, scale.told(values, levels)) for levels in finest_first)
            own = (scale.nothing, scale.told(values, scale.nothing))
            classes[next((name for name in names if name in there), own)].append(values)


def _fill_up(
    scale: _Scale,
    classes: dict[Class, list[Tuple]],
    counts: Mapping[Tuple, int],
    k: int,
) -> None:
    """Dissolve the smallest classes into the one that tells nothing, until it has k."""

    def size(name: Class) -> int:
        return sum(counts[values] for values in classes[name])

    nothing = [name for name in classes if name[0] == scale.nothing]
    for own in nothing:
        others = sorted(
            (n for n in classes if n != own), key=lambda n: (size(n), repr(n))
        )
        while size(own) < k and others:
            classes[own] += classes.pop(others.pop(0))


@dataclass(frozen=True)
class _Rows:
    """How many rows there are by their values, and how many of them were there before."""

    now: Mapping[Tuple, int]
    old: Mapping[Tuple, int]

    def of(self, members: Iterable[Tuple]) -> NDArray[np.int64]:
        """Rows of these values: all, and the old ones."""
        pairs = [(self.now[values], self.old.get(values, 0)) for values in members]
        table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        total: NDArray[np.int64] = table.sum(axis=0)
        return total


def _split(
    scale: _Scale,
    levels: Levels,
    members: Sequence[Tuple],
    rows: _Rows,
    k: int,
) -> dict[Tuple, Levels]:
    """Levels of the rows of one class, parts of it told as finely as they can be."""
    told: dict[Tuple, Levels] = {}
    rest, n_rest = list(members), rows.of(members)
    for found in scale.finer(levels):
        parts: dict[Tuple, list[Tuple]] = defaultdict(list)
        for values in rest:
            parts[scale.told(values, found)].append(values)
        for _name, part in sorted(parts.items(), key=repr):
            n = rows.of(part)
            if _enough(n, k) and (n_rest[0] == n[0] or _enough(n_rest - n, k)):
                told |= dict.fromkeys(part, found)
                n_rest = n_rest - n
        rest = [values for values in rest if values not in told]
    return told | dict.fromkeys(rest, levels)


def _enough(n: NDArray[np.int64], k: int) -> bool:
    """Whether there are k rows, and of the old ones none or k."""
    return bool(n[0] >= k and (n[1] == 0 or n[1] >= k))
