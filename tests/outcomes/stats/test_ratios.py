"""Odds and risk ratios against R 4.2.2, statsmodels, SciPy and their zero cells."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import contingency
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.proportion import confint_proportions_2indep

from outcomes.stats.errors import StatError
from outcomes.stats.proportions import PairedCounts
from outcomes.stats.ratios import (
    INFINITE,
    NO_LOG_LIMITS,
    UNDEFINED,
    chosen_odds_ratio,
    conditional_odds_ratio,
    katz_risk_ratio,
    odds_ratio,
    paired_odds_ratio,
    risk_ratio,
)

RATIOS = [
    odds_ratio,
    conditional_odds_ratio,
    chosen_odds_ratio,
    risk_ratio,
    katz_risk_ratio,
]
positive = st.integers(1, 40)
positive_tables = st.tuples(
    st.tuples(positive, positive), st.tuples(positive, positive)
)
cells = st.integers(0, 20)
any_tables = st.tuples(st.tuples(cells, cells), st.tuples(cells, cells))


def limits(ratio) -> tuple[float | None, float | None, float | None]:
    return ratio.value, ratio.lower, ratio.upper


@pytest.mark.parametrize(
    ("table", "level", "expected"),
    [
        ([[3, 16], [12, 7]], 0.95, (0.109375, 0.023312470279307, 0.513154139465808)),
        ([[8, 2], [1, 5]], 0.95, (20, 1.41618513939395, 282.44894602634844)),
        (
            [[120, 380], [150, 350]],
            0.9,
            (0.736842105263158, 0.582268232485986, 0.932450471787863),
        ),
    ],
)
def test_sample_odds_ratio_equals_r(table, level, expected):
    """Woolf's limits in base R.

    > w <- function(a, b, c, d, z = qnorm(.975)) { o <- a * d / b / c
    +   s <- sqrt(1/a + 1/b + 1/c + 1/d); c(o, exp(log(o) + c(-1, 1) * z * s)) }
    > w(3, 16, 12, 7)
    [1] 0.109375000000000 0.023312470279307 0.513154139465808
    > w(8, 2, 1, 5)
    [1]  20.00000000000000   1.41618513939395 282.44894602634844
    > w(120, 380, 150, 350, qnorm(.95))
    [1] 0.736842105263158 0.582268232485986 0.932450471787863
    """
    assert limits(odds_ratio(table, level)) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    ("table", "level", "expected"),
    [
        (
            [[3, 16], [12, 7]],
            0.95,
            (0.117066581360082, 0.016003560888986, 0.614582109816753),
        ),
        (
            [[3, 16], [12, 7]],
            0.9,
            (0.1170665813600823, 0.0217331986350233, 0.4982589245472915),
        ),
        (
            [[8, 2], [1, 5]],
            0.95,
            (15.46581971692097, 1.00884920794769, 1059.63949508627661),
        ),
        (
            [[120, 380], [150, 350]],
            0.95,
            (0.737067472571553, 0.550826124399699, 0.984905492762339),
        ),
    ],
)
def test_conditional_odds_ratio_equals_r(table, level, expected):
    """fisher.test solves to 1e-4 only; its equations, solved to 1e-14:

    > or <- function(a, b, c, d, level = .95) {
    +   m <- a + c; n <- b + d; k <- a + b; s <- max(0, k - n):min(k, m)
    +   l <- dhyper(s, m, n, k, log = TRUE)
    +   p <- function(t) { v <- exp(l + t * s - max(l + t * s)); v / sum(v) }
    +   R <- function(f) exp(uniroot(f, c(-20, 20), tol = 1e-14)$root)
    +   c(R(function(t) sum(s * p(t)) - a),
    +     R(function(t) sum(p(t)[s >= a]) - (1 - level) / 2),
    +     R(function(t) sum(p(t)[s <= a]) - (1 - level) / 2)) }
    > or(3, 16, 12, 7)
    [1] 0.117066581360082 0.016003560888986 0.614582109816753
    > or(3, 16, 12, 7, .9)
    [1] 0.1170665813600823 0.0217331986350233 0.4982589245472915
    > or(8, 2, 1, 5)
    [1]   15.46581971692097    1.00884920794769 1059.63949508627661
    > or(120, 380, 150, 350)
    [1] 0.737067472571553 0.550826124399699 0.984905492762339
    > fisher.test(matrix(c(3, 16, 12, 7), 2, byrow = TRUE))$estimate
    [1] 0.117036118803806
    """
    found = conditional_odds_ratio(table, level)
    assert limits(found) == pytest.approx(expected, rel=1e-9)


@given(any_tables)
def test_the_conditional_odds_ratio_is_that_of_scipy(table):
    """Which is slower by two orders of magnitude at a few thousand cases."""
    found = conditional_odds_ratio(table)
    assume(found.reason != UNDEFINED)
    other = contingency.odds_ratio(table, kind="conditional")
    end = other.confidence_interval()
    expected = (other.statistic, end.low, end.high)
    assert [math.inf if x is None else x for x in limits(found)] == pytest.approx(
        expected, rel=1e-9
    )


@pytest.mark.parametrize(
    ("table", "method"),
    [
        ([[15, 4], [0, 19]], conditional_odds_ratio),  # a zero cell
        ([[0, 50], [30, 20]], conditional_odds_ratio),  # though 15 are expected
        ([[2, 17], [5, 14]], conditional_odds_ratio),  # 3.5 expected
        ([[7, 20], [15, 25]], odds_ratio),  # 8.9 expected
        ([[0, 5], [0, 9]], conditional_odds_ratio),  # nothing to compare
    ],
)
def test_the_odds_ratio_suits_the_table(table, method):
    """Woolf's limits where counts of 5 are expected, else the exact ones.

    > fisher.test(matrix(c(15, 0, 4, 19), 2))$conf.int
    [1] 10.2112818971577              Inf
    """
    assert chosen_odds_ratio(table) == method(table)
    assert chosen_odds_ratio([[15, 4], [0, 19]]).lower == pytest.approx(
        10.2112818971577, rel=1e-4
    )


def test_sample_and_conditional_odds_ratio_are_told_apart():
    table = [[3, 16], [12, 7]]
    assert odds_ratio(table).value == 0.109375
    assert round(conditional_odds_ratio(table).value, 4) == 0.1171
    assert odds_ratio(table).method != conditional_odds_ratio(table).method


@pytest.mark.parametrize(
    ("table", "lower", "upper"),
    [
        ([[3, 16], [12, 7]], 0.0839035892596619, 0.6590471805968072),
        ([[120, 380], [150, 350]], 0.651131200744017, 0.981787072368136),
        ([[36, 4], [16, 64]], 2.93956919221500, 7.15222343486603),
        ([[19, 0], [7, 12]], 1.69605169985364, 5.22206498572163),
    ],
)
def test_risk_ratio_equals_r(table, lower, upper):
    """Koopman's limits in base R; 36 of 40 against 16 of 80 is his own example.

    > kp <- function(x, n, y, m) {
    +   u <- function(l) { r <- exp(l); b <- r * (n + y) + x + m; k <- x + y
    +     q <- 2 * k / (b + sqrt(max(b^2 - 4 * (n + m) * r * k, 0))); p <- r * q
    +     (x/n - r * y/m)^2 / (p * (1 - p)/n + r^2 * q * (1 - q)/m) - qchisq(.95, 1) }
    +   e <- log((x / n) / (y / m))
    +   exp(c(uniroot(u, c(-30, e - 1e-9), tol = 1e-14)$root,
    +         uniroot(u, c(e + 1e-9, 30), tol = 1e-14)$root)) }
    > kp(3, 19, 12, 19)
    [1] 0.0839035892596619 0.6590471805968072
    > kp(120, 500, 150, 500)
    [1] 0.651131200744017 0.981787072368136
    > kp(36, 40, 16, 80)
    [1] 2.93956919221500 7.15222343486603
    > kp(19, 19, 7, 19)
    [1] 1.69605169985364 5.22206498572163
    """
    found = risk_ratio(table)
    assert (found.lower, found.upper) == pytest.approx((lower, upper), rel=1e-10)


def test_katz_risk_ratio_equals_r():
    """Log limits in base R.

    > k <- function(a, n, c, m, z = qnorm(.975)) { r <- (a / n) / (c / m)
    +   s <- sqrt(1/a - 1/n + 1/c - 1/m); c(r, exp(log(r) + c(-1, 1) * z * s)) }
    > k(3, 19, 12, 19)
    [1] 0.2500000000000000 0.0837412451567471 0.7463466763959902
    > k(120, 500, 150, 500)
    [1] 0.800000000000000 0.651351197583835 0.982572846068385
    """
    for table, expected in (
        ([[3, 16], [12, 7]], (0.25, 0.0837412451567471, 0.7463466763959902)),
        ([[120, 380], [150, 350]], (0.8, 0.651351197583835, 0.982572846068385)),
    ):
        assert limits(katz_risk_ratio(table)) == pytest.approx(expected, rel=1e-10)


@given(positive_tables)
def test_ratios_equal_statsmodels(table):
    reference = Table2x2(np.array(table))
    found = odds_ratio(table)
    assert found.value == pytest.approx(reference.oddsratio)
    assert (found.lower, found.upper) == pytest.approx(
        reference.oddsratio_confint(), rel=1e-9
    )
    found = katz_risk_ratio(table)
    assert found.value == pytest.approx(reference.riskratio)
    assert (found.lower, found.upper) == pytest.approx(
        reference.riskratio_confint(), rel=1e-9
    )
    (a, b), (c, d) = table
    score = confint_proportions_2indep(
        a, a + b, c, c + d, compare="ratio", method="score", correction=False
    )
    found = risk_ratio(table)
    assert (found.lower, found.upper) == pytest.approx(score, rel=1e-6)


@given(positive_tables)
def test_conditional_limits_solve_their_equations(table):
    """The exact tails at both limits are 2.5 % each, by SciPy's other distribution."""
    (a, b), (c, d) = table
    found = conditional_odds_ratio(table)
    margins = (a + b + c + d, a + c, a + b)
    at_lower, at_upper = (
        stats.nchypergeom_fisher(*margins, ratio)
        for ratio in (found.lower, found.upper)
    )
    assert at_lower.sf(a - 1) == pytest.approx(0.025, rel=1e-5)
    assert at_upper.cdf(a) == pytest.approx(0.025, rel=1e-5)


