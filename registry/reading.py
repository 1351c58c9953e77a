"""Typed text and stored values: the one way from the one to the other.

Forms and imports read text here, so that they accept and refuse the same.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from registry.days import DayError, read_day, text_of_day
from registry.fields import (
    DayField,
    FlagField,
    MeasureField,
    MultiChoiceField,
    WholeNumberField,
)
from registry.signs import plain_signs

LONGEST_TEXT = 20_000
NUMBER = re.compile(r"[+-]?[0-9]{1,60}(\.[0-9]{1,60})?", re.ASCII)
DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+", re.ASCII)


def value_of_text(field: Any, raw: Any) -> Any:
    """The clean value of what was typed for a model field.

    Raises ValidationError with the codes and messages of the field. Full-width digits
    and dashes of all kinds are read as the plain ones; there are no thousands
    separators and no guessing.
    """
    if isinstance(field, MultiChoiceField):
        return field.clean(list(raw), None) if raw else None
    text = str(raw or "").replace("\r\n", "\n").strip()
    if len(text) > LONGEST_TEXT:
        raise ValidationError(_("The text is too long."), "max_length")
    if not text:
        return _blank(field)
    if isinstance(field, FlagField):
        return _yes_or_no(text)
    if isinstance(field, MeasureField | WholeNumberField):
        text = _number(text)
    if isinstance(field, DayField):
        text = _day(text)
    return field.clean(text, None)


def _day(text: str) -> str:
    """ISO form of a day, month or year in any spelling; what is none is left to the
    field to refuse."""
    try:
        return read_day(text).text
    except DayError:
        return text


def _blank(field: Any) -> Any:
    if field.null:
        return None
    if not field.blank:
        raise ValidationError(_("Answer this question."), "required")
    return ""


def _yes_or_no(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValidationError(_("Choose yes or no."), "shape")
    return text == "true"


def _number(text: str) -> str:
    """The number in plain digits; raises ValidationError where it is none."""
    plain = plain_signs(text)
    if DECIMAL_COMMA.fullmatch(plain):
        raise ValidationError(
            _("Write the number with a point: %(guess)s."),
            "decimal_comma",
            {"guess": plain.replace(",", ".")},
        )
    if not NUMBER.fullmatch(plain):
        raise ValidationError(
            _("“%(value)s” is not a number. Write digits only, such as 12 or 12.5."),
            "shape",
            {"value": text[:40]},
        )
    return plain


def text_of_value(value: Any) -> Any:
    """What stands in the control for a stored value; the inverse of reading it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, date):
        return text_of_day(value)
    return value
