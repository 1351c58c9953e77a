"""Days are read in every usual spelling; what could be several is refused."""

from __future__ import annotations

import copy
import pickle
from datetime import date, timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from registry.days import (
    DayError,
    PartialDay,
    days_between,
    first_and_last,
    read_day,
    same_day,
    text_of_day,
)
from tests.registry.spellings import DAYS

DATES = st.dates(date(1, 1, 1), date(9999, 12, 31))


@pytest.mark.parametrize(("text", "day"), DAYS.items())
def test_every_spelling_of_the_table(text: str, day: str | None) -> None:
    if day is None:
        with pytest.raises(DayError):
            read_day(text)
    else:
        assert read_day(text).text == day


@given(DATES)
def test_what_is_written_is_read_again(day: date) -> None:
    assert read_day(day.isoformat()) == day
    assert read_day(f"{day:%d}.{day:%m}.{day.year:04}") == day


@given(DATES, st.sampled_from(["day", "month", "year"]))
def test_the_known_part_is_kept(day: date, precision: str) -> None:
    read = read_day(text_of_day(day, precision))
    assert read.precision == precision
    first, last = first_and_last(read, precision)
    assert first <= day <= last
    assert first <= read <= last


def test_the_middle_stands_for_what_is_not_known() -> None:
    assert PartialDay.of(2014) == date(2014, 7, 1)
    assert PartialDay.of(2014, 2) == date(2014, 2, 15)
    first, last = first_and_last(PartialDay.of(2016, 2), "month")
    assert last - first == timedelta(days=28)


@given(st.text(max_size=14))
def test_any_text_is_a_day_or_a_day_error(text: str) -> None:
    try:
        assert isinstance(read_day(text), date)
    except DayError:
        pass


YEARS = st.dates(date(2010, 1, 1), date(2013, 12, 31))
PARTIAL = st.builds(PartialDay.known, YEARS, st.sampled_from(["day", "month", "year"]))


@given(PARTIAL)
def test_a_copy_knows_as_much(day: PartialDay) -> None:
    assert same_day(copy.deepcopy(day), day)
    assert same_day(pickle.loads(pickle.dumps(day)), day)
    assert same_day(PartialDay.known(day, day.precision), day)


@given(PARTIAL)
def test_a_day_in_words_is_no_more_than_what_is_known(day: PartialDay) -> None:
    assert f"{day}" == str(day) == text_of_day(day) == day.text


def days_of(day: PartialDay) -> range:
    first, last = first_and_last(day)
    return range(first.toordinal(), last.toordinal() + 1)


@given(PARTIAL, PARTIAL)
def test_days_between_lie_in_the_middle_of_what_is_possible(
    start: PartialDay, end: PartialDay
) -> None:
    possible = [
        e - s for s in (days_of(start)[0], days_of(start)[-1]) for e in days_of(end)
    ]
    middle = (min(possible) + max(possible)) / 2
    assert 0 <= days_between(start, end) - middle < 1
    later = [n for n in range(min(possible), max(possible) + 1) if n >= 0]
    if later:
        found = days_between(start, end, at_least=0)
        assert min(later) <= found <= max(later)


@pytest.mark.django_db
def test_the_database_counts_the_same_days() -> None:
    """Every pair of these, with every bound."""
    known = [date(2013, 12, 31), date(2014, 2, 3), date(2014, 5, 15), date(2016, 2, 29)]
    days = [
        PartialDay.known(day, part)
        for day in known
        for part in ("day", "month", "year")
    ]
    asked = [
        (start, end, least, most)
        for start in days
        for end in days
        for least in (None, 0, 40)
        for most in (None, 0)
    ]
    sql = "SELECT days_between(%s, %s, %s, %s, %s, %s)"
    with connection.cursor() as cursor:
        for start, end, least, most in asked:
            parts = [
                None if d.precision == "day" else d.precision for d in (start, end)
            ]
            cursor.execute(sql, [start, parts[0], end, parts[1], least, most])
            assert cursor.fetchone() == (days_between(start, end, least, most),)
