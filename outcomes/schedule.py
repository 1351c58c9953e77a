"""When visits are expected, which of them are missing, and who is out of touch.

One definition, in SQL, for lists, worklist, the page of a case and the API. Days are
counted from the index operation, which is day zero. Each visit window of an operated
case is one of:

``done``        a visit fills it, by its kind or by its day
``not_needed``  the patient was seen after it had closed, so nobody waits for it
``died``        the patient died
``later``       it has not opened yet
``due``         it is open; somebody should be seen now, be he out of touch or not
``lost``        it closed without a visit, and there was no contact for 18 months
``overdue``     it closed without a visit, and the patient is in contact

A case has the state of the appointment to care for first: the one due, else the latest
that was missed, else the next one. Nothing left to wait for is ``not_needed``, and
nothing is expected without a dated index operation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection, models
from django.db.models import Func, Q
from django.db.models.expressions import RawSQL
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from outcomes.choices import VisitType
from outcomes.windows import LAST, LOST_AFTER_DAYS, WINDOWS, Window
from registry.days import PartialDay

SCHEDULED = tuple(window for window in WINDOWS if window is not LAST)
# Appointments that somebody has to make; the others happen in hospital.
APPOINTMENTS = tuple(window for window in SCHEDULED if window.opens > 30)
BY_NAME = {window.name: window for window in SCHEDULED}
STATES = (
    ("due", _("Due now")),
    ("overdue", _("Overdue")),
    ("lost", _("Lost to follow-up")),
    ("later", _("Expected later")),
    ("died", _("Died")),
    ("not_needed", _("No visit expected")),
)
WAITING = ("due", "overdue", "lost", "later")


def target_day(window: Window) -> int:
    """The day a visit is expected; the end of the window where no day is fixed."""
    return window.closes if window.target is None else window.target


def _windows_sql() -> str:
    return ", ".join(
        f"('{w.name}', {w.opens}, {w.closes}, {w in APPOINTMENTS})" for w in SCHEDULED
    )


# What is known of the operated cases that {condition} selects, one row a case. Contact
# is whatever shows that the patient was seen or heard of.
COURSE = """
SELECT operation.case_id, operation.surgery_date AS operated_on,
  coalesce(vital.vital_status = 'dead', false) AS died, vital.death_date AS died_on,
  visited.kinds, visited.days, visited.reached,
  contact.day AS contact_on, contact.known AS contact_known
FROM cases_operation operation
JOIN cases_case tumour
  ON tumour.id = operation.case_id AND tumour.voided_at IS NULL
LEFT JOIN outcomes_vitalstatus vital
  ON vital.patient_id = tumour.patient_id AND vital.voided_at IS NULL
LEFT JOIN LATERAL (
  SELECT array_agg(v.visit_type) AS kinds, max(v.day) AS last_day,
    array_agg(v.day) FILTER (WHERE v.day <> 0 OR v.visit_type = 'preop') AS days,
    greatest(max(v.day), max(nominal.opens)) AS reached
  FROM (
    SELECT visit_type,
      coalesce(days_between(
        operation.surgery_date, operation.precision ->> 'surgery_date',
        visit_date, precision ->> 'visit_date',
        at_least => CASE WHEN visit_type NOT IN ('preop', 'unscheduled') THEN 0 END,
        at_most => CASE visit_type WHEN 'preop' THEN 0 END), reported_day) AS day
    FROM outcomes_visit
    WHERE case_id = operation.case_id AND voided_at IS NULL
  ) AS v
  LEFT JOIN (VALUES {windows}) AS nominal (name, opens, closes, made)
    ON nominal.name = v.visit_type
) AS visited ON true
LEFT JOIN LATERAL (
  SELECT heard.day, heard.known
  FROM (
    SELECT operation.surgery_date, operation.precision ->> 'surgery_date'
    UNION ALL SELECT vital.last_contact_date, vital.precision ->> 'last_contact_date'
    UNION ALL SELECT coalesce(v.visit_date, operation.surgery_date + v.reported_day),
      v.precision ->> 'visit_date'
      FROM outcomes_visit v
      WHERE v.case_id = operation.case_id AND v.voided_at IS NULL
    UNION ALL SELECT m.mri_date, m.precision ->> 'mri_date'
      FROM cases_mristudy m
      WHERE m.case_id = operation.case_id AND m.voided_at IS NULL
    UNION ALL SELECT o.surgery_date, o.precision ->> 'surgery_date'
      FROM cases_operation o
      WHERE o.case_id = operation.case_id AND o.voided_at IS NULL
    UNION ALL SELECT coalesce(r.detected_on, operation.surgery_date + r.reported_day),
      r.precision ->> 'detected_on'
      FROM outcomes_recurrence r
      WHERE r.case_id = operation.case_id AND r.voided_at IS NULL
  ) AS heard (day, known)
  ORDER BY heard.day DESC NULLS LAST, heard.known NULLS FIRST LIMIT 1
) AS contact ON true
WHERE operation.index_operation AND operation.voided_at IS NULL
  AND operation.surgery_date IS NOT NULL AND {condition}
"""
# One row for each of those cases and each window.
WINDOWS_OF_CASES = """
SELECT course.case_id, course.operated_on, course.contact_on, course.contact_known,
  course.died_on, course.died, period.name, period.opens, period.made,
  CASE
    WHEN period.name = ANY(course.kinds)
      OR EXISTS (SELECT 1 FROM unnest(course.days) AS visit (day)
                 WHERE visit.day BETWEEN period.opens AND period.closes) THEN 'done'
    WHEN course.reached > period.closes THEN 'not_needed'
    WHEN course.died THEN 'died'
    WHEN {today} < course.operated_on + period.opens THEN 'later'
    WHEN {today} <= course.operated_on + period.closes THEN 'due'
    WHEN {today} - course.contact_on > {lost_after} THEN 'lost'
    ELSE 'overdue'
  END AS state
