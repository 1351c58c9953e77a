"""Every write of what happens after the operation; all doors call these."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from django.db import transaction

from cases import writing
from cases.models import Case, Patient
from cases.permissions import check_can_add
from cases.writing import Missing, Values, hold
from outcomes.models import Recurrence, Visit, VitalStatus
from outcomes.signals import outcome_changed
from registry.models import User
from registry.permissions import Permission, check

Record = TypeVar("Record", Visit, Recurrence, VitalStatus)
OfCase = TypeVar("OfCase", Visit, Recurrence)


def tell_changed(cases: Iterable[Case]) -> None:
    """Send the news inside the transaction; facts are refreshed with the change."""
    case_ids = sorted({case.pk for case in cases})
    if case_ids:
        outcome_changed.send(sender=Case, case_ids=case_ids)


@transaction.atomic
def create_visit(
    *, by: User, case: Case, values: Values, missing: Missing | None = None
) -> Visit:
    """A new visit. Follow-up continues after a case was verified."""
    return _create(Visit, by, case, values, missing)


@transaction.atomic
def create_recurrence(
    *, by: User, case: Case, values: Values, missing: Missing | None = None
) -> Recurrence:
    """A recurrence, regrowth or new lesion. Comes also after a case was verified."""
    return _create(Recurrence, by, case, values, missing)


def _create(
    model: type[OfCase], by: User, case: Case, values: Values, missing: Missing | None
) -> OfCase:
    held = hold([case])
    for current in held:
        check_can_add(by, current, follow_up=True)
    row: OfCase = model(case=case)
    return writing.create(
        row, by=by, held=held, values=values, missing=missing, tell=tell_changed
    )


@transaction.atomic
def create_vital_status(
    *, by: User, patient: Patient, values: Values, missing: Missing | None = None
) -> VitalStatus:
    """The first statement of whether a patient lives."""
    check(by, Permission.WRITE_CASES, patient.centre)
    held = hold(patient.cases.current())
    return writing.create(
        VitalStatus(patient=patient),
        by=by,
        held=held,
        values=values,
        missing=missing,
        tell=tell_changed,
    )


@transaction.atomic
def update_record(
    *,
    by: User,
    record: Record,
    values: Values,
    missing: Missing | None = None,
    version: int,
    reason: str = "",
) -> Record:
    """Change fields of a row of this app, if nobody saved it meanwhile."""
    return writing.update(
        record,
        by=by,
        values=values,
        missing=missing,
        version=version,
        reason=reason,
        tell=tell_changed,
    )


@transaction.atomic
def void_record(*, by: User, record: Record, version: int, reason: str) -> Record:
    """Take a row out of every count, with a reason."""
    return writing.void(
        record, by=by, version=version, reason=reason, tell=tell_changed
    )


@transaction.atomic
def restore_record(*, by: User, record: Record, version: int, reason: str) -> Record:
    """Let a voided row count again, with a reason."""
    return writing.restore(
        record, by=by, version=version, reason=reason, tell=tell_changed
    )
