"""Order of days of which only the month or the year may be known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from registry.days import first_and_last, text_of_day
from registry.rules.declared import Breach, PatientRows, Row, precision_of


@dataclass(frozen=True)
class Period:
    """From the first to the last day that a date may mean."""

    first: date
    last: date

    def surely_before(self, other: Period) -> bool:
        return self.last < other.first

    @property
    def is_one_day(self) -> bool:
        return self.first == self.last


def period(row: Row, name: str) -> Period | None:
    """The period that a date of a row means; None without a date."""
    day: date | None = row[name]
    return None if day is None else Period(*first_and_last(day, _precision(row, name)))


def shown(row: Row, name: str) -> str:
    """A date as precisely as it is known: 2014, 2014-05 or 2014-05-02."""
    return text_of_day(row[name], _precision(row, name))


def _precision(row: Row, name: str) -> str:
    return row.values.get(precision_of(name)) or "day"


def ordered(
    earlier: tuple[str, str],
    later: tuple[str, str],
    only: Callable[[Row, Row], bool] = lambda _earlier, _later: True,
    same_day: bool = True,
) -> Callable[[PatientRows], Iterator[Breach]]:
    """A predicate: the date ``(kind, field)`` is never after the other one.

    ``only`` limits the pairs of rows that it speaks of; ``same_day`` False refuses
    equal days too. The words may use ``%(earlier)s`` and ``%(later)s``.
    """

    def breaks(rows: PatientRows) -> Iterator[Breach]:
        for one, other in rows.pairs(earlier[0], later[0]):
            first, second = period(one, earlier[1]), period(other, later[1])
            if first is None or second is None or not only(one, other):
                continue
            same = not same_day and first.is_one_day and first == second
            if same or second.surely_before(first):
                days = shown(one, earlier[1]), shown(other, later[1])
                yield Breach((one, other), dict(zip(NAMED, days, strict=True)))

    return breaks


NAMED = ("earlier", "later")
