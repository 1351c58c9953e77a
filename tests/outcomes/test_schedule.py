"""When visits are expected, and which are missing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from outcomes.schedule import expected_visits, is_lost, next_expected

DAY_ZERO = date(2020, 1, 1)


def states(days: int, *seen: str, ended: int | None = None) -> dict[str, str]:
    """State by window, so many days after the operation."""
    ended_on = None if ended is None else DAY_ZERO + timedelta(ended)
    today = DAY_ZERO + timedelta(days)
    found = expected_visits(DAY_ZERO, set(seen), today, ended_on)
    return {each.window.name: each.state for each in found}


@pytest.mark.parametrize(
    ("days", "state"),
    [(304, "later"), (305, "due"), (425, "due"), (426, "overdue")],
)
def test_a_window_opens_and_closes_on_its_days(days: int, state: str) -> None:
    assert states(days)["m12"] == state


def test_a_window_that_was_filled_is_not_expected() -> None:
    assert "m3" not in states(200, "m3")


def test_nobody_waits_for_a_window_before_one_that_was_filled() -> None:
    found = states(500, "m12")
    assert (found["m3"], found["m6"], found["m24"]) == ("past", "past", "later")


def test_no_visit_is_expected_after_death() -> None:
    assert set(states(900, ended=200)) == {"preop", "discharge", "m3", "m6"}


def test_without_an_operation_nothing_is_expected() -> None:
    assert expected_visits(None, set(), DAY_ZERO) == []


def test_the_next_appointment_is_the_one_due_then_the_latest_overdue() -> None:
    def asked(days: int, *seen: str) -> str | None:
        today = DAY_ZERO + timedelta(days)
        found = next_expected(expected_visits(DAY_ZERO, set(seen), today))
        return found.window.name if found else None

    assert asked(200) == "m6"
    assert asked(260) == "m6"
    assert asked(310) == "m12"
    assert asked(10) == "m3"
    assert asked(3000, "m3", "m6", "m12", "m24", "m60") is None


def test_a_patient_is_lost_after_eighteen_months_of_silence() -> None:
    contact = DAY_ZERO
    assert not is_lost(contact, contact + timedelta(548), died=False)
    assert is_lost(contact, contact + timedelta(549), died=False)
    assert not is_lost(contact, contact + timedelta(5000), died=True)
    assert not is_lost(None, contact, died=False)
