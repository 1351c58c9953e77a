"""What every write of a case has in common, whatever row it was about.

Hold the cases, ask what role and state allow, save, then settle: rules between rows are
asked, verified numbers stay, and a case that is complete no more goes back to draft.
``outcomes`` writes its rows by the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import pghistory
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from cases import completeness, verification
from cases.choices import CaseStatus
from cases.models import Case
from cases.permissions import (
    cases_of,
    centre_of,
    check_can_edit,
    check_can_restore,
    patient_id_of,
)
from registry import audit, records, rules
from registry.models import User
from registry.models.clinical import ClinicalRecord

Record = TypeVar("Record", bound=ClinicalRecord)
Values = Mapping[str, Any]
Missing = Mapping[str, str | None]
# Sends the news of these cases inside the transaction.
Tell = Callable[[Iterable[Case]], None]
KEPT_WHOLE = (CaseStatus.COMPLETE, CaseStatus.OPENED)


def hold(cases: Iterable[Case]) -> list[Case]:
    """The cases as they are now, locked until the transaction ends.

    Verifying and writing, or two rows that a rule compares, thus cannot cross.
    """
    keys = [case.pk for case in cases]
    held = Case.objects.select_for_update(of=("self",)).filter(pk__in=keys)
    return list(held.select_related("centre", "patient").order_by("pk"))


# --- one row: create, update, void, restore


def create(
    record: Record,
    *,
    by: User,
    held: Sequence[Case],
    values: Values,
    missing: Missing | None,
    tell: Tell,
) -> Record:
    """Save a new row of cases that are held and may be written."""
    # Stamped only now: who waited for a verification is not covered by it.
    record.created_at = record.updated_at = timezone.now()
    saved = records.create(record, by=by, values=values, missing=missing)
    settle(by=by, held=held, changed=[(saved, None)])
    tell(held)
    return saved


def update(
    record: Record,
    *,
    by: User,
    values: Values,
    missing: Missing | None,
    version: int,
    reason: str,
    tell: Tell,
) -> Record:
    """Change fields of a row, if nobody saved it meanwhile.

    Raises StaleVersion, RecordLocked, PermissionDenied or ValidationError.
    """
    held = hold(cases_of(record))
    check_can_edit(by, record, held)
    was = rules.row_of(record)
    saved = records.update(
        record, by=by, values=values, missing=missing, version=version, reason=reason
    )
    if saved.version != version:
        settle(by=by, held=held, changed=[(saved, was)])
        tell(held)
    return saved


def void(record: Record, *, by: User, version: int, reason: str, tell: Tell) -> Record:
    """Take a row out of every count, with a reason."""
    held = hold(cases_of(record))
    check_can_edit(by, record, held)
    was = rules.row_of(record)
    saved = records.void(record, by=by, version=version, reason=reason)
    return _told(saved, "voided", by, held, was, tell)


def restore(
    record: Record, *, by: User, version: int, reason: str, tell: Tell
) -> Record:
    """Let a voided row count again, with a reason."""
    held = hold(cases_of(record))
    check_can_restore(by, record, held)
    saved = records.restore(record, by=by, version=version, reason=reason)
    return _told(saved, "restored", by, held, None, tell)


def _told(
    record: Record,
    what: str,
    by: User,
    held: Sequence[Case],
    was: rules.Row | None,
    tell: Tell,
) -> Record:
    """Settle a voiding or a restoration, and tell trail and facts."""
    settle(by=by, held=held, changed=[(record, was)])
    audit.record(
        f"{record._meta.model_name}.{what}",
        actor=by,
        target=record.code,
        centre_id=centre_of(record).pk,
        reason_given=True,
    )
    tell(held)
    return record


# --- after a save


def settle(
    *,
    by: User,
    held: Sequence[Case],
    changed: Sequence[tuple[Any, rules.Row | None]],
) -> None:
    """Refuse what breaks a rule or a verification; return what is complete no more.

    ``changed``: the saved rows of one patient, each with what it was before.
    """
    changes = [rules.change_of(record, was) for record, was in changed]
    rules.check(patient_id_of(changed[0][0]), changes)
    for case in held:
        for record, _was in changed:
            verification.check_keeps(case, record)
            _tidy_reasons(by, case, record)
        if case.status in KEPT_WHOLE:
            _return_if_incomplete(by, case)


def _return_if_incomplete(by: User, case: Case) -> None:
    current = completeness.loaded(case.pk)
    lacking = [] if current.is_void else completeness.of_case(current).labels
    if lacking:
        reason = _("Incomplete since this change: %(what)s.")
        set_status(current, by, CaseStatus.DRAFT, reason % {"what": in_words(lacking)})


def _tidy_reasons(by: User, case: Case, record: Any) -> None:
    """A row that exists takes the reason away that stood for it; a reason for a row
    that exists is refused."""
    if not set(case.ROWS_WITH_REASON) & (set(case.missing) | set(_missing(record))):
        return
    current = completeness.loaded(case.pk)
    stated = completeness.stated_reasons(current)
    answered = [name for name in stated if completeness.row_exists(current, name)]
    if not answered:
        return
    if isinstance(record, Case):
        text = _("Give a value or a reason why there is none, not both.")
        error = ValidationError(text, "value_and_reason")
        raise ValidationError(dict.fromkeys(answered, error))
    records.update(
        current,
        by=by,
        values={},
        missing=dict.fromkeys(answered),
        version=current.version,
    )


def _missing(record: Any) -> Mapping[str, str]:
    return record.missing if isinstance(record, Case) else {}


def in_words(labels: Sequence[str], most: int = 6) -> str:
    """The first few labels, and how many more there are."""
    shown, more = ", ".join(labels[:most]), len(labels) - most
    if more <= 0:
        return shown
    return _("%(names)s and %(n)s more") % {"names": shown, "n": more}


# --- the case as a whole


def set_status(case: Case, by: User, status: CaseStatus, reason: str = "") -> Case:
    """Write the state, with who verified it and when."""
    verified = status == CaseStatus.VERIFIED
    case.status = status
    case.verified_at = timezone.now() if verified else None
    case.verified_by = by if verified else None
    case.version += 1
    case.updated_at, case.updated_by = timezone.now(), by
    names = ["status", "verified_at", "verified_by", "version", "updated_at"]
    context: Mapping[str, Any] = {"reason": reason[:500]} if reason else {}
    with pghistory.context(user=by.pk, **context):
        case.save(update_fields=[*names, "updated_by"])
    return case


def check_whole(case: Case) -> None:
    """Everything that must be there is there, and nothing contradicts itself."""
    lacking = completeness.of_case(completeness.loaded(case.pk)).labels
    if lacking:
        text = _("Still neither a value nor a reason: %(fields)s.")
        error = ValidationError(text, "incomplete", {"fields": in_words(lacking, 12)})
        raise ValidationError({"status": error})
    found = [each.text for each in findings(case) if each.is_error]
    if found:
        text = _("Rows contradict each other: %(what)s")
        error = ValidationError(text, "contradiction", {"what": " ".join(found)})
        raise ValidationError({"status": error})


def findings(case: Case) -> list[rules.Finding]:
    """Every rule that rows of the case, or of its patient, break."""
    return [
        each
        for each in rules.findings_of(case.patient_id)
        if any(row.case in (None, case.pk) for row in each.rows)
    ]
