"""The one write path: every door creates, changes and voids clinical rows here.

Validates everything, saves, counts the version up, in one transaction; the triggers
write the history with the user and the reason as context.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import pghistory
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.constraints import described_fields
from registry.days import PartialDay, precision_of, same_day
from registry.fields import DayField
from registry.models import Submission, User
from registry.models.clinical import ClinicalRecord

Record = TypeVar("Record", bound=ClinicalRecord)
Values = Mapping[str, Any]
BLANK: tuple[Any, ...] = (None, "", [])
SUBMISSION_KEY = re.compile(r"[\x20-\x7e]{1,80}")


class StaleVersion(Exception):
    """Somebody saved the row meanwhile; holds it as it is now."""

    def __init__(self, current: Any, differing: list[str]) -> None:
        self.current, self.differing = current, differing
        super().__init__(f"version {current.version} is newer; differing: {differing}")


class RecordLocked(Exception):
    """A verified or voided record does not change; the message says what to do."""


def editable_names(model: type[models.Model]) -> set[str]:
    """Fields a door may set: the described ones, nothing of the bookkeeping."""
    return {field.name for field in described_fields(model)}


def set_values(
    record: Any, values: Mapping[str, Any], missing: Mapping[str, str | None] | None
) -> list[str]:
    """Set clean values and missing reasons; returns the names that changed.

    A value given takes its reason away, a reason given keeps the value: both together
    is an error that ``clean`` reports.
    """
    names = editable_names(type(record))
    with_reason = names | set(getattr(record, "ROWS_WITH_REASON", ()))
    unknown = sorted((set(values) - names) | (set(missing or {}) - with_reason))
    if unknown:
        raise ValidationError(
            {
                name: ValidationError(_("Unknown field."), "unknown_field")
                for name in unknown
            }
        )
    changed = []
    reasons = dict(getattr(record, "missing", {}))
    for name, value in with_told_precision(record, values).items():
        if value not in BLANK and name not in (missing or {}):
            reasons.pop(name, None)
        if not same_day(getattr(record, name), value):
            setattr(record, name, value)
            changed.append(name)
    for name, reason in (missing or {}).items():
        if reason:
            reasons[name] = reason
        else:
            reasons.pop(name, None)
    if hasattr(record, "missing") and reasons != record.missing:
        record.missing = reasons
        changed.append("missing")
    if set_precision(record, changed):
        changed.append("precision")
    return changed


def with_told_precision(record: Any, values: Values) -> Values:
    """The values with a day and the field that tells its precision in agreement.

    For a day such as ``onset_date``, of which the dictionary has ``onset_date_precision``
    as well. The field follows the day; a whole day of which it says “month” is a month.
    """
    told = dict(values)
    for name in editable_names(type(record)):
        own = f"{name}_precision"
        if own not in editable_names(type(record)) or not {name, own} & set(values):
            continue
        day = told.get(name, getattr(record, name))
        said = told.get(own)
        if day and said in ("month", "year") and precision_of(day) == "day":
            told[name] = PartialDay.known(day, said)
        elif day and said in (None, "unknown"):
            told[own] = precision_of(day)
        elif day is None and (said or getattr(record, own)) is not None:
            told[own] = "unknown"
    return told


def set_precision(record: Any, names: Collection[str]) -> bool:
    """Say in the row how much is known of these of its days; whether that changed."""
    known = dict(getattr(record, "precision", {}))
    for name in names:
        if isinstance(record._meta.get_field(name), DayField):
            known[name] = precision_of(getattr(record, name))
    known = {name: part for name, part in known.items() if part != "day"}
    changed = hasattr(record, "precision") and known != record.precision
    if changed:
        record.precision = known
    return changed


def validate(record: Any) -> None:
    """``full_clean``, with constraint errors at the fields they speak of."""
    try:
        record.full_clean()
    except ValidationError as error:
        raise ValidationError(at_fields(record, error)) from error


def at_fields(record: Any, error: ValidationError) -> dict[str, list[ValidationError]]:
    """The errors by field; those of constraints go to the field they name."""
    by_message = {
        str(constraint.violation_error_message): record.CONSTRAINT_FIELDS[
            constraint.name
        ]
        for constraint in record._meta.constraints
        if constraint.name in getattr(record, "CONSTRAINT_FIELDS", {})
    }
    placed: dict[str, list[ValidationError]] = {}
    for name, errors in error.error_dict.items():
        for item in errors:
            target = name
            if name == NON_FIELD_ERRORS:
                target = by_message.get("".join(item.messages), name)
            placed.setdefault(target, []).append(item)
    return placed


def create(
    record: Record,
    *,
    by: User,
    values: Mapping[str, Any],
    missing: Mapping[str, str | None] | None = None,
) -> Record:
    """Save a new row. Call inside a transaction."""
    set_values(record, values, missing)
    record.created_by = record.updated_by = by
    if not record.code:
        record.code = new_code(type(record))
    validate(record)
    with pghistory.context(user=by.pk):
        record.save(force_insert=True)
    refresh_generated(record)
    return record


def new_code(model: type[ClinicalRecord]) -> str:
    """A code nobody has."""
    while True:
        code = model.random_code()
        if not model.objects.filter(code=code).exists():
            return code


def refresh_generated(record: models.Model) -> None:
    """Read what the database derived from the row."""
    generated = [
        field.name
        for field in record._meta.local_fields
        if isinstance(field, models.GeneratedField)
    ]
    if generated:
        record.refresh_from_db(fields=generated)


def locked(record: Record, version: int | None) -> Record:
    """The row as it is now, locked until the transaction ends.

    Raises StaleVersion if ``version`` is not the present one. None skips the check; only
    callers that just read the row in this transaction do that.
    """
    rows: Any = type(record)._default_manager
    current: Record = rows.select_for_update(of=("self",)).get(pk=record.pk)
    if version is not None and current.version != version:
        raise StaleVersion(current, [])
    return current


def update(
    record: Record,
    *,
    by: User,
    values: Mapping[str, Any],
    missing: Mapping[str, str | None] | None = None,
    version: int,
    reason: str = "",
) -> Record:
    """Save changed fields of a row, if nobody saved it meanwhile."""
    with transaction.atomic():
        current = locked(record, None)
        if current.version != version:
            raise StaleVersion(current, differing_fields(current, values, missing))
        if getattr(current, "voided_at", None):
            raise RecordLocked(
                _("This record was voided; it does not change any more.")
            )
        changed = set_values(current, values, missing)
        if not changed:
            return current
        current.version += 1
        current.updated_at, current.updated_by = timezone.now(), by
        validate(current)
        with pghistory.context(user=by.pk, **({"reason": reason} if reason else {})):
            current.save(
                update_fields=[*changed, "version", "updated_at", "updated_by"]
            )
        refresh_generated(current)
    return current


def differing_fields(
    current: Any, values: Mapping[str, Any], missing: Mapping[str, str | None] | None
) -> list[str]:
    """Names of the fields in which the sent row and the present one differ."""
    differing = [
        name
        for name, value in values.items()
        if hasattr(current, name)
        and not same_day(getattr(current, name), value)
        and not (value in BLANK and getattr(current, name) in BLANK)
    ]
    reasons = getattr(current, "missing", {})
    differing += [
        name
        for name, reason in (missing or {}).items()
        if (reason or None) != reasons.get(name) and name not in differing
    ]
    return differing


def void(record: Record, *, by: User, version: int, reason: str) -> Record:
    """Take a row out of every count, with a reason. It stays readable."""
    reason = reason.strip()
    if not reason:
        raise ValidationError(
            {"reason": ValidationError(_("Give a reason for voiding."), "required")}
        )
    with transaction.atomic():
        current = locked(record, version)
        if current.voided_at:
            raise RecordLocked(_("This record was voided already."))
        current.voided_at, current.voided_by = timezone.now(), by
        current.void_reason = reason[:500]
        _save_mark(current, by, reason[:500])
    return current


def restore(record: Record, *, by: User, version: int, reason: str) -> Record:
    """Let a voided row count again, with a reason, if it is still valid."""
    reason = reason.strip()[:500]
    if not reason:
        raise ValidationError(
            {"reason": ValidationError(_("Give a reason for restoring."), "required")}
        )
    with transaction.atomic():
        current = locked(record, version)
        if not current.voided_at:
            raise RecordLocked(_("This record is not void."))
        current.voided_at = current.voided_by = None
        current.void_reason = ""
        _save_mark(current, by, reason)
        refresh_generated(current)
    return current


VOID_MARK = ["voided_at", "voided_by", "void_reason"]


def _save_mark(current: Any, by: User, reason: str) -> None:
    """Write whether the row counts; a row that counts must be valid."""
    current.version += 1
    current.updated_at, current.updated_by = timezone.now(), by
    if not current.is_void:
        validate(current)
    with pghistory.context(user=by.pk, reason=reason):
        current.save(update_fields=[*VOID_MARK, "version", "updated_at", "updated_by"])


class SubmissionMismatch(Exception):
    """The same key came with different content; holds the code of what it made."""

    def __init__(self, record_code: str) -> None:
        self.record_code = record_code
        super().__init__("the same key came with different content")


def once(*, by: User, key: str, content: Mapping[str, Any]) -> tuple[Submission, bool]:
    """Claim a submission key; (submission, True) for the first that comes.

    A second, simultaneous one waits for the first to commit and is then told its record.
    Call inside the transaction that creates the record, and save its code afterwards.
    """
    if not SUBMISSION_KEY.fullmatch(key):
        raise ValidationError(_("The form's token is not valid."), "invalid_key")
    fingerprint = hashlib.sha256(
        json.dumps(content, sort_keys=True, default=str).encode()
    ).hexdigest()
    submission, created = Submission.objects.get_or_create(
        user=by, key=key, defaults={"fingerprint": fingerprint}
    )
    if not created and submission.fingerprint != fingerprint:
        raise SubmissionMismatch(submission.record_code)
    return submission, created
