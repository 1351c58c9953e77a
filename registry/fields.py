"""Model fields that carry their own description.

Each clinical field knows its label, definition, unit, allowed values, how much it is
needed and its privacy class. Codebook, forms, import template, export transforms and
API schema are made from that, and the database constraints too
(:mod:`registry.constraints`). The description stays out of migrations.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import (
    DecimalValidator,
    MaxLengthValidator,
    MaxValueValidator,
    MinValueValidator,
)
from django.db import models
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from registry.days import PartialDay, first_and_last, precision_of, text_of_day
from registry.levels import SEGMENT_ORDINAL, LevelError, parse_level


class Privacy(StrEnum):
    """How a field must be treated when rows leave the registry."""

    DIRECT = "direct"  # names a person: never leaves
    STAFF = "staff"  # names a member of staff: dropped
    QUASI = "quasi"  # identifies in combination: banded or grouped
    SENSITIVE = "sensitive"  # special care: grouped when rare
    DATE = "date"  # becomes a day offset
    CODE = "code"  # replaced by a code per release
    CLINICAL = "clinical"  # kept
    TEXT = "text"  # free text: dropped
    SYSTEM = "system"  # bookkeeping of the registry


class Need(StrEnum):
    """Whether a case counts as complete without the field."""

    ALWAYS = "required"
    CONDITIONAL = "conditional"
    OPTIONAL = "optional"


class MissingReason(models.TextChoices):
    """Why a field has no value. Unknown is data; a sentinel number is not."""

    NOT_DONE = "not_done", _("Not done")
    UNKNOWN = "unknown", _("Unknown")
    NOT_APPLICABLE = "not_applicable", _("Not applicable")
    PENDING = "pending", _("Pending")


# In the place of Django's words, which speak of values and formats.
NO_CHOICE = _("“%(value)s” is not one of the choices.")
TOO_LONG = _("Write at most %(limit_value)s characters; these are %(show_value)s.")


LONGEST_TOLD = 40


def shortened(params: Any) -> Any:
    """The parameters of a message without what would fill the page."""
    if not isinstance(params, dict):
        return params
    return {
        name: text[:LONGEST_TOLD] if isinstance(text, str) else text
        for name, text in params.items()
    }


class Described:
    """Mixin: description of a field, kept out of migrations."""

    def __init__(
        self,
        *args: Any,
        definition: str | Promise = "",
        unit: str | Promise = "",
        need: Need = Need.OPTIONAL,
        privacy: Privacy = Privacy.CLINICAL,
        least: Decimal | int | date | None = None,
        most: Decimal | int | date | None = None,
        step: Decimal | None = None,
        group: str = "",
        **kwargs: Any,
    ) -> None:
        self.definition, self.unit, self.need = definition, unit, need
        self.privacy, self.group = privacy, group
        self.least, self.most, self.step = least, most, step
        kwargs.setdefault("null", True)
        kwargs.setdefault("blank", kwargs["null"])
        super().__init__(*args, **kwargs)

    def clean(self, value: Any, model_instance: Any) -> Any:
        """The checked value; what an error tells of a wrong one is short."""
        try:
            return super().clean(value, model_instance)  # type: ignore[misc]
        except ValidationError as error:
            for item in error.error_list:
                item.params = shortened(item.params)
            raise

    @property
    def validators(self) -> list[Any]:
        """Django's own validators, and the field's length, range and step.

        A CharField appends the one of its length to a list that this property makes
        anew at each call; it is therefore added here.
        """
        own: list[Any] = list(super().validators)  # type: ignore[misc]
        if getattr(self, "max_length", None) is not None:
            own.append(MaxLengthValidator(self.max_length, TOO_LONG))  # type: ignore[attr-defined]
        if self.least is not None:
            own.append(MinValueValidator(self.least, self._range_text()))
        if self.most is not None:
            own.append(MaxValueValidator(self.most, self._range_text()))
        if self.step is not None:
            own.append(self._check_step)
        return own

    @property
    def plausible(self) -> str:
        """The allowed range in words, for the hint beside the field; may be empty."""
        if self.least is None or self.most is None:
            return ""
        limits = f"{self.least} – {self.most}".replace("-", "−")
        return limits + (f" {self.unit}" if self.unit else "")

    def _range_text(self) -> Any:
        return _("%(value)s lies outside the possible range %(range)s.") % {
            "value": "%(show_value)s",
            "range": self.plausible.replace("%", "%%"),
        }

    def _check_step(self, value: Any) -> None:
        """Asked of what lies in the range only: a remainder of 1e30 has no digits."""
        outside = (self.least is not None and value < self.least) or (
            self.most is not None and value > self.most
        )
        if self.step and not outside and Decimal(str(value)) % self.step:
            raise ValidationError(
                _("Enter a multiple of %(step)s."), "step", {"step": self.step}
            )


class ChoiceField(Described, models.CharField):
    """One of a closed list of codes; without a list, a short code of a given form."""

    default_error_messages = {"invalid_choice": NO_CHOICE}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 40)
        super().__init__(*args, **kwargs)

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        if isinstance(value, str):
            return clean_words(value) or None
        return value


class FlagField(Described, models.BooleanField):
    """Yes, no, or not known."""


class WholeNumberField(Described, models.IntegerField):
    """A whole number within its range."""

    default_error_messages = {
        "shape": _("Write a whole number, without a point."),
        "invalid_choice": NO_CHOICE,
    }

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except ValidationError as error:
            raise ValidationError(self.error_messages["shape"], "shape") from error


class MeasureField(Described, models.DecimalField):
    """A measured number; one decimal place unless said otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 8)
        kwargs.setdefault("decimal_places", 1)
        super().__init__(*args, **kwargs)

    @property
    def validators(self) -> list[Any]:
        """With our words for the decimal places. How many digits stand before the point
        follows from the range."""
        own = [v for v in super().validators if not isinstance(v, DecimalValidator)]
        return [*own, self._check_places]

    def _check_places(self, value: Decimal) -> None:
        exponent = value.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > self.decimal_places:
            raise ValidationError(
                ngettext_lazy(
                    "Give %(places)s decimal place at most.",
                    "Give %(places)s decimal places at most.",
                    self.decimal_places,
                ),
                "max_decimal_places",
                {"places": self.decimal_places},
            )


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


