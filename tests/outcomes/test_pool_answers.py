"""Answers about the pool are computed once a copy, and are never those of somebody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as project
from django.utils import timezone

from cases.actions import update_record
from cases.models import Case
from outcomes import facts, pool, pool_answers, summaries
from outcomes.models import PoolAnswer, PoolCopy
from outcomes.reading import summary_for
from outcomes.tasks import renew_pool
from registry.models import Centre, User
from registry.permissions import Role
from tests import factories
from tests.outcomes.random_registry import make_cases

pytestmark = pytest.mark.django_db
QUESTIONS: tuple[tuple[str, str, str, str], ...] = (
    ("recurrence", "compartment", "", ""),
    ("recurrence", "compartment", "", ""),
    ("recurrence", "sex", "", ""),
    ("improvement", "sex", "m12", ""),
    ("improvement", "sex", "m24", ""),
    ("residual-pain", "sex", "m12", ""),
    ("residual-pain", "sex", "m12", "any"),
    ("volume", "sex", "", ""),
)


@pytest.fixture
def cases(settings: Any) -> list[Case]:
    settings.DISCLOSURE_THRESHOLD = 3
    cases = make_cases(40)
    facts.rebuild()
    summaries.mark_all_wanted()
    return cases


@pytest.fixture
def surgeon(cases: list[Case]) -> User:
    return factories.make_user(Role.SURGEON, cases[0].centre, password=None)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The measures that were computed, in order."""
    found: list[str] = []
    compute = summaries.compute

    def noted(measure: str, *args: Any, **kwargs: Any) -> Any:
        found.append(measure)
        return compute(measure, *args, **kwargs)

    monkeypatch.setattr(summaries, "compute", noted)
    return found


def told(user: User) -> list[dict[str, Any]]:
    return [summary_for(user, m, by, {}, "pool", w, s) for m, by, w, s in QUESTIONS]


def other_centre(cases: list[Case]) -> Centre:
    return next(case.centre for case in cases if case.centre != cases[0].centre)


def test_a_question_is_computed_once(surgeon: User, computed: list[str]) -> None:
    first = told(surgeon)
    assert PoolAnswer.objects.count() == len(set(QUESTIONS))
    computed.clear()
    assert told(surgeon) == first
    assert computed == []


def test_kept_answers_are_what_would_be_computed(surgeon: User) -> None:
    first = told(surgeon)
    PoolAnswer.objects.all().delete()
    assert told(surgeon) == first


def test_a_colleague_is_told_from_the_same_row(
    surgeon: User, cases: list[Case], computed: list[str]
) -> None:
    told(surgeon)
    computed.clear()
    told(factories.make_user(Role.COORDINATOR, cases[0].centre, password=None))
    assert computed == []


def test_who_knows_other_centres_is_told_something_else(
    surgeon: User, cases: list[Case]
) -> None:
    """The own part is subtracted: an answer for somebody else would give cells away."""
    other = other_centre(cases)
    foreign = factories.make_user(Role.SURGEON, other, password=None)
    mine = told(surgeon)
    theirs = told(foreign)
    PoolAnswer.objects.all().delete()
    assert told(foreign) == theirs
    assert told(surgeon) == mine
    before = PoolAnswer.objects.count()
    factories.add_role(surgeon, Role.SURGEON, other)
    told(User.objects.get(pk=surgeon.pk))
    assert PoolAnswer.objects.count() > before


def test_a_withdrawal_is_never_told_from_a_kept_answer(
    surgeon: User, cases: list[Case]
) -> None:
    before = told(surgeon)
    case = next(case for case in cases if case.centre != cases[0].centre)
    for gone in ("withdrawn", "opt_in"):
        case.patient.refresh_from_db()
        update_record(
            by=factories.surgeon_of(case.centre),
            record=case.patient,
            version=case.patient.version,
            values={"consent_research": gone},
        )
        kept = told(surgeon)
        PoolAnswer.objects.all().delete()
        assert kept == told(surgeon)
        if gone == "withdrawn":
            assert kept != before
    assert told(surgeon) == before


def test_a_new_copy_and_a_new_threshold_are_told_anew(
    surgeon: User, settings: Any
) -> None:
    told(surgeon)
    settings.DISCLOSURE_THRESHOLD = 20
    hidden = told(surgeon)
    PoolAnswer.objects.all().delete()
    assert told(surgeon) == hidden
    pool.take()
    assert not PoolAnswer.objects.exists()


def test_the_oldest_are_thrown_away(surgeon: User) -> None:
    told(surgeon)
    latest = PoolAnswer.objects.order_by("-told_at").values_list("pk", flat=True)[:2]
    kept = set(latest)
    pool_answers.forget_oldest(2)
    assert set(PoolAnswer.objects.values_list("pk", flat=True)) == kept
    assert PoolCopy.objects.get().taken_at < timezone.now()
    renew_pool()
    assert PoolAnswer.objects.count() == 2
    assert project.CELERY_BEAT_SCHEDULE["renew-pool"]["task"] == renew_pool.name
