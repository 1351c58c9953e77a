"""The pool for people of one centre: from a copy, renewed daily and by many at most."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from cases.actions import update_record, void_record
from cases.models import Case
from outcomes import facts, pool, summaries
from outcomes.models import CaseFacts, PoolCopy, PoolFacts
from outcomes.models.fact_columns import FACT_COLUMNS
from outcomes.reading import summary_for
from outcomes.tasks import renew_pool
from registry.models import Centre, User
from registry.permissions import Role
from tests import factories
from tests.outcomes.random_registry import make_cases
from tests.pages import signed_in
from tests.processes import eventually
from tests.registry.api_client import Api

pytestmark = pytest.mark.django_db
THRESHOLD = 3
QUESTIONS = (
    *summaries.STORED,
    ("volume", "sex", ""),
    ("improvement", "region", "last"),
    ("progression", "sex", ""),
)


@pytest.fixture
def cases(settings: Any) -> list[Case]:
    """Cases of two centres with their facts."""
    settings.DISCLOSURE_THRESHOLD = THRESHOLD
    cases = make_cases(60)
    facts.rebuild()
    summaries.mark_all_wanted()
    return cases


@pytest.fixture
def own(cases: list[Case]) -> Centre:
    return cases[0].centre


@pytest.fixture
def other(cases: list[Case], own: Centre) -> Centre:
    return next(case.centre for case in cases if case.centre != own)


@pytest.fixture
def surgeon(own: Centre) -> User:
    return factories.make_user(Role.SURGEON, own, password=None)


def told(user: User) -> list[dict[str, Any]]:
    """Every pooled answer that the person gets, stored and counted on demand."""
    return [summary_for(user, m, by, window=window) for m, by, window in QUESTIONS]


def n_cases(user: User, scope: str = "pool") -> int:
    return int(summary_for(user, "volume", "compartment", scope=scope)["n_cases"])


def enter(centre: Centre, number: int) -> list[Case]:
    by = factories.surgeon_of(centre)
    return [
        factories.make_case(centre, by=by, operation=True, mri=True)
        for _n in range(number)
    ]


def grow_old() -> None:
    PoolCopy.objects.update(taken_at=timezone.now() - pool.KEPT_FOR)


# --- watching the pool ----------------------------------------------------------------


def test_watching_the_pool_tells_nobody_who_came(surgeon: User, other: Centre) -> None:
    """Each case entered elsewhere is looked for by the difference to the day before."""
    before = told(surgeon)
    counted = before[0]["n_cases"]
    assert any(not group.get("suppressed") for a in before for group in a["groups"])
    for _day in range(THRESHOLD - 1):
        enter(other, 1)
        for scope in (other.pk, None):
            summaries.refresh_scope(scope)
        renew_pool()
        assert told(surgeon) == before
        grow_old()
        before = told(surgeon)
        renew_pool()
        assert told(surgeon) == before
    enter(other, 1)
    assert told(surgeon) == before
    renew_pool()
    assert n_cases(surgeon) == counted + THRESHOLD


def test_a_copy_is_renewed_once_a_day_at_most(surgeon: User, other: Centre) -> None:
    before = told(surgeon)
    enter(other, 2 * THRESHOLD)
    renew_pool()
    assert told(surgeon) == before
    grow_old()
    renew_pool()
    after = told(surgeon)
    assert after != before
    taken = PoolCopy.objects.get().taken_at
    assert {parse_datetime(answer["as_of"]) for answer in after} == {taken}
    assert timezone.now() - taken < pool.KEPT_FOR


def test_changes_of_a_case_count_once(surgeon: User, other: Centre) -> None:
    (case,) = enter(other, 1)
    before = told(surgeon)
    for months in range(1, 3 * THRESHOLD):
        factories.make_mri(
            case,
            purpose="followup",
            mri_date=factories.OPERATED_ON + timedelta(30 * months),
        )
    grow_old()
    assert pool.changed_cases() == {other.pk: 1}
    renew_pool()
    assert told(surgeon)[0]["groups"] == before[0]["groups"]
    assert not pool.is_due()


def test_cases_that_a_person_knows_hide_nobody(
    surgeon: User, own: Centre, other: Centre
) -> None:
    told(surgeon)
    grow_old()
    enter(own, 2 * THRESHOLD)
    enter(other, THRESHOLD - 1)
    assert not pool.is_due()
    third = factories.make_centre()
    enter(third, 1)
    assert pool.is_due()
    factories.add_role(surgeon, Role.COORDINATOR, third)
    assert not pool.is_due()


def test_a_new_month_is_no_news(
    surgeon: User, cases: list[Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Facts that move with the calendar would let a single patient through."""
    told(surgeon)
    old = CaseFacts.objects.filter(pk=cases[0].pk).get().cutoff_date
    monkeypatch.setattr(facts, "data_cutoff", lambda: date(2033, 1, 1))
    facts.rebuild()
    assert CaseFacts.objects.filter(lost_to_follow_up=True).exists()
    assert not CaseFacts.objects.filter(cutoff_date=old).exists()
    assert pool.changed_cases() == {}


