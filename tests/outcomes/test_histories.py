"""Whole histories: what was entered, and the facts a statistician expects of it.

The table stands in ``histories/``; each row names its reason.
"""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cases.models import Case
from outcomes import facts
from outcomes.measures.residual_pain import RESIDUAL_PAIN
from outcomes.models import CaseFacts, Visit
from outcomes.models.fact_columns import COLUMN_BY_NAME, FACT_COLUMNS
from outcomes.models.reasons import NOT_ASKED
from outcomes.models.score_columns import GROUPS
from outcomes.schedule import schedules_of
from outcomes.stats.proportions import clopper_pearson
from outcomes.windows import LOST_AFTER_DAYS, WINDOW_NAMES
from registry.constraints import described_fields
from tests import factories
from tests.factories import OPERATED_ON
from tests.outcomes.histories.endpoints import COURSES, EARLY_DEATHS, STAGES
from tests.outcomes.histories.reasons import MRI, REASONS
from tests.outcomes.histories.scores import OTHER_SCORES, SITES
from tests.outcomes.histories.steps import History, Step, visit
from tests.outcomes.histories.visits import PAIN, SCORES
from tests.outcomes.registry_of_cases import fill

pytestmark = pytest.mark.django_db

HISTORIES = (
    *(*SCORES, *OTHER_SCORES, *PAIN, *SITES, *REASONS, *MRI),
    *(*EARLY_DEATHS, *STAGES, *COURSES),
)
VALUES = [name for name in COLUMN_BY_NAME if f"{name}_missing" in COLUMN_BY_NAME]


def lived(history: History) -> Case:
    operation: Any = False if history.operation is None else history.operation
    case = factories.make_case(patient_values=history.patient, operation=operation)
    for step in history.steps:
        step(Case.objects.get(pk=case.pk))
    return case


def row_of(case: Case) -> dict[str, Any]:
    return CaseFacts.objects.filter(pk=case.pk).values().get()


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.id)
def test_the_facts_of_a_history(history: History) -> None:
    case = lived(history)
    row = row_of(case)
    assert {name: row[name] for name in history.expected} == pytest.approx(
        history.expected
    ), history.why
    assert_told(row)
    if row["has_operation"]:
        assert Case.objects.get(pk=case.pk).final_extent == row["eor_final"]
        assert_contact_is_one(case, row)


def assert_contact_is_one(case: Case, row: dict[str, Any]) -> None:
    """Worklist and facts know of the same last contact, and so of the same lost."""
    if row["surgery_date"] is None or row["death_event"]:
        return
    schedule = schedules_of([case.pk], facts.data_cutoff())[case.pk]
    since = (schedule.contact_on - row["surgery_date"]).days
    assert since == (row["followup_days"] or 0)
    silent = (facts.data_cutoff() - schedule.contact_on).days
    assert row["lost_to_follow_up"] == (silent > LOST_AFTER_DAYS)


def assert_told(row: dict[str, Any]) -> None:
    """A reason stands exactly where the value is empty, and is one of those declared."""
    for name in VALUES:
        reason = row[f"{name}_missing"]
        assert (row[name] is None) == (reason is not None), name
        declared = dict(COLUMN_BY_NAME[f"{name}_missing"].values)
        assert reason is None or reason in declared, (name, reason)


NOT_ASKED_OF = {
    "myelotomy": {"compartment": "extradural", "operation": {"myelotomy": None}},
    "ionm_alarm": {"operation": {"ionm_modality": ["none"], "ionm_alarm": None}},
    "ionm_alarm_criterion": {"operation": {"ionm_alarm": "none"}},
    "eden_type": {"compartment": "intramedullary"},
    "symptom_duration_months": {"incidental": True, "symptom_duration_months": None},
    "first_symptom": {"incidental": True, "first_symptom": None},
}


@pytest.mark.parametrize("name", NOT_ASKED)
def test_what_is_not_asked_is_not_applicable(name: str) -> None:
    """The SQL says the same as ``applicable`` of the model that the form asks."""
    values: dict[str, Any] = {"operation": True, **NOT_ASKED_OF[name]}
    if values.get("incidental"):
        values |= {"symptom_duration_months": None, "first_symptom": None}
    case = Case.objects.get(pk=factories.make_case(**values).pk)
    record = next(
        each
        for each in (case, case.operations.get())
        if name in {field.name for field in each._meta.get_fields()}
    )
    assert not record.applicable(record._meta.get_field(name))
    row = row_of(case)
    assert (row[name], row[f"{name}_missing"]) == (None, "not_applicable")


def test_every_score_of_a_visit_is_a_column_of_every_window() -> None:
    """Made from the declarations: a new field of these groups is there by itself."""
    names = {field.name for field in described_fields(Visit) if field.group in GROUPS}
    assert {"kps", "gait", "motor_mrc_min", "eq5d5l", "bladder", "nurick"} <= names
    for window, name in itertools.product(WINDOW_NAMES, names):
        if (name, window) != ("odom", "preop"):
            for ending in ("", "_day", "_missing"):
                assert f"{name}_{window}{ending}" in COLUMN_BY_NAME


