"""Matching treated cases with controls, without replacement.

Greedy nearest neighbour on a score (the logit of the propensity) or on Mahalanobis
distance, 1:1 or 1:k, with caliper and exact strata, and optimal assignment. Own code,
because SciPy has only the assignment and R's MatchIt lets ties and orders depend on
rows. The result does not depend on the order of rows and stores every choice.
References: Austin PC. Stat Med 2014;33:1057-1069 (orders); Austin PC. Pharm Stat
2011;10:150-161 (caliper); Rubin DB. Biometrics 1980;36:293-298 (Mahalanobis);
Rosenbaum PR. J Am Stat Assoc 1989;84:1024-1032 (optimal).
"""

from __future__ import annotations

import dataclasses
import heapq
import math
from collections.abc import Callable, Hashable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from outcomes.stats.checks import (
    FloatArray,
    as_matrix,
    check_count,
    check_same_length,
)
from outcomes.stats.errors import StatError
from outcomes.stats.matched import (
    Caliper,
    Cases,
    Key,
    Matching,
    Order,
    Scores,
    check_ratio,
    collect,
    sort_cases,
    sort_scores,
)
from outcomes.stats.neighbours import (
    IntArray,
    Neighbours,
    NeighboursInSpace,
    NeighboursOnLine,
    grid_unit,
)

LARGEST_ASSIGNMENT = 25_000_000  # treated x controls of one stratum, about 400 MB
Pairs = list[tuple[int, int, float]]


@dataclasses.dataclass(frozen=True)
class _Plan:
    """The choices of a greedy matching."""

    order: Order
    ratio: int
    seed: int | None


def greedy_match(
    *,
    keys: Sequence[Key],
    treated: ArrayLike,
    score: ArrayLike,
    order: Order = "descending",
    ratio: int = 1,
    caliper: Caliper | None = None,
    exact: Sequence[Hashable] | None = None,
    seed: int | None = None,
) -> Matching:
    """Nearest neighbour on ``score``, each control used once.

    Treated cases choose in ``order``: by descending or ascending score, in seeded
    random order, closest pair first, or by key. With ``ratio`` k everyone chooses a
    first control before anyone chooses a second. Equal scores and equal distances
    fall to the smaller key; texts are compared character by character.
    """
    cases = sort_cases(keys, treated, exact)
    scores = sort_scores(cases, score, caliper)
    plan = _plan(order, ratio, seed)

    def around(controls: IntArray) -> Neighbours:
        return NeighboursOnLine(scores.grid, controls, scores.limit)

    pairs = _greedy(cases, scores, plan, around, scores.unit)
    return _matching(
        cases, pairs, plan, scores, caliper, "greedy nearest neighbour", "score", exact
    )


def mahalanobis_match(
    *,
    keys: Sequence[Key],
    treated: ArrayLike,
    covariates: ArrayLike,
    score: ArrayLike | None = None,
    order: Order = "key",
    ratio: int = 1,
    caliper: Caliper | None = None,
    exact: Sequence[Hashable] | None = None,
    seed: int | None = None,
) -> Matching:
    """Nearest neighbour on Mahalanobis distance of ``covariates`` (one row per case).

    The covariance is pooled within the groups, as in R's MatchIt. ``score`` is needed
    for the orders descending and ascending and for a caliper, which then limits the
    difference of scores.
    """
    cases = sort_cases(keys, treated, exact)
    if score is None and (caliper is not None or order in ("descending", "ascending")):
        raise StatError(f"a caliper and the order {order!r} need a score")
    scores = None if score is None else sort_scores(cases, score, caliper)
    plan = _plan(order, ratio, seed)
    points = whiten(_rows(cases, covariates), cases.treated.astype(np.float64))
    unit = grid_unit(points)

    def around(controls: IntArray) -> Neighbours:
        grid, limit = (scores.grid, scores.limit) if scores else (None, None)
        return NeighboursInSpace(points, controls, unit, grid, limit)

    pairs = _greedy(cases, scores, plan, around, unit)
    method, distance = "greedy nearest neighbour", "Mahalanobis, pooled within groups"
    return _matching(cases, pairs, plan, scores, caliper, method, distance, exact)


