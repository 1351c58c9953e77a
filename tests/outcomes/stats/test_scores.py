"""Verdicts on two scores by the rule of each scale, and their summary."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.stats.errors import StatError
from outcomes.stats.scales import SCALES, scale_of
from outcomes.stats.scores import (
    NOT_ASSESSED,
    OTHER_VERSION,
    Change,
    Score,
    able_to_improve,
    assess_change,
    change,
    count_shifts,
    joa_total,
    summarise_changes,
)

VERDICTS = {"improved": 1, "unchanged": 0, "worse": -1}


def values_of(key: str) -> list[float]:
    scale = scale_of(key)
    step = scale.step or 0.1
    count = round((scale.highest - scale.lowest) / step)
    return [round(scale.lowest + index * step, 1) for index in range(count + 1)]


@pytest.mark.parametrize(
    ("scale", "before", "after", "verdict"),
    [
        ("modified_mccormick_5", 3, 2, "improved"),
        ("modified_mccormick_5", "III", "II", "improved"),
        ("modified_mccormick_5", 2, 2, "unchanged"),
        ("modified_mccormick_5", 1, 5, "worse"),
        ("mccormick_1990_4", 4, 3, "improved"),
        ("mccormick_1990_4", 1, 2, "worse"),
        ("mccormick_nagoya_5", 5, 4, "improved"),
        ("mccormick_nagoya_5", 4, 5, "worse"),
        ("nurick", 4, 3, "improved"),
        ("nurick", 0, 1, "worse"),
        ("ecog", 2, 1, "improved"),
        ("ecog", 1, 5, "worse"),
        ("ais", "C", "D", "improved"),
        ("ais", "D", "C", "worse"),
        ("frankel", "D", "E", "improved"),
        ("joa_cervical_1975", 10, 12, "unchanged"),
        ("joa_cervical_1975", 10, 13, "improved"),
        ("joa_cervical_1975", 10, 8, "unchanged"),
        ("joa_cervical_1975", 10, 7, "worse"),
        ("joa_cervical_1994_rev", 10, 12.5, "improved"),
        ("joa_cervical_1994_rev", 10.5, 12.5, "unchanged"),
        ("joa_cervical_1994_rev", 10, 7.5, "worse"),
        ("joa_cervical_1994_rev", -2, 0.5, "improved"),
        ("joa_thoracic", 4, 6, "unchanged"),
        ("joa_thoracic", 4, 7, "improved"),
        ("joa_thoracic", 4, 1, "worse"),
        ("joa_lumbar", -6, -3, "improved"),
        ("mjoa_benzel", 12, 14, "improved"),
        ("mjoa_benzel", 12, 13, "unchanged"),
        ("mjoa_benzel", 12, 10, "worse"),
        ("karnofsky", 70, 80, "improved"),
        ("kps", 70, 60, "worse"),
        ("kps", 70, 70, "unchanged"),
        ("nrs_pain", 7, 5, "improved"),
        ("nrs_pain", 3, 2, "improved"),  # 33 %
        ("nrs_pain", 4, 3, "unchanged"),  # 25 %
        ("nrs_pain", 10, 7, "improved"),  # exactly 30 %
        ("nrs_pain", 1, 0, "improved"),
        ("nrs_pain", 0, 0, "unchanged"),
        ("nrs_pain", 0, 1, "unchanged"),
        ("nrs_pain", 0, 2, "worse"),
        ("nrs_pain", 1, 2, "unchanged"),
        ("vas_pain", 60, 40, "improved"),
        ("vas_pain", 60, 79, "unchanged"),
        ("vas_pain", 60, 80, "worse"),
        ("ndi", 30, 22, "improved"),
        ("ndi", 30, 23, "unchanged"),
        ("ndi", 20, 28, "worse"),
        ("odi", 40, 27.2, "improved"),
        ("odi", 40, 27.4, "unchanged"),
    ],
)
def test_change_follows_the_rule_of_the_scale(scale, before, after, verdict):
    assert change(scale, before, after) == verdict


@pytest.mark.parametrize(("before", "after"), [(None, 2), (2, None), (None, None)])
def test_a_missing_score_has_no_verdict(before, after):
    assert change("nurick", before, after) is None


def test_a_wrong_score_is_refused_even_when_the_other_is_missing():
    with pytest.raises(StatError, match="9 is outside Nurick"):
        change("nurick", None, 9)


def test_any_movement_counts_where_the_rule_says_so():
    assert change("joa_cervical_1975", 10, 11, "any") == "improved"
    assert change("joa_cervical_1975", 10, 9, "any") == "worse"
    assert change("joa_cervical_1975", 10, 10, "any") == "unchanged"


@pytest.mark.parametrize("key", sorted(set(SCALES) - {"nrs_pain"}))
@given(random=st.randoms())
def test_swapping_the_visits_mirrors_the_verdict(key, random):
    """All scales but pain, whose percentage makes improving easier than worsening."""
    first, second = random.choice(values_of(key)), random.choice(values_of(key))
    forth, back = change(key, first, second), change(key, second, first)
    assert VERDICTS[forth] == -VERDICTS[back]


@pytest.mark.parametrize("key", sorted(SCALES))
@given(random=st.randoms())
def test_a_healthier_second_score_is_never_a_worse_verdict(key, random):
    values = values_of(key)
    before = random.choice(values)
    ordered = sorted(values, reverse=not scale_of(key).higher_is_better)
    low, high = sorted(random.sample(range(len(values)), 2))
    verdicts = [VERDICTS[change(key, before, ordered[place])] for place in (low, high)]
    assert verdicts[0] <= verdicts[1]


@pytest.mark.parametrize("key", sorted(SCALES))
def test_nobody_at_the_best_value_can_improve(key):
    assert not able_to_improve(key, scale_of(key).best)
    assert able_to_improve(key, scale_of(key).worst)


def test_near_the_ceiling_an_important_gain_is_out_of_reach():
    assert not able_to_improve("joa_cervical_1975", 15)
    assert able_to_improve("joa_cervical_1975", 14)
    assert able_to_improve("joa_cervical_1975", 15, rule="any")
    assert able_to_improve("nrs_pain", 1)


# ---- versions ---------------------------------------------------------------------


def test_an_assessed_change_says_its_gain_and_rule():
    found = assess_change(Score(scale="kps", value=60), Score(scale="kps", value=80))
    assert found == Change(
        verdict="improved",
        gain=20,
        method="improved from 10 points, worse from 10 points",
    )


def test_different_versions_are_never_compared():
    found = assess_change(
        Score(scale="modified_mccormick_5", value=3),
        Score(scale="mccormick_1990_4", value=2),
    )
    assert (found.verdict, found.gain, found.reason) == (None, None, OTHER_VERSION)


def test_a_short_code_is_the_same_version():
    found = assess_change(
        Score(scale="mod5", value="II"),
        Score(scale="modified_mccormick_5", value="III"),
    )
    assert (found.verdict, found.gain) == ("worse", -1)


def test_a_missing_value_gives_its_reason():
    found = assess_change(
        Score(scale="nurick", value=None), Score(scale="nurick", value=2), rule="any"
    )
    assert (found.verdict, found.reason) == (None, NOT_ASSESSED)
    assert found.method == "any movement"


# ---- summaries --------------------------------------------------------------------


def test_improvement_of_a_published_series():
    """Hara 2023, Neurospine 20:747: of 11 patients 7 improved, 4 unchanged.

    > binom.test(7, 11)$conf.int
    [1] 0.307904715011677 0.890736556180902
    > binom.test(0, 11)$conf.int
    [1] 0.000000000000000 0.284914152918154
    """
    found = summarise_changes("mod5", {("III", "II"): 7, ("II", "II"): 4})
    assert (found.improved, found.unchanged, found.worse) == (7, 4, 0)
    assert found.improved_share.lower == pytest.approx(0.307904715011677, abs=1e-12)
    assert found.improved_share.upper == pytest.approx(0.890736556180902, abs=1e-12)
    assert found.worse_share.upper == pytest.approx(0.284914152918154, abs=1e-12)


def test_improved_is_said_of_all_and_of_those_able_to():
    shifts = {("I", "I"): 3, ("III", "II"): 6, ("V", "V"): 1, ("II", None): 2}
    found = summarise_changes("mod5", shifts)
    assert (found.assessed, found.excluded) == (10, 2)
    assert (found.at_best, found.at_worst, found.able_to_improve) == (3, 1, 7)
    assert found.improved_share.value == 0.6
    assert found.improved_share_of_able.value == 6 / 7
    assert found.method == "improved from 1 point, worse from 1 point"
    assert found.to_json()["improved_share"]["method"] == "Clopper-Pearson"


def test_no_assessed_pair_gives_no_share():
    found = summarise_changes("mod5", {(None, "I"): 4}, rule="any")
    assert (found.assessed, found.excluded) == (0, 4)
    assert found.improved_share.value is None
    assert found.method == "any movement"


def test_a_count_below_zero_is_refused_by_name():
    with pytest.raises(StatError, match="count of 1 to 2 must be a whole number"):
        summarise_changes("mod5", {(1, 2): -1})


score_pairs = st.lists(
    st.tuples(*[st.one_of(st.none(), st.integers(0, 17))] * 2), max_size=40
)


@given(score_pairs, st.randoms())
def test_counts_equal_rows_in_any_order(rows, random):
    shuffled = random.sample(rows, len(rows))
    counted = [
        count_shifts([before for before, _ in order], [after for _, after in order])
        for order in (rows, shuffled)
    ]
    found = [summarise_changes("joa_cervical_1975", shifts) for shifts in counted]
    assert found[0] == found[1]
    verdicts = Counter(change("joa_cervical_1975", *row) for row in rows)
    assert (found[0].improved, found[0].unchanged, found[0].worse) == (
        verdicts["improved"], verdicts["unchanged"], verdicts["worse"],
    )  # fmt: skip
    assert found[0].improved <= found[0].able_to_improve <= found[0].assessed


def test_rows_of_unequal_length_are_refused():
    with pytest.raises(StatError, match="lengths differ: before 1, after 2"):
        count_shifts([1], [1, 2])


# ---- the total of the items -------------------------------------------------------

NORMAL_1975 = {
    "ue_motor": 4, "le_motor": 4, "ue_sens": 2, "le_sens": 2, "trunk_sens": 2,
    "bladder": 3,
}  # fmt: skip


def test_the_total_is_the_sum_of_the_items():
    assert joa_total("joa_cervical_1975", NORMAL_1975) == 17
    thoracic = {"le_motor": 4, "le_sens": 2, "trunk_sens": 2, "bladder": 3}
    assert joa_total("thoracic11", thoracic) == 11


def test_the_revised_form_has_a_shoulder_and_half_points():
    items = NORMAL_1975 | {"shoulder": -0.5, "le_motor": 2.5, "ue_sens": 1.5}
    assert joa_total("joa_cervical_1994_rev", items) == 14.5


@pytest.mark.parametrize("items", [{}, NORMAL_1975 | {"bladder": None}])
def test_a_blank_item_leaves_the_total_blank(items):
    assert joa_total("joa_cervical_1975", items) is None


@pytest.mark.parametrize(
    ("scale", "items", "message"),
    [
        ("joa_thoracic", {"ue_motor": 4}, "'ue_motor' is not an item"),
        ("joa_cervical_1975", {"le_motor": 2.5}, "le_motor cannot be 2.5"),
        ("joa_cervical_1994_rev", {"le_motor": 3.5}, "le_motor cannot be 3.5"),
        ("joa_cervical_1994_rev", {"shoulder": -1.5}, "shoulder cannot be -1.5"),
        ("mjoa_benzel", {}, "the items of 'mjoa_benzel' are not known"),
    ],
)
def test_items_a_form_does_not_have_are_refused(scale, items, message):
    with pytest.raises(StatError, match=message):
        joa_total(scale, items)
