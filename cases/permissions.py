"""What role and state of a case allow together: pairs of ``check_x`` and ``can_x``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from cases import verification
from cases.models import Case, Complication, Patient
from cases.states import Step, check_step
from registry.models import Centre, User
from registry.permissions import Permission, can, check
from registry.records import RecordLocked

# What verification covers as such, not row by row.
Covered = (Patient, Case)


def centre_of(record: Any) -> Centre:
    """The centre a clinical row belongs to."""
    centre: Any = record
    for name in record.CENTRE_PATH.split("__"):
        centre = getattr(centre, name)
    return centre


def cases_of(record: Any) -> list[Case]:
    """The cases a row is part of: all of its patient's, else one."""
    if isinstance(record, Case):
        return [record]
    if isinstance(record, Complication):
        return [record.operation.case]
    if hasattr(record, "case_id"):
        return [record.case]
    patient: Any = record if isinstance(record, Patient) else record.patient
    return list(patient.cases.filter(voided_at__isnull=True))


def patient_id_of(record: Any) -> int:
    """Key of the patient to whom the row belongs."""
    if isinstance(record, Patient):
        return record.pk
    if isinstance(record, Complication):
        return record.operation.case.patient_id
    if hasattr(record, "case_id"):
        return int(record.case.patient_id)
    return int(record.patient_id)


def check_can_edit(
    user: User, record: Any, cases: Sequence[Case] | None = None
) -> None:
    """The role allows writing, and no verified case stands in the way.

    ``cases``: those of the row as they are now, where the caller holds them.
    """
    check(user, Permission.WRITE_CASES, centre_of(record))
    for case in cases_of(record) if cases is None else cases:
        check_step(case, _edit_step(case, record))


def _edit_step(case: Case, record: Any) -> Step:
    if isinstance(record, Covered) or verification.covers(case, record):
        return Step.EDIT
    return Step.EDIT_FOLLOW_UP


def can_edit(user: User, record: Any) -> bool:
    """Whether :func:`check_can_edit` passes."""
    return _passes(check_can_edit, user, record)


def check_can_add(user: User, case: Case, *, follow_up: bool = False) -> None:
    """The role and the state allow a new row; ``follow_up``: of what came later."""
    check(user, Permission.WRITE_CASES, case.centre)
    check_step(case, Step.ADD_FOLLOW_UP if follow_up else Step.ADD)


def can_add(user: User, case: Case, *, follow_up: bool = False) -> bool:
    return _passes(check_can_add, user, case, follow_up=follow_up)


def check_can_restore(
    user: User, record: Any, cases: Sequence[Case] | None = None
) -> None:
    """The row is void, what it hangs on is not, and no verification stands in the way."""
    check(user, Permission.WRITE_CASES, centre_of(record))
    if not record.is_void:
        raise RecordLocked(_("This record is not void."))
    above = above_of(record)
    if above is not None and above.is_void:
        text = _("%(code)s was voided. Restore it first, with a reason.")
        raise RecordLocked(text % {"code": above.code})
    if isinstance(record, Case):
        check_step(record, Step.RESTORE)
        return
    for case in cases_of(record) if cases is None else cases:
        step = _edit_step(case, record)
        check_step(case, Step.RESTORE_ROW if step == Step.EDIT else step)


def can_restore(user: User, record: Any) -> bool:
    return _passes(check_can_restore, user, record)


def above_of(record: Any) -> Any:
    """The row that this one hangs on; None for a patient."""
    if isinstance(record, Patient):
        return None
    if isinstance(record, Complication):
        return record.operation
    return record.case if hasattr(record, "case_id") else record.patient


def check_can_verify(user: User, case: Case) -> None:
    """The role and the state allow verifying, for the first time or again."""
    check(user, Permission.VERIFY_CASES, case.centre)
    added = bool(verification.added_since(case))
    check_step(case, Step.VERIFY, added_since=added)


def can_verify(user: User, case: Case) -> bool:
    return _passes(check_can_verify, user, case)


def can_read_identity(user: User, patient: Patient) -> bool:
    return can(user, Permission.READ_IDENTITY, patient.centre)


def sees_void(user: User, centre: Centre | None = None) -> bool:
    """Voided rows are found by those who write or verify."""
    return can(user, Permission.WRITE_CASES, centre) or can(
        user, Permission.VERIFY_CASES, centre
    )


def _passes(check: Any, *given: Any, **named: Any) -> bool:
    try:
        check(*given, **named)
    except (PermissionDenied, RecordLocked):
        return False
    return True
