"""Diagnostic accuracy and AUC against R, and against counting pairs."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import norm

from outcomes.stats.discrimination import auc, diagnostic_accuracy, roc_curve
from outcomes.stats.errors import StatError

FIXTURES = Path(__file__).parent / "fixtures"
OUTCOME = [1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
SCORE = [3.0, 5, 5, 6, 9, 1, 2, 3, 4, 5, 1]


def haemorrhage(column: str) -> tuple[list[int], list[float]]:
    with (FIXTURES / "asah.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [int(row["outcome"] == "Poor") for row in rows], [
        float(row[column]) for row in rows
    ]


def test_accuracy_against_r() -> None:
    """Proportions by prop.test(correct=FALSE), likelihood ratios by Simel's formula.

    > tp <- 31; fp <- 12; fn <- 9; tn <- 68
    > for (x in list(c(tp,tp+fn), c(tn,tn+fp), c(tp,tp+fp), c(tn,tn+fn)))
    +   print(prop.test(x[1], x[2], correct=FALSE)$conf.int)
    0.624969032577 0.876839086765
    0.755867714387 0.912059594938
    0.573089713181 0.832533862138
    0.792549164321 0.937274379944
    > lr <- (tp/(tp+fn))/(fp/(fp+tn)); se <- sqrt(1/tp-1/(tp+fn)+1/fp-1/(fp+tn))
    > c(lr, lr*exp(c(-1,1)*qnorm(.975)*se))
    5.16666666667 2.98774514931 8.93464573129
    > lr <- (fn/(tp+fn))/(tn/(fp+tn)); se <- sqrt(1/fn-1/(tp+fn)+1/tn-1/(fp+tn))
    > c(lr, lr*exp(c(-1,1)*qnorm(.975)*se))
    0.264705882353 0.147843429022 0.473941957485
    """
    found = diagnostic_accuracy(
        true_positive=31, false_positive=12, false_negative=9, true_negative=68
    )
    expected = {
        "sensitivity": (0.775, 0.624969032577, 0.876839086765),
        "specificity": (0.85, 0.755867714387, 0.912059594938),
        "positive_predictive_value": (31 / 43, 0.573089713181, 0.832533862138),
        "negative_predictive_value": (68 / 77, 0.792549164321, 0.937274379944),
        "positive_likelihood_ratio": (5.16666666667, 2.98774514931, 8.93464573129),
        "negative_likelihood_ratio": (0.264705882353, 0.147843429022, 0.473941957485),
    }
    for name, numbers in expected.items():
        interval = getattr(found, name)
        got = (interval.value, interval.lower, interval.upper)
        assert got == pytest.approx(numbers, abs=1e-9), name
    assert found.prevalence.value == 40 / 120
    assert found.youden_index == pytest.approx(0.625)


def test_accuracy_clopper_pearson_against_r() -> None:
    """> binom.test(31, 40)$conf.int
    0.615488322697 0.891603361016
    """
    found = diagnostic_accuracy(
        true_positive=31,
        false_positive=12,
        false_negative=9,
        true_negative=68,
        method="clopper-pearson",
    )
    assert found.sensitivity.lower == pytest.approx(0.615488322697, abs=1e-9)
    assert found.sensitivity.upper == pytest.approx(0.891603361016, abs=1e-9)


def test_accuracy_perfect_test_nineteen_of_nineteen() -> None:
    found = diagnostic_accuracy(
        true_positive=19, false_positive=0, false_negative=0, true_negative=19
    )
    assert found.sensitivity.value == 1
    assert found.sensitivity.lower == pytest.approx(0.832, abs=5e-4)  # 83.2 to 100
    assert found.sensitivity.upper == 1
    positive, negative = (
        found.positive_likelihood_ratio,
        found.negative_likelihood_ratio,
    )
    assert positive.value is None
    assert positive.upper is None
    assert positive.lower is not None and positive.lower > 1
    assert negative.value == 0
    assert negative.lower == 0
    assert negative.upper == pytest.approx(1 / positive.lower)
    assert "0.5 added" in positive.method


def test_accuracy_without_cases_of_a_kind_has_no_value() -> None:
    found = diagnostic_accuracy(
        true_positive=0, false_positive=2, false_negative=0, true_negative=5
    )
    assert found.sensitivity.value is None
    assert found.sensitivity.lower is None
    assert found.positive_likelihood_ratio.value is None
    assert found.youden_index is None
    nobody_positive = diagnostic_accuracy(
        true_positive=0, false_positive=0, false_negative=4, true_negative=5
    )
    assert nobody_positive.positive_likelihood_ratio.method == "not estimable"
    assert nobody_positive.positive_predictive_value.value is None


def test_accuracy_refuses_negative_counts() -> None:
    with pytest.raises(StatError, match="false_negative"):
        diagnostic_accuracy(
            true_positive=1, false_positive=1, false_negative=-1, true_negative=1
        )


def test_roc_against_r() -> None:
    """pROC names the thresholds between the scores; ours are the scores.

    > library(pROC)
    > y <- c(1,1,1,1,1,0,0,0,0,0,0); x <- c(3,5,5,6,9,1,2,3,4,5,1)
    > r <- roc(y, x, levels=c(0,1), direction="<")
    > cbind(r$sensitivities, r$specificities)
    1.0 0, 1.0 .3333333, 1.0 .5, 0.8 .6666667, 0.8 .8333333, 0.4 1, 0.2 1, 0.0 1
    """
    points = roc_curve(OUTCOME, SCORE)
    assert [point.sensitivity for point in points[::-1]] == [
        1, 1, 1, 0.8, 0.8, 0.4, 0.2, 0
    ]  # fmt: skip
    assert [point.specificity for point in points[::-1]] == pytest.approx(
        [0, 1 / 3, 1 / 2, 2 / 3, 5 / 6, 1, 1, 1]
    )
    assert [point.threshold for point in points] == [None, 9, 6, 5, 4, 3, 2, 1]


def test_auc_with_ties_against_r() -> None:
    """> as.numeric(ci.auc(r)); sqrt(var(r))
    0.684902103653843 0.883333333333333 1.000000000000000
    0.101242283656583
    """
    found = auc(OUTCOME, SCORE, interval="wald")
    assert found.auc.value == pytest.approx(0.883333333333333, abs=1e-12)
    assert found.auc.lower == pytest.approx(0.684902103653843, abs=1e-12)
    assert found.auc.upper == 1
    assert found.standard_error == pytest.approx(0.101242283656583, abs=1e-12)
    assert found.auc.method == "DeLong"


def test_auc_limits_on_the_logit_scale_against_r() -> None:
    """> a <- 0.883333333333333; se <- 0.101242283656583  # auc(r), sqrt(var(r)) of pROC
    > plogis(qlogis(a) + c(-1, 1) * qnorm(.975) * se / (a * (1 - a)))
    [1] 0.524705745428152 0.981106443188763
    """
    found = auc(OUTCOME, SCORE).auc
    limits = (0.524705745428152, 0.981106443188763)
    assert (found.lower, found.upper) == pytest.approx(limits, abs=1e-12)
    assert found.method == "DeLong, logit scale"
    with pytest.raises(StatError, match="interval must be logit or wald, not 'log'"):
        auc(OUTCOME, SCORE, interval="log")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("column", "limits"),
    [
        ("s100b", (0.630118211762, 0.731368563686, 0.832618915610)),
        ("ndka", (0.501244999272, 0.611957994580, 0.722670989888)),
    ],
)
def test_auc_on_public_patients_against_r(
    column: str, limits: tuple[float, float, float]
) -> None:
    """> library(pROC); data(aSAH)
    > as.numeric(ci.auc(roc(aSAH$outcome, aSAH$s100b, levels=c("Good","Poor"), direction="<")))
    0.630118211762 0.731368563686 0.832618915610
    > as.numeric(ci.auc(roc(aSAH$outcome, aSAH$ndka, levels=c("Good","Poor"), direction="<")))
    0.501244999272 0.611957994580 0.722670989888
    """
    found = auc(*haemorrhage(column), interval="wald").auc
    assert (found.lower, found.value, found.upper) == pytest.approx(limits, abs=1e-11)


def test_auc_of_separated_groups_is_not_one_to_one() -> None:
    """19 against 19 without overlap: DeLong would say 1.00 to 1.00."""
    found = auc([1] * 19 + [0] * 19, [*range(50, 69), *range(19)])
    assert found.auc.value == 1
    assert found.auc.upper == 1
    assert found.auc.lower is not None and 0.8 < found.auc.lower < 0.95
    assert found.standard_error is None
    assert "variance is zero" in str(found.reason)
    mirrored = auc([0] * 19 + [1] * 19, [*range(50, 69), *range(19)])
    assert mirrored.auc.value == 0
    assert mirrored.auc.lower == 0
    assert mirrored.auc.upper == pytest.approx(1 - found.auc.lower, abs=1e-9)


def test_auc_newcombe_limits_satisfy_their_equation() -> None:
    """At the limit the Hanley-McNeil error with balanced sizes, times z, is 1 - A."""
    m, n, z = 7, 12, 1.959963984540054
    area = auc([1] * m + [0] * n, [1.0] * m + [0.0] * n).auc.lower
    assert area is not None
    size = (m + n) / 2
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (size - 1) * (q1 - area**2 + q2 - area**2)
    assert 1 - area == pytest.approx(z * math.sqrt(variance / (m * n)), abs=1e-9)


def test_auc_of_one_event_has_newcombe_limits() -> None:
    found = auc([1, 0, 0, 0], [2, 1, 2, 3])
    assert found.auc.value == 0.5
    assert found.auc.method == "Newcombe method 5"


def test_auc_of_constant_score_is_one_half_with_limits() -> None:
    found = auc([1, 1, 0, 0], [3, 3, 3, 3])
    assert found.auc.value == 0.5
    assert found.auc.lower is not None and found.auc.lower < 0.2


@pytest.mark.parametrize(
    ("outcome", "score"),
    [
        ([1, 1], [1, 2]),
        ([1, 2], [1, 2]),
        ([], []),
        ([1, 0], [1]),
        ([1, 0], [1, math.inf]),
    ],
)
def test_auc_refuses_malformed_input(outcome: list[int], score: list[float]) -> None:
    with pytest.raises(StatError):
        auc(outcome, score)


cases = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 8)), min_size=4, max_size=30
).filter(lambda rows: 1 < sum(event for event, _ in rows) < len(rows) - 1)


@given(cases, st.randoms(use_true_random=False))
def test_auc_by_counting_pairs(rows: list[tuple[int, int]], random) -> None:
    outcome, score = zip(*rows, strict=True)
    found = auc(outcome, score)
    kernel = np.array(
        [[(x > y) + (x == y) / 2 for o, y in rows if o == 0] for e, x in rows if e == 1]
    )
    assert found.auc.value == pytest.approx(kernel.mean())
    if found.standard_error is not None:
        m, n = kernel.shape
        variance = kernel.mean(1).var(ddof=1) / m + kernel.mean(0).var(ddof=1) / n
        assert found.standard_error == pytest.approx(math.sqrt(variance))
    shuffled = list(rows)
    random.shuffle(shuffled)
    again = auc(*zip(*shuffled, strict=True))
    assert again.auc.value == pytest.approx(found.auc.value, abs=1e-12)
    swapped = auc([1 - event for event in outcome], score)
    assert swapped.auc.value == pytest.approx(1 - found.auc.value, abs=1e-12)
    points = roc_curve(outcome, score)
    trapezoids = np.trapezoid(
        [point.sensitivity for point in points],
        [1 - point.specificity for point in points],
    )
    assert found.auc.value == pytest.approx(trapezoids)


def test_auc_interval_covers_near_its_level() -> None:
    """400 samples of 100 and 150 with a true area of 0.76; nominal 95 %."""
    draw = np.random.default_rng(20240501)
    outcome = [1] * 100 + [0] * 150
    covered = 0
    for _ in range(400):
        score = np.concatenate([draw.normal(1, 1, 100), draw.normal(0, 1, 150)])
        interval = auc(outcome, score.tolist()).auc
        covered += interval.lower < norm.cdf(math.sqrt(0.5)) < interval.upper
    assert covered / 400 == pytest.approx(0.95, abs=0.031)


def test_auc_interval_of_nineteen_against_nineteen_near_one_covers() -> None:
    """True area 0.96; the symmetric limits cover 84 % of these samples."""
    draw = np.random.default_rng(19)
    outcome, shift = [1] * 19 + [0] * 19, norm.ppf(0.96) * math.sqrt(2)
    covered = {"logit": 0, "wald": 0}
    for _ in range(400):
        score = np.concatenate([draw.normal(shift, 1, 19), draw.normal(0, 1, 19)])
        for kind in covered:
            found = auc(outcome, score, interval=kind).auc  # type: ignore[arg-type]
            covered[kind] += found.lower <= 0.96 <= found.upper
    assert covered["logit"] / 400 > 0.94
    assert covered["wald"] / 400 < 0.88


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=4))
def test_auc_variance_is_zero_by_the_order_of_scores_not_by_rounding(rows) -> None:
    """Placements in whole numbers: all alike within both groups, or not."""
    events = [score for event, score in rows if event]
    others = [score for event, score in rows if not event]
    assume(min(len(events), len(others)) > 1)
    alike = all(
        len({sum((x > y) - (x < y) for y in other) for x in one}) == 1
        for one, other in ((events, others), (others, events))
    )
    tenths = [score / 10 + 0.7 for _, score in rows]
    found = auc([event for event, _ in rows], tenths)
    assert (found.standard_error is None) == alike


def test_roc_of_many_scores_needs_no_table_of_all_pairs() -> None:
    """200,000 distinct scores; the quadratic form would compare 40 thousand million."""
    draw = np.random.default_rng(2)
    outcome, score = draw.integers(0, 2, 200_000), draw.permutation(200_000)
    points = roc_curve(outcome, score)
    assert len(points) == 200_001
    assert (points[-1].sensitivity, points[-1].specificity) == (1, 0)


def test_a_test_positive_in_everyone_has_no_ratio_of_exactly_one() -> None:
    """The log formula has error 0 here and would claim 1 to 1."""
    found = diagnostic_accuracy(
        true_positive=19, false_positive=19, false_negative=0, true_negative=0
    )
    ratio = found.positive_likelihood_ratio
    assert ratio.value == 1
    assert ratio.lower < 1 < ratio.upper
    assert "0.5 added" in ratio.method
    assert found.negative_likelihood_ratio.value is None


def test_accuracy_refuses_an_unknown_interval() -> None:
    with pytest.raises(StatError, match="wilson or clopper-pearson, not 'wald'"):
        diagnostic_accuracy(
            true_positive=1, false_positive=1, false_negative=1, true_negative=1,
            method="wald",
        )  # fmt: skip


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 3))))
def test_weights_of_scores_are_repetition(rows) -> None:
    repeated = [(event, score) for event, score, n in rows for _ in range(n)]
    assume(len({event for event, _ in repeated}) == 2)
    outcome, score, weights = zip(*rows, strict=True)
    again = tuple(zip(*repeated, strict=True))
    assert auc(outcome, score, weights) == auc(*again)
    assert roc_curve(outcome, score, weights) == roc_curve(*again)
