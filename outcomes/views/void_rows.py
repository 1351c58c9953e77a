"""Rows that were voided: where they are found, and how they count again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cases import actions as case_actions
from cases.models import Case
from cases.permissions import check_can_restore
from cases.views.entry import posted_version
from cases.views.finding import find_case, person_of
from cases.views.state import attempt, back_to, posted_reason
from outcomes import actions as outcome_actions
from outcomes.views.case_rights import right_of
from outcomes.views.history import records_of
from registry.days import text_of_day
from registry.models import User


def void_records(case: Case) -> Iterator[tuple[str, Any]]:
    """The void rows of a case with their kinds, the case itself among them."""
    for kind, record in records_of(case):
        if record.is_void:
            yield kind, record


def void_lines(user: User, case: Case) -> list[dict[str, Any]]:
    """Each void row: what it is, who voided it, when and why, and who may restore it."""
    return [
        {
            "kind": kind,
            "record": record,
            "what": description(record),
            "right": right_of(check_can_restore, user, record),
        }
        for kind, record in void_records(case)
    ]


def description(record: Any) -> str:
    """What tells the row from its like: its kind and its day."""
    names = ("visit_type", "purpose", "ae_code")
    kinds = [
        str(getattr(record, f"get_{name}_display")())
        for name in names
        if hasattr(record, name)
    ]
    days = (
        "visit_date",
        "mri_date",
        "surgery_date",
        "ae_onset_date",
        "detected_on",
        "last_contact_date",
    )
    found = [getattr(record, name, None) for name in days]
    return ", ".join([*kinds, *(text_of_day(day) for day in found if day)])


@require_POST
def restore(request: HttpRequest, code: str, row: str) -> HttpResponse:
    """Let a void row count again, with a reason."""
    case = find_case(request, code)
    found = next((each for _k, each in records_of(case) if each.code == row), None)
    if found is None:
        raise Http404(_("No such record."))
    actions: Any = (
        outcome_actions if found._meta.app_label == "outcomes" else case_actions
    )

    def step() -> str:
        actions.restore_record(
            by=person_of(request),
            record=found,
            version=posted_version(request),
            reason=posted_reason(request),
        )
        return _("%(code)s counts again.") % {"code": found.code}

    attempt(request, case, step)
    return back_to(case)