FROM ({course}) AS course
CROSS JOIN (VALUES {windows}) AS period (name, opens, closes, made)
"""
# The appointment of a case to care for comes first in this order, and the state of the
# case is the state of that one.
FIRST_TO_CARE_FOR = """
place.made DESC,
array_position(ARRAY['due', 'overdue', 'lost', 'later'], place.state) NULLS LAST,
CASE WHEN place.state = 'later' THEN place.opens ELSE -place.opens END
"""
STATE_OF_CASE = """
CASE WHEN place.died THEN 'died'
  WHEN place.state = 'done' THEN 'not_needed' ELSE place.state END
"""
ONE_STATE = """
coalesce((SELECT {state} FROM ({windows}) AS place ORDER BY {order} LIMIT 1),
  'not_needed')
"""
SCHEDULES = """
SELECT place.case_id, place.operated_on, place.contact_on, place.died_on,
  place.contact_known, place.name, place.state,
  row_number() OVER (PARTITION BY place.case_id ORDER BY {order}) = 1,
  {state}
FROM ({windows}) AS place ORDER BY place.case_id, place.opens
"""


def _windows_of_cases(condition: str, today: str) -> str:
    windows = _windows_sql()
    return WINDOWS_OF_CASES.format(
        today=today,
        lost_after=LOST_AFTER_DAYS,
        windows=windows,
        course=COURSE.format(condition=condition, windows=windows),
    )


class AppointmentState(Func):
    """The state of a case, given the expression of its key and the day of today."""

    output_field: models.Field[Any, Any] = models.CharField()

    def __init__(self, case: Any, today: date) -> None:
        inner = _windows_of_cases(
            "operation.case_id = %(expressions)s", f"DATE '{today.isoformat()}'"
        )
        super().__init__(
            case,
            template=ONE_STATE.format(
                windows=inner, order=FIRST_TO_CARE_FOR, state=STATE_OF_CASE
            ),
        )


DATED = """
SELECT operation.case_id FROM cases_operation operation
WHERE operation.index_operation AND operation.voided_at IS NULL
  AND operation.surgery_date IS NOT NULL
"""
STATES_OF_CASES = """
SELECT state.case_id FROM (
  SELECT DISTINCT ON (place.case_id) place.case_id, {state} AS told
  FROM ({windows}) AS place ORDER BY place.case_id, {order}
) AS state WHERE state.told = ANY(%s)
"""


def cases_in_state(
    cases: models.QuerySet[Any], key: str, states: Iterable[str], today: date
) -> Q:
    """The rows of ``cases`` in one of these states, all of them derived at once.

    ``key`` is the column of ``cases`` that holds the key of the case.
    """
    wanted = list(states)
    narrowed, given = cases.order_by().values(key).query.sql_with_params()
    sql = STATES_OF_CASES.format(
        windows=_windows_of_cases(
            f"operation.case_id IN ({narrowed})", f"DATE '{today.isoformat()}'"
        ),
        order=FIRST_TO_CARE_FOR,
        state=STATE_OF_CASE,
    )
    # Every value goes as a parameter; the rest of the statement is written here.
    found = Q(**{f"{key}__in": RawSQL(sql, [*given, wanted])})  # noqa: S611
    if "not_needed" not in wanted:
        return found
    # Nothing is expected without a dated index operation.
    dated = RawSQL(DATED, [])  # noqa: S611
    return found | ~Q(**{f"{key}__in": dated})


@dataclass(frozen=True)
class Appointment:
    """One visit window of one case; ``state`` as the module tells."""

    window: Window
    on: date
    opens: date
    until: date
    state: str

    @property
    def label(self) -> str:
        return capfirst(str(VisitType(self.window.name).label))


@dataclass(frozen=True)
class Schedule:
    """The windows of an operated case, its state, and the last contact.

    ``cared_for`` is the appointment that gives the state; None where the patient died or
    nothing is left to wait for.
    """

    state: str
    contact_on: date
    died_on: date | None
    windows: tuple[Appointment, ...]
    cared_for: Appointment | None


def schedules_of(cases: Iterable[int], today: date) -> dict[int, Schedule]:
    """The schedules of these cases by key, in one query; operated ones only."""
    sql = SCHEDULES.format(
        windows=_windows_of_cases("operation.case_id = ANY(%(cases)s)", "%(today)s"),
        order=FIRST_TO_CARE_FOR,
        state=STATE_OF_CASE,
    )
    found: dict[int, list[Any]] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql, {"cases": list(cases), "today": today})
        for case, *row in cursor.fetchall():
            found.setdefault(case, []).append(row)
    return {case: _schedule(rows) for case, rows in found.items()}


def _schedule(rows: list[Any]) -> Schedule:
    operated_on, contact_on, died_on, known = rows[0][:4]
    contact_on = PartialDay.known(contact_on, known or "day")
    windows = tuple(_appointment(operated_on, BY_NAME[row[4]], row[5]) for row in rows)
    place = next(place for place, row in enumerate(rows) if row[6])
    state = rows[place][7]
    waits = state in WAITING
    return Schedule(
        state, contact_on, died_on, windows, windows[place] if waits else None
    )


def _appointment(operated_on: date, window: Window, state: str) -> Appointment:
    def day(number: int) -> date:
        return operated_on + timedelta(days=number)

    return Appointment(
        window,
        on=day(target_day(window)),
        opens=day(window.opens),
        until=day(window.closes),
        state=state,
    )