def optimal_match(
    *,
    keys: Sequence[Key],
    treated: ArrayLike,
    score: ArrayLike,
    ratio: int = 1,
    caliper: Caliper | None = None,
    exact: Sequence[Hashable] | None = None,
) -> Matching:
    """As many treated as can have a control, then a second, and so on; then the nearest.

    No other assignment within caliper and strata gives more treated a first control;
    of those that give as many, none gives more a second one, up to ``ratio``; and of
    these the sum of distances is the smallest. The number of pairs is then the
    largest too. Raises StatError where the table of distances would not fit into
    memory.
    """
    cases = sort_cases(keys, treated, exact)
    scores = sort_scores(cases, score, caliper)
    pairs: Pairs = []
    for members, controls in _strata(cases):
        places = min(check_ratio(ratio), len(controls))
        pairs += _assign(members, places, controls, scores)
    plan = _Plan("key", ratio, None)
    found = _matching(
        cases, pairs, plan, scores, caliper, "optimal assignment", "score", exact
    )
    return dataclasses.replace(found, order="all at once")


def whiten(rows: FloatArray, treated: FloatArray) -> FloatArray:
    """Rows turned so that their Euclidean distance is the Mahalanobis distance.

    Raises StatError where a covariate is constant or given by the others.
    """
    group = treated.astype(bool)
    centred = rows.copy()
    for members in (group, ~group):
        centred[members] -= rows[members].mean(axis=0)
    freedom = max(1, len(rows) - 2)
    spread = np.sqrt(np.square(centred).sum(axis=0) / freedom)
    if (spread == 0).any():
        raise StatError("a covariate does not vary within the groups")
    # Of the data, not of their covariance, whose rounding hides what is merely close.
    scaled = centred / spread
    if np.linalg.matrix_rank(scaled) < len(spread):
        raise StatError("a covariate is given by the others")
    _, triangle = np.linalg.qr(scaled)
    inverse = np.linalg.inv(triangle) * math.sqrt(freedom)
    standard = rows / spread
    turned: FloatArray = np.zeros_like(standard)
    for i, j in zip(*np.tril_indices(len(spread)), strict=True):
        turned[:, i] += inverse[j, i] * standard[:, j]
    return turned


def _plan(order: Order, ratio: int, seed: int | None) -> _Plan:
    known = ("descending", "ascending", "random", "closest", "key")
    if order not in known:
        raise StatError(f"order is one of {', '.join(known)}, not {order!r}")
    if (order == "random") != (seed is not None):
        raise StatError("a seed is needed for random order, and only there")
    drawn_from = None if seed is None else check_count(seed, "seed")
    return _Plan(order, check_ratio(ratio), drawn_from)


def _rows(cases: Cases, covariates: ArrayLike) -> FloatArray:
    rows = as_matrix(covariates, "covariates")
    check_same_length(keys=cases.keys, covariates=rows)
    return cases.sorted(rows)


def _strata(cases: Cases) -> Iterator[tuple[IntArray, IntArray]]:
    """Positions of treated and controls of every stratum that has both."""
    by_stratum = np.argsort(cases.strata, kind="stable")
    cuts = np.flatnonzero(np.diff(cases.strata[by_stratum])) + 1
    for members in np.split(by_stratum, cuts):
        is_treated = cases.treated[members]
        if is_treated.any() and not is_treated.all():
            yield members[is_treated], members[~is_treated]


def _greedy(
    cases: Cases,
    scores: Scores | None,
    plan: _Plan,
    around: Callable[[IntArray], Neighbours],
    unit: float,
) -> Pairs:
    """Pairs of all strata; strata do not compete, so one follows the other."""
    rank = _rank(cases, scores, plan)
    pairs: Pairs = []
    for members, controls in _strata(cases):
        free = around(controls)
        waiting = members[np.argsort(rank[members], kind="stable")].tolist()
        for _ in range(min(plan.ratio, len(controls))):
            choose = _closest_first if plan.order == "closest" else _in_turn
            chosen = list(choose(waiting, free))
            matched = {treated for treated, _, _ in chosen}
            waiting = [treated for treated in waiting if treated in matched]
            pairs += [(one, other, steps * unit) for one, other, steps in chosen]
    return pairs


