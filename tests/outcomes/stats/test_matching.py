"""Matching against MatchIt's pairs, against brute force, and against its own rules.

R 4.2.2 with MatchIt 4.5.1; ``lalonde$logit`` is the linear predictor of
``glm(treat~age+educ+race+married+nodegree+re74+re75, binomial, lalonde)``. In this
version the fast search of a score overlooks nearer neighbours (and ignores a caliper),
so the pairs come from its complete search, by ``mahvars=~logit``, which is the same
distance divided by a constant. Session of ``lalonde_matchit_pairs.csv``:

> pair <- function(...) matchit(treat~age+educ+race+married+nodegree+re74+re75,
+   data=lalonde, method="nearest", distance=lalonde$logit, mahvars=~logit, ...)$match.matrix
> largest <- pair(m.order="largest"); smallest <- pair(m.order="smallest")
> data <- pair(m.order="data"); two <- pair(ratio=2)
> exact <- pair(exact=~race); exact_two <- pair(exact=~race, ratio=2)
> maha <- matchit(treat~age+educ+race+married+nodegree+re74+re75, data=lalonde,
+   method="nearest", distance="mahalanobis")$match.matrix
"""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcomes.stats import matching
from outcomes.stats.errors import StatError
from outcomes.stats.matched import Caliper, Matching
from outcomes.stats.matching import greedy_match, mahalanobis_match, optimal_match
from outcomes.stats.propensity import fit_propensity

FIXTURES = Path(__file__).parent / "fixtures"
NAMES = ("age", "educ", "race", "married", "nodegree", "re74", "re75")


def read(name: str) -> list[dict[str, str]]:
    with (FIXTURES / name).open() as file:
        return list(csv.DictReader(file))


ROWS = read("lalonde.csv")
UNITS = [row["unit"] for row in ROWS]
KEYS = list(range(len(ROWS)))  # the order of the file, which breaks MatchIt's ties
TREATED = [int(row["treat"]) for row in ROWS]
RACE = [row["race"] for row in ROWS]


@pytest.fixture(scope="module")
def logits() -> tuple[float, ...]:
    columns = {
        name: RACE if name == "race" else [float(row[name]) for row in ROWS]
        for name in NAMES
    }
    return fit_propensity(TREATED, columns).logits


def matchit_pairs(*columns: str) -> dict[str, set[str]]:
    rows = read("lalonde_matchit_pairs.csv")
    found = {row["treated"]: {row[c] for c in columns} - {""} for row in rows}
    return {treated: members for treated, members in found.items() if members}


def pairs_of(found: Matching) -> dict[str, set[str]]:
    return {
        UNITS[item.treated]: {UNITS[control] for control in item.controls}
        for item in found.sets
    }


@pytest.mark.parametrize(
    ("column", "order"),
    [("largest", "descending"), ("smallest", "ascending"), ("data", "key")],
)
def test_greedy_pairs_equal_matchit(
    column: str, order: str, logits: tuple[float, ...]
) -> None:
    found = greedy_match(keys=KEYS, treated=TREATED, score=logits, order=order)  # type: ignore[arg-type]
    assert found.pairs == 185
    assert pairs_of(found) == matchit_pairs(column)


def test_greedy_one_to_two_equals_matchit(logits: tuple[float, ...]) -> None:
    found = greedy_match(keys=KEYS, treated=TREATED, score=logits, ratio=2)
    assert found.pairs == 370
    assert pairs_of(found) == matchit_pairs("two_1", "two_2")


def test_greedy_exact_equals_matchit(logits: tuple[float, ...]) -> None:
    found = greedy_match(keys=KEYS, treated=TREATED, score=logits, exact=RACE)
    assert found.exact
    assert found.pairs == 116
    assert pairs_of(found) == matchit_pairs("exact")
    assert len(found.unmatched_treated) == 69
    two = greedy_match(keys=KEYS, treated=TREATED, score=logits, exact=RACE, ratio=2)
    assert pairs_of(two) == matchit_pairs("exact_two_1", "exact_two_2")


def test_mahalanobis_pairs_equal_matchit() -> None:
    numbers = [
        [float(row[name]) for name in NAMES if name != "race"]
        + [row["race"] == "hispan", row["race"] == "white"]
        for row in ROWS
    ]
    found = mahalanobis_match(keys=KEYS, treated=TREATED, covariates=numbers)
    assert pairs_of(found) == matchit_pairs("maha")
    assert found.distance == "Mahalanobis, pooled within groups"


@pytest.mark.parametrize(
    ("order", "sd", "pairs"),
    [
        ("descending", "all", 117),
        ("descending", "pooled", 115),
        ("key", "all", 114),
        ("key", "pooled", 112),
    ],
)
def test_caliper_pairs_on_lalonde(
    order: str, sd: str, pairs: int, logits: tuple[float, ...]
) -> None:
    """Counts of the definition, as other software gives them for 0.2 SD of the logit."""
    found = greedy_match(
        keys=KEYS,
        treated=TREATED,
        score=logits,
        order=order,  # type: ignore[arg-type]
        caliper=Caliper(multiple=0.2, sd=sd),  # type: ignore[arg-type]
    )
    assert found.pairs == pairs
    assert len(found.unmatched_treated) == 185 - pairs
    assert found.caliper_width is not None
    widest = max(distance for item in found.sets for distance in item.distances)
    assert widest <= found.caliper_width


