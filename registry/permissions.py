"""Who may do what: one table, deny by default.

A role is held in a centre (surgeon, coordinator) or in the whole registry. Every
check is a pair: ``check_x`` raises with a reason, ``can_x`` answers yes or no.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from django.core.exceptions import PermissionDenied
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from registry.models import Centre, User


class Role(models.TextChoices):
    """What a person is in a centre or in the registry."""

    SURGEON = "surgeon", _("Surgeon")
    COORDINATOR = "coordinator", _("Coordinator")
    REGISTRY_COORDINATOR = "registry_coordinator", _("Registry coordinator")
    ANALYST = "analyst", _("Analyst")
    ADMINISTRATOR = "administrator", _("Administrator")


CENTRE_ROLES: Final = frozenset({Role.SURGEON, Role.COORDINATOR})


class Permission(StrEnum):
    """What can be allowed."""

    READ_CASES = "read_cases"
    WRITE_CASES = "write_cases"
    VERIFY_CASES = "verify_cases"
    IMPORT_CASES = "import_cases"
    READ_IDENTITY = "read_identity"
    READ_FACTS = "read_facts"  # de-identified rows of all centres
    READ_CENTRE_FACTS = "read_centre_facts"  # de-identified rows of the own centre
    READ_SUMMARIES = "read_summaries"
    GRANT_DETAIL = "grant_detail"  # finer de-identified data, for a purpose
    ADMINISTER = "administer"


PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    Role.SURGEON: frozenset(
        {
            Permission.READ_CASES,
            Permission.WRITE_CASES,
            Permission.READ_IDENTITY,
            Permission.READ_CENTRE_FACTS,
            Permission.READ_SUMMARIES,
        }
    ),
    Role.COORDINATOR: frozenset(
        {
            Permission.READ_CASES,
            Permission.WRITE_CASES,
            Permission.VERIFY_CASES,
            Permission.IMPORT_CASES,
            Permission.READ_IDENTITY,
            Permission.READ_CENTRE_FACTS,
            Permission.READ_SUMMARIES,
        }
    ),
    Role.REGISTRY_COORDINATOR: frozenset(
        {
            Permission.READ_CASES,
            Permission.VERIFY_CASES,
            Permission.READ_FACTS,
            Permission.READ_SUMMARIES,
            Permission.GRANT_DETAIL,
        }
    ),
    Role.ANALYST: frozenset({Permission.READ_FACTS, Permission.READ_SUMMARIES}),
    Role.ADMINISTRATOR: frozenset({Permission.ADMINISTER, Permission.GRANT_DETAIL}),
}


def roles_of(user: User, centre_id: int | None = None) -> set[Role]:
    """The roles a person holds now: in the registry, and in ``centre_id`` if given.

    Read afresh at every request: a right that was removed is gone at once.
    """
    if not user.is_authenticated or not user.is_active:
        return set()
    return {
        Role(membership.role)
        for membership in user.current_memberships
        if membership.centre_id is None or membership.centre_id == centre_id
    }


def all_roles_of(user: User) -> set[Role]:
    """Every role a person holds, in whatever centre."""
    if not user.is_authenticated or not user.is_active:
        return set()
    return {Role(membership.role) for membership in user.current_memberships}


def centres_with(user: User, permission: Permission) -> set[int] | None:
    """Primary keys of the centres in which the person has the permission.

    None stands for "all centres", the empty set for "nowhere".
    """
    if not user.is_authenticated or not user.is_active:
        return set()
    centres: set[int] = set()
    for membership in user.current_memberships:
        if permission in PERMISSIONS[Role(membership.role)]:
            if membership.centre_id is None:
                return None
            centres.add(membership.centre_id)
    return centres


def own_centres_with(user: User, permission: Permission) -> set[int]:
    """Primary keys of the centres in which the person holds a role that has it."""
    if not user.is_authenticated or not user.is_active:
        return set()
    return {
        membership.centre_id
        for membership in user.current_memberships
        if membership.centre_id is not None
        and permission in PERMISSIONS[Role(membership.role)]
    }


def can(user: User, permission: Permission, centre: Centre | None = None) -> bool:
    """Whether the person has the permission in the centre (or anywhere, if None)."""
    centres = centres_with(user, permission)
    if centres is None:
        return True
    return centre.pk in centres if centre is not None else bool(centres)


REASONS: Final[dict[Permission, object]] = {
    Permission.READ_CASES: _("Your role does not read cases."),
    Permission.WRITE_CASES: _(
        "Your role reads this centre's cases but does not write."
    ),
    Permission.VERIFY_CASES: _("Verifying a case is for coordinators."),
    Permission.IMPORT_CASES: _("Importing is for the coordinators of a centre."),
    Permission.READ_IDENTITY: _("Names and hospital numbers are for the own centre."),
    Permission.READ_FACTS: _("Rows of all centres are for analysts."),
    Permission.READ_CENTRE_FACTS: _("Your role does not read facts."),
    Permission.READ_SUMMARIES: _("Your role does not read summaries."),
    Permission.GRANT_DETAIL: _(
        "Finer data are granted by administrators and registry coordinators."
    ),
    Permission.ADMINISTER: _("Administration is for administrators."),
}


def check(user: User, permission: Permission, centre: Centre | None = None) -> None:
    """Raise PermissionDenied with a readable reason unless :func:`can`."""
    if not can(user, permission, centre):
        raise PermissionDenied(str(REASONS[permission]))
