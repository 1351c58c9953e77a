"""Volumes from three diameters, levels and spans."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.stats.errors import StatError
from outcomes.stats.tumour_extent import (
    LEVELS,
    ellipsoid_volume_cm3,
    half_box_volume_cm3,
    level_ordinal,
    level_span,
)

diameters = st.floats(0.5, 400)


def test_a_published_example():
    """51 x 14 x 15 mm.

    > pi / 6 * 51 * 14 * 15 / 1000
    [1] 5.60774288665778
    > 51 * 14 * 15 / 2 / 1000
    [1] 5.355
    """
    assert ellipsoid_volume_cm3(51, 14, 15) == pytest.approx(5.60774288665778)
    assert half_box_volume_cm3(51, 14, 15) == pytest.approx(5.355)


@given(st.tuples(diameters, diameters, diameters))
def test_the_half_box_is_4_5_percent_below_the_ellipsoid(sides):
    ratio = half_box_volume_cm3(*sides) / ellipsoid_volume_cm3(*sides)
    assert ratio == pytest.approx(3 / math.pi)


@given(st.lists(diameters, min_size=3, max_size=3))
def test_the_order_of_diameters_does_not_matter(sides):
    volumes = [ellipsoid_volume_cm3(*order) for order in itertools.permutations(sides)]
    assert volumes == pytest.approx([volumes[0]] * 6)


@given(diameters, st.floats(0.1, 10))
def test_volume_grows_with_the_cube_of_the_unit(side, factor):
    scaled = ellipsoid_volume_cm3(side * factor, side * factor, side * factor)
    assert scaled == pytest.approx(factor**3 * ellipsoid_volume_cm3(side, side, side))


@pytest.mark.parametrize(
    ("side", "message"),
    [
        (0, "a diameter must be above 0 mm, not 0"),
        (-3, "a diameter must be above 0 mm, not -3"),
        (math.nan, "a diameter contains NaN"),
        (math.inf, "a diameter contains NaN or infinite"),
        ("14", "a diameter must be numbers"),
    ],
)
@pytest.mark.parametrize("volume", [ellipsoid_volume_cm3, half_box_volume_cm3])
def test_a_diameter_of_nothing_is_refused(volume, side, message):
    with pytest.raises(StatError, match=message):
        volume(10, side, 10)


def test_levels_count_from_c0_to_the_coccyx():
    found = {level: level_ordinal(level) for level in LEVELS}
    assert list(found.values()) == list(range(31))
    assert found["C7"] == 7 and found["T1"] == 8 and found["T12"] == 19
    assert found["L1"] == 20 and found["S1"] == 25 and found["Co"] == 30


@pytest.mark.parametrize("written", ["", "X5", "C8", "T13", "L6", "S0", "5", "Th5"])
def test_no_other_level_exists(written):
    with pytest.raises(StatError, match="is not a vertebral level"):
        level_ordinal(written)


@pytest.mark.parametrize(
    ("rostral", "caudal", "span"),
    [
        ("T5", "T7", 3),
        ("C7", "T1", 2),
        ("T12", "L1", 2),
        ("C1", "Co", 30),
        ("L1", "L1", 1),
    ],
)
def test_a_span_counts_both_ends(rostral, caudal, span):
    assert level_span(rostral, caudal) == span


def test_a_span_upside_down_is_refused():
    with pytest.raises(StatError, match="caudal level T5 lies above the rostral T7"):
        level_span("T7", "T5")
