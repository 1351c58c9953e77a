"""What a person may do on the page of a case, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.choices import CaseStatus
from cases.models import Case
from registry.permissions import REASONS, Permission, can


@dataclass(frozen=True)
class Right:
    """One button: whether it works, and else the reason that its tooltip gives."""

    allowed: bool
    reason: str = ""


def rights_of(user: Any, case: Case, lacking: int) -> dict[str, Right]:
    """The rights by step. The actions check again; this is for the eye."""
    may_write = _of_role(user, Permission.WRITE_CASES, case)
    return {
        "write": _unless_locked(may_write, case),
        "follow_up": may_write if not case.is_void else Right(False, _("Void.")),
        "identity": _of_role(user, Permission.READ_IDENTITY, case),
        "complete": _complete(may_write, case, lacking),
        "verify": _verify(_of_role(user, Permission.VERIFY_CASES, case), case),
        "amend": may_write,
    }


def _of_role(user: Any, permission: Permission, case: Case) -> Right:
    if can(user, permission, case.centre):
        return Right(True)
    return Right(False, str(REASONS[permission]))


def _unless_locked(right: Right, case: Case) -> Right:
    if not right.allowed:
        return right
    if case.is_void:
        return Right(False, _("This case was voided."))
    if case.is_locked:
        return Right(False, _("The case is verified. Open it for amendment first."))
    return right


def _complete(right: Right, case: Case, lacking: int) -> Right:
    right = _unless_locked(right, case)
    if right.allowed and lacking:
        text = ngettext(
            "%(n)s needed field has neither a value nor a reason.",
            "%(n)s needed fields have neither a value nor a reason.",
            lacking,
        )
        return Right(False, text % {"n": lacking})
    return right


def _verify(right: Right, case: Case) -> Right:
    if right.allowed and case.status == CaseStatus.DRAFT:
        return Right(False, _("Only a complete case can be verified."))
    return right
