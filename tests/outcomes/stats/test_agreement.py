"""Kappa and ICC against R's vcd and psych, and against plain formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.stats.agreement import (
    NO_LIMITS,
    agreement_table,
    cohen_kappa,
    icc_2_1,
)
from outcomes.stats.errors import StatError

FOUR_GRADES = [[44, 5, 1, 0], [4, 10, 6, 1], [0, 3, 12, 4], [1, 0, 2, 9]]
SHROUT_FLEISS = [
    [9, 2, 5, 8],
    [6, 1, 3, 2],
    [8, 4, 6, 8],
    [7, 1, 2, 6],
    [10, 5, 6, 9],
    [6, 2, 4, 7],
]


@pytest.mark.parametrize(
    ("weights", "value", "error"),
    [
        ("none", 0.6070766157797118, 0.0610925291726784),
        ("linear", 0.7381583305730375, 0.0479422272718858),
        ("quadratic", 0.8312757201646090, 0.0463397010082585),
    ],
)
def test_kappa_against_r(weights: str, value: float, error: float) -> None:
    """Weights "Equal-Spacing" and "Fleiss-Cohen" of vcd 1.4-11.

    > library(vcd)
    > tab <- matrix(c(44,5,1,0, 4,10,6,1, 0,3,12,4, 1,0,2,9), 4, byrow=TRUE)
    > c(Kappa(tab)$Unweighted)
        value                ASE
    0.6070766157797118 0.0610925291726784
    > c(Kappa(tab, weights="Equal-Spacing")$Weighted)
    0.7381583305730375 0.0479422272718858
    > c(Kappa(tab, weights="Fleiss-Cohen")$Weighted)
    0.8312757201646090 0.0463397010082585
    """
    found = cohen_kappa(FOUR_GRADES, weights)  # type: ignore[arg-type]
    assert found.kappa.value == pytest.approx(value, abs=1e-12)
    assert found.standard_error == pytest.approx(error, abs=1e-12)
    assert found.kappa.lower == pytest.approx(value - 1.959963984540054 * error)
    assert found.kappa.upper == pytest.approx(value + 1.959963984540054 * error)
    assert found.reason is None
    assert found.prevalence_index is None


def test_kappa_two_by_two_with_indices() -> None:
    """> c(Kappa(matrix(c(80,10,5,5), 2, byrow=TRUE))$Unweighted)
    0.318181818181818 0.133456521223836
    """
    found = cohen_kappa([[80, 10], [5, 5]])
    assert found.kappa.value == pytest.approx(0.318181818181818, abs=1e-12)
    assert found.standard_error == pytest.approx(0.133456521223836, abs=1e-12)
    assert found.observed.value == 0.85
    assert found.expected == pytest.approx(0.9 * 0.85 + 0.1 * 0.15)
    assert found.prevalence_index == 0.75
    assert found.bias_index == 0.05
    assert found.adjusted_kappa == pytest.approx(0.7)


def test_kappa_paradox_same_agreement_other_prevalence() -> None:
    """85 of 100 agree in both tables; the rare finding makes kappa small."""
    common, rare = cohen_kappa([[40, 9], [6, 45]]), cohen_kappa([[80, 10], [5, 5]])
    assert common.observed.value == rare.observed.value == 0.85
    assert common.kappa.value == pytest.approx(0.6995192307692307, abs=1e-12)
    assert common.kappa.value > 2 * rare.kappa.value
    assert common.adjusted_kappa == rare.adjusted_kappa


def test_kappa_one_category_throughout_is_not_estimable() -> None:
    found = cohen_kappa([[19, 0], [0, 0]])
    assert found.kappa.value is None
    assert found.kappa.lower is None
    assert "one and the same category" in str(found.reason)
    assert found.observed.value == 1
    assert found.observed.lower == pytest.approx(0.025 ** (1 / 19))


def test_kappa_perfect_agreement_has_no_limits_of_one_to_one() -> None:
    found = cohen_kappa([[9, 0], [0, 10]])
    assert found.kappa.value == 1
    assert found.kappa.lower is None
    assert found.kappa.upper is None
    assert "no disagreement" in str(found.reason)
    assert found.to_json()["observed"]["lower"] == pytest.approx(0.025 ** (1 / 19))


def test_kappa_zero_standard_error_has_no_limits() -> None:
    """One reader never saw the finding: kappa is 0 whatever the other said."""
    found = cohen_kappa([[0, 0], [9, 10]])
    assert found.kappa.value == pytest.approx(0)
    assert found.kappa.lower is None
    assert "standard error is zero" in str(found.reason)


def test_kappa_limits_stay_within_minus_one_and_one() -> None:
    found = cohen_kappa([[9, 1], [0, 10]])
    assert found.kappa.upper == 1
    assert cohen_kappa([[0, 9], [10, 1]]).kappa.lower == -1


@pytest.mark.parametrize(
    "table", [[[5]], [[0, 0], [0, 0]], [[1, 2], [3]], [[1, -1], [0, 2]]]
)
def test_kappa_refuses_malformed_tables(table: list[list[int]]) -> None:
    with pytest.raises(StatError):
        cohen_kappa(table)


def test_kappa_refuses_unknown_weights_and_levels() -> None:
    with pytest.raises(StatError, match="weights"):
        cohen_kappa([[1, 2], [3, 4]], "cubic")  # type: ignore[arg-type]
    with pytest.raises(StatError, match="level"):
        cohen_kappa([[1, 2], [3, 4]], level=95)


def test_agreement_table_counts_first_by_second() -> None:
    table = agreement_table(["smooth", "rough", "rough"], ["smooth", "smooth", "rough"], ["smooth", "rough"])  # fmt: skip
    assert table == [[1, 0], [1, 1]]


def test_agreement_table_refuses_unknown_and_doubled_categories() -> None:
    with pytest.raises(StatError, match="none of the categories"):
        agreement_table(["smooth"], ["mixed"], ["smooth", "rough"])
    with pytest.raises(StatError, match="duplicates"):
        agreement_table(["smooth"], ["smooth"], ["smooth", "smooth"])
    with pytest.raises(StatError, match="lengths differ"):
        agreement_table(["smooth"], [], ["smooth", "rough"])


square_tables = st.integers(2, 4).flatmap(
    lambda k: st.lists(
        st.lists(st.integers(1, 30), min_size=k, max_size=k), min_size=k, max_size=k
    )
)


@given(square_tables)
def test_kappa_by_definition_and_under_swaps(table: list[list[int]]) -> None:
    shares = np.array(table) / np.sum(table)
    k = len(table)
    apart = np.abs(np.subtract.outer(np.arange(k), np.arange(k))) / (k - 1)
    chance = np.outer(shares.sum(axis=1), shares.sum(axis=0))
    weightings = {"none": apart > 0, "linear": apart, "quadratic": apart**2}
    for weights, cost in weightings.items():
        found = cohen_kappa(table, weights)  # type: ignore[arg-type]
        by_hand = 1 - (cost * shares).sum() / (cost * chance).sum()
        assert found.kappa.value == pytest.approx(by_hand, abs=1e-10)
        readers_swapped = cohen_kappa(np.transpose(table).tolist(), weights)  # type: ignore[arg-type]
        scale_reversed = cohen_kappa([row[::-1] for row in table[::-1]], weights)  # type: ignore[arg-type]
        for other in (readers_swapped, scale_reversed):
            assert other.kappa.value == pytest.approx(found.kappa.value, abs=1e-10)
            assert other.standard_error == pytest.approx(found.standard_error, abs=1e-9)


def test_icc_against_r() -> None:
    """Shrout and Fleiss's table; they print 0.29.

    > library(psych)
    > sf <- matrix(c(9,2,5,8,6,1,3,2,8,4,6,8,7,1,2,6,10,5,6,9,6,2,4,7), ncol=4, byrow=TRUE)
    > as.numeric(ICC(sf, lmer=FALSE)$results[2, c(2,7,8)])
    0.289763779527559 0.018786513374712 0.761084369648953
    > as.numeric(ICC(sf, lmer=FALSE, alpha=.1)$results[2, c(2,7,8)])
    0.289763779527559 0.042901191540540 0.691070606618357
    """
    found = icc_2_1(SHROUT_FLEISS)
    assert found.icc.value == pytest.approx(0.289763779527559, abs=1e-12)
    assert found.icc.lower == pytest.approx(0.018786513374712, abs=1e-9)
    assert found.icc.upper == pytest.approx(0.761084369648953, abs=1e-9)
    assert found.mean_square_subjects == pytest.approx(11.2416666667)
    assert found.mean_square_readers == pytest.approx(32.4861111111)
    assert found.mean_square_error == pytest.approx(1.0194444444)
    narrower = icc_2_1(SHROUT_FLEISS, level=0.9)
    assert narrower.icc.lower == pytest.approx(0.042901191540540, abs=1e-9)
    assert narrower.icc.upper == pytest.approx(0.691070606618357, abs=1e-9)


def test_icc_without_disagreement_has_no_limits() -> None:
    found = icc_2_1([[51, 51], [14, 14], [15, 15]])
    assert found.icc.value == 1
    assert found.icc.lower is None
    assert "no disagreement" in str(found.reason)


def test_icc_of_constant_readings_is_not_estimable() -> None:
    found = icc_2_1([[5, 5], [5, 5], [5, 5]])
    assert found.icc.value is None
    assert "do not vary" in str(found.reason)
    assert icc_2_1([[1, 2], [2, 1]]).icc.value is None


@pytest.mark.parametrize(
    "ratings", [[], [[1, 2]], [[1], [2]], [[1, 2], [3]], [[1, math.nan], [2, 3]]]
)
def test_icc_refuses_malformed_ratings(ratings: list[list[float]]) -> None:
    with pytest.raises(StatError):
        icc_2_1(ratings)


@given(st.permutations(range(6)), st.permutations(range(4)), st.floats(0.1, 100))
def test_icc_order_and_unit_do_not_matter(
    subjects: list[int], readers: list[int], unit: float
) -> None:
    table = np.array(SHROUT_FLEISS, dtype=float)[subjects][:, readers] * unit + 7
    found = icc_2_1(table.tolist())
    assert found.icc.value == pytest.approx(0.289763779527559, abs=1e-9)
    assert found.icc.lower == pytest.approx(0.018786513374712, abs=1e-8)


def test_icc_of_readers_who_differ_by_a_constant_has_limits() -> None:
    """Nothing but the readers' means differs; psych has a residual of rounding.

    > as.numeric(ICC(cbind(1:6, 1:6 + 3), lmer = FALSE)$results[2, c(2, 7, 8)])
    [1] 0.437499999999999944 0.000843004691642067 0.886146387824527149
    """
    found = icc_2_1([[reading, reading + 3] for reading in range(1, 7)])
    got = (found.icc.value, found.icc.lower, found.icc.upper)
    assert got == pytest.approx(
        (0.4375, 0.000843004691642067, 0.886146387824527), abs=1e-8
    )
    assert found.reason is None


def test_icc_that_no_limits_belong_to_says_so() -> None:
    """psych prints NaN for both limits of this table."""
    found = icc_2_1([[3, 16], [12, 7]])
    assert (found.icc.lower, found.icc.upper) == (None, None)
    assert found.reason == NO_LIMITS


def test_icc_takes_counts_of_equal_subjects() -> None:
    rows = [[9, 2], [6, 1], [8, 4]]
    repeated = [rows[0], rows[0], rows[1], rows[2], rows[2], rows[2]]
    assert icc_2_1(rows, [2, 1, 3]) == icc_2_1(repeated)
    with pytest.raises(StatError, match="lengths differ: ratings 3, weights 2"):
        icc_2_1(rows, [2, 1])
