"""Cases whose group nobody knows: shown, counted, and never compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

from cases.models import Case
from outcomes.measures import MEASURES
from outcomes.measures.grouping import GROUPABLE, UNKNOWN, is_known
from outcomes.measures.mri_features import FEATURES, categories
from outcomes.models import CaseFacts
from outcomes.models.fact_columns import COLUMN_BY_NAME
from outcomes.summaries import compute
from outcomes.views.figure_words import note_on_unknown
from tests import factories
from tests.outcomes.random_registry import Odds, make_cases, random_facts, write_facts
from tests.registry_in_module import held

SEEDS = range(4)
# What an unknown case may change: counts of cases, the time, the mark of the input.
MOVES = {"groups", "n_cases", "as_of", "input_hash"}


@pytest.fixture(scope="module")
def cases(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[list[Case]]:
    with held(django_db_blocker):
        yield make_cases(41)


def unknown_codes(column: str) -> list[str | None]:
    codes = [code for code, _label in COLUMN_BY_NAME[column].values]
    return [None, *(code for code in codes if code in UNKNOWN)]


@pytest.mark.django_db
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_case_of_unknown_group_moves_no_comparison(
    cases: list[Case], measure: str, seed: int
) -> None:
    draw = write_facts(cases[:-1], seed)
    for column in GROUPABLE[seed :: len(SEEDS)]:
        other = draw.choice([name for name in GROUPABLE if name != column])
        by = draw.choice([(column,), (column, other), (other, column)])
        before = compute(measure, by)
        for code in unknown_codes(column):
            added = random_facts(cases[-1], draw, Odds(draw), **{column: code})
            added.save()
            after = compute(measure, by)
            CaseFacts.objects.filter(pk=added.pk).delete()
            assert comparisons(after) == comparisons(before), (by, code)
            names = [group["group"] for group in after["groups"] if not group["known"]]
            if measure in ("volume", "mri-features") or added.has_operation:
                assert any(name[column] == code for name in names)


def comparisons(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: told for name, told in answer.items() if name not in MOVES}


@pytest.mark.parametrize("column", sorted({*GROUPABLE, *FEATURES}))
def test_codes_that_say_unknown_are_known_to_do_so(column: str) -> None:
    """Finds the next list that is given such a code."""
    codes = [str(code) for code, _label in COLUMN_BY_NAME[column].values]
    spoken = [code for code in codes if re.match("un(known|clear)|not_|pending", code)]
    assert set(spoken) == {code for code in codes if code in UNKNOWN}
    if column in FEATURES:
        assert not {code for code, _stored in categories(column)} & UNKNOWN


def test_one_unknown_part_makes_a_group_unknown() -> None:
    assert is_known({}) and is_known({"sex": "X", "nf_status": "other"})
    assert not is_known({"sex": "F", "nf_status": "unknown"})
    assert not is_known({"sex": None, "nf_status": "NF1"})


@pytest.mark.django_db
def test_smooth_against_rough_is_not_helped_by_the_unread() -> None:
    """The two groups of 4 without pain; all 12 of unknown border hurt."""
    centre = factories.make_centre()
    borders = ["smooth"] * 4 + ["rough"] * 4 + ["not_assessable"] * 6 + [None] * 6
    for border in borders:
        missing = {"border": "pending"} if border is None else None
        case = factories.make_case(centre, operation=True)
        factories.make_mri(case, border=border, missing=missing)
        hurts = border not in ("smooth", "rough")
        pain = {"pain_distribution": ["segmental_at_level"]} if hurts else {}
        factories.make_visit(case, "m12", pain_present=hurts, **pain)
    answer = compute("residual-pain", "border")
    assert answer["test"]["estimable"] is False
    assert [d["group"] for d in answer["differences"]] == [{"border": "rough"}]
    assert [group["events"] for group in answer["groups"]] == [0, 0, 6, 6]
    assert "Not assessable" in note_on_unknown(answer)
