"""Facts left behind by a new version or a new month are taken up by the sweep."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection

from outcomes import facts, receivers, summaries, upkeep
from outcomes.models import CaseFacts
from outcomes.tasks import refresh_outdated_facts
from registry.signals import sweep
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def forgotten() -> None:
    cache.clear()


def outdate(*keys: int) -> None:
    CaseFacts.objects.filter(pk__in=keys).update(definition="0", border="rough")


def test_fresh_facts_are_not_looked_for_again() -> None:
    case = factories.make_case(operation=True)
    assert not upkeep.any_outdated()
    outdate(case.pk)
    assert not upkeep.any_outdated(), "the answer serves for an hour"
    cache.clear()
    assert upkeep.any_outdated()


def test_a_batch_is_derived_anew_and_counted_in_the_summaries() -> None:
    centre = factories.make_centre()
    cases = [factories.make_case(centre, operation=True) for _n in range(3)]
    outdate(*(case.pk for case in cases))
    before = summaries.wanted_of(centre.pk)
    assert upkeep.refresh_outdated(batch=2) == 2
    assert facts.outdated(limit=9) == [cases[2].pk]
    assert summaries.wanted_of(centre.pk) > before
    refresh_outdated_facts()
    assert facts.outdated(limit=9) == []
    assert upkeep.refresh_outdated() == 0


def test_two_workers_do_not_do_it_twice() -> None:
    case = factories.make_case(operation=True)
    outdate(case.pk)
    other: Any = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [facts.UPKEEP_LOCK])
        assert upkeep.refresh_outdated() == 0
    finally:
        other.close()
    assert upkeep.refresh_outdated() == 1


def test_the_sweep_asks_only_where_something_is_left_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(receivers, "publish", lambda task, *args: asked.append(task))
    case = factories.make_case(operation=True)
    sweep.send(sender=None)
    assert refresh_outdated_facts not in asked
    cache.clear()
    outdate(case.pk)
    sweep.send(sender=None)
    assert refresh_outdated_facts in asked
