"""The JOA recovery rate: published cases, edges and summary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.stats.errors import StatError
from outcomes.stats.scores import (
    AT_CEILING,
    NOT_ASSESSED,
    OTHER_VERSION,
    joa_recovery_rate,
    summarise_recovery_rates,
)


@pytest.mark.parametrize(
    ("before", "after", "percent", "category"),
    [
        (2, 6, 44.4, "fair"),
        (5, 10, 83.3, "excellent"),
        (2, 8, 66.7, "good"),
        (4, 8, 57.1, "good"),  # printed as 43 % in its source
    ],
)
def test_published_thoracic_cases(before, after, percent, category):
    rate = joa_recovery_rate("joa_thoracic", before, after)
    assert round(rate.percent, 1) == percent
    assert (rate.category, rate.maximum, rate.reason) == (category, 11, None)


@pytest.mark.parametrize(
    ("scale", "before", "after", "percent"),
    [
        ("joa_cervical_1975", 16, 4, -1200),
        ("joa_cervical_1975", 10, 10, 0),
        ("joa_cervical_1975", 10, 17, 100),
        ("joa_cervical_1994_rev", 10.5, 13.75 - 0.25, 100 * 3 / 6.5),
        ("joa_cervical_1994_rev", -2, 17, 100),
        ("mjoa_benzel", 12, 15, 50),
        ("lumbar29", 9, 19, 50),
    ],
)
def test_the_rate_is_unrounded_and_unbounded_below(scale, before, after, percent):
    assert joa_recovery_rate(scale, before, after).percent == pytest.approx(percent)


@pytest.mark.parametrize(
    ("after", "category"),
    [(17, "excellent"), (16, "excellent"), (15, "good"), (14, "fair"), (13, "poor"),
     (12, "worse")],
)  # fmt: skip
def test_classes_start_at_their_lower_bound(after, category):
    """From 13 of 17: each point is 25 %."""
    assert joa_recovery_rate("joa_cervical_1975", 13, after).category == category


def test_the_classes_can_be_set():
    rate = joa_recovery_rate(
        "joa_thoracic", 4, 5, classes=[("recovered", 25.0), ("unchanged", 0.0)]
    )
    assert rate.category == "unchanged"


@pytest.mark.parametrize("after", [17, 12])
def test_at_ceiling_the_rate_is_undefined(after):
    rate = joa_recovery_rate("joa_cervical_1975", 17, after)
    assert (rate.percent, rate.category, rate.reason) == (None, None, AT_CEILING)


@pytest.mark.parametrize(("before", "after"), [(None, 12), (12, None), (None, None)])
def test_a_missing_score_leaves_the_rate_undefined(before, after):
    rate = joa_recovery_rate("joa_cervical_1975", before, after)
    assert (rate.percent, rate.reason) == (None, NOT_ASSESSED)


@pytest.mark.parametrize("before", [10, 17, None])
def test_different_forms_have_no_rate(before):
    rate = joa_recovery_rate(
        "joa_cervical_1975", before, 12, scale_after="joa_cervical_1994_rev"
    )
    assert (rate.percent, rate.reason) == (None, OTHER_VERSION)


def test_the_same_form_may_be_named_twice():
    rate = joa_recovery_rate("thoracic11", 4, 8, scale_after="joa_thoracic")
    assert rate.percent == pytest.approx(400 / 7)


@pytest.mark.parametrize(
    ("scale", "before", "after", "message"),
    [
        ("joa_thoracic", 4, 12, "12 is outside JOA thoracic"),
        ("joa_thoracic", 4.5, 6, "4.5 is not a step"),
        ("nurick", 4, 2, "'nurick' has no recovery rate"),
    ],
)
def test_more_than_the_maximum_is_an_error_and_not_a_rate(
    scale, before, after, message
):
    with pytest.raises(StatError, match=message):
        joa_recovery_rate(scale, before, after)


@given(st.integers(0, 16), st.integers(0, 17))
def test_the_rate_never_exceeds_100_and_has_the_sign_of_the_gain(before, after):
    percent = joa_recovery_rate("joa_cervical_1975", before, after).percent
    assert percent <= 100
    assert (percent > 0) == (after > before)
    assert (percent < 0) == (after < before)


@given(st.integers(0, 16), st.integers(0, 16))
def test_the_rate_rises_with_the_second_score(before, after):
    lower = joa_recovery_rate("joa_cervical_1975", before, after).percent
    higher = joa_recovery_rate("joa_cervical_1975", before, after + 1).percent
    assert lower < higher


def test_a_summary_counts_what_it_leaves_out():
    """Type 7 quartiles as R's default.

    > quantile(100 * c(4/9, 5/6, 6/9, 4/7, -12), c(0.25, 0.5, 0.75), type = 7)
          25%       50%       75%
     44.44444  57.14286  66.66667
    """
    rates = [
        joa_recovery_rate("joa_thoracic", *pair)
        for pair in [(2, 6), (5, 10), (2, 8), (4, 8), (11, 11), (3, None)]
    ]
    rates.append(joa_recovery_rate("joa_cervical_1975", 16, 4))
    rates.append(
        joa_recovery_rate("joa_cervical_1975", 9, 9, scale_after="joa_thoracic")
    )
    summary = summarise_recovery_rates(rates)
    assert summary.defined == 5
    assert summary.at_ceiling == 1
    assert summary.not_assessed == 1
    assert summary.different_forms == 1
    assert summary.quartile_1 == pytest.approx(400 / 9)
    assert summary.median == pytest.approx(400 / 7)
    assert summary.quartile_3 == pytest.approx(600 / 9)
    assert summary.categories == {"fair": 1, "excellent": 1, "good": 2, "worse": 1}


def test_a_summary_of_nothing_has_no_median():
    summary = summarise_recovery_rates([])
    assert (summary.defined, summary.median, summary.quartile_1) == (0, None, None)
