"""Spinal levels: their order, and the spellings in which people write them.

Vertebral levels are ordered C0=0, C1..C7=1..7, T1..T12=8..19, L1..L5=20..24,
S1..S5=25..29, Co=30. C8 exists only as a cord segment; it stands between C7 and T1.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from registry.signs import plain_signs

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

# Cyrillic and Greek letters that look alike, and signs of a range or a list.
_ALIKE: Final = str.maketrans(
    "\u0421\u0441\u0422\u0442\u03a4~\u301c\u30fc\u3001", "CcTtT---,"
)
_ROMAN: Final = {
    text: number
    for number, text in enumerate(
        "I II III IV V VI VII VIII IX X XI XII".split(), start=1
    )
}
# Roman numerals only behind "Th", a point or a space: "CV" is also craniovertebral.
_LEVEL = re.compile(
    r"(?P<letter>C|TH|T|D|L|S)"
    r"(?:(?:\. ?| )?0*(?P<number>\d{1,2})|(?:\. ?| |(?<=TH))(?P<roman>[IVX]+))",
    re.ASCII,
)
_NUMBER = re.compile(r"0*(?P<number>\d{1,2})|(?P<roman>[IVX]+)", re.ASCII)
_COCCYX = re.compile(r"CO(CCYX)?", re.ASCII)
_RANGE = re.compile(r" ?- ?| TO ", re.ASCII)
_LIST = re.compile(r" ?(?:[/,&+]| AND ) ?", re.ASCII)
# Two levels written out beside each other, as in "T5 T6".
_BESIDE = re.compile(r"(?<=\d) (?=(?:C|TH|T|D|L|S)\.? ?\d)", re.ASCII)


class LevelError(ValueError):
    """A text that names no spinal level; the message says how to write one."""


def parse_level(text: str) -> str:
    """The standard code of one level: ``Th5``, ``D5``, ``T05``, ``t 5`` are T5."""
    code = _level(_plain(text))
    if code is None:
        raise LevelError(
            f"“{text.strip()[:40]}” is not a spinal level."
            " Write for example C4, T5, Th5 or L1."
        )
    return code


def parse_level_range(text: str) -> tuple[str, str]:
    """The rostral and caudal level of ``C4/5``, ``C4-C5``, ``Th9 – 11`` or ``T5``.

    A later part may leave its letter out, unless the number falls: ``T12-1`` means
    T12-L1 to most people and T1-T12 to nobody. With the letter, the order of the two
    ends does not matter. A list (``C3/4/5``, ``T5, T6``, ``T5 and T6``) is a range only
    where each level is next to the one before: ``T5, T9`` may be two tumours.
    """
    plain = _plain(text)
    listed = _RANGE.search(plain) is None
    parts = _LIST.split(_BESIDE.sub(",", plain)) if listed else _RANGE.split(plain)
    levels = _levels(parts)
    if len(levels) > 2 or listed and len(levels) == 2 and "/" not in plain:
        _check_neighbours(levels, text)
    levels.sort(key=SEGMENT_ORDINAL.__getitem__)
    rostral, caudal = levels[0], levels[-1]
    if caudal == "Co" and rostral[0] == "C" and rostral not in {"C0", "Co"}:
        raise LevelError(
            f"“{text.strip()[:40]}” reads as cervical to coccyx."
            " Write C0 for the foramen magnum."
        )
    return rostral, caudal


def _plain(text: str) -> str:
    """Upper case in plain signs, without a final point."""
    plain = plain_signs(text).translate(_ALIKE).upper()
    return plain.removesuffix(".").rstrip()


def _level(plain: str) -> str | None:
    if _COCCYX.fullmatch(plain):
        return "Co"
    match = _LEVEL.fullmatch(plain)
    if match is None:
        return None
    letter = "T" if match["letter"] in {"TH", "D"} else match["letter"]
    code = f"{letter}{_number(match)}"
    return code if code in SEGMENT_ORDINAL else None


def _number(match: re.Match[str]) -> int | None:
    return int(match["number"]) if match["number"] else _ROMAN.get(match["roman"])


def _levels(parts: list[str]) -> list[str]:
    """The levels of the parts; a bare number takes the letter of the one before."""
    if "" in parts:
        raise LevelError("Write a level or a range, for example T5 or T5-T7.")
    levels = [parse_level(parts[0])]
    for before, part in pairwise(parts):
        levels.append(_next_level(levels[-1], part, _is_roman(before)))
    return levels


def _is_roman(part: str) -> bool:
    match = _LEVEL.fullmatch(part) or _NUMBER.fullmatch(part)
    return bool(match and match["roman"])


def _next_level(before: str, part: str, roman: bool) -> str:
    """A level; a bare number is one after ``before``, of the same kind of numerals."""
    bare = _NUMBER.fullmatch(part)
    if bare is None or bool(bare["roman"]) != roman:
        return parse_level(part)
    level = parse_level(f"{before[0]}{_number(bare)}")
    if SEGMENT_ORDINAL[level] < SEGMENT_ORDINAL[before]:
        raise LevelError(
            f"“{part}” lies above {before}. Write the second level with its letter."
        )
    return level


def _check_neighbours(levels: list[str], text: str) -> None:
    """Each level is the next one, counted with or without the segment C8."""
    for order in (VERTEBRAL_ORDINAL, SEGMENT_ORDINAL):
        places = [order.get(level, -9) for level in levels]
        steps = {after - before for before, after in pairwise(places)}
        if steps == {1}:
            return
    raise LevelError(
        f"“{text.strip()[:40]}” may mean a range or separate levels."
        " Write a range as T5-T9, and separate tumours as cases of their own."
    )


def level_span(rostral: str, caudal: str, *, segments: bool = False) -> int:
    """Number of levels from ``rostral`` to ``caudal``, both counted."""
    order = SEGMENT_ORDINAL if segments else VERTEBRAL_ORDINAL
    span = order[caudal] - order[rostral] + 1
    if span < 1:
        raise LevelError(f"{caudal} lies rostral to {rostral}.")
    return span
