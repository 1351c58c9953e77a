"""Finer data are granted for a purpose, by somebody else, for a time, and recorded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from registry import actions
from registry.models import AuditEvent, DetailGrant, User
from registry.permissions import Role
from tests.factories import PASSWORD, make_centre, make_user
from tests.pages import signed_in

pytestmark = pytest.mark.django_db
PAGE = "/administration/finer-data/"
PURPOSE = "Age and recurrence, ethics 2026-114"


def today() -> Any:
    return timezone.localdate()


@pytest.fixture
def analyst() -> User:
    return make_user(Role.ANALYST, password=None)


@pytest.fixture(params=[Role.ADMINISTRATOR, Role.REGISTRY_COORDINATOR])
def granter(request: pytest.FixtureRequest) -> User:
    return make_user(request.param)


def confirmed(person: User) -> Client:
    client = signed_in(person)
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    return client


def given(granter: User, person: User, days: int = 30) -> DetailGrant:
    until = today() + timedelta(days)
    return actions.grant_detail(by=granter, person=person, purpose=PURPOSE, until=until)


def events(action: str) -> list[dict[str, Any]]:
    return [event.body for event in AuditEvent.objects.filter(action=action)]


def test_a_grant_is_given_and_ended_on_the_page(granter: User, analyst: User) -> None:
    page = confirmed(granter)
    empty = page.get(PAGE).content.decode()
    assert "Nobody reads finer data" in empty
    sent = {
        "person": str(analyst.pk),
        "purpose": PURPOSE,
        "until": str(today() + timedelta(30)),
    }
    assert page.post(PAGE, sent)["Location"] == PAGE
    (grant,) = DetailGrant.objects.in_force()
    assert (grant.user, grant.granted_by) == (analyst, granter)
    shown = page.get(PAGE).content.decode()
    assert PURPOSE in shown and f"end-grant-{grant.pk}" in shown
    assert page.post(f"{PAGE}{grant.pk}/end/")["Location"] == PAGE
    assert not DetailGrant.objects.in_force().exists()
    assert "Past" in page.get(PAGE).content.decode()
    for action in ("grant.given", "grant.ended"):
        (told,) = events(action)
        assert (told["grant"], told["purpose"]) == (grant.pk, PURPOSE)


@pytest.mark.parametrize(
    ("days", "code"), [(-1, "past"), (actions.LONGEST_GRANT_DAYS + 1, "too_long")]
)
def test_a_day_that_does_not_fit_is_refused(
    granter: User, analyst: User, days: int, code: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        given(granter, analyst, days)
    assert [e.code for e in refused.value.error_dict["until"]] == [code]
    page = confirmed(granter)
    sent = {"person": str(analyst.pk), "purpose": PURPOSE}
    answer = page.post(PAGE, sent | {"until": str(today() + timedelta(days))})
    assert answer.status_code == 422


def test_nobody_grants_to_oneself(analyst: User) -> None:
    coordinator = make_user(Role.REGISTRY_COORDINATOR)
    with pytest.raises(ValidationError):
        given(coordinator, coordinator)
    with pytest.raises(IntegrityError), transaction.atomic():
        DetailGrant.objects.create(
            user=coordinator, granted_by=coordinator, purpose=PURPOSE, until=today()
        )


def test_a_purpose_is_needed(granter: User, analyst: User) -> None:
    with pytest.raises(ValidationError):
        actions.grant_detail(by=granter, person=analyst, purpose="  ", until=today())


def test_people_of_a_centre_get_no_grant(granter: User) -> None:
    surgeon = make_user(Role.SURGEON, make_centre(), password=None)
    with pytest.raises(ValidationError) as refused:
        given(granter, surgeon)
    assert list(refused.value.error_dict) == ["person"]
    offered = confirmed(granter).get(PAGE).context["form"].fields["person"].queryset
    assert surgeon not in offered and granter not in offered


@pytest.mark.parametrize("role", [Role.SURGEON, Role.COORDINATOR, Role.ANALYST])
def test_others_neither_grant_nor_see_grants(role: Role, granter: User) -> None:
    centre = None if role == Role.ANALYST else make_centre()
    person = make_user(role, centre)
    other = make_user(Role.ANALYST, password=None)
    grant = given(granter, other)
    with pytest.raises(PermissionDenied):
        given(person, other)
    with pytest.raises(PermissionDenied):
        actions.end_grant(by=person, grant=grant)
    page = confirmed(person)
    assert page.get(PAGE).status_code == 403
    assert page.post(f"{PAGE}{grant.pk}/end/").status_code == 403
    assert "Finer data" not in page.get("/account/").content.decode()


def test_ending_twice_is_recorded_once(granter: User, analyst: User) -> None:
    grant = given(granter, analyst)
    ended = actions.end_grant(by=granter, grant=grant)
    assert actions.end_grant(by=granter, grant=grant).ended_at == ended.ended_at
    assert len(events("grant.ended")) == 1


def test_the_last_day_still_counts(granter: User, analyst: User) -> None:
    grant = given(granter, analyst, 0)
    assert grant.is_in_force
    assert analyst.detail_grants.in_force().exists()
    DetailGrant.objects.filter(pk=grant.pk).update(until=today() - timedelta(1))
    grant.refresh_from_db()
    assert not grant.is_in_force
    assert not analyst.detail_grants.in_force().exists()
