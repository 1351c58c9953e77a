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
from pathlib import Path

import numpy as np
import pytest

from outcomes.stats import matching
from outcomes.stats.errors import StatError
from outcomes.stats.matched import Caliper, Matching, att_weights
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


def test_score_of_zeros_still_matches() -> None:
    found = greedy_match(keys=[1, 2], treated=[1, 0], score=[0.0, 0.0])
    assert found.sets[0].distances == (0.0,)


def test_att_weights_equal_matchit(logits: tuple[float, ...]) -> None:
    """1:2 within race, where 87 sets found one control and 29 two.

    > m <- matchit(treat~age+educ+race+married+nodegree+re74+re75, data=lalonde,
    +   method="nearest", distance=lalonde$logit, mahvars=~logit, exact=~race, ratio=2)
    > w <- m$weights; control <- lalonde$treat == 0
    > table(w[control])
        0 0.625  1.25
      284    58    87
    > c(sum(w[!control]), sum(w[control]), weighted.mean(lalonde$age[control], w[control]))
    [1] 116 145 26.2025862068966
    """
    found = greedy_match(keys=KEYS, treated=TREATED, score=logits, exact=RACE, ratio=2)
    weights = att_weights(found)
    controls = {key: w for key, w in weights.items() if not TREATED[key]}
    assert sorted(controls.values()) == pytest.approx([0.625] * 58 + [1.25] * 87)
    assert [w for key, w in weights.items() if TREATED[key]] == [1.0] * 116
    age = sum(w * float(ROWS[key]["age"]) for key, w in controls.items())
    assert age / sum(controls.values()) == pytest.approx(26.2025862068966, abs=1e-12)
    by_set = [len(item.controls) * item.control_weight for item in found.sets]
    assert by_set == [1.0] * 116


def test_att_weights_of_no_sets_are_none() -> None:
    found = greedy_match(
        keys=[1, 2], treated=[1, 0], score=[0, 9], caliper=Caliper(multiple=0, sd="all")
    )
    assert att_weights(found) == {}


@pytest.mark.parametrize("ratio", [1, 2, 3])
def test_optimal_leaves_no_lalonde_patient_for_another_ones_second(
    ratio: int, logits: tuple[float, ...]
) -> None:
    """Within 0.2 SD of the logit 117 of 185 can have a control, at any ratio."""
    caliper = Caliper(multiple=0.2, sd="all")
    case = {"keys": KEYS, "treated": TREATED, "score": logits, "caliper": caliper}
    alone, several = optimal_match(**case), optimal_match(**case, ratio=ratio)
    assert len(several.sets) == len(alone.sets) == 117


def test_nearly_equal_covariates_are_close_not_given_by_each_other() -> None:
    """Mahalanobis distance is that of any other coordinates: x and x + z/10⁶, x and z."""
    draw = np.random.default_rng(8)
    x, z = draw.normal(size=(2, 40))
    treated = np.repeat([1.0, 0.0], [10, 30])
    near = matching.whiten(np.column_stack([x, x + z / 1e6]), treated)
    apart = matching.whiten(np.column_stack([x, z]), treated)
    for one in range(0, 40, 7):
        assert np.linalg.norm(near - near[one], axis=1) == pytest.approx(
            np.linalg.norm(apart - apart[one], axis=1), rel=1e-7, abs=1e-7
        )
