"""Every write of what is known at the operation; all doors call these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.choices import CaseStatus, RelationToIndex
from cases.models import (
    Case,
    Complication,
    MriStudy,
    Operation,
    Patient,
    PatientIdentity,
)
from cases.permissions import (
    cases_of,
    centre_of,
    check_can_write,
    check_not_locked,
)
from cases.signals import case_changed
from registry import audit, records
from registry.models import Centre, User
from registry.permissions import Permission, check

Record = TypeVar("Record", Patient, Case, MriStudy, Operation, Complication)
Values = Mapping[str, Any]
Missing = Mapping[str, str | None]


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
    check_can_write(by, patient)
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
    changed = records.set_values(identity, values, None)
    if not changed:
        return identity
    identity.version += 1
    identity.updated_at, identity.updated_by = timezone.now(), by
    records.validate(identity)
    with pghistory.context(user=by.pk):
        identity.save()
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
    if patient.is_void:
        raise records.RecordLocked(_("This patient was voided."))
    case = records.create(
        Case(patient=patient, centre_id=patient.centre_id),
        by=by,
        values=values,
        missing=missing,
    )
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
    check_can_write(by, operation)
    reason = reason_for(reason, _("Give a reason for the change."))
    _lock_cases([operation.case])
    chosen = records.locked(operation, version)
    _check_can_be_index(chosen, previous_as)
    rows = Operation.objects.current().filter(case_id=chosen.case_id)
    previous = rows.filter(index_operation=True).select_for_update().first()
    with pghistory.context(user=by.pk, reason=reason):
        if previous:
            _set_index(previous, by, index=False, relation=previous_as)
        _set_index(chosen, by, index=True, relation=None)
    for each in rows:
        records.validate(each)
    audit.record(
        "operation.index_changed",
        actor=by,
        target=chosen.code,
        centre_id=_centre_id(chosen),
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
    check(by, Permission.WRITE_CASES, case.centre)
    _lock_cases([case])
    record = records.create(record, by=by, values=values, missing=missing)
    tell_changed([case])
    return record


def _lock_cases(cases: list[Case]) -> None:
    """Hold the cases so that verifying and writing cannot cross each other."""
    for case in (
        Case.objects.select_for_update(of=("self",))
        .filter(pk__in=[case.pk for case in cases])
        .order_by("pk")
    ):
        check_not_locked(case)
        if case.is_void:
            raise records.RecordLocked(_("This case was voided."))


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
    check_can_write(by, record)
    cases = cases_of(record)
    _lock_cases(cases)
    updated = records.update(
        record, by=by, values=values, missing=missing, version=version, reason=reason
    )
    tell_changed(cases)
    return updated


@transaction.atomic
def void_record(*, by: User, record: Record, version: int, reason: str) -> Record:
    """Void a row; a patient or case only when nothing that counts hangs on it."""
    check_can_write(by, record)
    cases = cases_of(record)
    _lock_cases([case for case in cases if case != record])
    _check_nothing_depends(record)
    voided = records.void(record, by=by, version=version, reason=reason)
    audit.record(
        f"{record._meta.model_name}.voided",
        actor=by,
        target=record.code,
        centre_id=_centre_id(record),
        reason_given=True,
    )
    tell_changed(cases)
    return voided


def _centre_id(record: Record) -> int:
    return centre_of(record).pk


def _check_nothing_depends(record: Record) -> None:
    hanging = {
        Patient: ("cases",),
        Case: ("operations", "mri_studies", "visits", "recurrences"),
        Operation: ("complications",),
    }.get(type(record), ())
    for name in hanging:
        if getattr(record, name).filter(voided_at__isnull=True).exists():
            raise ValidationError(
                {
                    "reason": ValidationError(
                        _("Void its %(parts)s first."),
                        "has_parts",
                        {"parts": name.replace("_", " ")},
                    )
                }
            )


@transaction.atomic
def complete_case(*, by: User, case: Case, version: int) -> Case:
    """Declare a draft complete: each needed field has a value or a reason."""
    check(by, Permission.WRITE_CASES, case.centre)
    current = records.locked(case, version)
    check_not_locked(current)
    lacking = incomplete_parts(current)
    if lacking:
        raise ValidationError(
            {
                "status": ValidationError(
                    _("Still neither a value nor a reason: %(fields)s."),
                    "incomplete",
                    {
                        "fields": ", ".join(
                            str(field.verbose_name)
                            for _part, fields in lacking
                            for field in fields
                        )
                    },
                )
            }
        )
    return _set_status(current, by, CaseStatus.COMPLETE)


def incomplete_parts(case: Case) -> list[tuple[Any, list[Any]]]:
    """The rows of a case that still lack needed fields, each with those fields.

    A case without an operation or a pre-operative MRI may be complete: not every tumour
    is operated on.
    """
    parts: list[Any] = [
        case.patient,
        case,
        *case.mri_studies.current(),
        *case.operations.current(),
        *Complication.objects.current().filter(operation__case=case),
    ]
    return [(part, lacking) for part in parts if (lacking := part.incomplete_fields())]


@transaction.atomic
def verify_case(*, by: User, case: Case, version: int) -> Case:
    """Lock a complete case."""
    check(by, Permission.VERIFY_CASES, case.centre)
    current = records.locked(case, version)
    if current.status != CaseStatus.COMPLETE:
        raise records.RecordLocked(_("Only a complete case can be verified."))
    current = _set_status(current, by, CaseStatus.VERIFIED)
    audit.record(
        "case.verified", actor=by, target=case.code, centre_id=current.centre_id
    )
    return current


@transaction.atomic
def amend_case(*, by: User, case: Case, version: int, reason: str) -> Case:
    """Open a verified case for correction. The reason stays in history and trail."""
    check(by, Permission.WRITE_CASES, case.centre)
    reason = reason_for(reason, _("Give a reason for the amendment."))
    current = records.locked(case, version)
    if current.status != CaseStatus.VERIFIED:
        raise records.RecordLocked(_("Only a verified case needs to be opened."))
    current = _set_status(current, by, CaseStatus.COMPLETE, reason)
    audit.record(
        "case.amended", actor=by, target=case.code, centre_id=current.centre_id
    )
    return current


def reason_for(reason: str, message: str) -> str:
    """The reason as it is kept. Raises ValidationError with the message without one."""
    reason = reason.strip()[:500]
    if not reason:
        raise ValidationError({"reason": ValidationError(message, "required")})
    return reason


def _set_status(case: Case, by: User, status: CaseStatus, reason: str = "") -> Case:
    verified = status == CaseStatus.VERIFIED
    case.status = status
    case.verified_at = timezone.now() if verified else None
    case.verified_by = by if verified else None
    case.version += 1
    case.updated_at, case.updated_by = timezone.now(), by
    names = ["status", "verified_at", "verified_by", "version", "updated_at"]
    with pghistory.context(user=by.pk, **({"reason": reason} if reason else {})):
        case.save(update_fields=[*names, "updated_by"])
    tell_changed([case])
    return case
