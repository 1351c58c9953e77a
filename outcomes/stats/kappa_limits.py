"""Limits of kappa by inverting its score test, in the manner of Wilson's interval.

The symmetric limits use the variance at the observed table, which is zero for perfect
agreement and far too small near it. Here each candidate kappa is judged by the variance
of a table that has this kappa: the observed one, moved towards perfect agreement or
towards disagreement. Own construction, chosen by simulation (docs/statistics.md); for
2x2 tables the idea is that of Hale CA, Fleiss JL. Biometrics 1993;49:523-534. Own
variance too, the formula of Fleiss, Cohen and Everitt as a delta method: statsmodels'
takes 3.6 ms a table, and the search asks for a hundred tables.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.optimize import brentq

from outcomes.stats.checks import CountArray, FloatArray
from outcomes.stats.proportions import standard_normal_limit


def disagreement_weights(categories: int, weights: str) -> FloatArray:
    """Cost of a pair of readings: 0 on the diagonal, 1 for the farthest categories."""
    places = np.arange(categories)
    apart = np.abs(np.subtract.outer(places, places)) / (categories - 1)
    powers = {"none": np.ceil(apart), "linear": apart, "quadratic": apart**2}
    return np.asarray(powers[weights], dtype=np.float64)


def kappa_and_variance(shares: FloatArray, cost: FloatArray) -> tuple[float, float]:
    """Kappa of a table of shares, and its variance times the number of readings."""
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed = float((shares * cost).sum())
    expected = float(rows @ cost @ columns)
    # The derivative of observed / expected by each share.
    by_margins = (cost @ columns)[:, None] + rows @ cost
    slope = (cost - observed / expected * by_margins) / expected
    mean = float((shares * slope).sum())
    variance = float((shares * np.square(slope - mean)).sum())
    return 1 - observed / expected, variance


def kappa_limits(
    counts: CountArray, cost: FloatArray, level: float
) -> tuple[float, float]:
    """Lower and upper limit; both readers together used two categories at least."""
    total = float(counts.sum())
    shares = counts / total
    both = (shares.sum(axis=1) + shares.sum(axis=0)) / 2
    z_square = standard_normal_limit(level) ** 2 / total
    search = _Search(kappa_and_variance(shares, cost)[0], cost, z_square)
    downwards = _disagreeing(both, cost, search.own)
    lower = min(search.farthest(shares, stations) for stations in downwards)
    upper = search.farthest(shares, [np.diag(both)])
    # Readers who disagree nearly always leave no way down: then nothing is excluded.
    return (lower if lower <= search.own else -1.0), max(upper, search.own)


def _disagreeing(
    both: FloatArray, cost: FloatArray, own: float
) -> list[list[FloatArray]]:
    """Tables of disagreement to move towards, those below kappa ``own``.

    The first disagrees as often as the categories and their distances suggest; the
    second always, between the two categories that would most often, which is a kappa
    of -1. Where several pairs would equally often, there are as many ways.
    """
    opposed = cost * np.outer(both, both)
    opposed = opposed / opposed.sum()
    first = [opposed] if kappa_and_variance(opposed, cost)[0] < own else []
    ways = []
    most_often = np.triu(opposed) >= opposed.max() * (1 - 1e-9)
    for one, other in np.argwhere(most_often):
        swapped = np.zeros_like(opposed)
        swapped[one, other] = swapped[other, one] = 0.5
        ways.append([*first, swapped])
    return ways


@dataclasses.dataclass(frozen=True)
class _Search:
    """For the kappa farthest from ``own`` that the data do not contradict."""

    own: float
    cost: FloatArray
    z_square: float

    def contradicted(self, shares: FloatArray) -> float:
        """Above zero where ``own`` lies too far from the kappa of this table."""
        kappa, variance = kappa_and_variance(shares, self.cost)
        return (self.own - kappa) ** 2 - self.z_square * variance

    def farthest(self, shares: FloatArray, stations: list[FloatArray]) -> float:
        """On the way from the observed table through the ``stations``."""
        here = shares
        for station in stations:
            if self.contradicted(station) > 0:
                return self._between(here, station)
            here = station
        return kappa_and_variance(here, self.cost)[0]

    def _between(self, here: FloatArray, there: FloatArray) -> float:
        def table(way: float) -> FloatArray:
            return (1 - way) * here + way * there

        def contradicted(way: float) -> float:
            return self.contradicted(table(way))

        # A table without variance is its own root; the wanted one lies beyond it.
        start = 0.0 if contradicted(0.0) < 0 else self.z_square * 1e-6
        if contradicted(start) >= 0:  # so many readings that no digit is left
            return self.own
        way = brentq(contradicted, start, 1.0, xtol=1e-18, rtol=1e-13, maxiter=1000)
        return kappa_and_variance(table(float(way)), self.cost)[0]
