"""Whatever the order of changes: facts kept up equal facts derived from scratch."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cases import actions as case_actions
from cases.models import Case
from outcomes import actions, facts
from outcomes.models import CaseFacts
from registry.records import RecordLocked
from tests import factories
from tests.factories import OPERATED_ON

pytestmark = pytest.mark.django_db

DAYS = st.integers(-120, 2600)
GRADES = st.integers(1, 4)
STEPS = st.one_of(
    st.tuples(st.just("visit"), DAYS, GRADES, st.booleans()),
    st.tuples(st.just("undated visit"), st.sampled_from(["m3", "m12", "last"]), GRADES),
    st.tuples(st.just("mri"), st.integers(1, 2600)),
    st.tuples(st.just("recurrence"), st.integers(1, 2600)),
    st.tuples(st.just("extent"), st.sampled_from(["gtr", "str", "pr"])),
    st.tuples(st.just("move surgery"), st.integers(-60, 400)),
    st.tuples(st.just("death"), st.integers(0, 2600)),
    st.tuples(st.just("size"), st.integers(1, 60)),
    st.tuples(
        st.just("operate again"),
        st.integers(-60, 400),
        st.sampled_from(["planned_stage", "reoperation", None]),
        st.sampled_from(["gtr", "str", "not_assessed"]),
    ),
    st.tuples(st.just("make index"), st.sampled_from(["planned_stage", "reoperation"])),
    st.tuples(st.just("reason"), st.sampled_from(["not_done", "unknown"])),
    st.tuples(st.just("void visit"), st.integers(0, 5)),
    st.tuples(st.just("void recurrence"), st.integers(0, 5)),
    st.tuples(st.just("void operation")),
    st.tuples(st.just("second tumour")),
)


def step(case: Case, name: str, *given: Any) -> None:
    by = factories.surgeon_of(case.centre)
    if name == "visit":
        day, grade, pain = given
        kind = "preop" if day < 0 else "unscheduled"
        sites = ["segmental_at_level"] if pain else None
        factories.make_visit(
            case,
            kind,
            day=day,
            mmcs=grade,
            pain_present=pain,
            pain_distribution=sites,
        )
    elif name == "undated visit":
        kind, grade = given
        factories.make_visit(
            case,
            kind,
            visit_date=None,
            reported_day=None,
            mmcs=grade,
            missing={"visit_date": "unknown"},
        )
    elif name == "mri":
        seen_on = OPERATED_ON + timedelta(days=given[0])
        factories.make_mri(case, purpose="followup", mri_date=seen_on)
    elif name == "recurrence":
        gone = case.final_extent == "gtr"
        factories.make_recurrence(
            case, day=given[0], kind="recurrence" if gone else "regrowth"
        )
    elif name == "death":
        factories.make_vital_status(
            case.patient,
            vital_status="dead",
            death_date=OPERATED_ON + timedelta(days=given[0]),
            death_cause="other",
            last_contact_date=None,
        )
    elif name in {"operate again", "make index"}:
        operate(case, by, *given)
    elif name == "reason":
        unscored = {"mmcs": None, "mmcs_version": None, "missing": {"mmcs": given[0]}}
        factories.make_visit(case, "m12", **unscored)
    elif name == "size":
        change(case, by, size_cc_mm=given[0])
    elif name == "second tumour":
        factories.make_case(patient=case.patient, by=by, operation=True)
    elif name.startswith("void"):
        void(case, by, name, *given)
    else:
        operation = case.operations.get(voided_at=None, index_operation=True)
        change(operation, by, **operation_values(name, given[0]))


def operate(case: Case, by: Any, *given: Any) -> None:
    """A later operation, or the change of the index to the latest there is."""
    if len(given) == 3:
        day, relation, extent = given
        on = OPERATED_ON + timedelta(days=day)
        factories.make_operation(
            case,
            index_operation=False,
            surgery_date=on,
            relation_to_index=relation,
            eor_mri=extent,
        )
        return
    later = case.operations.filter(voided_at=None, index_operation=False)
    operation = later.order_by("-pk").first()
    if operation is not None:
        case_actions.change_index_operation(
            by=by,
            operation=operation,
            previous_as=given[0],
            version=operation.version,
            reason="Test",
        )


def operation_values(name: str, value: Any) -> dict[str, Any]:
    if name == "extent":
        return {"eor_mri": value}
    day = OPERATED_ON + timedelta(days=value)
    return {"surgery_date": day, "discharge_date": day + timedelta(days=8)}


def change(record: Any, by: Any, **values: Any) -> None:
    record = type(record).objects.get(pk=record.pk)
    case_actions.update_record(
        by=by, record=record, values=values, version=record.version
    )


def void(case: Case, by: Any, name: str, place: int = 0) -> None:
    rows = {
        "void visit": case.visits,
        "void recurrence": case.recurrences,
        "void operation": case.operations,
    }[name]
    current = list(rows.filter(voided_at=None).order_by("pk"))
    if current:
        record = current[place % len(current)]
        doing = case_actions if name == "void operation" else actions
        doing.void_record(by=by, record=record, version=record.version, reason="Test")


def kept_up_and_rebuilt() -> tuple[list[Any], list[Any]]:
    def rows() -> list[Any]:
        found = CaseFacts.objects.order_by("pk").values()
        return [{**row, "refreshed_at": None} for row in found]

    kept_up = rows()
    CaseFacts.objects.all().delete()
    facts.rebuild(batch=2)
    return kept_up, rows()


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(history=st.lists(STEPS, max_size=12))
def test_facts_kept_up_equal_facts_rebuilt(history: list[tuple[Any, ...]]) -> None:
    with transaction.atomic():
        case = factories.make_case(operation=True, mri=True)
        for name, *values in history:
            # What the rules refuse leaves no trace, neither in the record nor in facts.
            try:
                with transaction.atomic():
                    step(Case.objects.get(pk=case.pk), name, *values)
            except (ValidationError, RecordLocked, case.operations.model.DoesNotExist):
                continue
        kept_up, rebuilt = kept_up_and_rebuilt()
        transaction.set_rollback(True)
    assert kept_up
    assert kept_up == rebuilt
