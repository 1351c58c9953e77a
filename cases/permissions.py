"""What the state of a case allows, beside what the role allows."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from cases.models import Case, Complication, MriStudy, Operation, Patient
from registry.models import Centre, User
from registry.permissions import Permission, can, check
from registry.records import RecordLocked


def centre_of(record: Any) -> Centre:
    """The centre a clinical row belongs to."""
    if isinstance(record, Patient | Case):
        return record.centre
    if isinstance(record, Complication):
        return record.operation.case.centre
    return record.case.centre


def cases_of(record: Any) -> list[Case]:
    """The cases a row is part of: all of a patient's, else one."""
    if isinstance(record, Patient):
        return list(record.cases.filter(voided_at__isnull=True))
    if isinstance(record, Case):
        return [record]
    if isinstance(record, Complication):
        return [record.operation.case]
    return [record.case]


def check_can_write(user: User, record: MriStudy | Operation | Any) -> None:
    """The role allows writing, and no verified case stands in the way."""
    check(user, Permission.WRITE_CASES, centre_of(record))
    for case in cases_of(record):
        check_not_locked(case)


def check_not_locked(case: Case) -> None:
    """A verified case does not change before it is opened for amendment."""
    if case.is_locked:
        raise RecordLocked(
            _("Case %(code)s is verified. Open it for amendment, with a reason.")
            % {"code": case.code}
        )


def can_write(user: User, record: Any) -> bool:
    """Whether :func:`check_can_write` passes."""
    try:
        check_can_write(user, record)
    except (PermissionDenied, RecordLocked):
        return False
    return True


def can_verify(user: User, case: Case) -> bool:
    return can(user, Permission.VERIFY_CASES, case.centre)


def can_read_identity(user: User, patient: Patient) -> bool:
    return can(user, Permission.READ_IDENTITY, patient.centre)