@pytest.mark.parametrize("ratio", RATIOS)
@given(table=any_tables)
def test_swapping_the_groups_inverts_the_ratio(ratio, table):
    one, other = ratio(table), ratio(table[::-1])
    if one.value and other.value and one.lower is not None:
        assert one.value == pytest.approx(1 / other.value, rel=1e-8)
        assert one.lower == pytest.approx(1 / other.upper, rel=1e-8)
    if one.value == 0 and other.reason != UNDEFINED:
        assert (other.value, other.reason) == (None, INFINITE)


@pytest.mark.parametrize("ratio", RATIOS)
@given(table=any_tables)
def test_limits_hold_the_value_and_widen_with_the_level(ratio, table):
    narrow, wide = ratio(table, 0.8), ratio(table, 0.99)
    if narrow.lower is not None:
        assert wide.lower <= narrow.lower <= (narrow.value or math.inf)
    if narrow.upper is not None:
        assert narrow.value <= narrow.upper <= wide.upper
    assert (narrow.value is None) <= (narrow.reason is not None)


@pytest.mark.parametrize("ratio", RATIOS)
@given(table=any_tables)
def test_no_interval_claims_certainty(ratio, table):
    found = ratio(table)
    if found.lower is not None and found.upper is not None:
        assert found.lower < found.upper


