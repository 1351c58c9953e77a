"""How large a tumour is and how many levels it spans.

Volumes take three diameters at right angles in millimetres and give cubic
centimetres. Levels count C0 = 0, C1 to C7 = 1 to 7, T1 to T12 = 8 to 19, L1 to L5 =
20 to 24, S1 to S5 = 25 to 29, Co = 30.
"""

from __future__ import annotations

import math
import re

from outcomes.stats.errors import StatError

CUBIC_MM_PER_CUBIC_CM = 1000.0
COCCYX = "Co"
LEVELS: tuple[str, ...] = (
    *(f"C{number}" for number in range(8)),
    *(f"T{number}" for number in range(1, 13)),
    *(f"L{number}" for number in range(1, 6)),
    *(f"S{number}" for number in range(1, 6)),
    COCCYX,
)
_ORDINALS = {level: ordinal for ordinal, level in enumerate(LEVELS)}
# "Th5", "D5", "T05" and "t 5" are all T5.
_LEVEL = re.compile(r"(?P<letter>C|TH|T|D|L|S)\s*0?(?P<number>\d{1,2})", re.IGNORECASE)
_SEPARATOR = re.compile(r"\s*[/\-–—~]\s*")
_LETTERS = {"TH": "T", "D": "T"}


def ellipsoid_volume_cm3(length: float, width: float, height: float) -> float:
    """pi / 6 x length x width x height; 51 x 14 x 15 mm give 5.61 cm3."""
    return math.pi / 6 * _box_cm3(length, width, height)


def half_box_volume_cm3(length: float, width: float, height: float) -> float:
    """ABC/2: half the box of the three diameters, 4.5 % below the ellipsoid."""
    return _box_cm3(length, width, height) / 2


def level_ordinal(level: str) -> int:
    """The place of a level from C0 to Co; raises StatError for anything else."""
    text = level.strip()
    if text.lower() == COCCYX.lower():
        return _ORDINALS[COCCYX]
    match = _LEVEL.fullmatch(text)
    if match is None:
        raise StatError(f"{level!r} is not a spinal level")
    letter = match["letter"].upper()
    name = f"{_LETTERS.get(letter, letter)}{int(match['number'])}"
    if name not in _ORDINALS:
        raise StatError(f"{level!r} is not a spinal level")
    return _ORDINALS[name]


def level_range(text: str) -> tuple[str, str]:
    """Rostral and caudal level of "C4/5", "C4-C5", "Th12-L1" or a single level."""
    parts = _SEPARATOR.split(text.strip())
    if len(parts) > 2:
        raise StatError(f"{text!r} is not a level or a range of two levels")
    rostral = LEVELS[level_ordinal(parts[0])]
    if len(parts) == 1:
        return rostral, rostral
    caudal = f"{rostral[0]}{parts[1]}" if parts[1].isdigit() else parts[1]
    return rostral, LEVELS[level_ordinal(caudal)]


def level_span(rostral: str, caudal: str) -> int:
    """How many levels, both ends counted: T5 to T7 is 3."""
    span = level_ordinal(caudal) - level_ordinal(rostral) + 1
    if span < 1:
        raise StatError(f"the caudal level {caudal} lies above the rostral {rostral}")
    return span


def _box_cm3(*diameters_mm: float) -> float:
    for diameter in diameters_mm:
        if not (math.isfinite(diameter) and diameter > 0):
            raise StatError(f"a diameter must be above 0 mm, not {diameter!r}")
    return math.prod(diameters_mm) / CUBIC_MM_PER_CUBIC_CM
