"""Differences of proportions against R 4.2.2, statsmodels and their properties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
)

from outcomes.stats.errors import StatError
from outcomes.stats.proportions import (
    PairedCounts,
    count_pairs,
    newcombe_difference,
    paired_newcombe_difference,
)
from outcomes.stats.result import Interval

LEVELS = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@st.composite
def events_of_total(draw: st.DrawFn) -> tuple[int, int]:
    total = draw(st.integers(1, 400))
    return draw(st.integers(0, total)), total


cells = st.integers(0, 40)
paired_counts = st.builds(
    PairedCounts, both=cells, first_only=cells, second_only=cells, neither=cells
)


def pairs(both: int, first_only: int, second_only: int, neither: int) -> PairedCounts:
    return PairedCounts(
        both=both, first_only=first_only, second_only=second_only, neither=neither
    )


def assert_limits(interval: Interval, lower: float, upper: float) -> None:
    assert interval.lower == pytest.approx(lower, rel=1e-10, abs=1e-14)
    assert interval.upper == pytest.approx(upper, rel=1e-10, abs=1e-14)


# ---- difference of independent proportions ----------------------------------------


@pytest.mark.parametrize(
    ("counts", "level", "lower", "upper"),
    [
        ((56, 70, 48, 80), 0.95, 0.0524314724023649, 0.3338726540369059),
        ((9, 10, 3, 10), 0.95, 0.170522723934503, 0.809017973535488),
        ((19, 19, 0, 19), 0.95, 0.762158660435407, 1.0),
        ((12, 19, 4, 19), 0.9, 0.158025499028475, 0.612212861797792),
    ],
)
def test_newcombe_difference_equals_r(counts, level, lower, upper):
    """Newcombe's method 10 from R's Wilson limits; the first two rows are his Table II.

    > w <- function(x, n, l) prop.test(x, n, correct = FALSE, conf.level = l)$conf.int
    > nd <- function(x1, n1, x2, n2, l = 0.95) {
    +   a <- w(x1, n1, l); b <- w(x2, n2, l); p <- x1 / n1; q <- x2 / n2
    +   c(p - q - sqrt((p - a[1])^2 + (b[2] - q)^2),
    +     p - q + sqrt((a[2] - p)^2 + (q - b[1])^2)) }
    > nd(56, 70, 48, 80)
    [1] 0.0524314724023649 0.3338726540369059
    > nd(9, 10, 3, 10)
    [1] 0.170522723934503 0.809017973535488
    > nd(19, 19, 0, 19)
    [1] 0.762158660435407 1.000000000000000
    > nd(12, 19, 4, 19, 0.9)
    [1] 0.158025499028475 0.612212861797792
    """
    interval = newcombe_difference(*counts, level=level)
    assert_limits(interval, lower, upper)
    assert interval.value == pytest.approx(
        counts[0] / counts[1] - counts[2] / counts[3]
    )
    assert interval.method == "Newcombe hybrid score"


@given(events_of_total(), events_of_total(), LEVELS)
def test_newcombe_difference_equals_statsmodels(first, second, level):
    lower, upper = confint_proportions_2indep(
        *first, *second, method="newcomb", compare="diff", alpha=1 - level
    )
    interval = newcombe_difference(*first, *second, level=level)
    assert interval.lower == pytest.approx(lower, abs=1e-9)
    assert interval.upper == pytest.approx(upper, abs=1e-9)


@given(events_of_total(), events_of_total(), LEVELS)
def test_newcombe_difference_changes_sign_when_groups_swap(first, second, level):
    one = newcombe_difference(*first, *second, level=level)
    other = newcombe_difference(*second, *first, level=level)
    assert one.lower == pytest.approx(-other.upper, abs=1e-12)
    assert one.value == pytest.approx(-other.value, abs=1e-12)


@given(events_of_total(), events_of_total())
def test_newcombe_difference_widens_with_the_level(first, second):
    narrow = newcombe_difference(*first, *second, level=0.8)
    wide = newcombe_difference(*first, *second, level=0.99)
    assert -1 <= wide.lower <= narrow.lower <= narrow.value + 1e-12
    assert narrow.value - 1e-12 <= narrow.upper <= wide.upper <= 1


@pytest.mark.parametrize("counts", [(0, 0, 3, 9), (3, 9, 0, 0), (0, 0, 0, 0)])
def test_an_empty_group_has_no_difference(counts):
    interval = newcombe_difference(*counts)
    assert (interval.value, interval.lower, interval.upper) == (None, None, None)


def test_newcombe_difference_covers_near_its_level():
    """19 against 19, over shares drawn anew each time.

    At one fixed pair of shares the true coverage jumps with the discreteness of the
    counts (0.92 at 0.5 against 0.5), so the average is what can be near nominal.
    """
    random = np.random.default_rng(20240611)
    shares = random.uniform(0.02, 0.98, size=(2, 6000))
    events = random.binomial(19, shares)
    covered = 0
    for (share_1, share_2), (events_1, events_2) in zip(
        shares.T, events.T, strict=True
    ):
        interval = newcombe_difference(int(events_1), 19, int(events_2), 19)
        covered += interval.lower <= share_1 - share_2 <= interval.upper
    assert covered / 6000 == pytest.approx(0.955, abs=0.01)


# ---- paired difference ------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "lower", "upper"),
    [
        ((36, 12, 2, 0), 0.0569295840032388, 0.3404276029749407),
        ((12, 2, 1, 4), -0.1493673648152937, 0.2504999690633087),
        ((20, 12, 2, 16), 0.0561564248417483, 0.3292069954001405),
        ((1, 9, 8, 1), -0.3431418307120122, 0.4316622913414070),
        ((19, 0, 0, 0), -0.168179224052616, 0.168179224052616),
        ((0, 7, 0, 4), 0.253171713641513, 0.848335289046324),
    ],
)
def test_paired_difference_equals_r(counts, lower, upper):
    """Newcombe 1998 (paired), method 10, written out in base R.

    > pn <- function(e, f, g, h, l = 0.95) {
    +   n <- e + f + g + h; p <- (e + f) / n; q <- (e + g) / n
    +   a <- prop.test(e + f, n, correct = FALSE, conf.level = l)$conf.int
    +   b <- prop.test(e + g, n, correct = FALSE, conf.level = l)$conf.int
    +   m <- (e + f) * (g + h) * (e + g) * (f + h); k <- e * h - f * g
    +   k <- if (k > n / 2) k - n / 2 else if (k >= 0) 0 else k
    +   r <- if (m == 0) 0 else k / sqrt(m)
    +   c((f - g) / n - sqrt((p - a[1])^2 - 2 * r * (p - a[1]) * (b[2] - q)
    +                        + (b[2] - q)^2),
    +     (f - g) / n + sqrt((a[2] - p)^2 - 2 * r * (a[2] - p) * (q - b[1])
    +                        + (q - b[1])^2)) }
    > pn(36, 12, 2, 0)
    [1] 0.0569295840032388 0.3404276029749407
    > pn(12, 2, 1, 4)
    [1] -0.1493673648152937  0.2504999690633087
    > pn(20, 12, 2, 16)
    [1] 0.0561564248417483 0.3292069954001405
    > pn(1, 9, 8, 1)
    [1] -0.3431418307120122  0.4316622913414070
    > pn(19, 0, 0, 0)
    [1] -0.168179224052616  0.168179224052616
    > pn(0, 7, 0, 4)
    [1] 0.253171713641513 0.848335289046324
    """
    interval = paired_newcombe_difference(pairs(*counts))
    assert_limits(interval, lower, upper)
    assert interval.value == pytest.approx((counts[1] - counts[2]) / sum(counts))
    assert interval.method == "Newcombe hybrid score, paired"


def reference_pairs(table: PairedCounts) -> tuple[float, float]:
    """The paired limits again, from statsmodels' Wilson limits and numpy's phi."""
    first = np.repeat([1, 1, 0, 0], cells_of(table))
    second = np.repeat([1, 0, 1, 0], cells_of(table))
    n, p, q = len(first), first.mean(), second.mean()
    l1, u1 = proportion_confint(first.sum(), n, method="wilson")
    l2, u2 = proportion_confint(second.sum(), n, method="wilson")
    phi = 0.0
    if 0 < p < 1 and 0 < q < 1:
        phi = np.corrcoef(first, second)[0, 1]
        if phi > 0:
            spread = n * math.sqrt(p * (1 - p) * q * (1 - q))
            phi = max(phi - 0.5 / spread, 0.0)
    left = (p - l1) ** 2 - 2 * phi * (p - l1) * (u2 - q) + (u2 - q) ** 2
    right = (u1 - p) ** 2 - 2 * phi * (u1 - p) * (q - l2) + (q - l2) ** 2
    return p - q - math.sqrt(max(left, 0)), p - q + math.sqrt(max(right, 0))


def cells_of(table: PairedCounts) -> list[int]:
    return [table.both, table.first_only, table.second_only, table.neither]


@given(paired_counts.filter(lambda table: table.total > 0))
def test_paired_difference_equals_a_second_implementation(table):
    lower, upper = reference_pairs(table)
    interval = paired_newcombe_difference(table)
    assert interval.lower == pytest.approx(max(lower, -1), abs=1e-7)
    assert interval.upper == pytest.approx(min(upper, 1), abs=1e-7)


@given(paired_counts.filter(lambda table: table.total > 0))
def test_paired_difference_changes_sign_when_members_swap(table):
    swapped = pairs(table.both, table.second_only, table.first_only, table.neither)
    one, other = paired_newcombe_difference(table), paired_newcombe_difference(swapped)
    assert one.lower == pytest.approx(-other.upper, abs=1e-12)
    assert one.upper == pytest.approx(-other.lower, abs=1e-12)


def test_paired_difference_covers_near_its_level():
    """Correlated members: 38 pairs, difference 0.2, phi about 0.4."""
    random = np.random.default_rng(77)
    tables = random.multinomial(38, [0.5, 0.24, 0.04, 0.22], size=3000)
    covered = sum(
        interval.lower <= 0.2 <= interval.upper
        for interval in (
            paired_newcombe_difference(pairs(*(int(cell) for cell in table)))
            for table in tables
        )
    )
    assert 0.935 < covered / 3000 < 0.99


def test_no_pairs_have_no_difference():
    interval = paired_newcombe_difference(pairs(0, 0, 0, 0))
    assert (interval.value, interval.lower, interval.upper) == (None, None, None)


def test_pairs_are_counted_from_rows():
    table = count_pairs(
        [True, True, False, True, False], [True, False, True, False, False]
    )
    assert table == pairs(1, 2, 1, 1)
    assert (table.total, table.first, table.second) == (5, 3, 2)
    assert table.to_json() == {
        "both": 1, "first_only": 2, "second_only": 1, "neither": 1
    }  # fmt: skip


@given(st.lists(st.tuples(st.booleans(), st.booleans())), st.randoms())
def test_the_order_of_pairs_does_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    assert count_pairs(*columns(rows)) == count_pairs(*columns(shuffled))


def columns(rows: list[tuple[bool, bool]]) -> tuple[list[bool], list[bool]]:
    return [first for first, _ in rows], [second for _, second in rows]


def test_pairs_of_unequal_length_are_refused():
    with pytest.raises(StatError, match="lengths differ: first 1, second 2"):
        count_pairs([True], [True, False])


def test_an_unknown_value_is_not_a_pair():
    with pytest.raises(StatError, match="second contains NaN"):
        count_pairs([True], [None])


def test_a_negative_cell_is_refused_by_name():
    with pytest.raises(StatError, match="second_only must be a whole number"):
        pairs(1, 1, -1, 1)