# ---- zero cells -------------------------------------------------------------------


def test_complete_separation_has_no_ratio_and_only_a_lower_limit():
    """19 of 19 against 0 of 19; fisher.test prints Inf (44.13 to Inf).

    > or(19, 0, 0, 19)   # the lower limit, solved as above
    [1] 44.1290059523833
    """
    table = [[19, 0], [0, 19]]
    for found in (ratio(table) for ratio in RATIOS):
        assert (found.value, found.upper, found.reason) == (None, None, INFINITE)
        assert found.separation == "complete"
    assert odds_ratio(table).lower is None
    assert conditional_odds_ratio(table).lower == pytest.approx(44.1290059523833)


def test_no_event_in_one_group_keeps_an_upper_limit():
    """0 of 19 against 5 of 19.

    > or(0, 19, 5, 14)   # the upper limit, solved as above
    [1] 0.969780421905659
    > kp(0, 19, 5, 19)   # the upper limit
    [1] 0.684217841513886
    """
    table = [[0, 19], [5, 14]]
    assert limits(odds_ratio(table)) == (0, None, None)
    assert odds_ratio(table).reason == NO_LOG_LIMITS
    assert limits(conditional_odds_ratio(table)) == pytest.approx(
        (0, 0, 0.969780421905659), rel=1e-9
    )
    assert limits(risk_ratio(table)) == pytest.approx((0, 0, 0.684217841513886))
    assert limits(katz_risk_ratio(table)) == (0, None, None)
    assert risk_ratio(table).separation == "quasi-complete"