def test_caliper_sd_definitions(logits: tuple[float, ...]) -> None:
    x, group = np.array(logits), np.array(TREATED) == 1
    widths = {
        "all": x.std(ddof=1),
        "treated": x[group].std(ddof=1),
        "pooled": np.sqrt((x[group].var(ddof=1) + x[~group].var(ddof=1)) / 2),
    }
    for sd, width in widths.items():
        found = greedy_match(
            keys=KEYS,
            treated=TREATED,
            score=logits,
            caliper=Caliper(multiple=0.2, sd=sd),  # type: ignore[arg-type]
        )
        assert found.caliper_width == pytest.approx(0.2 * width, rel=1e-12)
        assert (found.caliper, found.caliper_sd) == (0.2, sd)


def test_matching_stores_every_choice() -> None:
    found = greedy_match(
        keys=["b", "a", "d", "c"],
        treated=[1, 0, 0, 1],
        score=[1.0, 1.5, 9.0, 8.0],
        order="random",
        seed=4,
        caliper=Caliper(multiple=1, sd="all"),
    )
    stored = found.to_json()
    assert (stored["order"], stored["seed"], stored["ratio"]) == ("random", 4, 1)
    assert (stored["caliper"], stored["caliper_sd"]) == (1, "all")
    assert stored["method"] == "greedy nearest neighbour, without replacement"
    assert [item["treated"] for item in stored["sets"]] == ["b", "c"]
    assert found.total_distance == pytest.approx(1.5)


def test_equal_distances_fall_to_the_smaller_key() -> None:
    keys, treated = ["t", "left", "right", "again"], [1, 0, 0, 0]
    found = greedy_match(keys=keys, treated=treated, score=[2.0, 1.0, 3.0, 3.0])
    assert found.sets[0].controls == ("again",)
    found = greedy_match(
        keys=["t", "zebra", "right", "again"], treated=treated, score=[2, 1, 1, 3]
    )
    assert found.sets[0].controls == ("again",)


def test_equal_scores_choose_in_the_order_of_keys() -> None:
    found = greedy_match(
        keys=["b", "a", "near", "far"], treated=[1, 1, 0, 0], score=[2, 2, 2.1, 5]
    )
    assert {item.treated: item.controls for item in found.sets} == {
        "a": ("near",),
        "b": ("far",),
    }


def test_one_to_many_serves_everyone_before_anyone_twice() -> None:
    found = greedy_match(
        keys=[1, 2, 3, 4, 5], treated=[1, 1, 0, 0, 0], score=[5, 4.5, 5, 4, 1], ratio=2
    )
    assert {item.treated: item.controls for item in found.sets} == {1: (3, 5), 2: (4,)}
    assert found.pairs == 3


def test_unmatched_and_unused_are_listed() -> None:
    found = greedy_match(
        keys=["t1", "t2", "c1", "c2", "c3"],
        treated=[1, 1, 0, 0, 0],
        score=[0, 10, 0.1, 5, 5.5],
        caliper=Caliper(multiple=0.1, sd="all"),
    )
    assert found.unmatched_treated == ("t2",)
    assert found.unused_controls == ("c2", "c3")


def test_more_treated_than_controls_leaves_some_unmatched() -> None:
    found = greedy_match(keys=[1, 2, 3], treated=[1, 1, 0], score=[3, 2, 1])
    assert found.pairs == 1
    assert found.unmatched_treated == (2,)


def test_stratum_without_controls_leaves_its_treated_unmatched() -> None:
    found = greedy_match(
        keys=[1, 2, 3, 4],
        treated=[1, 1, 0, 0],
        score=[1, 1, 1, 1],
        exact=["C", "T", "C", "L"],
    )
    assert found.unmatched_treated == (2,)
    assert found.unused_controls == (4,)


def test_distance_equal_to_the_caliper_is_allowed() -> None:
    """Two cases 0.6 apart have an SD of 0.6/√2: the border is at √2 of it."""
    at_border = {"keys": [1, 2], "treated": [1, 0], "score": [0.0, 0.6]}
    exactly = greedy_match(**at_border, caliper=Caliper(multiple=2**0.5, sd="all"))
    below = greedy_match(**at_border, caliper=Caliper(multiple=1.41, sd="all"))
    assert (exactly.pairs, below.pairs) == (1, 0)


def test_closest_first_takes_the_closest_pair_first() -> None:
    case = {"keys": [1, 2, 3, 4], "treated": [1, 1, 0, 0], "score": [9, 7, 6.5, 1]}
    descending = greedy_match(**case)
    closest = greedy_match(**case, order="closest")
    assert {item.treated: item.controls for item in descending.sets} == {
        1: (3,),
        2: (4,),
    }
    assert {item.treated: item.controls for item in closest.sets} == {1: (4,), 2: (3,)}


