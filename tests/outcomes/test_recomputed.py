"""Every number of every summary is computed once more from the facts.

Random registries, without grouping, by one and by two groups, with filters, for a role
of the whole registry and for one of a centre. A number of an answer that is not
computed here fails the test by its path.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas
import pytest
from pytest_django.plugin import DjangoDbBlocker

from cases.models import Case
from outcomes import summaries
from outcomes.measures import MEASURES
from outcomes.measures.grouping import GROUPABLE, MOST_GROUPS, UNKNOWN, named, place
from outcomes.measures.mri_features import FEATURES, categories
from outcomes.measures.residual_pain import ASKED_SITES
from outcomes.models import CaseFacts
from outcomes.reading import summary_for
from outcomes.windows import AFTER, RESIDUAL_PAIN_WINDOWS
from registry.models import Centre
from registry.permissions import Role
from tests import factories
from tests.outcomes import recomputed, recomputed_curves
from tests.outcomes.random_registry import make_cases, write_facts
from tests.registry_in_module import held

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore"),  # of pandas, lifelines and statsmodels
]
SEEDS = range(4)
EVENTS = {
    "recurrence": ("rfs", ("recurrence",)),
    "progression": ("pfs", ("recurrence", "regrowth")),
}
CODES = {name: [stored for _code, stored in categories(name)] for name in FEATURES}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page would leave to the worker is counted here."""
    monkeypatch.setattr(summaries, "PATIENCE_MS", 600_000)
    monkeypatch.setattr(type(MEASURES["mri-features"]), "groups_at_once", MOST_GROUPS)


@pytest.fixture(scope="module")
def cases(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[list[Case]]:
    with held(django_db_blocker):
        yield make_cases(120)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_number_is_that_of_the_facts(
    cases: list[Case], measure: str, seed: int
) -> None:
    draw = write_facts(cases, seed)
    facts = pandas.DataFrame(list(CaseFacts.objects.order_by("pk").values()))
    reader = factories.make_user(Role.REGISTRY_COORDINATOR, password=None)
    centre = Centre.objects.get(pk=cases[0].centre_id)
    surgeon = factories.make_user(Role.SURGEON, centre, password=None)
    one, other = draw.sample(GROUPABLE, 2)
    own = facts[facts.centre_id == centre.pk]
    for by in ((), (one,), (one, other)):
        asked = question(measure, draw)
        answer = summary_for(reader, measure, by, **asked)
        assert not wrong(answer, facts, by)
        filtered = summary_for(reader, measure, by, {"sex": "F"}, **asked)
        assert not wrong(filtered, facts[facts.sex == "female"], by)
        mine = summary_for(surgeon, measure, by, {}, centre.code, **asked)
        assert not wrong(mine, own, by)


def question(measure: str, draw: Any) -> dict[str, str]:
    if measure == "improvement":
        return {"window": draw.choice(AFTER).name}
    if measure == "residual-pain":
        window = draw.choice(RESIDUAL_PAIN_WINDOWS).name
        return {"window": window, "site": draw.choice(ASKED_SITES)}
    return {}


def wrong(
    answer: dict[str, Any], facts: pandas.DataFrame, by: tuple[str, ...]
) -> list[str]:
    return list(recomputed.problems(answer, expected(answer, facts, by)))[:20]


def expected(
    answer: dict[str, Any], facts: pandas.DataFrame, by: tuple[str, ...]
) -> dict[str, Any]:
    measure = answer["measure"]
    counted = facts if measure in ("mri-features", "volume") else operated(facts)
    names = group_names(counted, by)
    rows = [recomputed.rows_of(counted, name) for name in names]
    groups = [
        {"group": name, "known": is_known(name), **numbers(answer, part)}
        for name, part in zip(names, rows, strict=True)
    ]
    found = {"n_cases": len(counted), "groups": groups}
    if measure in EVENTS:
        survival, events = EVENTS[measure]
        return found | recomputed_curves.compared(
            counted, groups, rows, survival, events, answer
        )
    if measure == "mri-features":
        return found | recomputed.tests_of_features(groups, answer["tests"])
    if measure == "volume":
        return found | {"test": {"p_value": None}}
    return found | recomputed.comparison_of_shares(groups)


def operated(facts: pandas.DataFrame) -> pandas.DataFrame:
    return facts[facts.has_operation == True]  # noqa: E712  (three values)


def group_names(facts: pandas.DataFrame, by: tuple[str, ...]) -> list[dict[str, Any]]:
    if not by:
        return [{}]
    keys = {
        tuple(None if pandas.isna(code) else code for code in row)
        for row in facts[list(by)].itertuples(index=False)
    }
    return [named(key, by) for key in sorted(keys, key=lambda key: place(key, by))]


def is_known(name: dict[str, Any]) -> bool:
    return not any(code is None or code in UNKNOWN for code in name.values())


def numbers(answer: dict[str, Any], rows: pandas.DataFrame) -> dict[str, Any]:
    measure, window = answer["measure"], answer["window"]
    if measure in EVENTS:
        return recomputed_curves.events_of(rows, *EVENTS[measure])
    if measure == "improvement":
        return recomputed.improvement(rows, window)
    if measure == "residual-pain":
        return recomputed.residual_pain(rows, window, answer["site"])
    if measure == "mri-features":
        return recomputed.mri_features(rows, CODES)
    return recomputed.volume(rows)


def test_a_number_that_was_not_recomputed_is_found() -> None:
    told = {"n": 3, "test": {"p_value": 0.2, "level": 0.95, "estimable": True}}
    assert list(recomputed.problems(told, {"n": 3})) == [
        ".test.p_value: 0.2 is a number that no test recomputed"
    ]
    assert list(recomputed.problems({"n": [3, 4]}, {"n": [3, 5]})) == [
        ".n[1]: 4 instead of 5"
    ]
    assert list(recomputed.problems({"n": None}, {"n": 5})) == [".n: None instead of 5"]
    assert list(recomputed.problems({"n": 1}, {"n": 1, "m": 1})) == [".m: not told"]
