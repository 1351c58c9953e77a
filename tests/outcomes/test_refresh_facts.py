"""When facts are derived: with each change, and by the rebuild."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from cases import actions as case_actions
from cases.models import Case
from outcomes import actions, facts
from outcomes.models import CaseFacts
from outcomes.models.fact_column import Kind
from outcomes.models.fact_columns import FACT_COLUMNS
from tests import factories

pytestmark = pytest.mark.django_db


def facts_of(case: Case) -> CaseFacts:
    found = facts.facts_of(case)
    assert found is not None
    return found


def operated_case(**operation: Any) -> Case:
    return factories.make_case(operation=operation)


def test_a_voided_visit_leaves_the_facts() -> None:
    case = operated_case()
    visit = factories.make_visit(case, "m12")
    actions.void_record(
        by=factories.surgeon_of(case.centre), record=visit, version=1, reason="Doubled"
    )
    assert facts_of(case).visit_day_m12 is None


def test_a_voided_case_has_no_facts() -> None:
    case = factories.make_case()
    by = factories.surgeon_of(case.centre)
    case_actions.void_record(by=by, record=case, version=1, reason="Entered twice")
    assert facts.facts_of(case) is None
    facts.rebuild()
    assert facts.facts_of(case) is None


def test_the_rebuild_finds_what_came_past_the_actions() -> None:
    case = operated_case()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_case SET size_cc_mm = 77 WHERE id = %s", [case.pk])
    call_command("rebuild_facts", verbosity=0)
    assert facts_of(case).size_cc_mm == 77


def test_only_outdated_facts_are_rebuilt_if_asked() -> None:
    old, fresh = operated_case(), operated_case()
    CaseFacts.objects.filter(pk=old.pk).update(definition="0", border="rough")
    CaseFacts.objects.filter(pk=fresh.pk).update(border="rough")
    assert facts.rebuild(outdated_only=True, batch=1) == 1
    assert (facts_of(old).border, facts_of(fresh).border) == (None, "rough")


def test_nothing_is_written_where_nothing_changed() -> None:
    case = operated_case()
    before = facts_of(case).refreshed_at
    facts.rebuild()
    assert facts_of(case).refreshed_at == before


def test_many_and_one_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The prepared statement for few cases and the plain one for many."""
    case = operated_case()
    factories.make_visit(case, "m12")
    one = CaseFacts.objects.filter(pk=case.pk).values().get()
    CaseFacts.objects.filter(pk=case.pk).delete()
    monkeypatch.setattr(facts, "PREPARED_UP_TO", 0)
    facts.refresh([case.pk])
    many = CaseFacts.objects.filter(pk=case.pk).values().get()
    assert one | {"refreshed_at": None} == many | {"refreshed_at": None}


def test_a_row_is_stored_in_one_piece() -> None:
    """Texts put elsewhere would make every grouping four times as slow."""
    factories.make_case(
        operation=True, mri=True, compartment="dumbbell_intra_extradural"
    )
    names = [c.name for c in FACT_COLUMNS if c.kind == Kind.TEXT]
    elsewhere = ", ".join(f'pg_column_toast_chunk_id("{name}")' for name in names)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {elsewhere} FROM outcomes_casefacts")
        assert set(cursor.fetchone()) == {None}
