"""The people of the API's tests, and one whole case of centre A."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from registry.models import Centre, User
from registry.permissions import Role
from tests.factories import (
    make_case,
    make_centre,
    make_complication,
    make_recurrence,
    make_user,
    make_visit,
    make_vital_status,
)
from tests.registry.api_client import Api

ROLES = (
    "surgeon_a",
    "surgeon_b",
    "coordinator_a",
    "registry_coordinator",
    "analyst",
    "administrator",
    "stranger",
)


@dataclass
class Cast:
    """Everybody's API, the centres, and the codes of one case by kind of record."""

    apis: dict[str, Api]
    people: dict[str, User]
    centre_a: Centre
    centre_b: Centre
    records: dict[str, Any]

    def __getattr__(self, role: str) -> Api:
        return self.apis[role]

    def code(self, kind: str) -> str:
        return str(self.records[kind].code)


def make_cast() -> Cast:
    centre_a, centre_b = make_centre(code="AAA"), make_centre(code="BBB")
    people = {
        "surgeon_a": make_person(Role.SURGEON, centre_a),
        "surgeon_b": make_person(Role.SURGEON, centre_b),
        "coordinator_a": make_person(Role.COORDINATOR, centre_a),
        "registry_coordinator": make_person(Role.REGISTRY_COORDINATOR),
        "analyst": make_person(Role.ANALYST),
        "administrator": make_person(Role.ADMINISTRATOR),
    }
    apis = {role: Api(person) for role, person in people.items()}
    return Cast(
        {**apis, "stranger": Api(None)},
        people,
        centre_a,
        centre_b,
        whole_case(centre_a, people["surgeon_a"]),
    )


def make_person(role: Role | None, centre: Centre | None = None) -> User:
    """A person with tokens only: hashing a password takes longer than a whole test."""
    return make_user(role, centre, password=None)


def whole_case(centre: Centre, by: User) -> dict[str, Any]:
    """A case with one record of each kind."""
    case = make_case(centre, by=by, operation=True, mri=True)
    operation, study = case.operations.get(), case.mri_studies.get()
    return {
        "patients": case.patient,
        "cases": case,
        "operations": operation,
        "mri-studies": study,
        "complications": make_complication(operation, by=by),
        "visits": make_visit(case, by=by),
        "recurrences": make_recurrence(case, by=by),
        "vital-statuses": make_vital_status(case.patient, by=by),
    }
