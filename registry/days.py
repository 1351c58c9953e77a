"""Days as people write them: whole, or known to the month or the year only.

A text is read where it can mean one thing. ``3/4/2021`` is March in one country and
April in another, ``201511`` may be three numbers: they are refused, never guessed. The
browser reads by the same rules (days.js); one table of spellings tests both.
"""

from __future__ import annotations

import calendar
import re
from datetime import date
from typing import Any, Final, Literal, Self

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
    are off by half of it at most and not all to one side. Two of them are equal as
    dates are; :func:`same_day` compares what is known as well.
    """

    precision: Precision = "day"

    @classmethod
    def of(cls, year: int, month: int | None = None, day: int | None = None) -> Self:
        """The day, or the middle of the month or year. Raises ValueError."""
        if month is None:
            return cls._middle(date(year, MIDDLE_MONTH, 1), "year")
        if day is None:
            return cls._middle(date(year, month, MIDDLE_DAY), "month")
        return cls(year, month, day)

    @classmethod
    def _middle(cls, middle: date, precision: Precision) -> Self:
        found = cls(middle.year, middle.month, middle.day)
        found.precision = precision
        return found

    @classmethod
    def known(cls, day: date, precision: str) -> Self:
        """What is known of a day, to the given precision."""
        parts = (day.year, day.month, day.day)
        return cls.of(*parts[: {"year": 1, "month": 2}.get(precision, 3)])

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).known, (date(self.year, self.month, self.day), self.precision)

    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """As it is written back: ``2014``, ``2014-05`` or ``2014-05-03``."""
        return text_of_day(self, self.precision)


def precision_of(day: date | None) -> Precision:
    """How much of a day is known; a plain date is a whole day."""
    return day.precision if isinstance(day, PartialDay) else "day"


def same_day(one: Any, other: Any) -> bool:
    """Whether two values are equal and, if they are days, equally well known."""
    return bool(one == other) and precision_of(one) == precision_of(other)


def text_of_day(day: date, precision: str = "") -> str:
    """The known part of a day, in ISO form: ``2014``, ``2014-05`` or ``2014-05-03``."""
    length = {"year": 4, "month": 7}.get(precision or precision_of(day), 10)
    return day.isoformat()[:length]


def first_and_last(day: date, precision: str = "") -> tuple[date, date]:
    """The days between which the true one lies."""
    precision = precision or precision_of(day)
    if precision == "year":
        return date(day.year, 1, 1), date(day.year, 12, 31)
    if precision == "month":
        _weekday, length = calendar.monthrange(day.year, day.month)
        return date(day.year, day.month, 1), date(day.year, day.month, length)
    return day, day


def surely_before(one: date, other: date) -> bool:
    """Whether every day that the one may mean lies before every one of the other."""
    return first_and_last(one)[1] < first_and_last(other)[0]


def days_between(
    start: date, end: date, at_least: int | None = None, at_most: int | None = None
) -> int:
    """Days from one date to the other: the middle of the numbers that are possible.

    Between whole days just the difference. For the month or year of what cannot have
    come before the other, ``at_least`` 0 leaves the impossible part of it out;
    ``at_most`` 0 does for what cannot have followed; neither leads to a day that the
    dates rule out. The database has the same function.
    """
    if precision_of(start) == precision_of(end) == "day":
        return (end - start).days
    (first_start, last_start), (first, last) = map(first_and_last, (start, end))
    fewest, most = (first - last_start).days, (last - first_start).days
    from_ = fewest if at_least is None else min(max(fewest, at_least), most)
    upto = most if at_most is None else max(min(most, at_most), fewest)
    return -(-(from_ + upto) // 2)


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
