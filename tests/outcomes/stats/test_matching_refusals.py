"""What matching refuses, by name of the argument."""

from __future__ import annotations

import pytest

from outcomes.stats.errors import StatError
from outcomes.stats.matched import Caliper
from outcomes.stats.matching import greedy_match, mahalanobis_match

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
        ({"covariates": [[1.0]]}, "lengths differ: keys 4, covariates 1"),
        ({"covariates": [1.0, 2.0, 3.0, 4.0]}, "rows of equally many numbers"),
        ({"covariates": [[], [], [], []]}, "rows of equally many numbers"),
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


@pytest.mark.parametrize(
    ("multiple", "said"),
    [(-0.1, "at least 0"), (float("nan"), "caliper contains NaN"), ("0.2", "numbers")],
)
def test_a_caliper_that_is_no_width_is_refused(multiple, said: str) -> None:
    with pytest.raises(StatError, match=said):
        Caliper(multiple=multiple, sd="all")