def test_mahalanobis_caliper_limits_the_score() -> None:
    found = mahalanobis_match(
        keys=[1, 2, 3, 4, 5, 6],
        treated=[1, 1, 0, 0, 0, 0],
        covariates=[[50, 1], [40, 2], [50, 1], [41, 3], [70, 1], [20, 5]],
        score=[0.0, 1.0, 9.0, 1.1, 0.1, 5.0],
        caliper=Caliper(multiple=0.2, sd="all"),
        order="descending",
    )
    assert {item.treated: item.controls for item in found.sets} == {1: (5,), 2: (4,)}
    nobody = mahalanobis_match(
        keys=[1, 2, 3, 4],
        treated=[1, 1, 0, 0],
        covariates=[[1], [2], [3], [4.5]],
        score=[0.0, 0.2, 90.0, 99.0],
        caliper=Caliper(multiple=0.01, sd="treated"),
        order="ascending",
    )
    assert nobody.pairs == 0
    assert nobody.unmatched_treated == (1, 2)


def test_mahalanobis_closest_and_one_to_two() -> None:
    found = mahalanobis_match(
        keys=[1, 2, 3, 4, 5],
        treated=[1, 1, 0, 0, 0],
        covariates=[[9], [7], [6.5], [1], [30]],
        order="closest",
        ratio=2,
    )
    assert {item.treated: item.controls for item in found.sets} == {1: (4, 5), 2: (3,)}


def test_optimal_sum_is_smaller_than_greedy(logits: tuple[float, ...]) -> None:
    caliper = Caliper(multiple=0.2, sd="all")
    greedy = greedy_match(keys=KEYS, treated=TREATED, score=logits, caliper=caliper)
    best = optimal_match(keys=KEYS, treated=TREATED, score=logits, caliper=caliper)
    assert best.pairs >= greedy.pairs
    assert best.order == "all at once"
    without = optimal_match(keys=KEYS, treated=TREATED, score=logits)
    plain = greedy_match(keys=KEYS, treated=TREATED, score=logits, order="key")
    assert without.pairs == plain.pairs == 185
    assert without.total_distance < plain.total_distance - 0.9


def test_optimal_refuses_what_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "LARGEST_ASSIGNMENT", 3)
    with pytest.raises(StatError, match="match greedily"):
        optimal_match(keys=[1, 2, 3, 4], treated=[1, 1, 0, 0], score=[1, 2, 3, 4])


PAIR = {"keys": ["a", "b"], "treated": [1, 0], "score": [1.0, 2.0]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"keys": ["a", "a"]}, "duplicates"),
        ({"keys": ["a", 1]}, "all texts or all whole numbers"),
        ({"keys": ["a"]}, "lengths differ"),
        ({"treated": [1, 1]}, "the same in every case"),
        ({"treated": [1, 2]}, "0 or 1"),
        ({"score": [1.0]}, "lengths differ"),
        ({"score": [1.0, float("inf")]}, "infinite"),
        ({"order": "file"}, "order is one of"),
        ({"order": "random"}, "seed"),
        ({"seed": 3}, "seed"),
        ({"ratio": 0}, "ratio"),
        ({"ratio": True}, "ratio"),
        ({"ratio": 1.5}, "ratio"),
        ({"exact": ["C"]}, "lengths differ"),
        ({"caliper": Caliper(multiple=0.2, sd="median")}, "SD is one of"),  # type: ignore[arg-type]
        ({"caliper": Caliper(multiple=0.2, sd="treated")}, "needs two cases"),
    ],
)
def test_greedy_refuses_malformed_input(change: dict, said: str) -> None:
    with pytest.raises(StatError, match=said):
        greedy_match(**(PAIR | change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"order": "descending"}, "need a score"),
        ({"caliper": Caliper(multiple=0.2, sd="all")}, "need a score"),
        ({"covariates": [[1.0]]}, "one row of numbers per case"),
        ({"covariates": [1.0, 2.0, 3.0, 4.0]}, "one row of numbers per case"),
        ({"covariates": [[], [], [], []]}, "one row of numbers per case"),
        ({"covariates": [[1.0], [2.0], [3.0], [float("nan")]]}, "NaN"),
        ({"covariates": [[1.0], [1.0], [2.0], [2.0]]}, "does not vary"),
        ({"covariates": [[1, 2], [2, 4], [3, 6], [5, 10]]}, "given by the others"),
    ],
)
def test_mahalanobis_refuses_malformed_input(change: dict, said: str) -> None:
    case = {
        "keys": [1, 2, 3, 4],
        "treated": [1, 1, 0, 0],
        "covariates": [[1.0], [2.0], [3.0], [5.0]],
    }
    with pytest.raises(StatError, match=said):
        mahalanobis_match(**(case | change))


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


@settings(deadline=None)
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


@settings(deadline=None)
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


@settings(deadline=None)
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


def test_score_of_zeros_still_matches() -> None:
    found = greedy_match(keys=[1, 2], treated=[1, 0], score=[0.0, 0.0])
    assert found.sets[0].distances == (0.0,)
