"""Counts and magnitudes at the edge of the machine's numbers: a right answer or a word.

NumPy's whole numbers wrap round silently and its floats overflow with a warning; the
warnings are errors here.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from outcomes.stats.agreement import cohen_kappa, icc_2_1
from outcomes.stats.balance import smd_continuous
from outcomes.stats.cox import cox
from outcomes.stats.cross_validation import assign_folds
from outcomes.stats.discrimination import auc
from outcomes.stats.errors import StatError
from outcomes.stats.firth import firth_logistic
from outcomes.stats.logrank import logrank_from_counts
from outcomes.stats.matching import greedy_match, optimal_match
from outcomes.stats.means import quartiles, welch
from outcomes.stats.propensity import fit_propensity
from outcomes.stats.proportions import clopper_pearson, newcombe_difference, wilson
from outcomes.stats.rank_effects import a12, hodges_lehmann, pseudomedian
from outcomes.stats.ranks import mann_whitney
from outcomes.stats.rates import incidence_rate, rate_ratio
from outcomes.stats.ratios import risk_ratio
from outcomes.stats.scores import change
from outcomes.stats.suppression import protect
from outcomes.stats.survival import kaplan_meier, kaplan_meier_from_counts
from outcomes.stats.tables import fisher_exact, pearson, sign_test

MANY = 10**10
TREATED = [1, 0] * 10
RISING = list(range(20))


def test_counts_whose_products_pass_64_bits_are_counted_right() -> None:
    value = a12({1: MANY, 2: MANY}, {1: MANY, 3: MANY}).value
    assert value == pytest.approx((0.5 + 1) / 4)
    few = logrank_from_counts([([1, 2], [3, 5], [2, 1]), ([1, 2], [4, 1], [3, 2])])
    many = logrank_from_counts(
        [([1, 2], [3 * MANY, 5 * MANY], [2 * MANY, MANY])]
        + [([1, 2], [4 * MANY, MANY], [3 * MANY, 2 * MANY])]
    )
    assert many.statistic / MANY == pytest.approx(few.statistic, rel=0.1)
    assert pearson([[MANY, 3 * MANY], [2 * MANY, MANY]]).p_value == 0
    curve = kaplan_meier_from_counts([1, 2], [MANY, MANY], [0, 2 * MANY])
    assert curve.survival == pytest.approx((0.75, 0.5))
    assert curve.lower[0] == pytest.approx(0.75, abs=1e-4)
    assert cohen_kappa([[MANY, 5], [7, MANY]]).kappa.value == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("effect", [hodges_lehmann, a12])
def test_pairs_beyond_counting_are_refused_or_right(effect) -> None:
    same = {1: MANY, 2: MANY}
    if effect is a12:
        assert effect(same, same).value == pytest.approx(0.5)
    else:
        with pytest.raises(StatError, match="too many pairs"):
            effect(same, same)


def test_cases_that_cannot_be_laid_out_are_refused() -> None:
    with pytest.raises(StatError, match="too many pairs"):
        pseudomedian({1: MANY, 2: MANY})
    for refused in (
        lambda: mann_whitney({1: MANY}, {2: 1}),
        lambda: auc([1, 0], [1, 2], [MANY, 1]),
        lambda: firth_logistic([1, 0], {"x": [1, 2]}, [MANY, 1]),
    ):
        with pytest.raises(StatError, match="more than 50000000 cases"):
            refused()
    with pytest.raises(StatError, match="more than 5000000 events"):
        cox([1, 2], [1, 0], {"x": [1, 2]}, [MANY, 1])


def test_large_counts_have_their_limits() -> None:
    share = wilson(10**15, 10**16)
    assert share.lower < 0.1 < share.upper
    assert clopper_pearson(10**12, 10**13).lower == pytest.approx(0.1, abs=1e-6)
    assert newcombe_difference(1, 10**13, 0, 10**13).lower < 0
    assert sign_test(10**12, 10**12 + 5000).p_value == pytest.approx(0.9972, abs=1e-4)
    rare = risk_ratio([[1, 10**15], [10**6, 1]])
    assert 0 < rare.lower < rare.value < rare.upper < 1e-13
    assert rate_ratio(10**7, 1e9, 10**7, 1e8).value == pytest.approx(0.1)


def test_a_table_beyond_sampling_is_not_estimable() -> None:
    found = fisher_exact([[10**10, 2, 3], [1, 10**6, 5]])
    assert (found.estimable, found.p_value) == (False, None)
    assert found.reason == "too many observations for an exact test"


@pytest.mark.parametrize(
    "refused",
    [
        lambda huge: kaplan_meier([huge, 5], [1, 0]),
        lambda huge: welch([huge, 1], [1, 2]),
        lambda huge: quartiles([huge, -huge]),
        lambda huge: icc_2_1([[huge, 1], [1, 2]]),
        lambda huge: smd_continuous([huge, 1], [1, 2]),
        lambda huge: greedy_match(keys=[1, 2], treated=[1, 0], score=[huge, 1]),
        lambda huge: fit_propensity([1, 0], {"age": [huge, 1]}),
        lambda huge: incidence_rate(1, huge),
    ],
)
def test_numbers_whose_squares_overflow_are_refused(refused) -> None:
    for huge in (1e71, -1e300):
        with pytest.raises(StatError, match=r"beyond 1e\+70"):
            refused(huge)


def test_numbers_that_vanish_when_squared_are_constants() -> None:
    tiny = [value * 1e-300 for value in RISING]
    (reason,) = cox(RISING, [1] * 20, {"x": tiny}).reasons
    assert reason.text == "x is the same for every case"
    assert fit_propensity(TREATED, {"x": tiny}).reason == "redundant covariates: x"
    matching = greedy_match(keys=RISING, treated=TREATED, score=[5e-324, 0] * 10)
    assert matching.pairs == 10


def test_more_controls_than_there_are_may_be_asked_for() -> None:
    for match in (greedy_match, optimal_match):
        found = match(keys=RISING, treated=TREATED, score=RISING, ratio=10**9)
        assert found.pairs == 10
        assert found.ratio == 10**9


@pytest.mark.parametrize("seed", [-1, 1.5, "x", None])
def test_a_seed_is_a_whole_number(seed) -> None:
    with pytest.raises(StatError, match="seed"):
        greedy_match(
            keys=RISING, treated=TREATED, score=RISING, order="random", seed=seed
        )
    with pytest.raises(StatError, match="seed"):
        assign_folds(RISING, TREATED, 2, seed)
    with pytest.raises(StatError, match="seed"):
        fisher_exact(np.full((4, 6), 25), seed=seed)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"always_shown": [9]}, "always_shown names a position"),
        ({"costs": [-1, 1, 1]}, "costs contains negative"),
        ({"costs": [math.nan, 1, 1]}, "costs contains NaN"),
    ],
)
def test_a_system_of_sums_is_checked(options, message) -> None:
    with pytest.raises(StatError, match=message):
        protect([1, 2, 3], [[1, 1, -1]], 5, **options)
    with pytest.raises(StatError, match="equation must be numbers"):
        protect([1, 2, 3], [[1, 1, "x"]], 5)


def test_words_that_choose_are_checked() -> None:
    with pytest.raises(StatError, match="rule is important or any, not 'some'"):
        change("nurick", 1, 2, "some")  # type: ignore[arg-type]
    with pytest.raises(StatError, match="per must be above 0"):
        incidence_rate(3, 10, per=0)
