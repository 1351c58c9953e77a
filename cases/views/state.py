"""Steps in the life of a case: complete, verify, amend, void."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from cases import actions
from cases.forms import ReasonForm
from cases.models import Case, Complication, MriStudy, Operation
from cases.permissions import check_can_edit
from cases.views.entry import posted_version
from cases.views.finding import find_case, find_part, person_of
from cases.views.returned import tell_if_returned
from registry import records
from registry.permissions import Permission, check

STALE = gettext_lazy(
    "Somebody changed this meanwhile. Look at it again, then repeat the step."
)


def attempt(request: HttpRequest, case: Case, step: Callable[[], str]) -> bool:
    """Carry out a step and tell the person what came of it, and of the case."""
    try:
        done = step()
    except records.StaleVersion:
        messages.error(request, STALE)
    except records.RecordLocked as locked:
        messages.error(request, str(locked))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, done)
        tell_if_returned(request, case)
        return True
    return False


def back_to(case: Case, section: str = "") -> HttpResponse:
    page = reverse("cases:detail", args=[case.code])
    return redirect(f"{page}#{section}" if section else page)


@require_POST
def complete(request: HttpRequest, code: str) -> HttpResponse:
    """Declare the draft complete."""
    case = find_case(request, code)
    check(person_of(request), Permission.WRITE_CASES, case.centre)

    def step() -> str:
        actions.complete_case(
            by=person_of(request),
            case=case,
            version=posted_version(request),
        )
        return _("Case %(code)s is complete.") % {"code": case.code}

    attempt(request, case, step)
    return back_to(case)


@require_POST
def verify(request: HttpRequest, code: str) -> HttpResponse:
    """Lock the complete case."""
    case = find_case(request, code)
    check(person_of(request), Permission.VERIFY_CASES, case.centre)

    def step() -> str:
        actions.verify_case(
            by=person_of(request),
            case=case,
            version=posted_version(request),
        )
        return _("Case %(code)s is verified and locked.") % {"code": case.code}

    attempt(request, case, step)
    return back_to(case)


@require_POST
def amend(request: HttpRequest, code: str) -> HttpResponse:
    """Open the verified case for correction."""
    case = find_case(request, code)
    check(person_of(request), Permission.WRITE_CASES, case.centre)

    def step() -> str:
        actions.amend_case(
            by=person_of(request),
            case=case,
            version=posted_version(request),
            reason=posted_reason(request),
        )
        return _("Case %(code)s is open for correction.") % {"code": case.code}

    attempt(request, case, step)
    return back_to(case)


def posted_reason(request: HttpRequest) -> str:
    """The reason given; raises ValidationError without one."""
    form = ReasonForm(request.POST)
    if not form.is_valid():
        raise ValidationError(
            [error for errors in form.errors.values() for error in errors]
        )
    return str(form.cleaned_data["reason"])


@require_POST
def make_index(request: HttpRequest, code: str, operation: str) -> HttpResponse:
    """Count the follow-up from another operation."""
    case = find_case(request, code)
    found = find_part(Operation, operation, case=case)

    def step() -> str:
        actions.change_index_operation(
            by=person_of(request),
            operation=found,
            previous_as=request.POST.get("previous_as", ""),
            version=posted_version(request),
            reason=posted_reason(request),
        )
        return _("Follow-up now counts from this operation.")

    attempt(request, case, step)
    return back_to(case, "operations")


@require_POST
def say_none(request: HttpRequest, code: str) -> HttpResponse:
    """Say why a row that a case must have does not exist, or take that back."""
    case = find_case(request, code)
    check_can_edit(person_of(request), case)
    name, why = request.POST.get("row", ""), request.POST.get("why", "")

    def step() -> str:
        actions.update_record(
            by=person_of(request),
            record=case,
            values={},
            missing={name[:40]: why[:40] or None},
            version=posted_version(request),
        )
        return _("Saved.")

    attempt(request, case, step)
    return back_to(case, "lacking")


@require_POST
def void_case(request: HttpRequest, code: str) -> HttpResponse:
    case = find_case(request, code)
    return void(request, case, case, actions.void_record)


@require_POST
def void_mri(request: HttpRequest, code: str, mri: str) -> HttpResponse:
    case = find_case(request, code)
    study = find_part(MriStudy, mri, case=case)
    return void(request, case, study, actions.void_record, "mri")


@require_POST
def void_operation(request: HttpRequest, code: str, operation: str) -> HttpResponse:
    case = find_case(request, code)
    found = find_part(Operation, operation, case=case)
    return void(request, case, found, actions.void_record, "operations")


@require_POST
def void_complication(
    request: HttpRequest, code: str, operation: str, complication: str
) -> HttpResponse:
    case = find_case(request, code)
    found = find_part(
        Complication, complication, operation__code=operation, operation__case=case
    )
    return void(request, case, found, actions.void_record, "operations")


def void(
    request: HttpRequest,
    case: Case,
    record: Any,
    act: Callable[..., Any],
    section: str = "",
) -> HttpResponse:
    """Void a record with a reason; ``act`` is the action of the record's app."""

    def step() -> str:
        act(
            by=request.user,
            record=record,
            version=posted_version(request),
            reason=posted_reason(request),
        )
        return _("%(code)s is void. It stays in the history.") % {"code": record.code}

    attempt(request, case, step)
    return back_to(case, section)
