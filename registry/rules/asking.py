"""Which rules are broken, and by which change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from registry.days import same_day
from registry.rules.declared import (
    RULES,
    Breach,
    CrossRule,
    Key,
    PatientRows,
    Row,
    Severity,
    kind_of,
)
from registry.rules.rows import rows_of


@dataclass(frozen=True)
class Finding:
    """A rule that rows of a patient break."""

    rule: CrossRule
    breach: Breach

    @property
    def key(self) -> tuple[str, frozenset[Key]]:
        return self.rule.code, frozenset(row.key for row in self.breach.rows)

    @property
    def text(self) -> str:
        return str(self.rule.words) % dict(self.breach.named)

    @property
    def is_error(self) -> bool:
        return self.rule.severity == Severity.ERROR

    @property
    def rows(self) -> tuple[Row, ...]:
        return self.breach.rows


def findings_of(patient_id: int) -> list[Finding]:
    """Every rule that the patient's rows break now."""
    return findings_in(rows_of(patient_id))


def findings_in(
    rows: PatientRows, rules: Iterable[CrossRule] | None = None
) -> list[Finding]:
    return [
        Finding(rule, breach)
        for rule in (RULES.values() if rules is None else rules)
        for breach in rule.breaks(rows)
    ]


@dataclass(frozen=True)
class Change:
    """A row that was saved. ``was`` is None where it did not count before."""

    key: Key
    was: Row | None


def change_of(record: models.Model, was: Row | None = None) -> Change | None:
    """The change of a record that is saved; None for kinds that no rule speaks of."""
    kind = kind_of(type(record))
    return Change((kind.name, record.pk), was) if kind else None


def check(patient_id: int, changes: Sequence[Change | None]) -> None:
    """Refuse what these changes broke: a ValidationError with the codes of the rules.

    Call after saving, inside the transaction.
    """
    made = [change for change in changes if change is not None]
    after = rows_of(patient_id)
    errors = [rule for rule in RULES.values() if rule.severity == Severity.ERROR]
    found = findings_in(after, errors)
    if not found or not made:
        return
    before = {each.key for each in findings_in(_undone(after, made), errors)}
    refused = [
        (each, change)
        for each in found
        if (change := _cause(each, made, after, before)) is not None
    ]
    if refused:
        raise ValidationError(_errors(refused, after))


def _undone(after: PatientRows, changes: Sequence[Change]) -> PatientRows:
    """The rows as they were before the changes."""
    keys = {change.key for change in changes}
    kept = [row for row in after.rows if row.key not in keys]
    were = [change.was for change in changes if change.was is not None]
    return PatientRows(tuple(sorted([*kept, *were], key=lambda row: row.key)))


def _cause(
    finding: Finding,
    changes: Sequence[Change],
    after: PatientRows,
    before: set[tuple[str, frozenset[Key]]],
) -> Change | None:
    """The change that is to blame for a finding; None where it stood before."""
    present = {row.key: row for row in after.rows}
    involved = {row.key for row in finding.rows}
    for change in changes:
        if not _touched(finding.rule, change, present.get(change.key)):
            continue
        if finding.key not in before or change.key in involved:
            return change
    return None


def _touched(rule: CrossRule, change: Change, now: Row | None) -> bool:
    names = rule.touches.get(change.key[0])
    if names is None:
        return False
    if change.was is None or now is None:
        return True
    return any(not same_day(change.was[name], now[name]) for name in names)


def _errors(
    refused: Sequence[tuple[Finding, Change]], after: PatientRows
) -> dict[str, list[ValidationError]]:
    """The errors at the field of the saved row; on top for a row that is gone."""
    present = {row.key for row in after.rows}
    errors: dict[str, list[ValidationError]] = {}
    for finding, change in refused:
        place: str = NON_FIELD_ERRORS
        if change.key in present:
            place = finding.rule.touches[change.key[0]][0]
        error = ValidationError(finding.text, finding.rule.code)
        errors.setdefault(place, []).append(error)
    return errors
