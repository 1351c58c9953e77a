"""Order of days of which only the month or the year may be known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from registry.days import first_and_last, text_of_day
from registry.rules.declared import Breach, PatientRows, Row


@dataclass(frozen=True)
class Period:
    """From the first to the last day that a date may mean."""

    first: date
    last: date

    def surely_before(self, other: Period) -> bool:
        return self.last < other.first

    def may_be(self, other: Period) -> bool:
        """Whether both may mean one and the same day."""
        return self.first <= other.last and other.first <= self.last


def period(row: Row, name: str) -> Period | None:
    """The period that a date of a row means; None without a date."""
    day: date | None = row[name]
    return None if day is None else Period(*first_and_last(day))


def shown(row: Row, name: str) -> str:
    """A date as precisely as it is known: 2014, 2014-05 or 2014-05-02."""
    return text_of_day(row[name])


def ordered(
    earlier: tuple[str, str],
    later: tuple[str, str],
    only: Callable[[Row, Row], bool] = lambda _earlier, _later: True,
    same_day: bool = True,
) -> Callable[[PatientRows], Iterator[Breach]]:
    """A predicate: the date ``(kind, field)`` is never after the other one.

    Of dates known in part only what no day of them allows is a breach.

    ``only`` limits the pairs of rows that it speaks of; ``same_day`` False refuses
    equal days too. The words may use ``%(earlier)s`` and ``%(later)s``.
    """

    def breaks(rows: PatientRows) -> Iterator[Breach]:
        for one, other in rows.pairs(earlier[0], later[0]):
            first, second = period(one, earlier[1]), period(other, later[1])
            if first is None or second is None or not only(one, other):
                continue
            at_best_same = first.first == second.last
            if second.surely_before(first) or (at_best_same and not same_day):
                days = shown(one, earlier[1]), shown(other, later[1])
                yield Breach((one, other), dict(zip(NAMED, days, strict=True)))

    return breaks


NAMED = ("earlier", "later")