def test_no_event_in_the_other_group_keeps_a_lower_limit():
    """5 of 19 against 0 of 19.

    > kp(5, 19, 0, 19)   # the lower limit
    [1] 1.46152283574983
    """
    found = risk_ratio([[5, 14], [0, 19]])
    assert found.lower == pytest.approx(1.46152283574983)
    assert (found.value, found.upper, found.reason) == (None, None, INFINITE)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize(
    "table", [[[0, 19], [0, 19]], [[0, 0], [5, 14]], [[5, 14], [0, 0]]]
)
def test_without_a_contrast_a_ratio_is_undefined(ratio, table):
    found = ratio(table)
    assert limits(found) == (None, None, None)
    assert found.reason == UNDEFINED


def test_all_against_all_is_not_a_certain_ratio_of_1():
    table = [[19, 0], [19, 0]]
    assert katz_risk_ratio(table).lower is None
    assert katz_risk_ratio(table).reason == NO_LOG_LIMITS
    score = risk_ratio(table)
    assert score.value == 1
    assert score.lower == pytest.approx(1 / score.upper)
    assert score.lower < 0.84
    assert odds_ratio(table).reason == UNDEFINED


def test_a_larger_table_has_no_single_ratio():
    with pytest.raises(StatError, match="a 2x2 table is needed, not 2x3"):
        odds_ratio([[1, 2, 3], [4, 5, 6]])


# ---- pairs ------------------------------------------------------------------------


def pairs(first_only: int, second_only: int) -> PairedCounts:
    return PairedCounts(
        both=3, first_only=first_only, second_only=second_only, neither=3
    )


def test_paired_odds_ratio_equals_r():
    """From the exact limits of the discordant share.

    > b <- binom.test(12, 14)$conf.int; b / (1 - b)
    [1]  1.33574372246725 55.19709066788505
    > b <- binom.test(0, 7)$conf.int; b / (1 - b)
    [1] 0.000000000000000 0.693813980096453
    """
    assert limits(paired_odds_ratio(pairs(12, 2))) == pytest.approx(
        (6, 1.33574372246725, 55.19709066788505), rel=1e-9
    )
    assert limits(paired_odds_ratio(pairs(0, 7))) == pytest.approx(
        (0, 0, 0.693813980096453), rel=1e-9
    )


def test_pairs_that_differ_one_way_only_have_no_upper_limit():
    found = paired_odds_ratio(pairs(7, 0))
    assert (found.value, found.upper, found.reason) == (None, None, INFINITE)
    assert found.lower == pytest.approx(1 / 0.693813980096453)


def test_pairs_that_do_not_differ_have_no_odds_ratio():
    found = paired_odds_ratio(pairs(0, 0))
    assert limits(found) == (None, None, None)
    assert found.reason == "undefined: no pair differs"


def exact_score(ratio: float, x: int, n: int, y: int, m: int) -> float:
    """Koopman's squared score with 80 digits, from the textbook's formula."""
    with localcontext() as context:
        context.prec = 80
        r, a, size, c, other = map(Decimal, (ratio, x, n, y, m))
        linear = r * (size + c) + a + other
        root = (linear**2 - 4 * (size + other) * r * (a + c)).max(Decimal(0)).sqrt()
        p2 = min((linear - root) / (2 * (size + other) * r), Decimal(1))
        p1 = min(r * p2, Decimal(1))
        variance = p1 * (1 - p1) / size + r * r * p2 * (1 - p2) / other
        return float((a / size - r * c / other) ** 2 / variance)


@given(*[st.sampled_from([0, 1, 19, 400, 10**6, 10**9, 10**12])] * 4)
@example(1, 0, 10**12, 19)
@example(10**12, 1, 10**12, 0)
def test_risk_ratio_limits_solve_their_equation_at_any_size(a, b, c, d) -> None:
    """Near 1 the shares cancel: the score at a limit was wrong by a factor of 3,600."""
    found = risk_ratio([[a, b], [c, d]])
    for limit in (found.lower, found.upper):
        if limit:
            score = exact_score(limit, a, a + b, c, c + d)
            assert score == pytest.approx(3.841458820694124, rel=1e-4)


def test_paired_odds_of_more_pairs_than_digits_are_not_infinite() -> None:
    pairs = PairedCounts(both=0, first_only=2**53, second_only=1, neither=0)
    found = paired_odds_ratio(pairs)
    assert found.value == 2**53
    assert found.reason is None
    assert 2**50 < found.lower < 2**53 < found.upper
