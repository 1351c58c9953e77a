"""What a case lacks and what contradicts itself, with the place to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.text import capfirst

from cases.completeness import REQUIRED_ROWS, Completeness, Gap, stated_reasons
from cases.models import Case, Complication, MriStudy, Operation
from outcomes.models import Recurrence, Visit, VitalStatus
from registry.display import reason_shown
from registry.rules import Finding

Line = dict[str, Any]
# Where a required row is entered: the page and what it starts with.
NEW = {
    "preop_mri": ("cases:mri-new", "?purpose=preop"),
    "postop_mri": ("cases:mri-new", "?purpose=early_postop"),
    "index_operation": ("cases:operation-new", ""),
    "preop_visit": ("outcomes:visit-new", "?type=preop"),
    "discharge_visit": ("outcomes:visit-new", "?type=discharge"),
    "vital_status": ("outcomes:vital", ""),
}


def lacking_lines(case: Case, parts: dict[str, Completeness]) -> list[Line]:
    """What is missing, why it matters, and where to enter it; rows before fields."""
    lines = [
        {
            "label": gap.label,
            "why": gap.why,
            "url": gap_url(case, gap) + "#" + section,
            "row": gap.row.name if gap.row else "",
        }
        for section, part in parts.items()
        for gap in part.gaps
    ]
    return sorted(lines, key=lambda line: not line["row"])


def gap_url(case: Case, gap: Gap) -> str:
    if gap.row:
        name, query = NEW[gap.row.name]
        return reverse(name, args=[case.code]) + query
    return edit_url(case, gap.record)


def edit_url(case: Case, record: Any) -> str:
    """Where a row of the case is corrected."""
    code = case.code
    if isinstance(record, Case):
        return reverse("cases:edit-tumour", args=[code])
    if isinstance(record, Complication):
        args = [code, record.operation.code, record.code]
        return reverse("cases:complication-edit", args=args)
    if isinstance(record, VitalStatus):
        return reverse("outcomes:vital", args=[code])
    for model, name in EDIT.items():
        if isinstance(record, model):
            return reverse(name, args=[code, record.code])
    return reverse("cases:edit-patient", args=[code])


EDIT: dict[type[Any], str] = {
    MriStudy: "cases:mri-edit",
    Operation: "cases:operation-edit",
    Visit: "outcomes:visit-edit",
    Recurrence: "outcomes:recurrence-edit",
}


def stated_lines(case: Case) -> list[Line]:
    """Rows that do not exist for a stated reason."""
    reasons = stated_reasons(case)
    return [
        {
            "row": each.name,
            "label": capfirst(str(each.label)),
            "reason": reason_shown(reasons[each.name]),
        }
        for each in REQUIRED_ROWS
        if each.name in reasons
    ]


def finding_lines(found: Iterable[Finding]) -> list[Line]:
    """Contradictions first, then what should be looked at; each with its rule."""
    lines = [
        {
            "text": each.text,
            "rule": each.rule.id,
            "tone": "error" if each.is_error else "warning",
            "rows": [row.code for row in each.rows],
        }
        for each in found
    ]
    return sorted(lines, key=lambda line: str(line["tone"]))
