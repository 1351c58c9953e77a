"""How large a tumour is and how many levels it spans.

Volumes take three diameters at right angles in millimetres and give cubic
centimetres. Levels count C0 = 0, C1 to C7 = 1 to 7, T1 to T12 = 8 to 19, L1 to L5 =
20 to 24, S1 to S5 = 25 to 29, Co = 30.
"""

from __future__ import annotations

import math

from outcomes.stats.checks import as_floats
from outcomes.stats.errors import StatError

CUBIC_MM_PER_CUBIC_CM = 1000.0
LEVELS: tuple[str, ...] = (
    *(f"C{number}" for number in range(8)),
    *(f"T{number}" for number in range(1, 13)),
    *(f"L{number}" for number in range(1, 6)),
    *(f"S{number}" for number in range(1, 6)),
    "Co",
)
_ORDINALS = {level: ordinal for ordinal, level in enumerate(LEVELS)}


def ellipsoid_volume_cm3(length: float, width: float, height: float) -> float:
    """pi / 6 x length x width x height; 51 x 14 x 15 mm give 5.61 cm3."""
    return math.pi / 6 * _box_cm3(length, width, height)


def half_box_volume_cm3(length: float, width: float, height: float) -> float:
    """ABC/2: half the box of the three diameters, 4.5 % below the ellipsoid."""
    return _box_cm3(length, width, height) / 2


def level_ordinal(level: str) -> int:
    """The place of a level from C0 to Co, written as in ``LEVELS``.

    Other spellings are read where records are entered. C8 is a cord segment, which no
    vertebra bears.
    """
    if level not in _ORDINALS:
        raise StatError(f"{level!r} is not a vertebral level")
    return _ORDINALS[level]


def level_span(rostral: str, caudal: str) -> int:
    """How many levels, both ends counted: T5 to T7 is 3."""
    span = level_ordinal(caudal) - level_ordinal(rostral) + 1
    if span < 1:
        raise StatError(f"the caudal level {caudal} lies above the rostral {rostral}")
    return span


def _box_cm3(*diameters_mm: float) -> float:
    sides = as_floats(diameters_mm, "a diameter")
    if (sides <= 0).any():
        raise StatError(f"a diameter must be above 0 mm, not {min(diameters_mm)!r}")
    return float(math.prod(sides)) / CUBIC_MM_PER_CUBIC_CM
