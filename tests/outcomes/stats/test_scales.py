"""Ranges, directions and labels of the scored scales."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.stats.errors import StatError
from outcomes.stats.scales import SCALES, SHORT_CODES, scale_of

# key: lowest, highest, step, best, improved from, minimal important difference
CODEBOOK = {
    "modified_mccormick_5": (1, 5, 1, 1, 1, 1),
    "mccormick_1990_4": (1, 4, 1, 1, 1, 1),
    "mccormick_nagoya_5": (1, 5, 1, 1, 1, 1),
    "nurick": (0, 5, 1, 0, 1, 1),
    "ecog": (0, 5, 1, 0, 1, 1),
    "frankel": (1, 5, 1, 5, 1, 1),
    "ais": (1, 5, 1, 5, 1, 1),
    "joa_cervical_1975": (0, 17, 1, 17, 2.5, 2.5),
    "joa_cervical_1994_rev": (-2, 17, 0.5, 17, 2.5, 2.5),
    "joa_thoracic": (0, 11, 1, 11, 2.5, None),
    "joa_lumbar": (-6, 29, 1, 29, 2.5, None),
    "mjoa_benzel": (0, 18, 1, 18, 2, 2),
    "karnofsky": (0, 100, 10, 100, 10, 10),
    "nrs_pain": (0, 10, 1, 0, 2, 2),
    "vas_pain": (0, 100, 1, 0, 20, 20),
    "ndi": (0, 50, 1, 0, 7.5, 7.5),
    "odi": (0, 100, None, 0, 12.8, 12.8),
}


def test_every_scale_follows_the_codebook():
    found = {
        key: (
            scale.lowest,
            scale.highest,
            scale.step,
            scale.best,
            scale.improved_from,
            scale.minimal_important_difference,
        )
        for key, scale in SCALES.items()
    }
    assert found == CODEBOOK


@pytest.mark.parametrize("key", CODEBOOK)
def test_best_and_worst_are_the_two_ends(key):
    scale = scale_of(key)
    assert {scale.best, scale.worst} == {scale.lowest, scale.highest}
    assert scale.gain(scale.worst, scale.best) == scale.highest - scale.lowest
    assert scale.worse_from == scale.improved_from


@pytest.mark.parametrize("key", CODEBOOK)
@given(random=st.randoms())
def test_gain_changes_sign_when_the_visits_swap(key, random):
    scale = scale_of(key)
    steps = int((scale.highest - scale.lowest) / (scale.step or 1))
    first, second = (
        scale.lowest + random.randint(0, steps) * (scale.step or 1) for _ in range(2)
    )
    assert scale.gain(first, second) == -scale.gain(second, first)


def test_short_codes_name_scales():
    assert {scale_of(code).key for code in SHORT_CODES} == set(SHORT_CODES.values())


@pytest.mark.parametrize(
    ("scale", "label", "number"),
    [
        ("modified_mccormick_5", "I", 1),
        ("modified_mccormick_5", "V", 5),
        ("mccormick_1990_4", "IV", 4),
        ("ais", "A", 1),
        ("ais", "E", 5),
        ("nurick", 3, 3),
    ],
)
def test_grade_labels_are_read_as_ranks(scale, label, number):
    assert scale_of(scale).number(label) == number


@pytest.mark.parametrize(
    ("scale", "value", "message"),
    [
        ("mccormick_1990_4", "V", "'V' is not a grade of McCormick 1990"),
        ("nurick", "I", "'I' is not a grade of Nurick"),
        ("mccormick_1990_4", 5, "5 is outside McCormick 1990 (4 grades) (1 to 4)"),
        ("nrs_pain", 99, "99 is outside pain"),
        ("nrs_pain", -1, "-1 is outside pain"),
        ("nrs_pain", float("nan"), "pain, numerical rating 0 to 10 contains NaN"),
        ("nrs_pain", True, "True is outside pain"),
        ("joa_cervical_1975", 10.5, "10.5 is not a step of 1"),
        ("karnofsky", 75, "75 is not a step of 10"),
        ("joa_cervical_1994_rev", 10.25, "10.25 is not a step of 0.5"),
    ],
)
def test_impossible_values_are_refused_by_name(scale, value, message):
    with pytest.raises(StatError, match=re.escape(message)):
        scale_of(scale).number(value)


def test_half_points_exist_in_the_revised_form_only():
    assert scale_of("joa_cervical_1994_rev").number(10.5) == 10.5


def test_a_percentage_over_fewer_items_needs_no_step():
    assert scale_of("odi").number(22.22) == 22.22


@pytest.mark.parametrize("key", ["odom", "paindetect", "dn4", "mccormick"])
def test_a_scale_without_a_rule_of_change_is_refused(key):
    with pytest.raises(StatError, match=f"no rule of change is defined for '{key}'"):
        scale_of(key)


def test_the_rule_is_said_in_words():
    assert scale_of("nrs_pain").rule == (
        "improved from 2 points or 30 % of the first value, worse from 2 points"
    )
    assert scale_of("nurick").rule == "improved from 1 point, worse from 1 point"
