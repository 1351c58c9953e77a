"""One proportion against R 4.2.2, statsmodels and its properties."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from outcomes.stats.errors import StatError
from outcomes.stats.proportions import clopper_pearson, wilson
from outcomes.stats.result import Interval

LEVELS = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@st.composite
def events_of_total(draw: st.DrawFn) -> tuple[int, int]:
    total = draw(st.integers(1, 400))
    return draw(st.integers(0, total)), total


def assert_limits(interval: Interval, lower: float, upper: float) -> None:
    assert interval.lower == pytest.approx(lower, rel=1e-10, abs=1e-14)
    assert interval.upper == pytest.approx(upper, rel=1e-10, abs=1e-14)


@pytest.mark.parametrize(
    ("events", "total", "level", "lower", "upper"),
    [
        (9, 11, 0.95, 0.523019438039156, 0.948632310253915),
        (19, 19, 0.95, 0.831820775947384, 1.0),
        (0, 19, 0.95, 0.0, 0.168179224052616),
        (7, 11, 0.95, 0.353801174507849, 0.848335289046324),
        (7, 11, 0.9, 0.394026261069953, 0.824863271479270),
        (1, 1_000_000, 0.95, 1.76524576745372e-07, 5.66491180431144e-06),
    ],
)
def test_wilson_equals_r(
    events: int, total: int, level: float, lower: float, upper: float
) -> None:
    """prop.test(x, n, correct = FALSE, conf.level = level)$conf.int

    > prop.test(9, 11, correct = FALSE)$conf.int
    [1] 0.523019438039156 0.948632310253915
    > prop.test(19, 19, correct = FALSE)$conf.int
    [1] 0.831820775947384 1.000000000000000
    > prop.test(0, 19, correct = FALSE)$conf.int
    [1] 0.000000000000000 0.168179224052616
    > prop.test(7, 11, correct = FALSE)$conf.int
    [1] 0.353801174507849 0.848335289046324
    > prop.test(7, 11, correct = FALSE, conf.level = 0.9)$conf.int
    [1] 0.394026261069953 0.824863271479270
    > prop.test(1, 1e6, correct = FALSE)$conf.int
    [1] 1.76524576745372e-07 5.66491180431144e-06
    """
    interval = wilson(events, total, level)
    assert interval.value == events / total
    assert_limits(interval, lower, upper)
    assert (interval.method, interval.level) == ("Wilson score", level)


@pytest.mark.parametrize(
    ("events", "total", "level", "lower", "upper"),
    [
        (9, 11, 0.95, 0.482244147639827, 0.977168801700040),
        (19, 19, 0.95, 0.823533088193035, 1.0),
        (0, 19, 0.95, 0.0, 0.176466911806965),
        (7, 11, 0.99, 0.233201953299539, 0.931160670267516),
        (1, 1_000_000, 0.95, 2.53178076637942e-08, 5.57163065517224e-06),
    ],
)
def test_clopper_pearson_equals_r(
    events: int, total: int, level: float, lower: float, upper: float
) -> None:
    """binom.test(x, n, conf.level = level)$conf.int

    > binom.test(9, 11)$conf.int
    [1] 0.482244147639827 0.977168801700040
    > binom.test(19, 19)$conf.int
    [1] 0.823533088193035 1.000000000000000
    > binom.test(0, 19)$conf.int
    [1] 0.000000000000000 0.176466911806965
    > binom.test(7, 11, conf.level = 0.99)$conf.int
    [1] 0.233201953299539 0.931160670267516
    > binom.test(1, 1e6)$conf.int
    [1] 2.53178076637942e-08 5.57163065517224e-06
    """
    interval = clopper_pearson(events, total, level)
    assert interval.value == events / total
    assert_limits(interval, lower, upper)
    assert (interval.method, interval.level) == ("Clopper-Pearson", level)


@given(events_of_total(), LEVELS)
def test_one_proportion_equals_statsmodels(counts: tuple[int, int], level: float):
    for estimator, method in ((wilson, "wilson"), (clopper_pearson, "beta")):
        lower, upper = proportion_confint(*counts, alpha=1 - level, method=method)
        interval = estimator(*counts, level)
        assert interval.lower == pytest.approx(lower, abs=1e-9)
        assert interval.upper == pytest.approx(upper, abs=1e-9)


@pytest.mark.parametrize("estimator", [wilson, clopper_pearson])
def test_no_observations_give_no_numbers(estimator):
    interval = estimator(0, 0)
    assert (interval.value, interval.lower, interval.upper) == (None, None, None)


@pytest.mark.parametrize("estimator", [wilson, clopper_pearson])
def test_no_event_gives_an_upper_limit_and_never_certainty(estimator):
    interval = estimator(0, 19)
    assert interval.lower == 0.0
    assert 0.16 < interval.upper < 0.18


@pytest.mark.parametrize("estimator", [wilson, clopper_pearson])
@given(counts=events_of_total(), level=LEVELS)
def test_one_proportion_mirrors_when_the_feature_is_negated(estimator, counts, level):
    events, total = counts
    has, has_not = (
        estimator(events, total, level),
        estimator(total - events, total, level),
    )
    assert has.lower == pytest.approx(1 - has_not.upper, abs=1e-12)
    assert has.upper == pytest.approx(1 - has_not.lower, abs=1e-12)


@pytest.mark.parametrize("estimator", [wilson, clopper_pearson])
@given(counts=events_of_total())
def test_one_proportion_widens_with_the_level_and_holds_the_value(estimator, counts):
    narrow, wide = estimator(*counts, 0.8), estimator(*counts, 0.99)
    assert 0 <= wide.lower <= narrow.lower <= narrow.value
    assert narrow.value <= narrow.upper <= wide.upper <= 1


@pytest.mark.parametrize("estimator", [wilson, clopper_pearson])
@given(st.integers(1, 300))
def test_limits_rise_with_the_events(estimator, total):
    intervals = [estimator(events, total) for events in range(total + 1)]
    for before, after in itertools.pairwise(intervals):
        assert before.lower < after.lower
        assert before.upper < after.upper


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("total", [19, 60, 250])
def test_exact_coverage_of_one_proportion(total: int, share: float):
    """Coverage summed over the binomial distribution, without simulation.

    Clopper-Pearson never falls below its level; Wilson's average lies near it and
    its worst value stays above 0.83, as Brown, Cai and DasGupta 2001 describe.
    """
    weights = stats.binom.pmf(range(total + 1), total, share)

    def coverage(estimator) -> float:
        intervals = [estimator(events, total) for events in range(total + 1)]
        return sum(
            weight
            for weight, limits in zip(weights, intervals, strict=True)
            if limits.lower <= share <= limits.upper
        )

    assert coverage(clopper_pearson) >= 0.95 - 1e-12
    assert 0.89 < coverage(wilson) < 0.995


@pytest.mark.parametrize("estimator", [wilson, clopper_pearson])
@pytest.mark.parametrize(
    ("events", "total", "level", "message"),
    [
        (5, 4, 0.95, "events (5) exceed total (4)"),
        (-1, 4, 0.95, "events must be a whole number"),
        (1.5, 4, 0.95, "events must be a whole number"),
        (float("nan"), 4, 0.95, "events must be a whole number"),
        (1, float("inf"), 0.95, "total must be a whole number"),
        ("1", 4, 0.95, "events must be a whole number"),
        (None, 4, 0.95, "events must be a whole number"),
        (True, 4, 0.95, "events must be a whole number"),
        (1, 4, 1.0, "level must lie between 0 and 1"),
        (1, 4, 0, "level must lie between 0 and 1"),
    ],
)
def test_impossible_counts_are_refused_by_name(
    estimator, events, total, level, message
):
    with pytest.raises(StatError) as error:
        estimator(events, total, level)
    assert message in str(error.value)
