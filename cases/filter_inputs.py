"""What a filter accepts from an address: strict forms, no guessing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from registry.api.filters import INSTANT
from registry.fields import EARLIEST_DAY, ISO_DAY
from registry.levels import SEGMENT_ORDINAL, LevelError, parse_level

OLDEST_AGE = 120
WHOLE = re.compile(r"[0-9]{1,3}", re.ASCII)


class DayInput(forms.Field):
    """A calendar day, written year-month-day only."""

    def to_python(self, value: Any) -> date | None:
        if value in self.empty_values:
            return None
        try:
            day = date.fromisoformat(value) if ISO_DAY.fullmatch(value) else None
        except ValueError:
            day = None
        if day is None or not EARLIEST_DAY <= day <= date(2200, 1, 1):
            raise ValidationError(
                _("Write it as year-month-day, 2021-02-28."), "invalid"
            )
        return day


class AgeInput(forms.Field):
    """Whole years."""

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values:
            return None
        if not WHOLE.fullmatch(value) or int(value) > OLDEST_AGE:
            raise ValidationError(_("Give whole years from 0 to 120."), "invalid")
        return int(value)


class LevelInput(forms.Field):
    """A spinal level in any usual spelling, as its place from the top."""

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values:
            return None
        try:
            return SEGMENT_ORDINAL[parse_level(value[:20])]
        except LevelError as error:
            raise ValidationError(str(error), "level") from error


class InstantInput(forms.Field):
    """An instant, or a day, in ISO form."""

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            if INSTANT.fullmatch(value):
                moment = datetime.fromisoformat(value)
                return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        except ValueError:
            pass
        raise ValidationError(
            _("Write it as 2026-01-31 or 2026-01-31T12:00:00Z."), "invalid"
        )


class CodeInput(forms.CharField):
    """A code or the beginning of one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=24, **kwargs)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).upper()


class CodesInput(forms.Field):
    """One or more codes of a closed list, with commas between them."""

    widget = forms.TextInput

    def __init__(
        self, *, choices: Iterable[tuple[str, Any]] = (), **kwargs: Any
    ) -> None:
        self.choices = list(choices)
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> list[str]:
        given = parts_of(value)
        known = {str(code) for code, _label in self.choices}
        unknown = [code for code in given if code not in known]
        if unknown:
            raise ValidationError(
                _("“%(code)s” is not one of the choices."),
                "invalid_choice",
                {"code": unknown[0][:40]},
            )
        return given


class CentresInput(CodesInput):
    """Codes of centres; unknown ones match nothing, so that they tell nothing."""

    def to_python(self, value: Any) -> list[str]:
        return [part[:12] for part in parts_of(value)]


def parts_of(value: str | None) -> list[str]:
    """What stands between the commas; nothing but commas is a mistake."""
    found = [part.strip() for part in (value or "").split(",") if part.strip()]
    if value and not found:
        raise ValidationError(_("Give at least one code."), "empty_parameter")
    return found
