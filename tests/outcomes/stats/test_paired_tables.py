"""McNemar, the sign test and Holm against R 4.2.2 and statsmodels."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats import contingency_tables
from statsmodels.stats.multitest import multipletests

from outcomes.stats.attainable import unreachable
from outcomes.stats.errors import StatError
from outcomes.stats.proportions import PairedCounts
from outcomes.stats.tables import holm, mcnemar_exact, sign_test

cells = st.integers(0, 25)


def pairs(first_only: int, second_only: int, same: int = 0) -> PairedCounts:
    return PairedCounts(
        both=same, first_only=first_only, second_only=second_only, neither=0
    )


@pytest.mark.parametrize(
    ("forward", "backward", "p_value"),
    [
        (2, 12, 0.012939453125),
        (0, 7, 0.015625),
        (5, 5, 1.0),
        (120, 150, 0.0773893989802185),
    ],
)
def test_mcnemar_and_sign_test_equal_r(forward, backward, p_value):
    """binom.test(b, b + c)$p.value; 7 better, 0 worse is Hara 2023.

    > binom.test(2, 14)$p.value
    [1] 0.012939453125
    > binom.test(0, 7)$p.value
    [1] 0.015625
    > binom.test(5, 10)$p.value
    [1] 1
    > binom.test(120, 270)$p.value
    [1] 0.0773893989802185
    """
    mcnemar = mcnemar_exact(pairs(forward, backward, same=4))
    sign = sign_test(forward, backward, unchanged=4)
    for found in (mcnemar, sign):
        assert found.p_value == pytest.approx(p_value, rel=1e-10)
        assert (found.forward, found.backward, found.unchanged) == (
            forward,
            backward,
            4,
        )
    assert (mcnemar.name, sign.name) == ("McNemar exact", "sign test")


@given(cells, cells, cells, cells)
def test_mcnemar_equals_statsmodels(both, first_only, second_only, neither):
    table = PairedCounts(
        both=both, first_only=first_only, second_only=second_only, neither=neither
    )
    found = mcnemar_exact(table)
    if first_only + second_only == 0:
        assert (found.estimable, found.reason) == (False, "no pair differs")
        return
    reference = contingency_tables.mcnemar(
        [[both, first_only], [second_only, neither]], exact=True
    )
    if first_only + second_only < 6:
        assert found.p_value is None
        assert found.smallest_p == 2 ** (1 - first_only - second_only)
        return
    assert found.p_value == pytest.approx(min(reference.pvalue, 1), rel=1e-9)


def test_five_of_five_better_say_so_little_that_there_is_no_p():
    """R: binom.test(5, 5)$p.value

    [1] 0.0625
    """
    found = sign_test(5, 0, unchanged=9)
    assert (found.estimable, found.p_value, found.smallest_p) == (False, None, 0.0625)
    assert found.reason == unreachable(0.0625)
    assert (found.forward, found.backward, found.unchanged) == (5, 0, 9)
    assert sign_test(6, 0).p_value == pytest.approx(0.03125)


def test_no_change_is_said_instead_of_p_1():
    found = sign_test(0, 0, unchanged=19)
    assert (found.estimable, found.p_value, found.reason) == (False, None, "no change")


@pytest.mark.parametrize("name", ["better", "worse", "unchanged"])
def test_a_negative_count_of_pairs_is_refused_by_name(name):
    counts = {"better": 1, "worse": 1, "unchanged": 1} | {name: -1}
    with pytest.raises(StatError, match=f"{name} must be a whole number"):
        sign_test(**counts)


# ---- Holm -------------------------------------------------------------------------


def test_holm_equals_r():
    """p.adjust leaves NA out of the family.

    > p.adjust(c(.01, .04, .03, NA, .005), "holm")
    [1] 0.03 0.06 0.06   NA 0.02
    > p.adjust(c(.6, .5, .02), "holm")
    [1] 1.00 1.00 0.06
    """
    found = holm([0.01, 0.04, 0.03, None, 0.005])
    assert found.p_values[3] is None
    assert [p for p in found.p_values if p is not None] == pytest.approx(
        [0.03, 0.06, 0.06, 0.02]
    )
    assert (found.family_size, found.method) == (4, "Holm")
    assert holm([0.6, 0.5, 0.02]).p_values == pytest.approx((1, 1, 0.06))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_bonferroni_closed_over_all_subsets(p_values):
    """Adjusted p: the largest Bonferroni p of the subsets that hold the hypothesis."""
    places = range(len(p_values))
    subsets = [s for k in places for s in itertools.combinations(places, k + 1)]
    closed = [
        max(min(len(s) * min(p_values[i] for i in s), 1) for s in subsets if place in s)
        for place in places
    ]
    assert holm(p_values).p_values == pytest.approx(tuple(closed))


def test_holm_equals_statsmodels():
    p_values = [0.001, 0.3, 0.04, 0.04, 0.012, 0.9, 0.0, 1.0]
    reference = multipletests(p_values, method="holm")[1]
    assert holm(p_values).p_values == pytest.approx(tuple(reference))


@pytest.mark.parametrize(
    ("p_value", "message"),
    [
        (-0.1, "a p value must lie between 0 and 1"),
        (1.1, "a p value must lie between 0 and 1"),
        (math.nan, "p_values contains NaN"),
        ("0.05", "p_values must be numbers"),
    ],
)
def test_what_is_no_p_value_is_refused(p_value, message):
    with pytest.raises(StatError, match=message):
        holm([p_value])


def test_an_empty_family_stays_empty():
    assert holm([]).p_values == ()