def test_what_the_measures_count_is_compared() -> None:
    compared = {c.name for c in FACT_COLUMNS if not pool.by_calendar(c.name)}
    counted = {"compartment", "eor_final", "rfs_event", "rfs_days", "pfs_days"}
    assert counted | {"mmcs_m12", "pain_present_m12", "sex", "border"} <= compared


# --- who sees what at once ------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.ANALYST, Role.REGISTRY_COORDINATOR])
def test_roles_of_the_registry_stay_live(
    role: Role, surgeon: User, other: Centre
) -> None:
    user = factories.make_user(role, password=None)
    assert n_cases(user) == n_cases(surgeon) == 60
    enter(other, 1)
    assert (n_cases(user), n_cases(surgeon)) == (61, 60)


def test_the_own_centre_stays_live(surgeon: User, own: Centre) -> None:
    pooled, mine = n_cases(surgeon), n_cases(surgeon, own.code)
    enter(own, 1)
    assert (n_cases(surgeon), n_cases(surgeon, own.code)) == (pooled, mine + 1)


def test_the_own_part_is_of_the_same_copy(surgeon: User, own: Centre) -> None:
    """The rest of the pool is all less the own: of two moments it would be wrong."""
    before = told(surgeon)
    enter(own, 2 * THRESHOLD)
    assert told(surgeon) == before


@pytest.mark.parametrize("way", ["withdrawn", "voided"])
def test_who_leaves_is_gone_at_once(way: str, surgeon: User, other: Centre) -> None:
    (case,) = enter(other, 1)
    before = n_cases(surgeon)
    by = case.created_by
    if way == "withdrawn":
        values = {"consent_research": "withdrawn"}
        update_record(by=by, record=case.patient, version=1, values=values)
    else:
        parts: list[Any] = [*case.operations.all(), *case.mri_studies.all(), case]
        for record in parts:
            record.refresh_from_db()
            version = record.version
            void_record(by=by, record=record, version=version, reason="Entered twice")
    assert n_cases(surgeon) == before - 1
    pool.take()
    assert not PoolFacts.objects.filter(case=case).exists()
    assert n_cases(surgeon) == before - 1


# --- the first copy, two at a time, the doors -----------------------------------------


def test_the_first_copy_is_taken_when_somebody_asks(settings: Any) -> None:
    """One of an empty registry does not have to grow old."""
    settings.DISCLOSURE_THRESHOLD = THRESHOLD
    own, other = factories.make_centre(), factories.make_centre()
    surgeon = factories.make_user(Role.SURGEON, own, password=None)
    assert n_cases(surgeon) == PoolCopy.objects.get().n_cases == 0
    enter(other, THRESHOLD - 1)
    renew_pool()
    assert n_cases(surgeon) == 0
    enter(other, 1)
    renew_pool()
    assert n_cases(surgeon) == THRESHOLD


def test_dashboard_and_api_say_as_of_when(surgeon: User, other: Centre) -> None:
    page, api = signed_in(surgeon), Api(surgeon)
    first = api.get("summaries/volume/?by=compartment").json()
    enter(other, 1)
    again = api.get("summaries/volume/?by=compartment").json()
    assert again == first
    response = page.get(reverse("outcomes:dashboard"), {"scope": "pool"})
    tiles = {tile["label"]: tile["value"] for tile in response.context["tiles"]}
    assert tiles["Cases"] == "60"
    day = timezone.localtime(PoolCopy.objects.get().taken_at).strftime("%Y-%m-%d")
    said = f"All centres as of {day}; changes once a day at most."
    assert said in response.content.decode()
    assert said in page.get(reverse("outcomes:dashboard")).content.decode()
    analyst = signed_in(factories.make_user(Role.ANALYST))
    assert said not in analyst.get(reverse("outcomes:dashboard")).content.decode()


@pytest.fixture
def emptied_after(transactional_db: None) -> Iterator[None]:
    yield


def test_an_answer_is_of_one_copy(emptied_after: None) -> None:
    """Whoever reads sees the old copy to the end; the new one waits for that."""
    case = factories.make_case()
    pool.take()
    factories.make_case(case.centre, by=case.created_by)

    def take() -> None:
        pool.take()
        connection.close()

    taking = threading.Thread(target=take)
    with pool.held() as copy:
        taking.start()
        eventually(somebody_waits)
        assert PoolFacts.objects.count() == copy.n_cases == 1
    taking.join()
    with pool.held() as copy:
        assert PoolFacts.objects.count() == copy.n_cases == 2


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])