def _rank(cases: Cases, scores: Scores | None, plan: _Plan) -> FloatArray:
    """By what treated cases queue; equal ranks fall to the key."""
    if scores is not None and plan.order in ("descending", "ascending"):
        sign = -1 if plan.order == "descending" else 1
        return (sign * scores.grid).astype(np.float64)
    if plan.order == "random":
        draw = np.random.default_rng(plan.seed)
        rank = np.zeros(len(cases.keys))
        rank[cases.treated] = draw.permutation(int(cases.treated.sum()))
        return rank
    return np.arange(len(cases.keys), dtype=np.float64)


def _in_turn(waiting: list[int], free: Neighbours) -> Iterator[tuple[int, int, int]]:
    for treated in waiting:
        found = free.nearest(treated)
        if found is not None:
            distance, control = found
            free.take(control)
            yield treated, control, distance


def _closest_first(
    waiting: list[int], free: Neighbours
) -> Iterator[tuple[int, int, int]]:
    """A queue of best offers; an offer that is gone is replaced, never nearer."""
    queue: list[tuple[int, int, int]] = []
    for treated in waiting:
        _offer(queue, treated, free)
    heapq.heapify(queue)
    taken: set[int] = set()
    while queue:
        distance, treated, control = heapq.heappop(queue)
        if control in taken:
            _offer(queue, treated, free)
            continue
        free.take(control)
        taken.add(control)
        yield treated, control, distance


def _offer(queue: list[tuple[int, int, int]], treated: int, free: Neighbours) -> None:
    found = free.nearest(treated)
    if found is not None:
        heapq.heappush(queue, (found[0], treated, found[1]))


def _assign(
    members: IntArray, places: int, controls: IntArray, scores: Scores
) -> Pairs:
    """Every treated case has ``places`` for controls, worth less from one to the next.

    The sets of places that can be filled at once are the independent sets of a matroid
    (transversal), so the choice of most worth also fills the most first places, then
    the most second places, and the most places in all, whatever falling worths are
    taken. A step between two worths outweighs all distances together.
    """
    if len(members) * places * len(controls) > LARGEST_ASSIGNMENT:
        raise StatError("too many cases for an optimal assignment; match greedily")
    steps = np.abs(scores.grid[members][:, None] - scores.grid[controls])
    allowed = np.ones(steps.shape, dtype=bool)
    if scores.limit is not None:
        allowed = steps <= scores.limit
    largest = float(steps[allowed].max(initial=0))
    outweighs = (largest + 1) * (1 + min(len(members) * places, len(controls)))
    worth = outweighs * np.arange(places, 0, -1)
    # A pair outside the caliper is worth nothing: it stands for an empty place.
    cost = np.where(allowed, steps, 0.0) - allowed * worth[:, None, None]
    rows, columns = linear_sum_assignment(cost.reshape(-1, len(controls)))
    chosen = rows % len(members)
    return [
        (
            int(members[row]),
            int(controls[column]),
            float(steps[row, column] * scores.unit),
        )
        for row, column in zip(chosen, columns, strict=True)
        if allowed[row, column]
    ]


def _matching(
    cases: Cases,
    pairs: Pairs,
    plan: _Plan,
    scores: Scores | None,
    caliper: Caliper | None,
    method: str,
    distance: str,
    exact: Sequence[Hashable] | None,
) -> Matching:
    sets, unmatched, unused = collect(cases, pairs)
    return Matching(
        method=f"{method}, without replacement",
        distance=distance,
        sets=sets,
        unmatched_treated=unmatched,
        unused_controls=unused,
        pairs=len(pairs),
        ratio=plan.ratio,
        order=plan.order,
        seed=plan.seed,
        caliper=None if caliper is None else caliper.multiple,
        caliper_sd=None if caliper is None else caliper.sd,
        caliper_width=None if scores is None else scores.width,
        exact=exact is not None,
        total_distance=sum(apart for _, _, apart in pairs),
    )
