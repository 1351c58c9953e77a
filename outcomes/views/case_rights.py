"""What a person may do on the page of a case, and why not.

Every right is one of the ``check_x`` that the actions ask; this is for the eye.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.actions import HANGING, void_first
from cases.models import Case
from cases.permissions import check_can_add, check_can_edit, check_can_verify
from cases.states import Step, check_step
from cases.verification import check_keeps
from outcomes.models import Visit
from outcomes.schedule import Appointment
from registry.models import User
from registry.permissions import Permission, check
from registry.records import RecordLocked


@dataclass(frozen=True)
class Right:
    """One button: whether it works, and else the reason that its tooltip gives."""

    allowed: bool
    reason: str = ""


def right_of(ask: Callable[..., None], *given: Any, **named: Any) -> Right:
    """The right that a ``check_x`` grants, with its reason where it refuses."""
    try:
        ask(*given, **named)
    except (PermissionDenied, RecordLocked) as refused:
        return Right(False, str(refused))
    return Right(True)


def rights_of(
    user: Any, case: Case, lacking: int, contradicting: int = 0
) -> dict[str, Right]:
    """The rights by step, of a case with its rows loaded."""
    follow_up = right_of(check_can_add, user, case, follow_up=True)
    return {
        "write": right_of(check_can_edit, user, case),
        "follow_up": follow_up,
        "identity": right_of(check, user, Permission.READ_IDENTITY, case.centre),
        "complete": _whole(
            right_of(_check_state_step, user, case, Step.COMPLETE),
            lacking,
            contradicting,
        ),
        "verify": _whole(
            right_of(check_can_verify, user, case), lacking, contradicting
        ),
        "amend": right_of(_check_state_step, user, case, Step.AMEND),
        "void": _unused(right_of(_check_state_step, user, case, Step.VOID), case),
    }


def _check_state_step(user: User, case: Case, step: Step) -> None:
    check(user, Permission.WRITE_CASES, case.centre)
    check_step(case, step)


def _unused(right: Right, case: Case) -> Right:
    """Void is only a case on which no row hangs; told before a reason is typed."""
    for name in HANGING[Case] if right.allowed else ():
        if any(row.voided_at is None for row in getattr(case, name).all()):
            return Right(False, void_first(name))
    return right


def _whole(right: Right, lacking: int, contradicting: int) -> Right:
    """Complete and verified is only what lacks nothing and does not contradict itself."""
    if right.allowed and lacking:
        text = ngettext(
            "%(n)s needed answer is missing.",
            "%(n)s needed answers are missing.",
            lacking,
        )
        return Right(False, text % {"n": lacking})
    if right.allowed and contradicting:
        return Right(False, _("Rows contradict each other; see the list above."))
    return right


def right_to_enter(user: User, case: Case, expected: Appointment) -> Right:
    """Whether a visit may still fill a window: into a verified case comes only what
    lies after the verified follow-up."""
    right = right_of(check_can_add, user, case, follow_up=True)
    if not right.allowed or not case.is_locked:
        return right
    last_day = min(expected.until, timezone.localdate())
    latest = Visit(case=case, visit_type=expected.window.name, visit_date=last_day)
    return right_of(check_keeps, case, latest)
