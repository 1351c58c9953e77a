"""What a refused value is told, in our words and in few of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from outcomes.api.codebook import TABLES
from registry.constraints import described_fields
from registry.fields import MeasureField
from registry.reading import value_of_text

WRONG = ("x" * 3000, "x", "-1", "99999999", "1.234567", "0.3", "2021-02-30")
WRONG += ("1890-01-01", "2999-01-01", "none", "true", "12:30")
# Beginnings of the sentences with which Django speaks of values and formats.
DJANGO = re.compile(
    r"Ensure |Value |Enter |“.*” value |This (field|value) |.*correct format"
)
FIELDS = [
    pytest.param(field, id=f"{table}.{field.name}")
    for table, model in TABLES
    for field in described_fields(model)
]


def refusals(field: Any) -> Iterator[tuple[str, str]]:
    """Code and words of every refusal of the wrong values."""
    for text in WRONG:
        value = [text] if hasattr(field, "base_field") else text
        try:
            value_of_text(field, value)
        except ValidationError as error:
            for item in error.error_list:
                yield str(item.code), "".join(item.messages)


@pytest.mark.parametrize("field", FIELDS)
def test_a_refusal_is_short_and_in_our_words(field: Any) -> None:
    for code, words in refusals(field):
        assert code not in {"", "None"}, words
        assert not DJANGO.match(words) or code == "step", words
        assert len(words) < 160, words


@pytest.mark.parametrize("field", FIELDS)
def test_one_mistake_is_told_once(field: Any) -> None:
    for text in WRONG:
        value = [text] if hasattr(field, "base_field") else text
        try:
            value_of_text(field, value)
        except ValidationError as error:
            codes = [item.code for item in error.error_list]
            assert len(codes) == len(set(codes)), (text, codes)
            assert not {"max_value", "max_whole_digits"} <= set(codes), text


@pytest.mark.parametrize("field", FIELDS)
def test_a_measure_has_a_range_so_that_the_column_can_hold_it(field: Any) -> None:
    if isinstance(field, MeasureField):
        whole = field.max_digits - field.decimal_places
        assert max(abs(field.least), abs(field.most)) < 10**whole
