"""What the actions refuse, whoever calls them, and the commands that call them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from registry import actions
from registry.actions import LONGEST_TOKEN_DAYS
from registry.management.commands.create_demo_users import DEMO_PASSWORD, DEMO_PEOPLE
from registry.models import ApiToken, AuditEvent, Membership, User
from registry.permissions import Role
from tests.factories import PASSWORD, make_centre, make_user
from tests.pages import signed_in

pytestmark = pytest.mark.django_db
PEOPLE = "/administration/people/"
CENTRES = "/administration/centres/"
AUDIT = "/administration/audit/"


@pytest.fixture
def administrator() -> User:
    return make_user(Role.ADMINISTRATOR)


@pytest.fixture
def page(administrator: User) -> Client:
    """The administrator's browser, confirmed a moment ago."""
    client = signed_in(administrator)
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    return client


def told(action: str) -> AuditEvent:
    return AuditEvent.objects.filter(action=action).latest("pk")


def text_of(response: Any) -> str:
    return str(response.content.decode())


def test_only_administrators_administer() -> None:
    centre = make_centre()
    person = make_user(Role.ANALYST)
    role = person.memberships.get()
    for by in (make_user(Role.COORDINATOR), make_user(None), AnonymousUser()):
        for attempt in (
            lambda by=by: actions.create_centre(by=by, code="NEW", name="New"),
            lambda by=by: actions.update_centre(
                by=by, centre=centre, name="x", is_active=False, time_zone="UTC"
            ),
            lambda by=by: actions.create_person(by=by, email="x@y.example", name="X"),
            lambda by=by: actions.set_active(by=by, person=person, is_active=False),
            lambda by=by: actions.grant_role(
                by=by, person=person, role="administrator"
            ),
            lambda by=by: actions.end_role(by=by, membership=role),
            lambda by=by: actions.invite(by=by, person=person),
        ):
            with pytest.raises(PermissionDenied):
                attempt()
    assert Membership.objects.filter(role=Role.ADMINISTRATOR).count() == 0


@pytest.mark.parametrize("days", [0, LONGEST_TOKEN_DAYS + 1, -5])
def test_a_token_for_ever_is_refused(administrator: User, days: int) -> None:
    with pytest.raises(ValidationError) as refused:
        actions.create_token(by=administrator, owner=administrator, name="R", days=days)
    assert "days" in refused.value.message_dict


# --- commands


def command(*arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue().strip()


def test_a_token_is_made_on_the_command_line(administrator: User) -> None:
    secret = command("create_token", administrator.email.upper(), days=7)
    token = ApiToken.objects.get()
    assert (token.user, token.read_only) == (administrator, True)
    answer = Client().get(
        "/api/v1/centres/", headers={"Authorization": f"Bearer {secret}"}
    )
    assert answer.status_code == 200
    command("create_token", administrator.email, write=True)
    assert ApiToken.objects.filter(read_only=False).count() == 1


def test_a_token_for_nobody_is_refused() -> None:
    with pytest.raises(CommandError, match="no person"):
        command("create_token", "nobody@registry.example")


def test_demo_people_are_made_once_beside_synthetic_cases_only() -> None:
    make_centre(is_synthetic=True)
    make_centre(is_synthetic=True)
    for _time in range(2):
        command("create_demo_users")
    people = User.objects.filter(is_demo=True)
    assert {person.email for person in people} == {each[0] for each in DEMO_PEOPLE}
    assert all(person.check_password(DEMO_PASSWORD) for person in people)
    assert Membership.objects.count() == len(DEMO_PEOPLE)


def test_demo_people_are_refused_beside_patients(settings: Any) -> None:
    make_centre(is_synthetic=True)
    make_centre(is_synthetic=False)
    with pytest.raises(CommandError, match="with patients"):
        command("create_demo_users")
    settings.LOCAL = False
    with pytest.raises(CommandError, match="local mode"):
        command("create_demo_users")
    assert not User.objects.exists()
