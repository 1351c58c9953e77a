"""What is old goes, what is needed stays, and it happens once a day."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.utils import timezone

from registry import clearing
from registry.models import ApiToken, Submission
from registry.tasks import clear_old
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_claim() -> None:
    cache.clear()


def make_of_every_kind(days: int) -> None:
    """One row of every kind whose time was so many days ago."""
    user, then = make_user(), timezone.now() - timedelta(days=days)
    key = f"key-{days}"
    Session.objects.create(session_key=key, session_data="x", expire_date=then)
    UserSession.objects.create(user=user, session_key=key, ip="127.0.0.1")
    Submission.objects.create(user=user, key=key, created_at=then)
    token, _secret = ApiToken.objects.create(user=user, expiry=timedelta(days=1))
    ApiToken.objects.filter(pk=token.pk).update(expiry=then)
    attempt = AccessAttempt.objects.create(username=key, failures_since_start=1)
    AccessAttempt.objects.filter(pk=attempt.pk).update(attempt_time=then)


def test_old_rows_of_every_kind_go_and_fresh_ones_stay() -> None:
    make_of_every_kind(40)
    make_of_every_kind(-1)
    assert clearing.clear() == dict.fromkeys(clearing.KINDS, 1)
    assert clearing.clear() == dict.fromkeys(clearing.KINDS, 0)
    assert list(Session.objects.values_list("session_key", flat=True)) == ["key--1"]


def test_it_happens_once_a_day_however_often_it_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = []
    monkeypatch.setattr(clearing, "clear", lambda: done.append(1))
    for _ in range(3):
        clear_old()
    assert len(done) == 1
    tomorrow = timezone.now() + timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: tomorrow)
    clear_old()
    assert len(done) == 2


def test_a_failure_is_tried_again_in_the_next_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise RuntimeError

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(clearing, "clear", fail)
        clear_old()
    done = []
    monkeypatch.setattr(clearing, "clear", lambda: done.append(1))
    clear_old()
    assert done == [1]
