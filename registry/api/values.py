"""How the value of a described field is written in JSON, and read back strictly.

Only the shape is decided here: a whole number is digits, a day is year-month-day
or the part of it that is known.
Ranges, lists and spellings are the field's own rules, the same as for the forms, and a
text that is refused has the form's own code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.fields import get_error_detail

from registry.fields import (
    ChoiceField,
    DayField,
    FlagField,
    LevelField,
    MeasureField,
    MultiChoiceField,
    WholeNumberField,
    WordsField,
)
from registry.reading import value_of_text

WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
MEASURE = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
DAY = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}", re.ASCII)
LONGEST_LEVEL = 40


class WrongShape(ValueError):
    """The JSON value is of another kind than the field."""


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise WrongShape
    return value


def level(value: Any) -> str:
    if len(text(value)) > LONGEST_LEVEL:
        raise WrongShape
    return text(value)


def yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise WrongShape
    return value


def whole_number(value: Any) -> int:
    """A JSON number without a fraction, or a text of ASCII digits."""
    if isinstance(value, str) and WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongShape
    return value


def measure(value: Any) -> Decimal:
    """A JSON number, exactly as written, or a text of ASCII digits and a point."""
    if isinstance(value, str) and MEASURE.fullmatch(value):
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise WrongShape
    return Decimal(value)


def day(value: Any) -> str:
    if not isinstance(value, str) or not DAY.fullmatch(value):
        raise WrongShape
    return value


def several(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > 50:
        raise WrongShape
    return [text(item) for item in value]


SHAPES: tuple[tuple[type, Callable[[Any], Any], Any], ...] = (
    (MultiChoiceField, several, _("a list of codes")),
    (LevelField, level, _("a level such as C4, T5, Th5 or L1")),
    (ChoiceField, text, _("a text")),
    (WordsField, text, _("a text")),
    (FlagField, yes_or_no, _("true or false")),
    (WholeNumberField, whole_number, _("a whole number")),
    (MeasureField, measure, _("a number")),
    (
        DayField,
        day,
        _("a day as 2021-02-28, or the month or year that is known, 2021-02 or 2021"),
    ),
)


def shape_of(field: Any) -> tuple[Callable[[Any], Any], Any]:
    """The reader of a described field's JSON value, and what to call it."""
    for kind, read, words in SHAPES:
        if isinstance(field, kind):
            return read, words
    raise TypeError(f"{field} has no shape in JSON")


class DescribedValue(serializers.Field):
    """A described model field in JSON."""

    default_error_messages = {"shape": _("Give {expected}.")}

    def __init__(self, model_field: Any, **kwargs: Any) -> None:
        self.model_field = model_field
        self.read, self.expected = shape_of(model_field)
        kwargs.setdefault("allow_null", model_field.null)
        kwargs.setdefault("label", model_field.verbose_name)
        super().__init__(**kwargs)

    def to_internal_value(self, value: Any) -> Any:
        try:
            return self.model_field.clean(self.read(value), None)
        except WrongShape:
            self.refuse_as_the_form(value)
            self.fail("shape", expected=self.expected)
        except DjangoValidationError as error:
            self.refuse_as_the_form(value)
            raise serializers.ValidationError(get_error_detail(error)) from error

    def refuse_as_the_form(self, value: Any) -> None:
        """Raise what a person would be told who typed the same text."""
        if not isinstance(value, str):
            return
        try:
            value_of_text(self.model_field, value)
        except DjangoValidationError as error:
            raise serializers.ValidationError(get_error_detail(error)) from error

    def to_representation(self, value: Any) -> Any:
        return value
