"""People, roles and centres, as an administrator sees them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client

from registry import actions
from registry.models import AuditEvent, Centre, User
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


# --- people


def test_a_person_is_added_given_a_role_and_invited(
    page: Client, administrator: User
) -> None:
    centre = make_centre()
    made = page.post(
        f"{PEOPLE}new/", {"name": "Hana Suzuki", "email": "Hana@X.example"}
    )
    person = User.objects.get(email="hana@x.example")
    assert made["Location"] == f"{PEOPLE}{person.pk}/"
    assert not person.has_usable_password()

    page.post(made["Location"], {"role": "surgeon", "centre": str(centre.pk)})
    membership = person.memberships.get()
    assert (membership.role, membership.centre) == ("surgeon", centre)
    assert membership.created_by == administrator

    invited = page.post(f"{PEOPLE}{person.pk}/invite/")
    link = invited.context["link"]
    assert link in mail.outbox[0].body
    assert "handed to the mail server" in text_of(invited)
    form = Client().get(link)
    assert form.status_code == 302
    newcomer = Client()
    newcomer.get(link)
    words = {"password1": "a fresh sentence", "password2": "a fresh sentence"}
    assert newcomer.post(form["Location"], words).status_code == 302
    newcomer.post(
        "/account/login/", {"login": person.email, "password": words["password1"]}
    )
    assert newcomer.get("/worklist/").status_code == 200


def test_T4_what_was_done_to_people_is_told(page: Client, administrator: User) -> None:
    centre = make_centre()
    person = make_user(None)
    actions.grant_role(by=administrator, person=person, role="surgeon", centre=centre)
    actions.end_role(by=administrator, membership=person.memberships.get())
    actions.set_active(by=administrator, person=person, is_active=False)
    actions.set_active(by=administrator, person=person, is_active=True)
    actions.invite(by=administrator, person=person)
    actions.update_centre(
        by=administrator, centre=centre, name="N", is_active=False, time_zone="UTC"
    )
    for action in (
        "role.granted",
        "role.ended",
        "person.deactivated",
        "person.activated",
        "person.invited",
    ):
        event = told(action)
        assert event.actor_id == administrator.pk
        assert event.target == f"person:{person.pk}"
    assert told("role.granted").centre_id == centre.pk
    assert told("role.granted").body == {"role": "surgeon"}
    assert told("centre.changed").body == {"is_active": False, "time_zone": "UTC"}


@pytest.mark.parametrize(
    ("name", "email", "place"),
    [
        ("", "x@y.example", "name"),
        ("X", "no address", "email"),
        ("X", "TAKEN@registry.example", "email"),
        ("X" * 151, "x@y.example", "name"),
    ],
)
def test_a_person_without_name_or_address_is_refused(
    page: Client, name: str, email: str, place: str
) -> None:
    make_user(None, email="taken@registry.example")
    answer = page.post(f"{PEOPLE}new/", {"name": name, "email": email})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {place}
    assert f'value="{email}"' in text_of(answer)


@pytest.mark.parametrize(
    ("role", "with_centre"),
    [("surgeon", False), ("coordinator", False), ("analyst", True)],
)
def test_a_role_needs_its_place(page: Client, role: str, with_centre: bool) -> None:
    person, centre = make_user(None), make_centre()
    chosen = str(centre.pk) if with_centre else ""
    answer = page.post(f"{PEOPLE}{person.pk}/", {"role": role, "centre": chosen})
    assert answer.status_code == 422
    assert "belong to a centre" in text_of(answer)
    assert not person.memberships.exists()


def test_a_role_is_held_once(page: Client) -> None:
    person = make_user(Role.ANALYST)
    answer = page.post(f"{PEOPLE}{person.pk}/", {"role": "analyst"})
    assert "holds the role already" in text_of(answer)
    assert person.memberships.count() == 1


def test_a_role_that_ended_stands_among_the_past_ones(page: Client) -> None:
    person = make_user(Role.ANALYST)
    page.post(f"/administration/roles/{person.memberships.get().pk}/end/")
    answer = page.get(f"{PEOPLE}{person.pk}/")
    assert "Past roles" in text_of(answer)
    assert not answer.context["current"]
    ended = person.memberships.get()
    assert ended.ended_at is not None
    assert actions.end_role(by=ended.ended_by, membership=ended).ended_at


def test_A18_the_last_administrator_stays(page: Client, administrator: User) -> None:
    page.post(f"/administration/roles/{administrator.memberships.get().pk}/end/")
    answer = page.post(f"{PEOPLE}{administrator.pk}/active/", follow=True)
    assert "Appoint another one first" in text_of(answer)
    administrator.refresh_from_db()
    assert administrator.is_active
    assert administrator.memberships.get().ended_at is None


def test_A18_a_stopped_administrator_does_not_count(administrator: User) -> None:
    other = make_user(Role.ADMINISTRATOR)
    actions.set_active(by=administrator, person=other, is_active=False)
    with pytest.raises(ValidationError, match="Appoint another"):
        actions.end_role(by=other, membership=administrator.memberships.get())


def test_A18_roles_are_changed_on_a_confirmed_page_only(administrator: User) -> None:
    client, person = signed_in(administrator), make_user(Role.ANALYST)
    for address in (
        f"{PEOPLE}{person.pk}/",
        f"{PEOPLE}{person.pk}/active/",
        f"/administration/roles/{person.memberships.get().pk}/end/",
    ):
        answer = client.post(address, {"role": "analyst"})
        assert answer["Location"].startswith("/account/reauthenticate/")
    person.refresh_from_db()
    assert person.is_active
    assert person.memberships.get().ended_at is None


def test_a_stopped_person_is_not_invited(page: Client) -> None:
    person = make_user(None, is_active=False)
    answer = page.post(f"{PEOPLE}{person.pk}/invite/", follow=True)
    assert "Allow the sign-in first" in text_of(answer)
    assert not mail.outbox


def test_an_invitation_that_no_mail_carried_says_so(
    page: Client, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    answer = page.post(f"{PEOPLE}{make_user(None).pk}/invite/")
    assert "Hand the link over yourself" in text_of(answer)


def test_S20_an_invitation_cannot_be_guessed(administrator: User) -> None:
    paths = [
        actions.invite(by=administrator, person=make_user(None)) for _person in range(3)
    ]
    keys = [path.rstrip("/").rsplit("-", 1)[1] for path in paths]
    assert len(set(keys)) == 3
    assert all(len(key) >= 32 for key in keys)  # 128 bits as hexadecimal digits
    altered = paths[0][:-2] + ("0" if paths[0][-2] != "0" else "1") + "/"
    assert "no longer works" in text_of(Client().get(altered))


@pytest.mark.parametrize("pk", ["0", "999999", "99999999999999999999999"])
def test_nobody_stands_behind_an_odd_number(page: Client, pk: str) -> None:
    assert page.get(f"{PEOPLE}{pk}/").status_code == 404
    assert page.get(f"{CENTRES}{pk}/").status_code == 404
    assert page.post(f"{PEOPLE}{pk}/", {"role": "analyst"}).status_code == 404
    assert page.post(f"/administration/roles/{pk}/end/").status_code == 404


def test_the_list_of_people_takes_few_queries(
    page: Client, django_assert_max_num_queries: Any
) -> None:
    for _n in range(12):
        make_user(Role.SURGEON, password=None)
    page.get(PEOPLE)
    with django_assert_max_num_queries(6):
        answer = page.get(PEOPLE)
    assert text_of(answer).count("data-href") == 13


# --- centres


def test_a_centre_is_added_renamed_and_closed(page: Client) -> None:
    page.post(
        CENTRES,
        {
            "name": "Kyoto",
            "code": "KYOTO",
            "time_zone": "Asia/Tokyo",
            "is_synthetic": "on",
        },
    )
    centre = Centre.objects.get()
    assert (centre.name, centre.is_synthetic, centre.is_active) == ("Kyoto", True, True)
    page.post(
        f"{CENTRES}{centre.pk}/",
        {"name": "Kyoto Medical Centre", "time_zone": "Asia/Tokyo"},
    )
    centre.refresh_from_db()
    assert (centre.name, centre.is_active) == ("Kyoto Medical Centre", False)
    assert told("centre.created").target == told("centre.changed").target == "KYOTO"


@pytest.mark.parametrize("code", ["", "kyoto", "K", "K" * 13, "KYŌTO", "-K", "TAKEN"])
def test_a_code_of_a_centre_has_a_form(page: Client, code: str) -> None:
    make_centre(code="TAKEN")
    answer = page.post(
        CENTRES, {"name": "Kyoto", "code": code, "time_zone": "Asia/Tokyo"}
    )
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"code"}
    assert Centre.objects.count() == 1


def test_a_closed_centre_is_no_choice_for_a_role(page: Client) -> None:
    make_centre(name="Open Hospital")
    make_centre(name="Closed Hospital", is_active=False)
    text = text_of(page.get(f"{PEOPLE}{make_user(None).pk}/"))
    assert "Open Hospital" in text
    assert "Closed Hospital" not in text
