"""Kappa and ICC against R's vcd and psych, and against plain formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import brentq
from statsmodels.stats.inter_rater import cohens_kappa

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
    found = cohen_kappa(FOUR_GRADES, weights, interval="wald")  # type: ignore[arg-type]
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


def test_kappa_perfect_agreement_has_a_lower_limit_by_score() -> None:
    """Solved by hand: on the way w to an independent table with the same margins kappa
    is 1 - w, the variance n times that of Fleiss, Cohen and Everitt at this table.
    """
    found = cohen_kappa([[9, 0], [0, 10]])
    assert (found.kappa.value, found.kappa.upper) == (1, 1)
    assert found.standard_error is None
    assert found.reason is None
    assert found.kappa.lower == pytest.approx(0.6630688958586723, abs=1e-9)
    symmetric = cohen_kappa([[9, 0], [0, 10]], interval="wald")
    assert (symmetric.kappa.lower, symmetric.kappa.upper) == (None, None)
    assert "no disagreement" in str(symmetric.reason)
    assert found.to_json()["observed"]["lower"] == pytest.approx(0.025 ** (1 / 19))


def test_kappa_limit_satisfies_its_equation_by_statsmodels() -> None:
    """At the limit the distance is 1.96 errors of a table with that kappa.

    The table is one third of the way from the observed to the disagreeing one or less;
    its variance is that of statsmodels, which is tested against vcd above.
    """
    counts = np.array([[9, 2], [3, 11]], dtype=float)
    n = counts.sum()
    found = cohen_kappa(counts)
    both = (counts.sum(axis=0) + counts.sum(axis=1)) / (2 * n)
    disagreeing = np.array([[0, 1], [1, 0]]) / 2

    def contradicted(way: float, target: np.ndarray) -> float:
        at = cohens_kappa((1 - way) * counts + way * n * target, return_results=True)
        return (found.kappa.value - at.kappa) ** 2 - 1.959963984540054**2 * at.var_kappa

    for target, limit in (
        (disagreeing, found.kappa.lower),
        (np.diag(both), found.kappa.upper),
    ):
        way = brentq(contradicted, 0, 1 - 1e-9, args=(target,), xtol=1e-14)
        table = (1 - way) * counts + way * n * target
        at = cohens_kappa(table, return_results=True)
        assert limit == pytest.approx(at.kappa, abs=1e-9)


def test_kappa_zero_standard_error_still_has_limits_by_score() -> None:
    """One reader never saw the finding: kappa is 0 whatever the other said."""
    found = cohen_kappa([[0, 0], [9, 10]])
    assert found.kappa.value == pytest.approx(0)
    assert found.kappa.lower < -0.2 < 0.2 < found.kappa.upper
    symmetric = cohen_kappa([[0, 0], [9, 10]], interval="wald")
    assert symmetric.kappa.lower is None
    assert "standard error is zero" in str(symmetric.reason)


def test_kappa_symmetric_limits_stay_within_minus_one_and_one() -> None:
    found = cohen_kappa([[9, 1], [0, 10]], interval="wald")
    assert found.kappa.upper == 1
    assert cohen_kappa([[0, 9], [10, 1]], interval="wald").kappa.lower == -1


@given(
    st.integers(2, 5).flatmap(
        lambda k: st.lists(
            st.lists(st.integers(0, 3), min_size=k, max_size=k), min_size=k, max_size=k
        )
    ),
    st.sampled_from(["none", "linear", "quadratic"]),
    st.sampled_from([1, 7, 10**9, 10**13]),
)
def test_kappa_by_score_has_limits_around_it(table, weights, times) -> None:
    """Sparse, perfect, opposite and huge tables, and both readers alike."""
    counts = np.array(table) * times
    assume(counts.any())
    found = cohen_kappa(counts, weights)
    if found.kappa.value is None:
        assert found.kappa.lower is None
        return
    assert -1 <= found.kappa.lower <= found.kappa.value + 1e-12
    assert found.kappa.value - 1e-12 <= found.kappa.upper <= 1
    if times == 1:
        assert found.kappa.lower < found.kappa.upper
    swapped = cohen_kappa(counts.T, weights).kappa
    reversed_scale = cohen_kappa(counts[::-1, ::-1], weights).kappa
    for other in (swapped, reversed_scale):
        assert other.lower == pytest.approx(found.kappa.lower, abs=1e-6)
        assert other.upper == pytest.approx(found.kappa.upper, abs=1e-6)


def test_kappa_of_readers_who_always_disagree_excludes_nothing_below() -> None:
    """No table of disagreement lies on a way down from here."""
    table = [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 2 * 10**9], [10**9, 0, 10**9, 0]]
    found = cohen_kappa(table, "linear").kappa
    assert (found.value, found.lower) == (pytest.approx(-0.5), -1)


@pytest.mark.parametrize(("weights", "least"), [("none", 0.93), ("quadratic", 0.93)])
def test_kappa_of_nineteen_readings_covers(weights: str, least: float) -> None:
    """Five grades, 80 % sure readings: the symmetric limits cover 79 % by squares."""
    shares = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
    table = 0.8 * np.diag(shares) + 0.2 * np.outer(shares, shares)
    drawn = np.random.default_rng(5).multinomial(19, table.ravel(), 300)
    found = [cohen_kappa(one.reshape(5, 5), weights).kappa for one in drawn]  # type: ignore[arg-type]
    assert np.mean([one.lower <= 0.8 <= one.upper for one in found]) > least


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
    with pytest.raises(StatError, match="interval must be score or wald"):
        cohen_kappa([[1, 2], [3, 4]], interval="bootstrap")  # type: ignore[arg-type]


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
    found = icc_2_1(SHROUT_FLEISS, interval="mcgraw-wong")
    assert found.icc.value == pytest.approx(0.289763779527559, abs=1e-12)
    assert found.icc.lower == pytest.approx(0.018786513374712, abs=1e-9)
    assert found.icc.upper == pytest.approx(0.761084369648953, abs=1e-9)
    assert found.mean_square_subjects == pytest.approx(11.2416666667)
    assert found.mean_square_readers == pytest.approx(32.4861111111)
    assert found.mean_square_error == pytest.approx(1.0194444444)
    narrower = icc_2_1(SHROUT_FLEISS, level=0.9, interval="mcgraw-wong")
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
    assert found.icc.lower == pytest.approx(icc_2_1(SHROUT_FLEISS).icc.lower, abs=1e-6)


def test_icc_of_readers_who_differ_by_a_constant_has_limits() -> None:
    """Nothing but the readers' means differs; psych has a residual of rounding.

    > as.numeric(ICC(cbind(1:6, 1:6 + 3), lmer = FALSE)$results[2, c(2, 7, 8)])
    [1] 0.437499999999999944 0.000843004691642067 0.886146387824527149
    """
    apart = [[reading, reading + 3] for reading in range(1, 7)]
    found = icc_2_1(apart, interval="mcgraw-wong")
    got = (found.icc.value, found.icc.lower, found.icc.upper)
    assert got == pytest.approx(
        (0.4375, 0.000843004691642067, 0.886146387824527), abs=1e-8
    )
    assert found.reason is None


def test_icc_that_no_limits_belong_to_says_so() -> None:
    """psych prints NaN for both limits of this table."""
    for interval in ("generalised", "mcgraw-wong"):
        found = icc_2_1([[3, 16], [12, 7]], interval=interval)
        assert (found.icc.lower, found.icc.upper) == (None, None)
        assert found.reason == NO_LIMITS


def test_generalised_limits_of_the_icc_as_drawn_in_r() -> None:
    """Four million pivots in R, of the mean squares of Shrout and Fleiss's table.

    > n <- 6; k <- 4; s <- 11.24166667; r <- 32.48611111; e <- 1.01944444
    > set.seed(1); B <- 4e6
    > R <- (n-1)*s/rchisq(B, n-1); C <- (k-1)*r/rchisq(B, k-1)
    > E <- (n-1)*(k-1)*e/rchisq(B, (n-1)*(k-1))
    > a <- pmax(R-E, 0)/k; b <- pmax(C-E, 0)/n; quantile(a/(a+b+E), c(.025, .975))
         2.5%     97.5%
    0.0268666 0.7457456
    """
    found = icc_2_1(SHROUT_FLEISS).icc
    assert found.lower == pytest.approx(0.0268666, abs=0.001)
    assert found.upper == pytest.approx(0.7457456, abs=0.001)
    assert found.method == "generalised pivots (Tian and Cappelleri)"
    assert icc_2_1(SHROUT_FLEISS).icc == found
    apart = icc_2_1([[reading, reading + 3] for reading in range(1, 7)]).icc
    assert (apart.lower, apart.upper) == pytest.approx((0.0009, 0.886), abs=0.002)


def test_an_icc_below_0_lies_within_its_limits() -> None:
    found = icc_2_1([[1, 4], [5, 3], [2, 3.5], [4, 1], [6, 3]]).icc
    assert found.value < 0
    assert found.lower <= found.value <= found.upper


def test_another_interval_of_the_icc_is_refused() -> None:
    with pytest.raises(StatError, match="generalised or mcgraw-wong"):
        icc_2_1(SHROUT_FLEISS, interval="wald")


def test_icc_takes_counts_of_equal_subjects() -> None:
    rows = [[9, 2], [6, 1], [8, 4]]
    repeated = [rows[0], rows[0], rows[1], rows[2], rows[2], rows[2]]
    assert icc_2_1(rows, [2, 1, 3]) == icc_2_1(repeated)
    with pytest.raises(StatError, match="lengths differ: ratings 3, weights 2"):
        icc_2_1(rows, [2, 1])


def test_kappa_of_more_readings_than_digits_is_its_own_limit() -> None:
    found = cohen_kappa([[2, 6 * 10**15], [0, 2]], "quadratic")
    assert found.kappa.lower == pytest.approx(0, abs=1e-12)
    assert found.kappa.upper == pytest.approx(0, abs=1e-12)
    assert found.readings == 6 * 10**15 + 4
    never = cohen_kappa([[0, 0], [10**15, 0]]).kappa
    assert (never.lower, never.upper) == pytest.approx((0, 0), abs=1e-6)
    assert cohen_kappa([[3 * 2**51, 1], [1, 3 * 2**51]]).observed.value <= 1
