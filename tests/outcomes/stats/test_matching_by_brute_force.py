"""The fast search and the assignment against trying everything on small inputs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from outcomes.stats.matched import Caliper
from outcomes.stats.matching import greedy_match, mahalanobis_match, optimal_match

cohorts = st.lists(
    st.tuples(st.booleans(), st.integers(0, 12), st.sampled_from("CTL")),
    min_size=2,
    max_size=24,
).filter(lambda rows: len({is_treated for is_treated, _, _ in rows}) == 2)
orders = st.sampled_from(["descending", "ascending", "key", "random", "closest"])


def brute_force(
    rows: list[tuple[bool, int, str]], order: str, ratio: int, width: float | None
) -> dict[int, list[int]]:
    """All free controls are looked at, again and again; keys are positions."""
    treated = [i for i, row in enumerate(rows) if row[0]]
    free = {i for i, row in enumerate(rows) if not row[0]}
    queue = {
        "descending": sorted(treated, key=lambda i: (-rows[i][1], i)),
        "ascending": sorted(treated, key=lambda i: (rows[i][1], i)),
    }.get(order, treated)
    if order == "random":
        rank = np.random.default_rng(7).permutation(len(treated))
        queue = [treated[place] for place in np.argsort(rank)]
    found: dict[int, list[int]] = {i: [] for i in treated}
    for turn in range(ratio):
        waiting = [i for i in queue if len(found[i]) == turn]
        while waiting:
            offers = [
                (abs(rows[i][1] - rows[j][1]), i, j)
                for i in (waiting if order == "closest" else waiting[:1])
                for j in free
                if rows[i][2] == rows[j][2]
            ]
            offers = [o for o in offers if width is None or o[0] <= width + 1e-9]
            if offers:
                _, chooser, chosen = min(offers)
                found[chooser].append(chosen)
                free.remove(chosen)
                waiting.remove(chooser)
            else:
                waiting.pop(0)
    return {i: members for i, members in found.items() if members}


@given(cohorts, orders, st.integers(1, 3), st.sampled_from([None, 0.3, 1.0]))
def test_greedy_equals_brute_force(
    rows: list[tuple[bool, int, str]], order: str, ratio: int, multiple: float | None
) -> None:
    caliper = None if multiple is None else Caliper(multiple=multiple, sd="all")
    case = {
        "treated": [row[0] for row in rows],
        "score": [row[1] for row in rows],
        "exact": [row[2] for row in rows],
    }
    choices = {
        "order": order,
        "ratio": ratio,
        "seed": 7 if order == "random" else None,
        "caliper": caliper,
    }
    found = greedy_match(keys=list(range(len(rows))), **case, **choices)
    by_force = brute_force(rows, order, ratio, found.caliper_width)
    assert {item.treated: set(item.controls) for item in found.sets} == {
        treated: set(members) for treated, members in by_force.items()
    }
    shuffled = list(range(len(rows)))[::-1]
    again = greedy_match(
        keys=shuffled,
        **{name: column[::-1] for name, column in case.items()},
        **choices,
    )
    assert again == found
    covariates = [[float(value)] for value in case["score"]]
    if np.ptp([row[1] for row in rows if row[0]]) > 0:
        in_space = mahalanobis_match(
            keys=list(range(len(rows))), covariates=covariates, **case, **choices
        )
        assert [item.controls for item in in_space.sets] == [
            item.controls for item in found.sets
        ]


@given(cohorts, orders, st.integers(-20, 20))
def test_greedy_does_not_depend_on_the_unit_of_the_score(
    rows: list[tuple[bool, int, str]], order: str, power: int
) -> None:
    case = {
        "keys": [f"{row[2]}{number:03d}" for number, row in enumerate(rows)],
        "treated": [row[0] for row in rows],
        "order": order,
        "seed": 1 if order == "random" else None,
    }
    caliper = Caliper(multiple=0.5, sd="all")
    one = greedy_match(score=[row[1] for row in rows], caliper=caliper, **case)
    other = greedy_match(
        score=[row[1] * 2.0**power for row in rows], caliper=caliper, **case
    )
    assert [item.controls for item in one.sets] == [
        item.controls for item in other.sets
    ]
    assert one.unmatched_treated == other.unmatched_treated


def most_treated_then_nearest(
    apart: np.ndarray, width: float, ratio: int
) -> tuple[list[int], float, int]:
    """Minus the treated with a 1st, 2nd, ... control, the distance, the most pairs.

    All assignments are tried. Written from the aim alone: ``choice[j]`` is whose control ``j`` becomes, if any.
    """
    n, m = apart.shape
    best: tuple[list[int], float] = ([0] * ratio, 0.0)
    most_pairs = 0
    for choice in itertools.product(range(-1, n), repeat=m):
        chosen = [apart[i, j] for j, i in enumerate(choice) if i >= 0]
        sizes = [choice.count(i) for i in range(n)]
        if max(sizes) <= ratio and all(one <= width + 1e-9 for one in chosen):
            reached = [-sum(size >= k for size in sizes) for k in range(1, ratio + 1)]
            best = min(best, (reached, float(sum(chosen))))
            most_pairs = max(most_pairs, len(chosen))
    return *best, most_pairs


@given(
    st.lists(st.integers(0, 15), min_size=1, max_size=3),
    st.lists(st.integers(0, 15), min_size=1, max_size=6),
    st.integers(1, 3),
    st.sampled_from([None, 0.2, 0.5]),
)
def test_optimal_serves_everyone_before_anyone_twice(
    treated: list[int], control: list[int], ratio: int, multiple: float | None
) -> None:
    n, m = len(treated), len(control)
    caliper = None if multiple is None else Caliper(multiple=multiple, sd="all")
    found = optimal_match(
        keys=list(range(n + m)),
        treated=[1] * n + [0] * m,
        score=[*treated, *control],
        ratio=ratio,
        caliper=caliper,
    )
    apart = np.abs(np.subtract.outer(treated, control)).astype(float)
    reached, distance, most_pairs = most_treated_then_nearest(
        apart, found.caliper_width if caliper else np.inf, ratio
    )
    sizes = [len(item.controls) for item in found.sets]
    assert [-sum(s >= k for s in sizes) for k in range(1, ratio + 1)] == reached
    assert found.total_distance == pytest.approx(distance)
    assert found.pairs == most_pairs
    assert len(found.unmatched_treated) + len(found.sets) == n


@given(cohorts, st.integers(2, 4), st.sampled_from([0.05, 0.2, 0.6]))
def test_more_controls_each_cost_nobody_the_first(
    rows: list[tuple[bool, int, str]], ratio: int, multiple: float
) -> None:
    """A maximum matching of bipartite graphs knows how many treated can have one."""
    case = {
        "keys": list(range(len(rows))),
        "treated": [row[0] for row in rows],
        "score": [row[1] for row in rows],
        "exact": [row[2] for row in rows],
        "caliper": Caliper(multiple=multiple, sd="all"),
    }
    found = optimal_match(**case, ratio=ratio)
    width = found.caliper_width or 0.0
    feasible = csr_array(
        [
            [
                int(is_treated and not other and one == two and abs(x - y) <= width)
                for other, y, two in rows
            ]
            for is_treated, x, one in rows
        ]
    )
    most = int((maximum_bipartite_matching(feasible, perm_type="column") >= 0).sum())
    assert len(found.sets) == most
    assert len(found.unmatched_treated) == sum(row[0] for row in rows) - most


def test_a_second_control_is_not_taken_from_a_neighbour_without_any() -> None:
    """Both controls to the first patient are two pairs at the smallest distance too."""
    found = optimal_match(
        keys=["t1", "t2", "between", "near"],
        treated=[1, 1, 0, 0],
        score=[0.0, 1.0, 0.4, -0.1],
        ratio=2,
        caliper=Caliper(multiple=1.4, sd="all"),
    )
    assert {item.treated: item.controls for item in found.sets} == {
        "t1": ("near",),
        "t2": ("between",),
    }
    assert found.unmatched_treated == ()
