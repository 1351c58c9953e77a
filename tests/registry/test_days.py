"""Days are read in every usual spelling; what could be several is refused."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.days import DayError, PartialDay, first_and_last, read_day, text_of_day
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
