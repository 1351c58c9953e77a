"""Days of the past, known in full or in part."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import (
    MinValueValidator,
)
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.days import PartialDay, first_and_last, precision_of, text_of_day
from registry.fields.description import Described, Privacy

EARLIEST_DAY = date(1900, 1, 2)
ISO_DAY = re.compile(r"\d{4}(-\d{2}(?P<day>-\d{2})?)?", re.ASCII)
# What systems write when they have no date; as a date of birth both are real.
PLACEHOLDER_DAYS = frozenset({date(1900, 1, 1), date(1970, 1, 1)})


def check_day(value: date) -> None:
    """A day between 1900 and today; a future one is answered with a guess.

    Of a month or year its middle, by which the registry counts, must have come.
    """
    today = timezone.localdate()
    first, _last = first_and_last(value)
    if first > today:
        guess = PartialDay.known(likely_day(value, today), precision_of(value))
        raise ValidationError(
            _("%(value)s lies in the future. Was it %(guess)s?"),
            "future",
            {"value": text_of_day(value), "guess": guess.text},
        )
    if value > today:
        raise ValidationError(
            _("%(value)s is not half over. Give the month or the day as well."),
            "period_not_over",
            {"value": text_of_day(value)},
        )
    if value < EARLIEST_DAY:
        raise ValidationError(
            _("%(value)s lies too far back. Give the full year."),
            "too_early",
            {"value": text_of_day(value)},
        )


def likely_day(value: date, today: date) -> date:
    """What was probably meant by a day in the future: another decade or last year."""
    year = value.year - (1 if value.year - today.year <= 1 else 10)
    while (guess := _in_year(value, year)) > today:
        year -= 1 if year - today.year <= 1 else 10
    return guess


def _in_year(value: date, year: int) -> date:
    leap_day = (value.month, value.day) == (2, 29)
    return value.replace(year=year, day=28 if leap_day else value.day)


def check_record_day(value: date) -> None:
    """Also not a placeholder that stands for an unknown date."""
    if value in PLACEHOLDER_DAYS:
        raise ValidationError(
            _("%(value)s is a placeholder. Leave the date out and say “unknown”."),
            "placeholder",
            {"value": value.isoformat()},
        )
    check_day(value)


class DayField(Described, models.DateField):
    """A day of the past, or the month or year of it that is known.

    A month or year is a :class:`PartialDay`. The column holds its middle; the row's
    ``precision`` says how much of it is known.
    """

    default_error_messages = {"invalid_date": _("There is no day %(value)s.")}

    def __init__(
        self, *args: Any, placeholder_allowed: bool = False, **kwargs: Any
    ) -> None:
        self.placeholder_allowed = placeholder_allowed
        kwargs.setdefault("privacy", Privacy.DATE)
        kwargs.setdefault("least", EARLIEST_DAY)
        super().__init__(*args, **kwargs)

    @property
    def plausible(self) -> str:
        return ""

    @property
    def validators(self) -> list[Any]:
        own = [v for v in super().validators if not isinstance(v, MinValueValidator)]
        return (
            [*own, check_day] if self.placeholder_allowed else [*own, check_record_day]
        )

    def to_python(self, value: Any) -> Any:
        if not isinstance(value, str):
            return super().to_python(value)
        match = ISO_DAY.fullmatch(value)
        if not match:
            raise ValidationError(
                _("“%(value)s” is not a date. Write it as year-month-day, 2021-02-28."),
                "shape",
                {"value": value[:40]},
            )
        if match["day"]:
            return super().to_python(value)
        try:
            return PartialDay.of(*map(int, value.split("-")))
        except ValueError as error:
            raise ValidationError(
                self.error_messages["invalid_date"], "invalid_date", {"value": value}
            ) from error
