"""A question that costs too much for a request becomes a row that a worker answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from outcomes import answering, asking, kept, reading, summaries
from outcomes.answering import MOST_ATTEMPTS
from outcomes.measures.events import EventMeasure
from outcomes.models import AskedSummary, ReleasedFacts
from outcomes.receivers import announce_unanswered
from outcomes.summaries import TakesLong, for_moments
from registry.models import Centre, User
from registry.permissions import Role
from tests import factories
from tests.outcomes.histories.steps import withdrawn
from tests.outcomes.registry_of_cases import fill
from tests.registry.api_client import Api

pytestmark = pytest.mark.django_db
URL = "summaries/recurrence/?by=compartment,region"
ASKED = {"by": "compartment,region"}


@pytest.fixture(autouse=True)
def nothing_withheld(settings: Any) -> None:
    """A dozen cases would be one group otherwise: what they differ in is withheld."""
    settings.RELEASE_K = 1


@pytest.fixture
def centre() -> Centre:
    found = factories.make_centre()
    fill(found, 12)
    return found


@pytest.fixture
def analyst(centre: Centre) -> User:
    return factories.make_user(Role.ANALYST, password=None)


@pytest.fixture
def costly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question of more than one group is too much for a request."""
    monkeypatch.setattr(EventMeasure, "groups_at_once", 1)


def test_a_cheap_question_is_answered_at_once(analyst: User) -> None:
    assert Api(analyst).get(URL).status_code == 200
    assert not AskedSummary.objects.exists()


@pytest.mark.usefixtures("costly")
def test_a_costly_question_is_answered_by_the_worker(analyst: User) -> None:
    """202 with the address of the answer, which is that of the question."""
    first = Api(analyst).get(URL)
    assert first.status_code == 202
    assert first.headers["Location"].endswith(URL)
    assert int(first.headers["Retry-After"]) > 0
    assert first.json()["state"] == "queued"
    (row,) = AskedSummary.objects.all()
    assert answering.work(row.pk)
    told = Api(analyst).get(URL)
    assert (told.status_code, told.json()["stale"]) == (200, False)
    rows = ReleasedFacts.objects.all()
    now = summaries.compute("recurrence", "compartment,region", queryset=rows)
    assert told.json()["groups"] == now["groups"]
    assert told.json()["scope"] == "pool"
    assert AskedSummary.objects.count() == 1
    assert not answering.work(row.pk), "nobody waits any more"


@pytest.mark.usefixtures("costly")
def test_the_same_question_is_one_row_whoever_asks(analyst: User) -> None:
    again = factories.make_user(Role.ANALYST, password=None)
    for user in (analyst, again, analyst):
        assert Api(user).get(URL).status_code == 202
    assert AskedSummary.objects.count() == 1
    assert Api(analyst).get(f"{URL}&sex=F,M").status_code == 202
    reader = factories.make_user(Role.REGISTRY_COORDINATOR, password=None)
    assert Api(reader).get(URL).status_code == 202
    assert AskedSummary.objects.count() == 3, "other filters, and rows as they are"


@pytest.mark.usefixtures("costly")
def test_an_answer_that_lags_behind_is_shown_and_counted_anew(
    analyst: User, centre: Centre
) -> None:
    with pytest.raises(asking.BeingComputed) as waiting:
        asking.answer(analyst, "recurrence", **ASKED)
    answering.work(waiting.value.row.pk)
    factories.make_case(centre, operation=True)
    told = asking.answer(analyst, "recurrence", **ASKED)
    before = told["n_cases"]
    assert told["stale"]
    assert answering.unanswered() == [waiting.value.row.pk]
    answering.work(waiting.value.row.pk)
    told = asking.answer(analyst, "recurrence", **ASKED)
    assert (told["stale"], told["n_cases"]) == (False, before + 1)


@pytest.mark.usefixtures("costly")
def test_a_withdrawal_takes_the_answer_away(analyst: User, centre: Centre) -> None:
    with pytest.raises(asking.BeingComputed) as waiting:
        asking.answer(analyst, "recurrence", **ASKED)
    answering.work(waiting.value.row.pk)
    withdrawn(centre.cases.earliest("pk"))
    with pytest.raises(asking.BeingComputed):
        asking.answer(analyst, "recurrence", **ASKED)


