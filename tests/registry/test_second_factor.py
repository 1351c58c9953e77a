"""The second factor: switched on, asked for, lost."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core import mail
from django.test import Client
from django.utils import timezone

from registry.models import ApiToken, AuditEvent, User
from registry.permissions import Role
from tests.factories import make_centre, make_user
from tests.registry.signing_in import (
    actions_of,
    confirmed,
    is_in,
    sign_in,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def surgeon() -> User:
    return make_user(Role.SURGEON, make_centre())


# Sessions end and mails go out after the commit, which an ordinary test never makes.
committing = pytest.mark.django_db(transaction=True)


def give_second_factor(person: User) -> str:
    secret = str(generate_totp_secret())
    TOTP.activate(person, secret)
    return secret


def code_of(secret: str) -> str:
    """What the app shows now."""
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(secret, counter))


def switch_on(client: Client) -> str:
    page = client.get("/account/second-factor/totp/activate/")
    secret = page.context["form"].secret
    answer = client.post(
        "/account/second-factor/totp/activate/", {"code": code_of(secret)}
    )
    assert answer.status_code == 302
    return str(secret)


@committing
def test_the_second_factor_is_switched_on_in_the_browser(surgeon: User) -> None:
    client = confirmed(surgeon)
    secret = switch_on(client)
    page = client.get("/account/second-factor/").content.decode()
    assert f"On since {timezone.localdate().isoformat()}." in page
    assert "10 of 10 codes are left" in page
    later = Client()
    answer = sign_in(later, surgeon)
    assert answer["Location"].startswith("/account/second-factor/authenticate/")
    assert not is_in(later)
    wrong = later.post("/account/second-factor/authenticate/", {"code": "000000"})
    assert "Incorrect code" in wrong.content.decode()
    later.post("/account/second-factor/authenticate/", {"code": code_of(secret)})
    assert is_in(later)


@pytest.mark.parametrize(
    "address",
    ["/account/", "/worklist/", "/account/tokens/new/", "/api/v1/cases/", "/cases/"],
)
def test_S11_the_second_factor_cannot_be_walked_around(
    surgeon: User, address: str
) -> None:
    give_second_factor(surgeon)
    client = Client()
    sign_in(client, surgeon)
    assert client.get(address).status_code in {302, 401}
    assert client.post(address).status_code in {302, 401}
    assert not ApiToken.objects.exists()


@committing
def test_S7_a_change_of_the_second_factor_ends_other_sessions(surgeon: User) -> None:
    client, elsewhere = confirmed(surgeon), Client()
    sign_in(elsewhere, surgeon)
    switch_on(client)
    assert is_in(client)
    assert not is_in(elsewhere)
    assert actions_of(surgeon).count("second_factor.changed") == 2  # app and codes


@committing
def test_S7_switching_the_second_factor_off_is_told(surgeon: User) -> None:
    client = confirmed(surgeon)
    switch_on(client)
    client.post("/account/second-factor/totp/deactivate/")
    assert not surgeon.authenticator_set.exists()
    assert mail.outbox[-1].subject == "Myelon: Second factor switched off"
    event = AuditEvent.objects.filter(action="second_factor.changed").latest("pk")
    assert event.body["present"] is False


@committing
def test_S13_a_recovery_code_works_once(surgeon: User) -> None:
    client = confirmed(surgeon)
    switch_on(client)
    code = recovery_codes(surgeon)[0]
    for expected in (True, False):
        other = Client()
        sign_in(other, surgeon)
        other.post("/account/second-factor/authenticate/", {"code": code})
        assert is_in(other) == expected


@committing
def test_S13_new_recovery_codes_void_the_old(surgeon: User) -> None:
    client = confirmed(surgeon)
    switch_on(client)
    old = recovery_codes(surgeon)
    client.post("/account/second-factor/recovery-codes/generate/")
    assert not set(old) & set(recovery_codes(surgeon))
    other = Client()
    sign_in(other, surgeon)
    other.post("/account/second-factor/authenticate/", {"code": old[0]})
    assert not is_in(other)


def recovery_codes(person: User) -> list[str]:
    row = Authenticator.objects.get(user=person, type="recovery_codes")
    return list(row.wrap().get_unused_codes())


def test_guessing_the_second_factor_is_slowed(surgeon: User) -> None:
    secret = give_second_factor(surgeon)
    client = Client()
    sign_in(client, surgeon)
    for _attempt in range(10):
        client.post("/account/second-factor/authenticate/", {"code": "000000"})
    client.post("/account/second-factor/authenticate/", {"code": code_of(secret)})
    assert not is_in(client)
    assert "second_factor.refused" in actions_of(surgeon)


def test_S6_the_session_id_changes_at_the_second_factor(surgeon: User) -> None:
    secret = give_second_factor(surgeon)
    client = Client()
    sign_in(client, surgeon)
    halfway = client.cookies["myelon_session"].value
    client.post("/account/second-factor/authenticate/", {"code": code_of(secret)})
    assert is_in(client)
    assert client.cookies["myelon_session"].value != halfway
