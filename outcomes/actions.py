"""Every write of what happens after the operation; all doors call these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from cases.models import Case, Patient
from cases.permissions import check_not_locked
from outcomes.models import Recurrence, Visit, VitalStatus
from outcomes.signals import outcome_changed
from registry import audit, records
from registry.models import User
from registry.permissions import Permission, check

Record = TypeVar("Record", Visit, Recurrence, VitalStatus)
Values = Mapping[str, Any]
Missing = Mapping[str, str | None]


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
    _check_open(by, case)
    visit = records.create(Visit(case=case), by=by, values=values, missing=missing)
    tell_changed([case])
    return visit


@transaction.atomic
def create_recurrence(
    *, by: User, case: Case, values: Values, missing: Missing | None = None
) -> Recurrence:
    """A recurrence, regrowth or new lesion. Comes also after a case was verified."""
    _check_open(by, case)
    recurrence = records.create(
        Recurrence(case=case), by=by, values=values, missing=missing
    )
    tell_changed([case])
    return recurrence


@transaction.atomic
def create_vital_status(
    *, by: User, patient: Patient, values: Values, missing: Missing | None = None
) -> VitalStatus:
    """The first statement of whether a patient lives."""
    check(by, Permission.WRITE_CASES, patient.centre)
    status = records.create(
        VitalStatus(patient=patient), by=by, values=values, missing=missing
    )
    tell_changed(patient.cases.all())
    return status


def _check_open(by: User, case: Case) -> None:
    check(by, Permission.WRITE_CASES, case.centre)
    if Case.objects.select_for_update(of=("self",)).get(pk=case.pk).is_void:
        raise records.RecordLocked(_("This case was voided."))


def cases_of(record: Visit | Recurrence | VitalStatus) -> list[Case]:
    """The cases whose outcomes the row is part of."""
    if isinstance(record, VitalStatus):
        return list(record.patient.cases.filter(voided_at__isnull=True))
    return [record.case]


def check_can_write(user: User, record: Visit | Recurrence | VitalStatus) -> None:
    """The role allows writing; rows that verification covered stay as they are."""
    if isinstance(record, VitalStatus):
        check(user, Permission.WRITE_CASES, record.patient.centre)
        return
    check(user, Permission.WRITE_CASES, record.case.centre)
    verified_at = record.case.verified_at
    if verified_at and record.created_at <= verified_at:
        check_not_locked(record.case)


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
    cases = _locked_cases(record)
    check_can_write(by, record)
    updated = records.update(
        record, by=by, values=values, missing=missing, version=version, reason=reason
    )
    tell_changed(cases)
    return updated


@transaction.atomic
def void_record(*, by: User, record: Record, version: int, reason: str) -> Record:
    """Take a row out of every count, with a reason."""
    cases = _locked_cases(record)
    check_can_write(by, record)
    voided = records.void(record, by=by, version=version, reason=reason)
    audit.record(
        f"{record._meta.model_name}.voided",
        actor=by,
        target=record.code,
        centre_id=cases[0].centre_id if cases else None,
        reason_given=True,
    )
    tell_changed(cases)
    return voided


def _locked_cases(record: Any) -> list[Case]:
    cases = cases_of(record)
    held = Case.objects.select_for_update(of=("self",)).filter(
        pk__in=[case.pk for case in cases]
    )
    return list(held.order_by("pk"))