@pytest.mark.usefixtures("costly")
def test_numbers_of_other_code_are_not_shown(
    analyst: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(asking.BeingComputed) as waiting:
        asking.answer(analyst, "recurrence", **ASKED)
    answering.work(waiting.value.row.pk)
    monkeypatch.setattr(kept, "code_version", lambda: "newer")
    with pytest.raises(asking.BeingComputed):
        asking.answer(analyst, "recurrence", **ASKED)


@pytest.mark.usefixtures("costly")
def test_a_question_that_fails_says_so_and_can_be_asked_again(
    analyst: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api(analyst)
    api.get(URL)
    (row,) = AskedSummary.objects.all()

    def fail(*_given: Any, **_more: Any) -> None:
        raise RuntimeError("no room")

    with monkeypatch.context() as broken:
        broken.setattr(reading, "computed", fail)
        broken.setattr(reading, "summary_for", costly_question(analyst))
        for _attempt in range(MOST_ATTEMPTS):
            assert not answering.work(row.pk)
        assert answering.unanswered() == []
        refused = api.get(URL)
    assert (refused.status_code, refused.json()["code"]) == (503, "not_computed")
    AskedSummary.objects.update(wanted_at=timezone.now() - timedelta(minutes=11))
    answering.forget()
    assert api.get(URL).status_code == 202
    assert answering.work(AskedSummary.objects.get().pk)


def costly_question(user: User) -> Callable[..., Any]:
    def ask(*_given: Any, **_more: Any) -> None:
        by = ("compartment", "region")
        question = reading.Question("recurrence", by, "", "", {}, None, True)
        raise reading.TooCostly(question)

    return ask


@pytest.mark.usefixtures("costly")
def test_the_sweep_finds_what_was_lost_and_forgets_the_old(
    analyst: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    Api(analyst).get(URL)
    sent: list[Any] = []
    monkeypatch.setattr("outcomes.receivers.publish", lambda *given: sent.append(given))
    announce_unanswered(None)
    (row,) = AskedSummary.objects.all()
    assert [key for _task, key in sent] == [row.pk]
    assert answering.claim(row.pk) and not answering.claim(row.pk)
    announce_unanswered(None)
    assert len(sent) == 1, "somebody works on it"
    AskedSummary.objects.update(claimed_at=timezone.now() - timedelta(minutes=11))
    announce_unanswered(None)
    assert len(sent) == 2, "the worker died"
    AskedSummary.objects.update(asked_at=timezone.now() - timedelta(days=2))
    announce_unanswered(None)
    assert not AskedSummary.objects.exists()


@pytest.mark.usefixtures("costly")
def test_rights_are_asked_before_any_row(centre: Centre) -> None:
    surgeon = factories.surgeon_of(centre)
    other = factories.make_centre()
    assert Api(surgeon).get(f"{URL}&scope={other.code}").status_code == 404
    assert Api(surgeon).get(f"{URL}&scope={centre.code}").status_code == 202
    admin = factories.make_user(Role.ADMINISTRATOR, password=None)
    assert Api(admin).get(URL).status_code == 403
    assert AskedSummary.objects.get().centre_id == centre.pk


def test_far_too_many_groups_are_refused_all_the_same(
    analyst: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_GROUPS_IN_BACKGROUND", 2)
    answer = Api(analyst).get(URL)
    assert answer.status_code == 400
    assert "too_many_groups" in str(answer.json())


def test_a_count_that_takes_long_is_broken_off() -> None:
    """The limit is of this count alone, and a count within it stays."""

    def limit() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout')")
            return str(cursor.fetchone()[0])

    before = limit()
    with for_moments():
        assert limit() == "3s"
    assert limit() == before
    with pytest.raises(TakesLong):
        with for_moments(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '20ms'")
            cursor.execute("SELECT pg_sleep(20)")
    assert limit() == before
    with pytest.raises(ValidationError), for_moments():
        raise ValidationError("another mistake stays what it is")


@pytest.mark.usefixtures("costly")
def test_the_page_says_that_numbers_are_being_computed(
    client: Client, centre: Centre
) -> None:
    user = factories.make_user(Role.REGISTRY_COORDINATOR, password=None)
    client.force_login(
        user, backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    address = reverse("outcomes:dashboard") + "?scope=pool"
    page = client.get(address)
    assert "being computed" in page.content.decode()
    assert 'hx-trigger="every 4s"' in page.content.decode()
    for key in answering.unanswered():
        answering.work(key)
    page = client.get(address)
    assert "being computed" not in page.content.decode()
    assert page.context["tiles"]
