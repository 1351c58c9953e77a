"""Signing in, being locked, second factor, passwords, tokens."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from axes.models import AccessAttempt
from django.core import mail
from django.test import Client
from django.utils import timezone

from registry import actions
from registry.account_forms import SignInForm
from registry.models import ApiToken, AuditEvent, User
from registry.permissions import Role
from tests.factories import PASSWORD, make_centre, make_user
from tests.pages import signed_in

pytestmark = pytest.mark.django_db
LOGIN = "/account/login/"
WRONG = "not the password"


@pytest.fixture
def surgeon() -> User:
    return make_user(Role.SURGEON, make_centre())


def sign_in(client: Client, person: User | str, password: str = PASSWORD) -> Any:
    address = person if isinstance(person, str) else person.email
    return client.post(LOGIN, {"login": address, "password": password})


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def without_tokens(response: Any) -> str:
    return re.sub(
        r'csrfmiddlewaretoken" value="\w+|X-CSRFToken": "\w+|nonce="[^"]+|value="\S+@\S+',
        "",
        response.content.decode(),
    )


def actions_of(person: User) -> list[str]:
    """What the trail tells of a person, oldest first."""
    events = AuditEvent.objects.filter(actor_id=person.pk).order_by("pk")
    return list(events.values_list("action", flat=True))


# --- the sign-in page


def test_a_person_signs_in_and_out(surgeon: User) -> None:
    client = Client()
    assert sign_in(client, surgeon.email.upper())["Location"] == "/"
    assert is_in(client)
    assert client.post("/account/logout/")["Location"] == LOGIN
    assert not is_in(client)
    assert actions_of(surgeon) == ["session.started", "session.ended"]


def test_S7_the_cookie_of_an_ended_session_opens_nothing(surgeon: User) -> None:
    client, thief = Client(), Client()
    sign_in(client, surgeon)
    thief.cookies = client.cookies.copy()
    client.post("/account/logout/")
    assert not is_in(thief)


def test_T4_a_refused_sign_in_is_told_without_what_was_typed(surgeon: User) -> None:
    sign_in(Client(), surgeon, WRONG)
    sign_in(Client(), "my-secret-password", WRONG)
    events = AuditEvent.objects.filter(action="session.refused")
    assert [event.actor_id for event in events] == [surgeon.pk]
    assert all(event.body == {} and event.target == "" for event in events)


def test_S1_five_wrong_passwords_lock_and_look_like_a_wrong_one(surgeon: User) -> None:
    client = Client()
    refused = [sign_in(client, surgeon, WRONG) for _attempt in range(6)]
    locked = sign_in(client, surgeon)
    assert {response.status_code for response in [*refused, locked]} == {200}
    assert len({without_tokens(response) for response in [*refused, locked]}) == 1
    assert not is_in(client)
    assert AuditEvent.objects.filter(action="session.locked").exists()
    assert len(mail.outbox) == 1
    assert mail.outbox[0].to == [surgeon.email]


def test_S1_the_lock_ends_after_fifteen_minutes(surgeon: User) -> None:
    client = Client()
    for _attempt in range(6):
        sign_in(client, surgeon, WRONG)
    earlier = timezone.now() - timezone.timedelta(minutes=16)
    AccessAttempt.objects.update(attempt_time=earlier)
    sign_in(client, surgeon)
    assert is_in(client)


def test_S2_a_lock_leaves_the_colleagues_at_the_same_address_alone(
    surgeon: User,
) -> None:
    colleague = make_user(Role.SURGEON, surgeon.memberships.get().centre)
    for _attempt in range(6):
        sign_in(Client(), surgeon, WRONG)
    client = Client()
    sign_in(client, colleague)
    assert is_in(client)


def test_S2_a_lock_holds_at_its_address_only(surgeon: User) -> None:
    for _attempt in range(6):
        sign_in(Client(REMOTE_ADDR="192.0.2.1"), surgeon, WRONG)
    client = Client(REMOTE_ADDR="192.0.2.2")
    sign_in(client, surgeon)
    assert is_in(client)


def test_S2_wrong_confirmations_lock_nobody_else(surgeon: User) -> None:
    colleague = make_user(Role.SURGEON, surgeon.memberships.get().centre)
    client, other = signed_in(surgeon), signed_in(colleague)
    for _attempt in range(6):
        client.post("/account/reauthenticate/", {"password": WRONG})
    for typed in (client, other):
        answer = typed.post(
            "/account/reauthenticate/?next=/account/", {"password": PASSWORD}
        )
        assert (answer.status_code == 302) == (typed is other)


def test_S3_one_address_that_tries_many_people_is_slowed() -> None:
    client = Client()
    answers = [
        sign_in(client, f"person{number}@registry.example", WRONG)
        for number in range(61)
    ]
    assert "Too many attempts. Wait" in answers[30].content.decode()
    assert answers[60].status_code == 429
    assert "Too many attempts from this address" in answers[60].content.decode()


def test_S4_a_stranger_does_not_learn_who_has_an_account(surgeon: User) -> None:
    known = sign_in(Client(), surgeon, WRONG)
    unknown = sign_in(Client(), "nobody@registry.example", WRONG)
    assert without_tokens(known) == without_tokens(unknown)
    asked = [
        Client().post("/account/password/reset/", {"email": email}, follow=True)
        for email in (surgeon.email, "nobody@registry.example")
    ]
    assert without_tokens(asked[0]) == without_tokens(asked[1])
    assert [message.to for message in mail.outbox] == [[surgeon.email]]


def test_nobody_signs_up() -> None:
    client = Client()
    for address in ("/account/signup/", "/accounts/signup/", "/account/email/"):
        assert client.get(address).status_code in {302, 404}
        assert client.post(address, {"email": "x@y.example"}).status_code in {302, 404}
    assert not User.objects.exists()


def host_of(location: str) -> str:
    """Where a browser goes: it takes backslashes for slashes."""
    here = "http://testserver/account/login/"
    return urlsplit(urljoin(here, location.replace("\\", "/"))).netloc


@pytest.mark.parametrize(
    "onward",
    [
        "//evil.example",
        "https:evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "%2f%2fevil.example",
        "javascript:alert(1)",
        "///evil.example",
        "http:///evil.example",
        "//evil.example@127.0.0.1",
    ],
)
def test_W7_sign_in_leads_nowhere_else(surgeon: User, onward: str) -> None:
    client = Client()
    response = client.post(
        LOGIN, {"login": surgeon.email, "password": PASSWORD, "next": onward}
    )
    left = client.post("/account/logout/", {"next": onward})
    for answer in (response, left):
        assert answer.status_code == 302
        assert host_of(answer["Location"]) == "testserver"


def test_sign_in_leads_back_to_the_page_that_was_asked(surgeon: User) -> None:
    client = Client()
    asked = client.get("/account/sessions/")
    assert asked["Location"] == f"{LOGIN}?next=/account/sessions/"
    page = client.get(asked["Location"]).content.decode()
    assert '<input type="hidden" name="next" value="/account/sessions/"' in page


# --- session ids


def test_S6_the_session_id_changes_at_sign_in(surgeon: User) -> None:
    client = Client()
    client.get(LOGIN)
    client.cookies["myelon_session"] = "f" * 32
    sign_in(client, surgeon)
    first = client.cookies["myelon_session"].value
    assert is_in(client)
    assert first != "f" * 32
    client.post("/account/logout/")
    sign_in(client, surgeon)
    assert client.cookies["myelon_session"].value not in {first, "f" * 32}


def test_S6_the_session_id_changes_at_the_second_factor(surgeon: User) -> None:
    secret = give_second_factor(surgeon)
    client = Client()
    sign_in(client, surgeon)
    halfway = client.cookies["myelon_session"].value
    client.post("/account/second-factor/authenticate/", {"code": code_of(secret)})
    assert is_in(client)
    assert client.cookies["myelon_session"].value != halfway


def test_S17_cookies_are_out_of_reach_of_scripts(surgeon: User) -> None:
    client = Client()
    client.get(LOGIN)
    sign_in(client, surgeon)
    for name in ("myelon_session", "myelon_csrf"):
        assert client.cookies[name]["httponly"]
        assert client.cookies[name]["samesite"] == "Lax"
        assert client.cookies[name]["path"] == "/"
        assert not client.cookies[name]["domain"]


# --- passwords


def change_password(client: Client, new: str, old: str = PASSWORD) -> Any:
    return client.post(
        "/account/password/change/",
        {"oldpassword": old, "password1": new, "password2": new},
    )


def test_S7_a_new_password_ends_every_session(surgeon: User) -> None:
    client, elsewhere = Client(), Client()
    for each in (client, elsewhere):
        sign_in(each, surgeon)
    assert change_password(client, "another good sentence")["Location"] == LOGIN
    assert not is_in(client)
    assert not is_in(elsewhere)
    sign_in(client, surgeon, "another good sentence")
    assert is_in(client)
    assert "password.changed" in actions_of(surgeon)
    assert mail.outbox[-1].subject == "Myelon: Your password was changed"


@pytest.mark.parametrize(
    "password", ["seven77", "password123", "qwertyuiop", "1234567890", "{email}"]
)
def test_S18_weak_passwords_are_refused(surgeon: User, password: str) -> None:
    client = signed_in(surgeon)
    response = change_password(client, password.format(email=surgeon.email))
    assert response.status_code == 200
    surgeon.refresh_from_db()
    assert surgeon.check_password(PASSWORD)


@pytest.mark.parametrize(
    "password",
    [
        "x7" * 32,
        " spaces all around it ",
        "正しい馬の電池の留め金だ",
        "Größe über alles",
    ],
)
def test_S18_long_passwords_of_every_script_are_taken(
    surgeon: User, password: str
) -> None:
    assert change_password(signed_in(surgeon), password).status_code == 302
    client = Client()
    sign_in(client, surgeon, password)
    assert is_in(client)


def test_S18_passwords_are_kept_as_argon2(surgeon: User) -> None:
    assert surgeon.password.startswith("argon2$")


def reset_link(person: User, **headers: str) -> str:
    Client().post("/account/password/reset/", {"email": person.email}, headers=headers)
    found = re.search(r"http://[^\s]+", mail.outbox[-1].body)
    assert found
    return found[0]


def set_password(link: str, password: str) -> Any:
    client = Client()
    form = client.get(link)
    if form.status_code != 302:
        return form
    return client.post(form["Location"], {"password1": password, "password2": password})


def test_S19_the_reset_link_works_once(surgeon: User) -> None:
    elsewhere = Client()
    sign_in(elsewhere, surgeon)
    link = reset_link(surgeon)
    assert set_password(link, "another good sentence").status_code == 302
    surgeon.refresh_from_db()
    assert surgeon.check_password("another good sentence")
    assert not is_in(elsewhere)
    again = set_password(link, "a third good sentence")
    assert "This link no longer works" in again.content.decode()


def test_S19_the_reset_link_ends_after_an_hour(
    surgeon: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.PASSWORD_RESET_TIMEOUT == 3600
    link = reset_link(surgeon)
    later = timezone.now().replace(tzinfo=None) + timezone.timedelta(minutes=61)
    monkeypatch.setattr(
        "django.contrib.auth.tokens.PasswordResetTokenGenerator._now",
        lambda self: later,
    )
    assert "no longer works" in set_password(link, "x").content.decode()


def test_S19_the_reset_link_names_the_own_host(surgeon: User) -> None:
    client = Client(raise_request_exception=False)
    for headers in ({"host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}):
        client.post(
            "/account/password/reset/", {"email": surgeon.email}, headers=headers
        )
    assert all("evil" not in message.body for message in mail.outbox)
    assert reset_link(surgeon).startswith("http://testserver/account/password/")


def test_a_mail_server_that_is_away_breaks_no_page(
    surgeon: User, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    asked = Client().post("/account/password/reset/", {"email": surgeon.email})
    changed = change_password(signed_in(surgeon), "another good sentence")
    assert [asked.status_code, changed.status_code] == [302, 302]


# --- the second factor

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


def confirmed(person: User) -> Client:
    """Signed in, and confirmed by password a moment ago."""
    client = Client()
    sign_in(client, person)
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    return client


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


# --- sessions and tokens


def test_other_sessions_are_ended_from_the_list(surgeon: User) -> None:
    client, elsewhere = Client(), Client(HTTP_USER_AGENT="Firefox/140.0 Windows")
    for each in (client, elsewhere):
        sign_in(each, surgeon)
    page = client.get("/account/sessions/").content.decode()
    assert "Firefox, Windows" in page
    client.post("/account/sessions/")
    assert is_in(client)
    assert not is_in(elsewhere)


def test_S14_a_token_is_shown_once_and_stored_as_a_digest(
    surgeon: User, caplog: pytest.LogCaptureFixture
) -> None:
    client = confirmed(surgeon)
    made = client.post(
        "/account/tokens/new/", {"name": "R", "days": "30", "read_only": "on"}
    )
    secret = made.context["secret"]
    assert secret in made.content.decode()
    assert secret not in client.get("/account/").content.decode()
    token = ApiToken.objects.get()
    stored = " ".join(str(value) for value in token.__dict__.values())
    assert secret not in stored
    assert len(token.digest) >= 64
    events = AuditEvent.objects.filter(action="token.created")
    assert secret not in str(list(events.values()))
    assert secret not in caplog.text
    answer = Client().get(
        "/api/v1/cases/", headers={"Authorization": f"Bearer {secret}"}
    )
    assert answer.status_code == 200
    assert secret not in answer.content.decode()


def test_S14_a_token_needs_a_fresh_confirmation(surgeon: User) -> None:
    client = Client()
    sign_in(client, surgeon)
    for method in (client.get, client.post):
        answer = method("/account/tokens/new/")
        assert answer["Location"].startswith("/account/reauthenticate/")
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("days", ["0", "366", "-1", "x", "1e2", "9" * 400, ""])
def test_a_token_ends_within_a_year(surgeon: User, days: str) -> None:
    client = confirmed(surgeon)
    answer = client.post("/account/tokens/new/", {"name": "R", "days": days})
    assert answer.status_code == 422
    assert not ApiToken.objects.exists()


def test_S15_tokens_that_are_none_are_refused(surgeon: User) -> None:
    token, secret = actions.create_token(by=surgeon, owner=surgeon, name="R", days=1)
    actions.revoke_token(by=surgeon, token=token)
    expired, old = actions.create_token(by=surgeon, owner=surgeon, name="R", days=1)
    ApiToken.objects.filter(pk=expired.pk).update(
        expiry=timezone.now() - timezone.timedelta(seconds=1)
    )
    attempts = [
        f"Bearer {secret}",
        f"Bearer {old}",
        "Bearer",
        "Bearer x",
        "Bearer a b",
        "Bearer " + "x" * 10_000,
        "Bearer schlüssel" + "ü" * 60,
        "Bearer \x00" + "a" * 60,
        f"Token {secret}",
        "Basic YTpi",
    ]
    client = Client(raise_request_exception=False)
    for header in attempts:
        answer = client.get("/api/v1/cases/", headers={"Authorization": header})
        assert answer.status_code == 401, header[:20]


def test_tokens_are_revoked_by_their_owner_only(surgeon: User) -> None:
    token, _secret = actions.create_token(by=surgeon, owner=surgeon, name="R", days=9)
    address = f"/account/tokens/{token.token_key}/revoke/"
    other = signed_in(make_user(Role.ADMINISTRATOR, password=None))
    assert other.post(address).status_code == 404
    assert ApiToken.objects.exists()
    assert signed_in(surgeon).post(address).status_code == 302
    assert not ApiToken.objects.exists()
    assert actions_of(surgeon)[-1] == "token.revoked"


def test_the_form_names_the_person_to_the_lockout() -> None:
    form = SignInForm({"login": "A@B.example", "password": "x"})
    form.cleaned_data = {"login": "A@B.example", "password": "x"}
    assert form.user_credentials()["login"] == "a@b.example"
