"""Days as people write them: whole, or known to the month or the year only.

A text is read where it can mean one thing. ``3/4/2021`` is March in one country and
April in another, ``201511`` may be three numbers: they are refused, never guessed. The
browser reads by the same rules (days.js); one table of spellings tests both.
"""

from __future__ import annotations

import calendar
import re
from datetime import date
from typing import Final, Literal, Self

from registry.signs import plain_signs

Precision = Literal["day", "month", "year"]

_MONTHS: Final = tuple(name.lower() for name in calendar.month_name)
_YEAR, _MONTH, _DAY = r"(?P<y>\d{4})", r"(?P<m>\d{1,2})", r"(?P<d>\d{1,2})"
_NAME = r"(?P<name>[a-z]{3,9})\.?"
_FORMS: Final = tuple(
    re.compile(form, re.ASCII)
    for form in (
        rf"{_YEAR}(?P<s>[-/. ]){_MONTH}(?P=s){_DAY}",
        r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})",
        rf"{_YEAR} ?\u5e74 ?{_MONTH} ?\u6708 ?{_DAY} ?\u65e5",
        rf"{_DAY}\. ?{_MONTH}\. ?{_YEAR}",
        rf"{_DAY}[ -]?{_NAME}[ -]?{_YEAR}",
        rf"{_NAME} {_DAY},? {_YEAR}",
        rf"{_YEAR}[-/.]{_MONTH}",
        rf"{_MONTH}[-/.]{_YEAR}",
        rf"{_YEAR} ?\u5e74 ?{_MONTH} ?\u6708",
        rf"{_NAME}[ -]{_YEAR}",
        rf"{_YEAR} ?\u5e74?",
    )
)
MIDDLE_DAY, MIDDLE_MONTH = 15, 7


class DayError(ValueError):
    """A text that is no day, month or year, or that could be several."""


class PartialDay(date):
    """A day with what is known of it.

    As a date it is the middle of the month or year that is known, so that durations
    are off by half of it at most.
    """

    precision: Precision

    @classmethod
    def of(cls, year: int, month: int | None = None, day: int | None = None) -> Self:
        """The day, or the middle of the month or year. Raises ValueError."""
        if month is None:
            found, precision = cls(year, MIDDLE_MONTH, 1), "year"
        elif day is None:
            found, precision = cls(year, month, MIDDLE_DAY), "month"
        else:
            found, precision = cls(year, month, day), "day"
        found.precision = precision  # type: ignore[assignment]
        return found

    @property
    def text(self) -> str:
        """As it is written back: ``2014``, ``2014-05`` or ``2014-05-03``."""
        return text_of_day(self, self.precision)


def text_of_day(day: date, precision: str) -> str:
    """The known part of a day, in ISO form."""
    return day.isoformat()[: {"year": 4, "month": 7}.get(precision, 10)]


def first_and_last(day: date, precision: str) -> tuple[date, date]:
    """The days between which the true one lies."""
    if precision == "year":
        return date(day.year, 1, 1), date(day.year, 12, 31)
    if precision == "month":
        _weekday, length = calendar.monthrange(day.year, day.month)
        return day.replace(day=1), day.replace(day=length)
    return day, day


def read_day(text: str) -> PartialDay:
    """The day, month or year that a text means; raises DayError."""
    plain = plain_signs(text).lower()
    for form in _FORMS:
        if match := form.fullmatch(plain):
            parts = match.groupdict()
            month = _named(parts["name"]) if parts.get("name") else parts.get("m")
            try:
                return PartialDay.of(
                    int(parts["y"]), _number(month), _number(parts.get("d"))
                )
            except ValueError as error:
                raise DayError(str(error)) from error
    raise DayError("not a day")


def _number(text: str | int | None) -> int | None:
    return None if text is None else int(text)


def _named(name: str) -> int:
    """The month whose English name begins so; 0, which no calendar has, for none."""
    if name == "sept":
        return 9
    return next((n for n in range(1, 13) if _MONTHS[n].startswith(name)), 0)
