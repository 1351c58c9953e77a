"""Levels are read in every usual spelling, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.levels import (
    CORD_SEGMENTS,
    SEGMENT_ORDINAL,
    VERTEBRAL_LEVELS,
    VERTEBRAL_ORDINAL,
    LevelError,
    level_span,
    parse_level,
    parse_level_range,
)

THORACIC_LETTERS = ("T", "t", "Th", "TH", "th", "D", "d")


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("Th5", "T5"),
        ("D5", "T5"),
        ("T05", "T5"),
        ("t 5", "T5"),
        ("T12", "T12"),
        ("C0", "C0"),
        ("c8", "C8"),
        ("L1.", "L1"),
        (" S5 ", "S5"),
        ("Co", "Co"),
        ("coccyx", "Co"),
    ],
)
def test_level_spellings(text: str, level: str) -> None:
    assert parse_level(text) == level


@given(
    st.sampled_from(THORACIC_LETTERS),
    st.integers(1, 12),
    st.sampled_from(["", " ", "0", " 0"]),
    st.sampled_from(["", " ", "."]),
)
def test_every_thoracic_spelling_is_one_level(
    letter: str, number: int, between: str, after: str
) -> None:
    assert parse_level(f"{letter}{between}{number}{after}") == f"T{number}"


@given(st.sampled_from(CORD_SEGMENTS))
def test_standard_codes_are_read_as_themselves(level: str) -> None:
    assert parse_level(level) == level
    assert parse_level(level.lower()) == level


@pytest.mark.parametrize(
    "text",
    [
        "",
        "T13",
        "L6",
        "C9",
        "S6",
        "T0",
        "L0",
        "T",
        "5",
        "X5",
        "T5a",
        "T-5",
        "Ｔ5",
        "T５",
    ],
)
def test_no_level_is_invented(text: str) -> None:
    with pytest.raises(LevelError):
        parse_level(text)


@given(st.text(max_size=12))
def test_any_text_gives_a_known_level_or_a_level_error(text: str) -> None:
    try:
        assert parse_level(text) in SEGMENT_ORDINAL
    except LevelError as error:
        assert "not a spinal level" in str(error)


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("C4/5", ("C4", "C5")),
        ("C4-C5", ("C4", "C5")),
        ("C4 – C5", ("C4", "C5")),
        ("C5-C4", ("C4", "C5")),
        ("Th9–11", ("T9", "T11")),
        ("D5 to D7", ("T5", "T7")),
        ("D5 TO D7", ("T5", "T7")),
        ("T12-L1", ("T12", "L1")),
        ("C7~T1", ("C7", "T1")),
        ("T5", ("T5", "T5")),
        ("L5/S1", ("L5", "S1")),
    ],
)
def test_range_spellings(text: str, levels: tuple[str, str]) -> None:
    assert parse_level_range(text) == levels


@pytest.mark.parametrize("text", ["T12-1", "C7/1", "L5-1", "T12/01"])
def test_a_falling_number_without_letter_is_not_guessed(text: str) -> None:
    """T12-1 is T12-L1 to most people: taking it for T1-T12 would be a long tumour."""
    with pytest.raises(LevelError, match="with its letter"):
        parse_level_range(text)


@pytest.mark.parametrize(
    "text", ["", " ", "-", "C4-", "-C5", "C4-5-6", "C4-X", "C4-５", "C4 C5", "C4-13"]
)
def test_no_range_is_invented(text: str) -> None:
    with pytest.raises(LevelError):
        parse_level_range(text)


@given(st.sampled_from(CORD_SEGMENTS), st.sampled_from(CORD_SEGMENTS))
def test_order_of_writing_does_not_matter(one: str, other: str) -> None:
    found = parse_level_range(f"{one}-{other}")
    assert found == parse_level_range(f"{other} – {one}")
    assert SEGMENT_ORDINAL[found[0]] <= SEGMENT_ORDINAL[found[1]]


def test_ordinals_follow_the_spine() -> None:
    assert VERTEBRAL_ORDINAL["C0"] == 0
    assert VERTEBRAL_ORDINAL["T1"] == VERTEBRAL_ORDINAL["C7"] + 1
    assert SEGMENT_ORDINAL["C8"] == SEGMENT_ORDINAL["C7"] + 1
    assert len(VERTEBRAL_LEVELS) == 31
    assert len(CORD_SEGMENTS) == 32


def test_span_counts_both_ends() -> None:
    assert level_span("T5", "T5") == 1
    assert level_span("C7", "T1") == 2
    assert level_span("C7", "T1", segments=True) == 3
    with pytest.raises(LevelError, match="rostral to"):
        level_span("T6", "T5")
