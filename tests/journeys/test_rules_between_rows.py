"""Every rule between rows, from every row that it speaks of, at both doors.

One table of scenarios; the same code, with the rule's id in it, in every order of
writing, at every later change, and when a voided row comes back.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from cases import writing
from cases.models import Case
from registry import rules
from registry.models import Centre, User
from registry.permissions import Role
from tests.factories import make_case, make_centre, make_patient, make_user
from tests.journeys.doors import DOORS, ROUTES, ApiDoor, NotAsked
from tests.journeys.rule_scenarios import SCENARIOS, WARNED, Entry, Scenario

pytestmark = pytest.mark.django_db
BY_CODE = [
    pytest.param(each, id=f"{each.code}-{n}") for n, each in enumerate(SCENARIOS)
]
# Told by whole cases, not by pairs of rows.
ELSEWHERE = {"R62_event_without_operation"}


@pytest.fixture
def centre() -> Centre:
    return make_centre()


@pytest.fixture
def surgeon(centre: Centre) -> User:
    return make_user(Role.SURGEON, centre, password=None)


@pytest.fixture
def case(centre: Centre, surgeon: User) -> Case:
    """A tumour of which nothing is known that a rule could compare."""
    patient = make_patient(centre, by=surgeon, birth_year=None)
    nothing: dict[str, Any] = dict.fromkeys(
        ["compartment", "level_rostral", "level_caudal", "level_basis"]
    )
    return make_case(patient=patient, by=surgeon, **nothing)


class UndoneError(Exception):
    """Takes back what was tried."""


def enter(door: Any, order: tuple[Entry, ...], broken: Entry | None) -> list[set[str]]:
    """The codes of refusal of each row in turn; rows that hang on a refused one end it."""
    answers = []
    for entry in order:
        values = entry.fine | (entry.broken if entry is broken else {})
        answers.append(door.enter(entry.kind, values))
        if answers[-1]:
            break
    return answers


def tried(door: Any, order: tuple[Entry, ...], broken: Entry | None) -> list[set[str]]:
    """As :func:`enter`, and everything taken back."""
    answers: list[set[str]] = []
    try:
        with transaction.atomic():
            answers = enter(door, order, broken)
            raise UndoneError
    except UndoneError:
        return answers


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("scenario", BY_CODE)
def test_rows_that_break_a_rule_are_refused_in_every_order(
    scenario: Scenario, door: str, case: Case, surgeon: User
) -> None:
    asked = DOORS[door](case, surgeon)
    orders = 0
    for broken in scenario.breaking():
        for order in scenario.orders():
            try:
                answers = tried(asked, order, broken)
            except NotAsked:
                continue
            orders += 1
            assert scenario.is_told_by(answers[-1]), (order, answers)
    assert orders


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("scenario", BY_CODE)
def test_rows_that_agree_are_accepted_in_every_order(
    scenario: Scenario, door: str, case: Case, surgeon: User
) -> None:
    asked = DOORS[door](case, surgeon)
    for order in scenario.orders():
        try:
            answers = tried(asked, order, None)
        except NotAsked:
            continue
        assert answers == [set()] * len(order)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("scenario", BY_CODE)
def test_a_change_that_breaks_a_rule_is_refused_from_either_row(
    scenario: Scenario, door: str, case: Case, surgeon: User
) -> None:
    entered = next(scenario.orders())
    assert not any(enter(ApiDoor(case, surgeon), entered, None))
    asked = DOORS[door](case, surgeon)
    for broken in scenario.breaking():
        refused = asked.change(broken.kind, broken.broken)
        assert scenario.is_told_by(refused), (broken.kind, refused)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "scenario",
    [pytest.param(each, id=f"{each.code}-{n}") for n, each in enumerate(WARNED)],
)
def test_a_warning_stands_on_the_page_of_the_case_and_stops_nobody(
    scenario: Scenario, door: str, case: Case, surgeon: User
) -> None:
    asked = DOORS[door](case, surgeon)
    for order in scenario.orders():
        try:
            with transaction.atomic():
                assert enter(asked, order, None) == [set()] * len(order)
                assert scenario.code not in shown(case)
                for broken in scenario.breaking():
                    assert asked.change(broken.kind, broken.broken) == set()
                    assert scenario.code in shown(case), broken.kind
                    asked.change(broken.kind, broken.fine)
                    assert scenario.code not in shown(case)
                raise UndoneError
        except UndoneError:
            continue


def shown(case: Case) -> set[str]:
    return {found.rule.code for found in writing.findings(case)}


VOIDABLE = {"operation", "mri", "complication", "visit", "recurrence", "vital"}


@pytest.mark.parametrize("scenario", BY_CODE)
def test_a_row_that_comes_back_is_asked_like_a_new_one(
    scenario: Scenario, case: Case, surgeon: User
) -> None:
    """Void one row, change the other so that both would not agree, restore the first."""
    door = ApiDoor(case, surgeon)
    assert not any(enter(door, next(scenario.orders()), None))
    for broken in scenario.breaking():
        for gone in scenario.entries:
            if gone is not broken and gone.kind in VOIDABLE:
                refused = came_back(door, gone, broken)
                assert refused is None or scenario.is_told_by(refused), refused


def came_back(door: ApiDoor, gone: Entry, broken: Entry) -> set[str] | None:
    """Codes of the refused restoration; None where the rows cannot go so far."""
    answer = None
    try:
        with transaction.atomic():
            voided = step(door, gone.kind, "void")
            changed = voided or door.change(broken.kind, broken.broken)
            if not voided and not changed:
                answer = step(door, gone.kind, "restore")
                assert answer, f"{gone.kind} came back under {broken.kind}"
            raise UndoneError
    except UndoneError:
        return answer


def step(door: Any, kind: str, what: str) -> set[str]:
    row = door.find(kind)
    path = f"{ROUTES[kind]}/{row.code}/{what}/"
    sent = {"reason": "a test"}
    return door.codes(door.api.post(path, sent, if_match=f'"{row.version}"'))


def test_every_rule_of_severity_error_has_a_scenario() -> None:
    errors = {
        code
        for code, rule in rules.RULES.items()
        if rule.severity == rules.Severity.ERROR
    }
    assert errors == {scenario.code for scenario in SCENARIOS} | ELSEWHERE


def test_every_rule_is_asked_from_each_kind_of_row_that_it_touches() -> None:
    """A rule of one kind of row speaks of two such rows."""
    for rule in rules.RULES.values():
        assert set(rule.touches) <= set(rules.KINDS), rule.code
        assert all(rule.touches.values()), rule.code
