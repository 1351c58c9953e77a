"""The table of roles, read from the design rather than from the code."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from django.core.exceptions import PermissionDenied

from registry.permissions import (
    CENTRE_ROLES,
    PERMISSIONS,
    REASONS,
    Permission,
    Role,
    all_roles_of,
    can,
    centres_with,
    check,
    roles_of,
)

OWN, OTHER = 1, 2
# "own": in the own centre only; "all": in every centre; "": nowhere.
TABLE = {
    #                       surgeon coord reg_co analyst admin
    Permission.READ_CASES: ("own", "own", "all", "", ""),
    Permission.WRITE_CASES: ("own", "own", "", "", ""),
    Permission.VERIFY_CASES: ("", "own", "all", "", ""),
    Permission.IMPORT_CASES: ("", "own", "", "", ""),
    Permission.READ_IDENTITY: ("own", "own", "", "", ""),
    Permission.READ_FACTS: ("", "", "all", "all", ""),
    Permission.READ_CENTRE_FACTS: ("own", "own", "", "", ""),
    Permission.READ_SUMMARIES: ("own", "own", "all", "all", ""),
    Permission.GRANT_DETAIL: ("", "", "all", "", "all"),
    Permission.ADMINISTER: ("", "", "", "", "all"),
}
CASES = [
    (permission, role, scope)
    for permission, scopes in TABLE.items()
    for role, scope in zip(Role, scopes, strict=True)
]


@dataclass
class Holder:
    role: Role
    centre_id: int | None


@dataclass
class Place:
    pk: int


@dataclass
class Person:
    current_memberships: list[Holder] = field(default_factory=list)
    is_active: bool = True
    is_authenticated: bool = True


def person_with(role: Role, **state: bool) -> Person:
    return Person([Holder(role, OWN if role in CENTRE_ROLES else None)], **state)


@pytest.mark.parametrize(("permission", "role", "scope"), CASES)
def test_table_of_roles(permission: Permission, role: Role, scope: str) -> None:
    person = person_with(role)
    assert can(person, permission, Place(OWN)) == (scope != "")
    assert can(person, permission, Place(OTHER)) == (scope == "all")
    assert can(person, permission) == (scope != "")


def test_every_permission_and_role_is_in_the_table() -> None:
    assert set(TABLE) == set(Permission) == set(REASONS)
    assert set(PERMISSIONS) == set(Role)


@pytest.mark.parametrize("permission", Permission)
def test_check_and_can_agree_and_check_gives_a_reason(permission: Permission) -> None:
    for role in Role:
        person = person_with(role)
        for place in (Place(OWN), Place(OTHER), None):
            if can(person, permission, place):
                check(person, permission, place)
            else:
                with pytest.raises(PermissionDenied) as refused:
                    check(person, permission, place)
                assert str(refused.value) == str(REASONS[permission])


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("state", [{"is_active": False}, {"is_authenticated": False}])
def test_stopped_people_and_strangers_may_nothing(
    permission: Permission, state: dict[str, bool]
) -> None:
    for role in Role:
        person = person_with(role, **state)
        assert not can(person, permission)
        assert centres_with(person, permission) == set()
        assert roles_of(person, OWN) == all_roles_of(person) == set()


def test_a_role_in_one_centre_is_none_in_another() -> None:
    person = Person([Holder(Role.SURGEON, OWN), Holder(Role.COORDINATOR, OTHER)])
    assert can(person, Permission.VERIFY_CASES, Place(OTHER))
    assert not can(person, Permission.VERIFY_CASES, Place(OWN))
    assert centres_with(person, Permission.READ_CASES) == {OWN, OTHER}
    assert roles_of(person, OWN) == {Role.SURGEON}
    assert roles_of(person) == set()
