"""The link of an invitation lives a week, until the first password; a reset link an hour."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from registry.link_tokens import INVITATION_DAYS, LinkTokens
from registry.models import User
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=INVITATION_DAYS)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def is_good_after(
    person: User, waited: timedelta, monkeypatch: pytest.MonkeyPatch
) -> bool:
    key = LinkTokens().make_token(person)
    later = datetime.now() + waited  # noqa: DTZ005
    now = "django.contrib.auth.tokens.PasswordResetTokenGenerator._now"
    with monkeypatch.context() as clock:
        clock.setattr(now, lambda generator: later)
        return LinkTokens().check_token(person, key)


@pytest.mark.parametrize(
    ("waited", "good"),
    [
        (timedelta(0), True),
        (2 * HOUR, True),
        (WEEK - MINUTE, True),
        (WEEK + MINUTE, False),
        (2 * WEEK, False),
    ],
)
def test_an_invitation_lives_a_week(
    waited: timedelta, good: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    invited = make_user(None, password=None)
    assert is_good_after(invited, waited, monkeypatch) is good


@pytest.mark.parametrize(
    ("waited", "good"), [(HOUR - MINUTE, True), (HOUR + MINUTE, False), (WEEK, False)]
)
def test_the_link_of_a_person_with_a_password_lives_an_hour(
    waited: timedelta, good: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = make_user(None, password=PASSWORD)
    assert is_good_after(known, waited, monkeypatch) is good


def test_the_first_password_ends_the_invitation() -> None:
    invited = make_user(None, password=None)
    key = LinkTokens().make_token(invited)
    invited.set_password(PASSWORD)
    invited.save()
    assert not LinkTokens().check_token(invited, key)


def test_the_key_of_another_person_opens_nothing() -> None:
    one, other = make_user(None, password=None), make_user(None, password=None)
    assert not LinkTokens().check_token(other, LinkTokens().make_token(one))
    assert not LinkTokens().check_token(one, "x-y")
    assert not LinkTokens().check_token(None, "x-y")
