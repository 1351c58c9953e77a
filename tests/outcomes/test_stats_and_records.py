"""What records compute on entry is what the statistics compute.

The statistics import nothing of the registry, so levels and volumes are written twice.
"""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest

from cases.models import case
from outcomes.stats import tumour_extent
from outcomes.stats.errors import StatError
from registry import levels


def test_levels_stand_in_one_order() -> None:
    assert tumour_extent.LEVELS == levels.VERTEBRAL_LEVELS
    for level, ordinal in levels.VERTEBRAL_ORDINAL.items():
        assert tumour_extent.level_ordinal(level) == ordinal


def test_spans_are_counted_alike() -> None:
    for rostral, caudal in itertools.product(levels.VERTEBRAL_LEVELS, repeat=2):
        try:
            expected = levels.level_span(rostral, caudal)
        except levels.LevelError:
            with pytest.raises(StatError, match="lies above"):
                tumour_extent.level_span(rostral, caudal)
        else:
            assert tumour_extent.level_span(rostral, caudal) == expected


@pytest.mark.parametrize("sides", [(51, 14, 15), (8, 6, 5), (120, 12.5, 11)])
def test_volumes_are_the_same_to_two_places(sides) -> None:
    stored = case.ellipsoid_volume_cm3(*(Decimal(str(side)) for side in sides))
    assert float(stored) == round(tumour_extent.ellipsoid_volume_cm3(*sides), 2)
