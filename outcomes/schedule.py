"""When visits are expected, and which of them are missing.

Days are counted from the index operation, which is day zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.text import capfirst

from outcomes.choices import VisitType
from outcomes.windows import LAST, LOST_AFTER_DAYS, PREOP, WINDOWS, Window

SCHEDULED = tuple(window for window in WINDOWS if window is not LAST)
# Appointments that somebody has to make; the others happen in hospital.
APPOINTMENTS = tuple(window for window in SCHEDULED if window.opens > 30)


def target_day(window: Window) -> int:
    """The day a visit is expected; the end of the window where no day is fixed."""
    return window.closes if window.target is None else window.target


def windows_seen(visits: Iterable[Any]) -> set[str]:
    """Names of the windows that these visits fill, by their kind or by their day."""
    seen: set[str] = set()
    for visit in visits:
        seen.add(visit.visit_type)
        day = visit.visit_day
        if day is not None and (day > 0 or visit.visit_type == PREOP.name):
            seen |= {w.name for w in SCHEDULED if w.opens <= day <= w.closes}
    return seen


@dataclass(frozen=True)
class Expected:
    """A window without a visit. ``state``: later, due, overdue or past.

    ``past``: a later window was filled already, so nobody waits for this one.
    """

    window: Window
    on: date
    until: date
    state: str

    @property
    def label(self) -> str:
        return capfirst(str(VisitType(self.window.name).label))


def expected_visits(
    operated_on: date | None,
    seen: set[str],
    today: date,
    ended_on: date | None = None,
) -> list[Expected]:
    """Windows that no visit fills; none that opens after death (``ended_on``)."""
    if operated_on is None:
        return []
    reached = max((w.opens for w in SCHEDULED if w.name in seen), default=-999)
    return [
        expectation(window, operated_on, today, reached)
        for window in SCHEDULED
        if window.name not in seen
        and not (ended_on and operated_on + timedelta(window.opens) > ended_on)
    ]


def expectation(
    window: Window, operated_on: date, today: date, reached: int
) -> Expected:
    opens = operated_on + timedelta(window.opens)
    until = operated_on + timedelta(window.closes)
    if today < opens:
        state = "later"
    elif today <= until:
        state = "due"
    else:
        state = "past" if reached > window.opens else "overdue"
    return Expected(window, operated_on + timedelta(target_day(window)), until, state)


def next_expected(expected: Iterable[Expected]) -> Expected | None:
    """The appointment to care for first: the one due, the last overdue, or the next."""
    wanted = [each for each in expected if each.window in APPOINTMENTS]
    for state, place in (("due", 0), ("overdue", -1), ("later", 0)):
        of_state = [each for each in wanted if each.state == state]
        if of_state:
            return of_state[place]
    return None


def last_contact(case: Any, vital: Any | None) -> date | None:
    """The last day on which the patient was seen or heard of, from loaded rows."""
    days = [visit.visit_date for visit in case.visits.all() if not visit.is_void]
    days += [study.mri_date for study in case.mri_studies.all() if not study.is_void]
    days += [case.operated_on, vital.last_contact_date if vital else None]
    return max((day for day in days if day), default=None)


def is_lost(contact: date | None, today: date, *, died: bool) -> bool:
    """Alive as far as known, and without contact for longer than 18 months."""
    return contact is not None and not died and (today - contact).days > LOST_AFTER_DAYS