def test_there_are_histories_enough() -> None:
    names = [history.id for history in HISTORIES]
    assert len(names) == len(set(names)) >= 90
    assert all(history.why for history in HISTORIES)


def test_every_empty_cell_of_a_registry_says_why() -> None:
    """Drawn cases with every kind of gap; and every day stands beside its value."""
    fill(factories.make_centre(), 25)
    for row in CaseFacts.objects.values():
        assert_told(row)
        for name in COLUMN_BY_NAME:
            if (value := name.removesuffix("_day")) in VALUES and value != name:
                assert row[value] is not None or row[name] is None, name


def test_each_value_of_a_closed_list_is_declared() -> None:
    fill(factories.make_centre(), 25)
    for column in FACT_COLUMNS:
        if not column.values:
            continue
        found = CaseFacts.objects.exclude(**{column.name: None})
        seen = set(found.values_list(column.name, flat=True))
        assert {str(value) for value in seen} <= {str(v) for v, _label in column.values}


def test_parts_of_residual_pain_are_of_one_population() -> None:
    """Other pain of NRS 6 is no residual pain, so it is none of NRS 4 or more; one case
    of segmental pain without a baseline is one in the courses; an intensity that nobody
    asked for is not in the share of those with 4 or more."""
    stories = ("other pain is not residual", "without a baseline the course")
    unasked = "without an intensity that fits"
    for history in HISTORIES:
        if history.id.startswith((*stories, unasked)):
            lived(history)
    rows = RESIDUAL_PAIN.reduce(CaseFacts.objects.all(), (), "m12")
    group = RESIDUAL_PAIN.conclude(rows, (), "m12")["groups"][0]
    assert (group["assessed"], group["events"]) == (3, 2)
    moderate = group["nrs_4_or_more"]
    assert moderate["n"] == 0
    assert moderate["proportion"]["upper"] == clopper_pearson(0, 2).upper
    assert (
        group["at_site"]["segmental"]["n"]
        == group["segmental_course"]["before_unknown"] - 1
    )
    assert sum(group["segmental_course"].values()) == group["assessed"]


# --- the data cut-off ------------------------------------------------------------


def recent(steps: tuple[Step, ...] = (), days: int = 100) -> Case:
    """A case operated on so many days before the cut-off."""
    on = facts.data_cutoff() - timedelta(days=days)
    case = factories.make_case(
        operation={"surgery_date": on, "discharge_date": on + timedelta(days=9)}
    )
    for step in steps:
        step(Case.objects.get(pk=case.pk))
    return case


@pytest.mark.parametrize(
    ("days", "window", "state"),
    [
        (100, "m12", "not_due"),
        (425, "m12", "not_due"),
        (426, "m12", "no_visit"),
        (121, "m3", "not_due"),
        (122, "m3", "no_visit"),
        (549, "m12", "lost"),
        (548, "m12", "no_visit"),
    ],
)
def test_a_window_is_over_the_day_after_it_closes(
    days: int, window: str, state: str
) -> None:
    """Lost only who was not heard of for more than 548 days."""
    row = row_of(recent(days=days))
    assert (row[f"visit_status_{window}"], row["cutoff_days"]) == (state, days)
    assert row["lost_to_follow_up"] == (days > 548)


def test_a_visit_before_the_window_is_over_counts() -> None:
    case = recent((visit(95, mmcs=2),))
    row = row_of(case)
    assert (row["mmcs_m3"], row["visit_status_m3"]) == (2, "seen")


def test_a_later_contact_lengthens_the_potential_follow_up() -> None:
    """News of after the cut-off: observed time is never more than possible time."""
    row = row_of(recent((visit(20, mmcs=2),), days=5))
    assert (row["cutoff_days"], row["followup_days"]) == (20, 20)


def test_the_cutoff_is_the_first_of_the_month(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2031, 3, 17, 23, 30, tzinfo=UTC)
    monkeypatch.setattr(facts.timezone, "now", lambda: now)
    assert facts.data_cutoff() == date(2031, 3, 1)
    assert OPERATED_ON < facts.data_cutoff()


def test_a_new_month_makes_facts_outdated(monkeypatch: pytest.MonkeyPatch) -> None:
    case = recent(days=425)
    assert row_of(case)["visit_status_m12"] == "not_due"
    later = facts.data_cutoff() + timedelta(days=31)
    monkeypatch.setattr(facts, "data_cutoff", lambda: later.replace(day=1))
    assert facts.outdated(limit=5) == [case.pk]
    assert facts.rebuild(outdated_only=True) == 1
    assert row_of(case)["visit_status_m12"] == "no_visit"
    assert facts.outdated(limit=5) == []
