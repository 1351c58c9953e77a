"""The fast search and the assignment against trying everything on small inputs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@given(
    st.lists(st.integers(0, 15), min_size=1, max_size=3),
    st.lists(st.integers(0, 15), min_size=1, max_size=4),
    st.integers(1, 2),
    st.sampled_from([None, 0.5]),
)
def test_optimal_equals_trying_everything(
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
    width = found.caliper_width if caliper else np.inf
    best = (0, 0.0)
    for choice in itertools.product(range(-1, n), repeat=m):  # whose each control is
        apart = [abs(treated[i] - control[j]) for j, i in enumerate(choice) if i >= 0]
        fits = all(choice.count(i) <= ratio for i in range(n))
        if fits and all(distance <= width + 1e-9 for distance in apart):
            best = min(best, (-len(apart), float(sum(apart))))
    assert (-found.pairs, found.total_distance) == pytest.approx(best)
    assert len(found.unmatched_treated) + len(found.sets) == n
