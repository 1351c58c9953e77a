"""All answers that one person can get, solved together: no small count comes out.

A count of 1 up to the threshold less one of other centres must be possible as 1 or less
and as the threshold or more, whatever else was shown.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from cases.models import Case
from outcomes import pool
from outcomes.measures.residual_pain import ASKED_SITES, FLAGS
from outcomes.models import CaseFacts
from outcomes.reading import summary_for
from registry.models import User
from registry.permissions import Role
from tests import factories
from tests.outcomes.audit_of_answers import Audit, audit_of, hear
from tests.outcomes.random_registry import Odds, make_cases, random_facts

pytestmark = pytest.mark.django_db
THRESHOLD = 4
# The place of segmental pain among the states of pain.
SEGMENTAL = 1 + list(FLAGS).index("segmental")
COLUMNS = ("compartment", "sex", "eor_final")
CASES = 90


@pytest.fixture
def cases(settings: Any) -> list[Case]:
    settings.DISCLOSURE_THRESHOLD = THRESHOLD
    return make_cases(CASES)


def fill(cases: list[Case], seed: int) -> None:
    """Random facts with few values a column and some of them rare."""
    draw = random.Random(seed)
    odds = Odds(draw)
    odds.unknown, odds.event, odds.groups = draw.choice([0.0, 0.1]), 0.4, 2
    CaseFacts.objects.all().delete()
    CaseFacts.objects.bulk_create(
        random_facts(case, draw, odds, **values_of(draw)) for case in cases
    )
    pool.take()


def values_of(draw: random.Random) -> dict[str, Any]:
    def one(*codes: Any) -> Any:
        return draw.choices(codes, [40, 25, 4, 3, 2][: len(codes)])[0]

    return {
        "has_operation": draw.random() < 0.97,
        "compartment": one(
            "intramedullary",
            "intradural_extramedullary",
            "extradural",
            "dumbbell_intra_extradural",
            None,
        ),
        "sex": one("female", "male", None),
        "eor_final": one("gtr", "str", "ntr", "pr"),
        "border": one("smooth", "rough", "not_assessable", None),
        "consent_research": "opt_in",
    }


def questions() -> Iterator[tuple[str, str, str, str]]:
    """Measure, grouping, window and site of all that may be asked."""
    for by in ("", *COLUMNS):
        for measure in ("volume", "recurrence", "progression", "mri-features"):
            yield measure, by, "", ""
        yield "improvement", by, "m12", ""
        for site in ASKED_SITES:
            yield "residual-pain", by, "m12", site
    yield "recurrence", "compartment,eor_final", "", ""


def listen(surgeon: User, audit: Audit) -> None:
    for measure, by, window, site in questions():
        hear(audit, summary_for(surgeon, measure, by, {}, "pool", window, site))


# Counts of people, by the family of states: what the rule speaks of.
PARTS: dict[str, list[Callable[[Any], bool]]] = {
    "course": [
        lambda _s: True,
        lambda s: s[0] is True,
        lambda s: s[0] is False,
        lambda s: s[0] is None,
        lambda s: True in s,
        lambda s: True in s and s[0] is not True,
        lambda s: s[0] is None and s[1] is not None,
        lambda s: s == (None, None),
    ],
    "change": [
        lambda s: s == "improved",
        lambda s: s in ("unchanged", "worse"),
        lambda s: s is None,
    ],
    "pain": [
        lambda s: s[SEGMENTAL] is True,
        lambda s: s[0] == "none",
        lambda s: s[0] is None,
        *(lambda s, site=site: s[0] == site for site in ("local", "below_level")),
        lambda s: s[0] not in (None, "none") and s[SEGMENTAL] is not True,
    ],
    "border": [
        lambda s: s[0] is True and s[1] == "smooth",
        lambda s: s[0] is not True,
    ],
}


def groups_of(audit: Audit) -> Iterator[Callable[[Any], bool]]:
    yield lambda _cell: True
    for place in range(len(COLUMNS)):
        for value in sorted({cell[place] for cell in audit.cells}, key=repr):
            yield lambda cell, place=place, value=value: cell[place] == value


def given_away(audit: Audit) -> list[tuple[str, int, tuple[float, float]]]:
    """Small counts whose least and most are too near to each other."""
    found = []
    for inside in groups_of(audit):
        for name, parts in PARTS.items():
            for number, part in enumerate(parts):

                def holds(
                    cell: Any, state: Any, inside: Any = inside, part: Any = part
                ) -> bool:
                    return bool(inside(cell) and part(state))

                true = audit.count(name, holds, own=False)
                if 0 < true < THRESHOLD:
                    least, most = audit.limits(name, holds)
                    assert least - 1e-6 <= true <= most + 1e-6
                    if least > 1 + 1e-6 or most < THRESHOLD - 1e-6:
                        found.append((f"{name} {number}", true, (least, most)))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_no_small_count_comes_out_of_all_answers(cases: list[Case], seed: int) -> None:
    fill(cases, seed)
    own = cases[0].centre
    surgeon = factories.make_user(Role.SURGEON, own, password=None)
    audit = audit_of(COLUMNS, own.pk)
    listen(surgeon, audit)
    assert given_away(audit) == []


def test_the_audit_finds_what_is_told(cases: list[Case]) -> None:
    """With the exact pool in hand every small count comes out."""
    fill(cases, 0)
    own = cases[0].centre
    audit = audit_of(COLUMNS, own.pk)
    coordinator = factories.make_user(Role.REGISTRY_COORDINATOR, password=None)
    exact = summary_for(coordinator, "recurrence", "compartment")
    for group in exact["groups"]:
        group["n"] = None  # of all cases of now; the copy has the operated ones
    hear(audit, exact | {"n_cases": None})
    assert given_away(audit)


def test_two_columns_at_a_time_are_not_shown(cases: list[Case]) -> None:
    surgeon = factories.make_user(Role.SURGEON, cases[0].centre, password=None)
    for measure, by in (("volume", "sex,compartment"), ("recurrence", "sex,region")):
        with pytest.raises(ValidationError) as refused:
            summary_for(surgeon, measure, by)
        assert list(refused.value.error_dict) == ["by"]
    summary_for(surgeon, "recurrence", "compartment,eor_final")
