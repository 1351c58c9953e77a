"""Controls that are still free, and which of them is nearest.

Two forms of one small interface: on the line (a score), where a neighbour is found in
nearly constant time, and in the space of several covariates, where all free controls
are looked at. Distances are whole numbers of a fine grid, so that equal distances are
equal and ties fall to the smaller position, never to rounding.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from outcomes.stats.checks import FloatArray

IntArray = NDArray[np.int64]
GRID_BITS = 40  # the grid is 2**-40 of the largest value, about 1e-12 of it


class Neighbours(Protocol):
    """The free controls around treated cases; positions are those of sorted keys."""

    def nearest(self, treated: int) -> tuple[int, int] | None:
        """Grid distance and position of the nearest free control, if any."""

    def take(self, control: int) -> None:
        """The control at this position is no longer free."""


def grid_unit(values: FloatArray) -> float:
    """The step of the grid; a power of two, so scaling by one changes nothing."""
    # Far below it the step would vanish.
    largest = max(float(np.abs(values).max()), 1e-280)
    return float(np.ldexp(1.0, int(np.frexp(largest)[1]) - GRID_BITS))


def to_grid(values: FloatArray, unit: float) -> IntArray:
    """Whole multiples of ``unit``."""
    return np.rint(values / unit).astype(np.int64)


class NeighboursOnLine:
    """Nearest free control by score: sorted scores and chains over taken places.

    A taken place points to the next place to look at, in both directions, and the
    chains are shortened on every walk (union-find), so that a million controls cost
    no more per question than a hundred.
    """

    def __init__(self, scores: IntArray, controls: IntArray, limit: int | None) -> None:
        """``scores`` of all cases, positions of ``controls``, widest distance."""
        order = np.lexsort((controls, scores[controls]))
        self._all_scores = scores
        self._positions = controls[order]
        self._scores = scores[self._positions]
        self._limit = limit
        self._place_of: dict[int, int] = {}
        self._after: dict[int, int] = {}
        self._before: dict[int, int] = {}

    def nearest(self, treated: int) -> tuple[int, int] | None:
        """Of equal distances the smaller position."""
        score = self._all_scores[treated]
        start = int(np.searchsorted(self._scores, score))
        right = _follow(self._after, start)
        left = _follow(self._before, start - 1)
        if left >= 0:  # of several with this score, the first one free
            first = int(np.searchsorted(self._scores, self._scores[left]))
            left = _follow(self._after, first)
        found = [
            (abs(int(self._scores[place] - score)), int(self._positions[place]), place)
            for place in (left, right)
            if 0 <= place < len(self._scores)
        ]
        distance, position, place = min(found, default=(0, -1, -1))
        if place < 0 or (self._limit is not None and distance > self._limit):
            return None
        self._place_of[position] = place
        return distance, position

    def take(self, control: int) -> None:
        """Only a control that ``nearest`` has named can be taken."""
        place = self._place_of[control]
        self._after[place] = place + 1
        self._before[place] = place - 1


def _follow(chain: dict[int, int], place: int) -> int:
    """The end of the chain; every place on the way then points to the end."""
    walked = []
    while place in chain:
        walked.append(place)
        place = chain[place]
    for step in walked:
        chain[step] = place
    return place


class NeighboursInSpace:
    """Nearest free control by Euclidean distance of (whitened) covariates."""

    def __init__(
        self,
        points: FloatArray,
        controls: IntArray,
        unit: float,
        scores: IntArray | None,
        limit: int | None,
    ) -> None:
        """``points`` of all cases; ``scores`` and ``limit`` are those of a caliper."""
        self._points = points
        self._controls = controls
        self._columns = [points[controls, j].copy() for j in range(points.shape[1])]
        self._unit = unit
        self._scores = scores
        self._limit = limit
        self._free = np.ones(len(controls), dtype=bool)

    def nearest(self, treated: int) -> tuple[int, int] | None:
        """Of equal distances the smaller position: controls are sorted by it."""
        allowed = self._allowed(treated)
        if not allowed.any():
            return None
        squares = np.zeros(len(self._controls))
        for column, value in zip(self._columns, self._points[treated], strict=True):
            squares += (column - value) ** 2
        distances = to_grid(np.sqrt(squares), self._unit)
        distances[~allowed] = np.iinfo(np.int64).max
        place = int(np.argmin(distances))
        return int(distances[place]), int(self._controls[place])

    def take(self, control: int) -> None:
        """Positions of controls ascend, so the place is found by bisection."""
        self._free[np.searchsorted(self._controls, control)] = False

    def _allowed(self, treated: int) -> NDArray[np.bool_]:
        if self._scores is None or self._limit is None:
            return self._free
        apart = np.abs(self._scores[self._controls] - self._scores[treated])
        return np.asarray(self._free & (apart <= self._limit))
