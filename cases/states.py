"""The life of a case as a table: in which state which step is possible, and why not.

What the role allows is asked beside it, in ``cases.permissions``. docs/coordinator.md
tells the same in words.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from cases.choices import CaseStatus
from cases.models import Case
from registry.records import RecordLocked

VOID: Final = "void"
DRAFT, COMPLETE = CaseStatus.DRAFT.value, CaseStatus.COMPLETE.value
VERIFIED, OPENED = CaseStatus.VERIFIED.value, CaseStatus.OPENED.value
STATES: Final = (DRAFT, COMPLETE, VERIFIED, OPENED, VOID)


class Step(StrEnum):
    """What can be done with a case or with its rows."""

    EDIT = "edit"  # patient, tumour and every row that verification covers
    ADD = "add"  # a row of what is known at the operation
    VOID_ROW = "void_row"
    RESTORE_ROW = "restore_row"
    ADD_FOLLOW_UP = "add_follow_up"  # later visits, MRI studies, events, operations
    EDIT_FOLLOW_UP = "edit_follow_up"  # such a row that no verification covers yet
    VOID = "void"
    RESTORE = "restore"
    COMPLETE = "complete"
    VERIFY = "verify"
    AMEND = "amend"


IS_VOID = _("This case was voided. Restore it first, with a reason.")
IS_VERIFIED = _("The case is verified. Open it for amendment first, with a reason.")
NOT_VOID = _("This case is not void.")
IS_COMPLETE = _("The case is complete already.")
ONLY_COMPLETE = _("Only a complete case can be verified.")
ONLY_VERIFIED = _("Only a verified case needs to be opened.")
NOTHING_NEW = _("The case is verified, and nothing was added since.")

# Why a step is not possible, by state; a state that is not named allows it.
_CHANGING: dict[str, Any] = {VERIFIED: IS_VERIFIED, VOID: IS_VOID}
REFUSED: Final[dict[Step, dict[str, Any]]] = {
    Step.EDIT: _CHANGING,
    Step.ADD: _CHANGING,
    Step.VOID_ROW: _CHANGING,
    Step.RESTORE_ROW: _CHANGING,
    Step.ADD_FOLLOW_UP: {VOID: IS_VOID},
    Step.EDIT_FOLLOW_UP: {VOID: IS_VOID},
    Step.VOID: _CHANGING,
    Step.RESTORE: {
        DRAFT: NOT_VOID,
        COMPLETE: NOT_VOID,
        VERIFIED: NOT_VOID,
        OPENED: NOT_VOID,
    },
    Step.COMPLETE: {
        COMPLETE: IS_COMPLETE,
        OPENED: _("The case is open for correction; it waits to be verified again."),
        **_CHANGING,
    },
    # Verified again when follow-up was added; ``check_step`` is told whether.
    Step.VERIFY: {DRAFT: ONLY_COMPLETE, VERIFIED: NOTHING_NEW, VOID: IS_VOID},
    Step.AMEND: {
        DRAFT: ONLY_VERIFIED,
        COMPLETE: ONLY_VERIFIED,
        OPENED: _("The case is open for correction already."),
        VOID: IS_VOID,
    },
}


def state_of(case: Case) -> str:
    """One of :data:`STATES`."""
    return VOID if case.is_void else str(case.status)


def refusal(case: Case, step: Step, *, added_since: bool = False) -> str:
    """Why the state of the case forbids the step; empty where it does not."""
    state = state_of(case)
    if step == Step.VERIFY and state == VERIFIED and added_since:
        return ""
    return str(REFUSED[step].get(state, ""))


def check_step(case: Case, step: Step, *, added_since: bool = False) -> None:
    """Raise RecordLocked with the reason unless the state allows the step."""
    why = refusal(case, step, added_since=added_since)
    if why:
        raise RecordLocked(f"{case.code}: {why}")
