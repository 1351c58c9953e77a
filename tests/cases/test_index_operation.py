"""Another operation becomes time zero: the action, its page and its route."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from cases import actions
from cases.models import Case, Operation
from outcomes import facts
from registry.models import AuditEvent
from registry.permissions import Role
from registry.records import RecordLocked, StaleVersion
from tests.factories import (
    OPERATED_ON,
    make_case,
    make_centre,
    make_operation,
    make_user,
    surgeon_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def biopsied() -> Case:
    """A biopsy, entered first and so the index operation, and the resection on day 30."""
    case = make_case(operation={"eor_surgeon": "biopsy", "eor_mri": "biopsy"})
    later(case, 30, relation_to_index="reoperation")
    return case


def later(case: Case, day: int, **values: Any) -> Operation:
    on = OPERATED_ON + timedelta(days=day)
    values = {"surgery_date": on, "discharge_date": on + timedelta(days=9)} | values
    return make_operation(case, index_operation=False, **values)


def change(case: Case, previous_as: str = "planned_stage", **given: Any) -> Operation:
    resection = case.operations.get(index_operation=False)
    values = {
        "by": surgeon_of(case.centre),
        "operation": resection,
        "previous_as": previous_as,
        "version": resection.version,
        "reason": "The biopsy was entered first",
    }
    return actions.change_index_operation(**(values | given))


def roles_of(case: Case) -> list[tuple[bool, str | None]]:
    rows = case.operations.order_by("surgery_date")
    return list(rows.values_list("index_operation", "relation_to_index"))


def test_the_days_are_counted_from_the_new_index(biopsied: Case) -> None:
    change(biopsied)
    assert roles_of(biopsied) == [(False, "planned_stage"), (True, None)]
    row = facts.facts_of(biopsied)
    assert row is not None
    assert row.surgery_date == OPERATED_ON + timedelta(days=30)
    assert (row.eor_final, row.n_stages, row.reoperation_event) == ("gtr", 2, False)


def test_who_and_why_stay(biopsied: Case) -> None:
    changed = change(biopsied)
    event = AuditEvent.objects.get(action="operation.index_changed")
    assert event.target == changed.code
    history = Operation.pgh_event_model.objects.filter(pgh_obj_id=changed.pk)
    last = history.select_related("pgh_context").latest("pgh_id")
    assert last.pgh_context.metadata["reason"] == "The biopsy was entered first"
    assert changed.version == 2


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"reason": "  "}, "reason"),
        ({"previous_as": "something"}, "previous_as"),
        ({"previous_as": "reoperation"}, "index_operation"),
    ],
)
def test_what_is_refused(biopsied: Case, given: dict[str, str], field: str) -> None:
    """The last: an operation before the index is a stage of it, never a re-operation."""
    with pytest.raises(ValidationError) as refused, transaction.atomic():
        change(biopsied, **given)
    assert field in refused.value.message_dict
    assert roles_of(biopsied) == [(True, None), (False, "reoperation")]


def test_the_index_operation_itself_stays(biopsied: Case) -> None:
    index = biopsied.operations.get(index_operation=True)
    with pytest.raises(ValidationError):
        change(biopsied, operation=index, version=index.version)


def test_locked_stale_void_and_foreign_are_refused(biopsied: Case) -> None:
    with pytest.raises(PermissionDenied):
        change(biopsied, by=make_user(Role.SURGEON))
    with pytest.raises(StaleVersion):
        change(biopsied, version=7)
    resection = biopsied.operations.get(index_operation=False)
    actions.void_record(
        by=surgeon_of(biopsied.centre), record=resection, version=1, reason="Twice"
    )
    with pytest.raises(RecordLocked):
        change(biopsied, version=2)


def test_a_case_keeps_one_index_operation(biopsied: Case) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        biopsied.operations.update(index_operation=True, relation_to_index=None)


def test_an_index_operation_has_no_relation(biopsied: Case) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        biopsied.operations.filter(index_operation=True).update(
            relation_to_index="reoperation"
        )


def test_the_page_asks_for_reason_and_relation(client: Client) -> None:
    centre = make_centre()
    case = make_case(centre, operation={"eor_mri": "biopsy", "eor_surgeon": "biopsy"})
    resection = later(case, 30, relation_to_index="reoperation")
    client.force_login(
        surgeon_of(centre), "allauth.account.auth_backends.AuthenticationBackend"
    )
    shown = client.get(reverse("cases:detail", args=[case.code])).content.decode()
    assert f'data-open-dialog="index-{resection.code}"' in shown
    address = reverse("cases:operation-make-index", args=[case.code, resection.code])
    assert address in shown
    sent = {"version": 1, "reason": "Biopsy first", "previous_as": "planned_stage"}
    for lacking in ("reason", "previous_as"):
        client.post(address, {k: v for k, v in sent.items() if k != lacking})
        assert roles_of(case)[0] == (True, None)
    client.post(address, sent)
    assert roles_of(case) == [(False, "planned_stage"), (True, None)]


def test_the_route(biopsied: Case) -> None:
    client = APIClient()
    client.force_authenticate(surgeon_of(biopsied.centre))
    resection = biopsied.operations.get(index_operation=False)
    address = f"/api/v1/operations/{resection.code}/make-index/"
    body = {"reason": "Biopsy first", "previous_as": "planned_stage"}
    answer = client.post(address, body, format="json", headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["index_operation"]) == (200, True)
    assert answer.headers["ETag"] == '"2"'
    again = client.post(address, body, format="json", headers={"If-Match": '"2"'})
    assert again.status_code == 400
