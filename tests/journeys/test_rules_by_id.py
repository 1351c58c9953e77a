"""The table of data-quality rules, walked: each id is asked somewhere, or says why not."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from cases import completeness
from cases.models import Case
from registry import rules
from registry.models import Centre, User
from registry.permissions import Role
from tests.factories import make_case, make_centre, make_patient, make_user
from tests.journeys.doors import DOORS, NotAsked
from tests.journeys.rule_scenarios import SCENARIOS, WARNED
from tests.journeys.rules_by_id import NOT_ASKED, ROW_RULES, RowRule

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]
RULES = (ROOT / "tests/fixtures/data_quality_rules.csv").read_text()
TABLE = list(csv.DictReader(RULES.splitlines()))
BETWEEN_ROWS = {rule.id for rule in rules.RULES.values()}
OF_ONE_ROW = {rule.id for rule in ROW_RULES}


@pytest.mark.parametrize("rule", TABLE, ids=lambda rule: str(rule["rule"]))
def test_every_rule_of_the_table_is_asked_or_says_why_not(rule: dict[str, str]) -> None:
    asked = rule["rule"] in BETWEEN_ROWS | OF_ONE_ROW
    assert asked != (rule["rule"] in NOT_ASKED)
    if not asked and rule["severity"] == "error":
        why = NOT_ASKED[rule["rule"]]
        assert why.why
        assert not why.test or (ROOT / why.test).is_file()


def test_no_rule_is_asked_that_the_table_does_not_know() -> None:
    known = {rule["rule"] for rule in TABLE}
    assert len(known) == 75
    assert known == BETWEEN_ROWS | OF_ONE_ROW | set(NOT_ASKED)


def test_every_rule_between_rows_has_rows_that_break_it() -> None:
    told = {scenario.code for scenario in (*SCENARIOS, *WARNED)}
    # Told by an event without an operation, in the tests of events.
    assert set(rules.RULES) - told == {"R62_event_without_operation"}


@pytest.fixture
def centre() -> Centre:
    return make_centre()


@pytest.fixture
def surgeon(centre: Centre) -> User:
    return make_user(Role.SURGEON, centre, password=None)


@pytest.fixture
def case(centre: Centre, surgeon: User) -> Case:
    """A tumour of which nothing is known, and another patient with the number H-0."""
    make_patient(centre, by=surgeon, identity={"hospital_number": "H-0"})
    patient = make_patient(centre, by=surgeon, birth_year=None)
    nothing: dict[str, Any] = dict.fromkeys(
        ["compartment", "level_rostral", "level_caudal", "level_basis"]
        + ["histology_who2021", "icdo_morphology", "who_grade", "incidental"]
        + ["size_cc_mm", "size_ap_mm", "size_tr_mm", "symptom_duration_months"]
        + ["first_symptom"]
    )
    return make_case(patient=patient, by=surgeon, **nothing)


class UndoneError(Exception):
    """Takes back what was tried."""


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "rule",
    [pytest.param(each, id=f"{each.id}-{n}") for n, each in enumerate(ROW_RULES)],
)
def test_a_row_is_held_to_the_rule(
    rule: RowRule, door: str, case: Case, surgeon: User
) -> None:
    """Accepted without the contradiction, refused with it, entered or changed."""
    asked = DOORS[door](case, surgeon)
    if rule.kind == "complication":
        assert not asked.enter("operation", {"surgery_date": "2015-03-02"})
    try:
        with transaction.atomic():
            assert asked.enter(rule.kind, rule.fine | rule.broken)
            assert rule.place in places(asked.fields), asked.fields
            raise UndoneError
    except UndoneError:
        pass
    except NotAsked:
        pytest.skip("the form has no control for it")
    assert asked.enter(rule.kind, rule.fine) == set()
    assert asked.change(rule.kind, rule.broken)
    assert rule.place in places(asked.fields), asked.fields


def places(fields: set[str]) -> set[str]:
    """Names of fields; those of score cards without their form."""
    return {name.rpartition("__")[2] for name in fields}


def test_a_dumbbell_without_eden_type_is_not_complete(centre: Centre) -> None:
    """R19; the Toyama type is asked of cervical ones besides."""
    case = make_case(
        centre,
        compartment="dumbbell_intra_extradural",
        level_rostral="T5",
        level_caudal="T6",
    )
    lacking = {gap.field.name for gap in completeness.completeness_of([case]).gaps}
    assert "eden_type" in lacking
    assert "toyama_type" not in lacking
    case.eden_type = "II"
    lacking = {gap.field.name for gap in completeness.completeness_of([case]).gaps}
    assert "eden_type" not in lacking
