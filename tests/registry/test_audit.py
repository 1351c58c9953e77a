"""Events and history are written, and nobody alters them by ordinary means."""

from __future__ import annotations

import pghistory
import pytest
from django.db import DatabaseError, transaction
from pghistory.models import Context

from cases.models import Case, Patient
from registry import audit, records
from registry.audit.sealing import seal_all
from registry.audit.verifying import problems
from registry.models import AuditEvent
from tests.factories import make_case, make_user
from tests.registry.evidence import rows, run

pytestmark = pytest.mark.django_db
REFUSED = "append-only|Cannot (update|delete|truncate)"


# --- T1: refused for everybody


def test_T1_events_are_not_changed_through_the_models() -> None:
    event = audit.record("identity.read", target="SCT-1")
    attempts = [
        lambda: AuditEvent.objects.update(target="SCT-2"),
        lambda: AuditEvent.objects.all().delete(),
        event.save,
        event.delete,
        lambda: AuditEvent.objects.bulk_update([event], ["target"]),
    ]
    for attempt in attempts:
        with pytest.raises(DatabaseError, match=REFUSED), transaction.atomic():
            attempt()
    assert AuditEvent.objects.get().target == "SCT-1"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE registry_auditevent SET at = now()",
        "DELETE FROM registry_auditevent",
        "TRUNCATE registry_auditevent",
        "TRUNCATE registry_auditevent CASCADE",
    ],
)
def test_T1_events_are_not_changed_by_raw_sql(statement: str) -> None:
    audit.record("identity.read")
    with pytest.raises(DatabaseError, match=REFUSED):
        run(statement)
    assert AuditEvent.objects.count() == 1


def test_raw_sql_leaves_history_too() -> None:
    case = make_case()
    before = Case.pgh_event_model.objects.filter(pgh_obj=case).count()
    run("UPDATE cases_case SET remark = 'by hand' WHERE id = %s", [case.pk])
    Case.objects.filter(pk=case.pk).update(side="L")
    events = Case.pgh_event_model.objects.filter(pgh_obj=case).order_by("pgh_id")
    assert events.count() == before + 2
    assert [event.remark for event in events][-2:] == ["by hand", "by hand"]


def test_history_knows_who_and_why() -> None:
    case = make_case()
    records.update(
        case,
        by=case.created_by,
        values={"side": "L"},
        version=1,
        reason="Read from the film again",
    )
    event = Case.pgh_event_model.objects.filter(pgh_obj=case).latest("pgh_id")
    assert event.version == 2
    assert event.pgh_context.metadata["user"] == case.created_by.pk
    assert event.pgh_context.metadata["reason"] == "Read from the film again"


def test_what_a_request_learns_later_is_another_row_of_its_context() -> None:
    """One row a request, changed as it went on, could be changed by anybody."""
    case = make_case()
    with pghistory.context(user=7, request="r-1"):
        Case.objects.filter(pk=case.pk).update(side="L")
        Case.objects.filter(pk=case.pk).update(side="R")
        with pghistory.context(reason="Read again"):
            Case.objects.filter(pk=case.pk).update(side="L")
    events = Case.pgh_event_model.objects.filter(pgh_obj=case).order_by("-pgh_id")
    said = [event.pgh_context.metadata for event in events[:3]]
    assert [each.get("reason") for each in said] == ["Read again", None, None]
    assert {each["request"] for each in said} == {"r-1"}
    assert Context.objects.filter(metadata__request="r-1").count() == 2
    numbers = "SELECT max(number) - min(number) FROM pghistory_context"
    assert rows(f"{numbers} WHERE metadata ->> 'request' = 'r-1'") == [(1,)]


def test_the_context_s_function_is_ours_after_every_migration() -> None:
    """pghistory's own would change rows; a new version of it might bring it back."""
    body = rows("SELECT prosrc FROM pg_proc WHERE proname = '_pgh_attach_context'")
    assert len(body) == 1
    assert "DO NOTHING" in body[0][0]
    assert "DO UPDATE" not in body[0][0]


def test_version_counts_the_events_of_a_row() -> None:
    patient = make_case().patient
    for birth_year in (1971, 1972, 1973):
        patient = records.update(
            patient,
            by=patient.created_by,
            values={"birth_year": birth_year},
            version=patient.version,
        )
    events = Patient.pgh_event_model.objects.filter(pgh_obj=patient)
    assert events.count() == patient.version == 4


# --- what an event holds


def test_an_event_goes_with_its_transaction() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        audit.record("role.granted")
        raise RuntimeError
    assert not AuditEvent.objects.exists()


def test_events_outlive_the_people_they_speak_of() -> None:
    person = make_user(None, password=None)
    event = audit.record("person.created", actor=person, target=f"person:{person.pk}")
    person.delete()
    event.refresh_from_db()
    assert event.actor_id is not None
    seal_all()
    assert list(problems()) == []
