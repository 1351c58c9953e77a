"""What a verification covers, and what may still be added without changing it.

Every row that was there is locked. Follow-up goes on: what is added must lie after what
was verified, so that no verified number changes but those that grow with follow-up by
nature (last visit, time under observation). Whatever else has to change takes opening
the case with a reason. docs/decisions/0012 has the whole policy.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from cases import completeness
from cases.models import Case, Complication, MriStudy, Operation
from registry.days import text_of_day
from registry.records import RecordLocked

# By model: why a row may not be added to (or changed in) this verified case; empty if
# it may. Models that are not named belong to what is known at the operation.
Policy = Callable[[Case, Any], str]
POLICIES: dict[type, Policy] = {}
# Sections of rows that verification covers one by one.
SECTIONS_OF_THE_CASE_ITSELF = ("patient", "tumour")


# Statements that are continued in one row, such as whether a patient lives: the policy
# compares them with what was verified.
CONTINUED: set[type] = set()


def covers(case: Case, record: Any) -> bool:
    """Whether the verification of the case locks the row."""
    if case.verified_at is None or type(record) in CONTINUED:
        return False
    return bool(record.created_at <= case.verified_at)


def covered(case: Case, rows: Any) -> list[Any]:
    """Those of the rows that count and that verification locks."""
    return [row for row in completeness.current(rows) if covers(case, row)]


def added_since(case: Case) -> list[Any]:
    """Rows entered or changed since the verification; empty for other cases."""
    verified_at = case.verified_at
    if verified_at is None:
        return []
    return [
        row
        for section, rows in completeness.SECTIONS.items()
        if section not in SECTIONS_OF_THE_CASE_ITSELF
        for row in rows(case)
        if row.updated_at > verified_at
    ]


def check_keeps(case: Case, record: Any) -> None:
    """Raise RecordLocked if the saved row changes what was verified."""
    if case.verified_at is None or (record.is_void and type(record) not in CONTINUED):
        return
    policy = POLICIES.get(type(record))
    why = policy(case, record) if policy else baseline()
    if why:
        raise RecordLocked(_("Case %(code)s is verified. ") % {"code": case.code} + why)


def baseline() -> str:
    return _(
        "This belongs to what was known at the operation. Open the case for amendment "
        "first, with a reason."
    )


def too_early(what: Any, last: date | None) -> str:
    """The refusal of a row that lies before the last one verified."""
    text = _(
        "%(what)s before %(day)s, the last one verified, would change verified "
        "numbers. Open the case for amendment first, with a reason."
    )
    return text % {"what": what, "day": text_of_day(last) if last else "–"}


def without_day() -> str:
    return _(
        "Without its day nobody can tell whether it changes verified numbers. Give the "
        "day, or open the case for amendment first, with a reason."
    )


def keeps_order(what: Any, day: date | None, verified: list[date | None]) -> str:
    """Refuse a row without a day, or not later than every verified one."""
    if day is None:
        return without_day()
    last = max((each for each in verified if each), default=None)
    return too_early(what, last) if last and day <= last else ""


def _study(case: Case, study: MriStudy) -> str:
    if study.is_preoperative:
        return baseline()
    others = covered(case, case.mri_studies.exclude(pk=study.pk))
    days = [case.operated_on, *(each.mri_date for each in others)]
    return keeps_order(_("An MRI"), study.mri_date, days)


def _operation(case: Case, operation: Operation) -> str:
    if operation.is_stage:
        return baseline()
    others = covered(case, case.operations.exclude(pk=operation.pk))
    days = [each.surgery_date for each in others]
    return keeps_order(_("An operation"), operation.surgery_date, days)


def _complication(case: Case, complication: Complication) -> str:
    return baseline() if covers(case, complication.operation) else ""


POLICIES.update({MriStudy: _study, Operation: _operation, Complication: _complication})
