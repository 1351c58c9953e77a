"""Every write of what is known at the operation; all doors call these."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import pghistory
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cases import permissions, writing
from cases.choices import CaseStatus, RelationToIndex
from cases.models import (
    Case,
    Complication,
    MriStudy,
    Operation,
    Patient,
    PatientIdentity,
)
from cases.permissions import check_can_add, check_can_edit, check_can_verify
from cases.signals import case_changed
from cases.states import Step, check_step
from cases.writing import Missing, Values, hold, set_status
from registry import audit, records, rules
from registry.models import Centre, User
from registry.permissions import Permission, check

Record = TypeVar("Record", Patient, Case, MriStudy, Operation, Complication)


def tell_changed(cases: Iterable[Case]) -> None:
    """Send the news inside the transaction; facts are refreshed with the change."""
    case_ids = sorted({case.pk for case in cases})
    if case_ids:
        case_changed.send(sender=Case, case_ids=case_ids)


@transaction.atomic
def create_patient(
    *,
    by: User,
    centre: Centre,
    values: Values,
    missing: Missing | None = None,
    identity: Values | None = None,
) -> Patient:
    """A new patient of a centre, with the identity apart if it is given.

    The year of birth follows from the date of birth.
    """
    check(by, Permission.WRITE_CASES, centre)
    born = (identity or {}).get("birth_date")
    if born and not values.get("birth_year"):
        values = {**values, "birth_year": born.year}
    patient = records.create(
        Patient(centre=centre), by=by, values=values, missing=missing
    )
    if identity and any(identity.values()):
        set_identity(by=by, patient=patient, values=identity)
    return patient


@transaction.atomic
def set_identity(
    *, by: User, patient: Patient, values: Values, version: int | None = None
) -> PatientIdentity:
    """Write name, date of birth and hospital number; audited without their content."""
    check(by, Permission.READ_IDENTITY, patient.centre)
    hold(patient.cases.current())
    check_can_edit(by, patient)
    identity = (
        PatientIdentity.objects.select_for_update(of=("self",))
        .filter(patient=patient)
        .first()
    )
    if identity is None:
        identity = PatientIdentity(
            patient=patient, centre_id=patient.centre_id, version=0
        )
    elif version is not None and identity.version != version:
        raise records.StaleVersion(identity, sorted(values))
    was = rules.row_of(identity) if identity.version else None
    changed = records.set_values(identity, values, None)
    if not changed:
        return identity
    identity.version += 1
    identity.updated_at, identity.updated_by = timezone.now(), by
    records.validate(identity)
    with pghistory.context(user=by.pk):
        identity.save()
    rules.check(patient.pk, [rules.change_of(identity, was)])
    audit.record(
        "identity.changed",
        actor=by,
        target=patient.code,
        centre_id=patient.centre_id,
        fields=sorted(changed),
    )
    tell_changed(patient.cases.all())
    return identity


def read_identity(*, by: User, patient: Patient) -> PatientIdentity | None:
    """The identity of a patient of the own centre. Every read is audited."""
    check(by, Permission.READ_IDENTITY, patient.centre)
    identity = PatientIdentity.objects.filter(patient=patient).first()
    audit.record(
        "identity.read", actor=by, target=patient.code, centre_id=patient.centre_id
    )
    return identity


@transaction.atomic
def create_case(
    *, by: User, patient: Patient, values: Values, missing: Missing | None = None
) -> Case:
    """A new tumour of a patient, as a draft."""
    check(by, Permission.WRITE_CASES, patient.centre)
    # Held, so that nobody voids the patient or moves the year of birth meanwhile.
    if Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk).is_void:
        raise records.RecordLocked(_("This patient was voided."))
    case = Case(patient=patient, centre_id=patient.centre_id)
    case = records.create(case, by=by, values=values, missing=missing)
    writing.settle(by=by, held=[case], changed=[(case, None)])
    tell_changed([case])
    return case


@transaction.atomic
def create_mri_study(
    *, by: User, case: Case, values: Values, missing: Missing | None = None
) -> MriStudy:
    """A new MRI examination of a case."""
    return _create_part(MriStudy(case=case), case, by, values, missing)


@transaction.atomic
def create_operation(
    *,
    by: User,
    case: Case,
    values: Values,
    missing: Missing | None = None,
    index_operation: bool = True,
) -> Operation:
    """A new operation; the index operation is time zero of the case."""
    operation = Operation(case=case, index_operation=index_operation)
    return _create_part(operation, case, by, values, missing)


@transaction.atomic
def change_index_operation(
    *,
    by: User,
    operation: Operation,
    previous_as: str,
    version: int,
    reason: str,
) -> Operation:
    """Make another operation of the case time zero of its follow-up.

    ``previous_as`` says what the index operation so far then is: a planned stage, such
    as the biopsy before the definitive operation, or a re-operation. Every day of the
    facts is counted anew. Raises what :func:`update_record` raises.
    """
    held = hold([operation.case])
    check_can_edit(by, operation, held)
    reason = reason_for(reason, _("Give a reason for the change."))
    chosen = records.locked(operation, version)
    _check_can_be_index(chosen, previous_as)
    rows = Operation.objects.current().filter(case_id=chosen.case_id)
    previous = rows.filter(index_operation=True).select_for_update().first()
    pairs = [(each, rules.row_of(each)) for each in (previous, chosen) if each]
    with pghistory.context(user=by.pk, reason=reason):
        if previous:
            _set_index(previous, by, index=False, relation=previous_as)
        _set_index(chosen, by, index=True, relation=None)
    for each in rows:
        records.validate(each)
    writing.settle(by=by, held=held, changed=pairs)
    audit.record(
        "operation.index_changed",
        actor=by,
        target=chosen.code,
        centre_id=permissions.centre_of(chosen).pk,
        previous=previous.code if previous else None,
        previous_as=previous_as,
    )
    tell_changed([chosen.case])
    return chosen


def _check_can_be_index(operation: Operation, previous_as: str) -> None:
    if operation.is_void:
        raise records.RecordLocked(_("This operation was voided."))
    if operation.index_operation:
        message = _("This is the index operation already.")
        raise ValidationError({"index_operation": ValidationError(message, "is_index")})
    if previous_as not in RelationToIndex.values:
        message = _("Say what the index operation so far then is.")
        raise ValidationError({"previous_as": ValidationError(message, "required")})


def _set_index(
    operation: Operation, by: User, *, index: bool, relation: str | None
) -> None:
    name = "relation_to_index"
    operation.index_operation = index
    records.set_values(operation, {name: relation}, {name: None})
    operation.version += 1
    operation.updated_at, operation.updated_by = timezone.now(), by
    names = ["index_operation", "relation_to_index", "missing", "version"]
    operation.save(update_fields=[*names, "updated_at", "updated_by"])


@transaction.atomic
def create_complication(
    *, by: User, operation: Operation, values: Values, missing: Missing | None = None
) -> Complication:
    """A new adverse event of an operation."""
    return _create_part(
        Complication(operation=operation), operation.case, by, values, missing
    )


PartRecord = TypeVar("PartRecord", MriStudy, Operation, Complication)


def _create_part(
    record: PartRecord,
    case: Case,
    by: User,
    values: Values,
    missing: Missing | None,
) -> PartRecord:
    held = hold([case])
    for current in held:
        check_can_add(by, current, follow_up=True)
    return writing.create(
        record, by=by, held=held, values=values, missing=missing, tell=tell_changed
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
    """Change fields of a row of this app, if nobody saved it meanwhile.

    Raises StaleVersion, RecordLocked, PermissionDenied or ValidationError.
    """
    return writing.update(
        record,
        by=by,
        values=values,
        missing=missing,
        version=version,
        reason=reason,
        tell=tell_changed,
    )


# The rows that must be void before the row they hang on.
HANGING: dict[type[models.Model], tuple[str, ...]] = {
    Patient: ("cases",),
    Case: ("operations", "mri_studies", "visits", "recurrences"),
    Operation: ("complications",),
}


@transaction.atomic
def void_record(*, by: User, record: Record, version: int, reason: str) -> Record:
    """Void a row; a patient or case only when nothing that counts hangs on it."""
    hold(permissions.cases_of(record))
    check_can_edit(by, record)
    _check_nothing_depends(record)
    return writing.void(
        record, by=by, version=version, reason=reason, tell=tell_changed
    )


@transaction.atomic
def restore_record(*, by: User, record: Record, version: int, reason: str) -> Record:
    """Let a voided row count again; what it hangs on must count as well."""
    return writing.restore(
        record, by=by, version=version, reason=reason, tell=tell_changed
    )


def _check_nothing_depends(record: Record) -> None:
    for name in HANGING.get(type(record), ()):
        if getattr(record, name).filter(voided_at__isnull=True).exists():
            raise ValidationError(
                {"reason": ValidationError(void_first(name), "has_parts")}
            )


def void_first(name: str) -> str:
    """Why a row cannot be voided that others hang on."""
    return _("Void its %(parts)s first.") % {"parts": name.replace("_", " ")}


@transaction.atomic
def complete_case(*, by: User, case: Case, version: int) -> Case:
    """Declare a draft complete: everything it must have has a value or a reason."""
    check(by, Permission.WRITE_CASES, case.centre)
    current = records.locked(case, version)
    check_step(current, Step.COMPLETE)
    writing.check_whole(current)
    return _told(set_status(current, by, CaseStatus.COMPLETE))


@transaction.atomic
def verify_case(*, by: User, case: Case, version: int) -> Case:
    """Lock a complete case, or the rows added to it since it was verified."""
    current = records.locked(case, version)
    check_can_verify(by, current)
    writing.check_whole(current)
    current = set_status(current, by, CaseStatus.VERIFIED)
    audit.record(
        "case.verified", actor=by, target=case.code, centre_id=current.centre_id
    )
    return _told(current)


@transaction.atomic
def amend_case(*, by: User, case: Case, version: int, reason: str) -> Case:
    """Open a verified case for correction. The reason stays in history and trail."""
    check(by, Permission.WRITE_CASES, case.centre)
    reason = reason_for(reason, _("Give a reason for the amendment."))
    current = records.locked(case, version)
    check_step(current, Step.AMEND)
    current = set_status(current, by, CaseStatus.OPENED, reason)
    audit.record(
        "case.amended", actor=by, target=case.code, centre_id=current.centre_id
    )
    return _told(current)


def reason_for(reason: str, message: str) -> str:
    """The reason as it is kept. Raises ValidationError with the message without one."""
    reason = reason.strip()[:500]
    if not reason:
        raise ValidationError({"reason": ValidationError(message, "required")})
    return reason


def _told(case: Case) -> Case:
    tell_changed([case])
    return case
