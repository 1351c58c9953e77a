"""Which test is chosen for which variable, and what always comes with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.stats.attainable import unreachable
from outcomes.stats.choose import (
    EMPTY_GROUP,
    NO_PAIRED_TEST,
    compare,
    compare_differences,
    compare_groups,
    compare_pairs,
    compare_table,
)
from outcomes.stats.errors import StatError
from outcomes.stats.proportions import PairedCounts, newcombe_difference
from outcomes.stats.tables import fisher_exact, pearson

grades = st.lists(st.integers(1, 5), min_size=0, max_size=12)


def names(comparison) -> list[str]:
    return [effect.name for effect in comparison.effects]


# ---- categories -------------------------------------------------------------------


def test_sparse_counts_get_fisher_and_the_conditional_odds_ratio():
    table = [[2, 17], [6, 13]]
    found = compare_table(table)
    assert found.test == fisher_exact(table)
    assert found.reason == "Fisher exact: the smallest expected count is 4.0, below 5"
    assert names(found) == [
        "share of category 1: group 1 minus group 2", "odds ratio", "risk ratio",
    ]  # fmt: skip
    assert found.effects[0].interval == newcombe_difference(2, 19, 6, 19)
    assert "conditional" in found.effects[1].interval.method
    assert not found.paired


def test_enough_counts_get_pearson_and_the_sample_odds_ratio():
    table = [[3, 16], [12, 7]]
    found = compare_table(
        table, groups=("IMS", "EMS"), categories=("rough", "smooth"), level=0.9
    )
    assert found.test == pearson(table)
    assert found.reason == ("Pearson chi-squared: every expected count is at least 7.5")
    assert names(found)[0] == "share of rough: IMS minus EMS"
    assert "sample" in found.effects[1].interval.method
    assert {effect.interval.level for effect in found.effects} == {0.9}


def test_several_categories_show_the_difference_of_each():
    found = compare_table([[10, 5, 2], [1, 7, 11]], categories=("hypo", "iso", "hyper"))
    assert names(found) == [
        f"share of {name}: group 1 minus group 2" for name in ("hypo", "iso", "hyper")
    ]


def test_several_groups_are_set_against_the_first():
    found = compare_table([[10, 9], [12, 7], [5, 14]])
    assert names(found) == [
        "share of category 1: group 1 minus group 2",
        "share of category 1: group 1 minus group 3",
    ]


def test_complete_separation_is_named_and_has_no_nonsense():
    """19 of 19 against 0 of 19.

    > pchisq(38, 1, lower.tail = FALSE)
    [1] 7.0744630989707e-10
    """
    found = compare_table([[19, 0], [0, 19]])
    assert found.separation == "complete"
    difference, odds, risk = (effect.interval for effect in found.effects)
    assert (difference.value, difference.upper) == (1, 1)
    assert difference.lower == pytest.approx(0.762158660435407)
    assert (odds.value, risk.value) == (None, None)
    assert odds.lower == pytest.approx(44.1290059523833)
    assert found.test.p_value == pytest.approx(7.074463098970701e-10)


@pytest.mark.parametrize("table", [[[0, 19], [0, 19]], [[0, 0], [5, 14]]])
def test_without_a_contrast_there_is_a_reason_and_no_p_value(table):
    found = compare_table(table)
    assert (found.test.estimable, found.test.p_value) == (False, None)
    assert found.reason == "no test: nothing to compare"
    assert found.separation is None


def test_a_feature_of_pairs_gets_mcnemar():
    pairs = PairedCounts(both=5, first_only=9, second_only=2, neither=3)
    found = compare_pairs(pairs)
    assert found.test.name == "McNemar exact"
    assert found.paired
    assert names(found) == [
        "share of first minus share of second", "paired odds ratio",
    ]  # fmt: skip
    assert found.effects[0].interval.value == pytest.approx(7 / 19)


def test_wrong_names_are_refused():
    with pytest.raises(StatError, match="3 names for 2 of group"):
        compare_table([[1, 2], [3, 4]], groups=("a", "b", "c"))


# ---- ordered values ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "test", "effects", "reason"),
    [
        ("ordinal", "Mann-Whitney", ["A12"], "grades"),
        ("score", "Mann-Whitney", ["Hodges-Lehmann shift", "A12"], "scores"),
        ("continuous", "Welch t", ["difference of means"], "measurements"),
    ],
)
def test_two_groups_by_kind(kind, test, effects, reason):
    groups = [{1: 5, 2: 10, 4: 5}, {2: 15, 5: 5}]
    found = compare_groups(kind, groups, names=("IMS", "EMS"))
    assert found.test.name == test
    assert names(found) == [f"{effect}: IMS against EMS" for effect in effects]
    assert found.reason == f"{test}: {reason} of two independent groups"
    assert found.separation is None


def test_a_group_below_twenty_gets_ranks_for_welch():
    found = compare_groups("continuous", [{1: 5, 2: 14}, {2: 15, 5: 50}])
    assert found.test.name == "Mann-Whitney"
    assert found.test.method == "permutation of midranks: exact, all arrangements"
    assert names(found)[0].startswith("Hodges-Lehmann shift")
    assert found.reason == (
        "Mann-Whitney: measurements of two independent groups, one of them below 20"
    )


def test_no_arrangement_that_could_be_small_has_no_p():
    found = compare_groups("score", [[1, 2], [3, 4]])
    assert (found.test.p_value, found.test.reason) == (None, unreachable(1 / 3))
    assert found.test.smallest_p == pytest.approx(1 / 3)
    assert len(found.effects) == 2


def test_three_groups_get_kruskal_wallis():
    found = compare_groups("continuous", [[1, 2, 3], [2, 3, 4], [7, 8, 9]])
    assert found.test.name == "Kruskal-Wallis"
    assert found.reason == "Kruskal-Wallis: measurements of 3 independent groups"
    assert names(found) == [
        "Hodges-Lehmann shift: group 1 against group 2", "A12: group 1 against group 2",
        "Hodges-Lehmann shift: group 1 against group 3", "A12: group 1 against group 3",
    ]  # fmt: skip


def test_groups_fully_apart_are_named():
    assert compare_groups("score", [[1, 2], [3, 4]]).separation == "complete"
    assert compare_groups("score", [[3, 4], [1, 2]]).separation == "complete"


def test_welch_without_spread_still_shows_the_distance():
    found = compare_groups("continuous", [{1: 20}, {2: 20}])
    assert not found.test.estimable
    assert names(found)[0].startswith("Hodges-Lehmann shift")


@pytest.mark.parametrize("kind", ["ordinal", "score", "continuous"])
def test_an_empty_group_is_not_estimable(kind):
    found = compare_groups(kind, [[1, 2], []])
    assert (found.test.estimable, found.test.reason) == (False, EMPTY_GROUP)
    assert found.effects == ()


@pytest.mark.parametrize(
    ("kind", "test", "effects"),
    [
        (
            "ordinal",
            "sign test",
            ["share higher minus share lower", "odds of higher against lower"],
        ),
        ("score", "Wilcoxon signed-rank", ["second minus first"]),
        ("continuous", "Wilcoxon signed-rank", ["second minus first"]),
    ],
)
def test_pairs_by_kind(kind, test, effects):
    found = compare_differences(kind, {-1: 7, 0: 4})
    assert (found.test.name, found.paired) == (test, True)
    assert names(found) == effects
    assert found.test.p_value == pytest.approx(0.015625)


def test_the_sign_test_counts_the_unchanged():
    """Hara 2023: grades lower (better) in 7, unchanged in 4."""
    found = compare_differences("ordinal", {-1: 7, 0: 4})
    assert (found.test.forward, found.test.backward, found.test.unchanged) == (0, 7, 4)
    assert found.effects[0].interval.value == pytest.approx(-7 / 11)


def test_no_change_and_no_pairs_have_a_reason():
    assert compare_differences("ordinal", {0: 9}).test.reason == "no change"
    assert compare_differences("score", {0: 9}).test.reason == "no change"
    found = compare_differences("score", [])
    assert found.test.reason == "no pair has both values"
    assert found.effects == ()


@pytest.mark.parametrize("kind", ["binary", "interval"])
def test_another_kind_is_refused(kind):
    for attempt in (
        lambda: compare_groups(kind, [[1], [2]]),
        lambda: compare_differences(kind, [1]),
    ):
        with pytest.raises(StatError, match="is not ordinal, score or continuous"):
            attempt()


def test_one_group_is_no_comparison():
    with pytest.raises(StatError, match="at least two groups"):
        compare_groups("score", [[1, 2]])


# ---- one door for rows ------------------------------------------------------------


def test_rows_of_a_binary_feature():
    first, second = [True] * 2 + [False] * 17, [True] * 6 + [False] * 13
    found = compare("binary", first, second)
    assert found == compare_table([[2, 17], [6, 13]], categories=("yes", "no"))
    paired = compare("binary", first, second, paired=True)
    assert paired == compare_pairs(
        PairedCounts(both=2, first_only=0, second_only=4, neither=13)
    )


def test_rows_of_labels():
    found = compare("nominal", ["iso", "hypo", "iso"], ["hyper", "iso"])
    assert found.test.name == "Fisher exact 2x3"
    assert names(found) == [
        f"share of {name}: group 1 minus group 2" for name in ("hyper", "hypo", "iso")
    ]
    assert compare("nominal", [], ["iso"]).test.reason == EMPTY_GROUP
    assert compare("nominal", ["iso"], []).test.reason == EMPTY_GROUP
    paired = compare("nominal", ["iso"], ["hypo"], paired=True)
    assert paired.test.reason == NO_PAIRED_TEST


@pytest.mark.parametrize("kind", ["ordinal", "score", "continuous"])
def test_rows_of_numbers(kind):
    first, second = [3, 2, 4, 3], [2, 2, 2, 1]
    assert compare(kind, first, second) == compare_groups(kind, [first, second])
    assert compare(kind, first, second, paired=True) == compare_differences(
        kind, {-1: 1, 0: 1, -2: 2}
    )


def test_an_unknown_binary_value_is_refused():
    with pytest.raises(StatError, match="first contains NaN"):
        compare("binary", [True, None], [False])


@given(
    st.sampled_from(["ordinal", "score", "continuous"]), grades, grades, st.randoms()
)
def test_a_p_value_never_stands_alone(kind, first, second, random):
    found = compare(kind, first, second)
    assert found == compare(kind, random.sample(first, len(first)), second)
    assert (found.test.p_value is None) == (found.test.reason is not None)
    if found.test.p_value is not None:
        assert all(effect.interval.value is not None for effect in found.effects)
        assert found.effects
    assert found.to_json()["reason"]