_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u061c\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u2069\ufeff\ud800-\udfff]"
)


def clean_words(text: str) -> str:
    """NFC text without control, zero-width or direction-changing characters.

    Raises ValidationError rather than dropping a character silently. The zero-width
    joiner stays allowed: emoji and several scripts need it.
    """
    if _FORBIDDEN.search(text):
        raise ValidationError(
            _("The text contains invisible control characters. Type it again."),
            "control_characters",
        )
    return unicodedata.normalize("NFC", text).strip()


# Longer texts may have several lines.
ONE_LINE = 200


class WordsField(Described, models.CharField):
    """Free text. Never exported without the identity permission."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 2000)
        kwargs.setdefault("privacy", Privacy.TEXT)
        kwargs.setdefault("null", False)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", "")
        super().__init__(*args, **kwargs)

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        if not isinstance(value, str):
            return value
        value = clean_words(value)
        if (self.max_length or 0) <= ONE_LINE and re.search(r"[\t\r\n]", value):
            raise ValidationError(
                _("Write this in one line, without tabs."), "control_characters"
            )
        return value


class LevelField(Described, models.CharField):
    """A spinal level, stored by its standard code whatever the spelling typed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 3)
        kwargs.setdefault("privacy", Privacy.QUASI)
        super().__init__(*args, **kwargs)

    allowed: Sequence[str] = tuple(SEGMENT_ORDINAL)

    def to_python(self, value: Any) -> str | None:
        if value is None or not str(value).strip():
            return None
        try:
            return parse_level(str(value))
        except LevelError as error:
            raise ValidationError(str(error), "level") from error

    def formfield(self, **kwargs: Any) -> Any:
        # The text typed may be longer than the code stored ("Th 05", "coccyx").
        return super().formfield(**{"max_length": None, **kwargs})


class MultiChoiceField(Described, ArrayField):
    """Several of a closed list of codes, in the order of the list."""

    def __init__(
        self, verbose_name: Any = None, *, options: Any = None, **kwargs: Any
    ) -> None:
        self.options = options
        kwargs.setdefault("base_field", models.CharField(max_length=40))
        super().__init__(verbose_name=verbose_name, **kwargs)

    @property
    def codes(self) -> list[str]:
        return [code for code, _label in getattr(self.options, "choices", [])]

    def to_python(self, value: Any) -> list[str] | None:
        if not value:
            return None
        if not isinstance(value, list | tuple | set):
            raise ValidationError(_("Give a list of codes."), "invalid")
        value = super().to_python(list(value))
        unknown = [code for code in value if code not in self.codes]
        if unknown:
            raise ValidationError(
                _("%(codes)s is not one of the choices."),
                "invalid_choice",
                {"codes": ", ".join(map(str, unknown))[:LONGEST_TOLD]},
            )
        if "none" in value and len(set(value)) > 1:
            raise ValidationError(
                _("“None” cannot stand together with other choices."), "none_and_others"
            )
        return [code for code in self.codes if code in value]

    def clean(self, value: Any, model_instance: Any) -> Any:
        # An empty list says nothing: it is no value. Django's own checks would look for
        # its items.
        value = self.to_python(value)
        if value is None:
            models.Field.validate(self, None, model_instance)
            return None
        return super().clean(value, model_instance)
