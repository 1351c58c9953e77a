"""Spinal levels: their order, and the spellings in which people write them.

Vertebral levels are ordered C0=0, C1..C7=1..7, T1..T12=8..19, L1..L5=20..24,
S1..S5=25..29, Co=30. C8 exists only as a cord segment; it stands between C7 and T1.
"""

from __future__ import annotations

import re
from typing import Final

VERTEBRAL_LEVELS: Final = (
    "C0",
    *(f"C{n}" for n in range(1, 8)),
    *(f"T{n}" for n in range(1, 13)),
    *(f"L{n}" for n in range(1, 6)),
    *(f"S{n}" for n in range(1, 6)),
    "Co",
)
CORD_SEGMENTS: Final = (*VERTEBRAL_LEVELS[:8], "C8", *VERTEBRAL_LEVELS[8:])
VERTEBRAL_ORDINAL: Final = {level: n for n, level in enumerate(VERTEBRAL_LEVELS)}
SEGMENT_ORDINAL: Final = {level: n for n, level in enumerate(CORD_SEGMENTS)}

_LEVEL = re.compile(r"(C|TH|T|D|L|S)\s*0*(\d{1,2})", re.ASCII)
_COCCYX = re.compile(r"CO(CCYX)?\.?", re.ASCII)
_SEPARATOR = re.compile(r"\s*(?:-|–|—|/|~|〜|\bto\b)\s*", re.IGNORECASE)


class LevelError(ValueError):
    """A text that names no spinal level; the message says how to write one."""


def parse_level(text: str) -> str:
    """The standard code of one level: ``Th5``, ``D5``, ``T05``, ``t 5`` are T5."""
    cleaned = text.strip().upper().rstrip(".")
    if _COCCYX.fullmatch(cleaned):
        return "Co"
    match = _LEVEL.fullmatch(cleaned)
    if match:
        letter = "T" if match[1] in {"TH", "D"} else match[1]
        code = f"{letter}{int(match[2])}"
        if code in SEGMENT_ORDINAL:
            return code
    raise LevelError(
        f"“{text.strip()}” is not a spinal level. Write for example C4, T5, Th5 or L1."
    )


def parse_level_range(text: str) -> tuple[str, str]:
    """The rostral and caudal level of ``C4/5``, ``C4-C5``, ``Th9 – 11`` or ``T5``.

    The second part may leave its letter out, unless the number falls: ``T12-1`` means
    T12-L1 to most people and T1-T12 to nobody. Written out, the order does not matter.
    """
    first_text, *rest = _SEPARATOR.split(text.strip(), maxsplit=1)
    if not first_text or "" in rest:
        raise LevelError("Write a level or a range, for example T5 or T5-T7.")
    first = parse_level(first_text)
    last = _second_level(first, rest[0]) if rest else first
    rostral, caudal = sorted((first, last), key=SEGMENT_ORDINAL.__getitem__)
    return rostral, caudal


def _second_level(first: str, text: str) -> str:
    """The other end of a range; a bare number takes the letter of the first."""
    if not text.isdigit():
        return parse_level(text)
    level = parse_level(f"{first[0]}{text}")
    if SEGMENT_ORDINAL[level] < SEGMENT_ORDINAL[first]:
        raise LevelError(
            f"“{text}” lies above {first}. Write the second level with its letter."
        )
    return level


def level_span(rostral: str, caudal: str, *, segments: bool = False) -> int:
    """Number of levels from ``rostral`` to ``caudal``, both counted."""
    order = SEGMENT_ORDINAL if segments else VERTEBRAL_ORDINAL
    span = order[caudal] - order[rostral] + 1
    if span < 1:
        raise LevelError(f"{caudal} lies rostral to {rostral}.")
    return span
