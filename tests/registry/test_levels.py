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
from tests.registry.spellings import LEVELS

THORACIC_LETTERS = ("T", "t", "Th", "TH", "th", "D", "d")


@pytest.mark.parametrize(("text", "levels"), LEVELS.items())
def test_every_spelling_of_the_table(text: str, levels: tuple[str, str] | None) -> None:
    if levels is None:
        with pytest.raises(LevelError):
            parse_level_range(text)
    else:
        assert parse_level_range(text) == levels


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


@given(st.text(max_size=12))
def test_any_text_gives_a_known_level_or_a_level_error(text: str) -> None:
    try:
        assert parse_level(text) in SEGMENT_ORDINAL
    except LevelError as error:
        assert "not a spinal level" in str(error)


@pytest.mark.parametrize("text", ["T12-1", "C7/1", "L5-1", "T12/01"])
def test_a_falling_number_without_letter_is_not_guessed(text: str) -> None:
    """T12-1 is T12-L1 to most people: taking it for T1-T12 would be a long tumour."""
    with pytest.raises(LevelError, match="with its letter"):
        parse_level_range(text)


@given(st.sampled_from(CORD_SEGMENTS), st.sampled_from(CORD_SEGMENTS))
def test_order_of_writing_does_not_matter(one: str, other: str) -> None:
    if {one, other} & set(CORD_SEGMENTS[1:9]) and "Co" in {one, other}:
        return  # C2-Co is refused: Co may stand for C0
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
