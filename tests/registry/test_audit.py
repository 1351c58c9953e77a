"""Nobody alters the trail; whoever does it as a superuser is found."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pghistory.models
import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from cases.models import Case, Patient, PatientIdentity
from registry import audit, records
from registry.models import AuditEvent
from tests.factories import make_case, make_centre, make_user
from tests.registry.api_cast import whole_case

pytestmark = pytest.mark.django_db
HISTORY = [
    model
    for model in apps.get_models()
    if issubclass(model, pghistory.models.Event) and model._meta.managed
]
REFUSED = "append-only|Cannot (update|delete|truncate)"


def run(statement: str, values: Any = ()) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


@contextmanager
def triggers_off() -> Iterator[None]:
    """What only a superuser of the database can do."""
    run("SET session_replication_role = replica")
    try:
        yield
    finally:
        run("SET session_replication_role = DEFAULT")


def five_events() -> list[AuditEvent]:
    return [audit.record("identity.read", target=f"SCT-{n}", n=n) for n in range(5)]


def verify(**options: Any) -> str:
    out, err = io.StringIO(), io.StringIO()
    call_command("verify_audit", stdout=out, stderr=err, **options)
    return out.getvalue()


def first_bad(**options: Any) -> str:
    with pytest.raises(CommandError) as broken:
        verify(**options)
    return str(broken.value)


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


def test_T1_history_of_every_table_is_append_only() -> None:
    centre = make_centre()
    by = make_user("surgeon", centre, password=None)
    patient = whole_case(centre, by)["patients"]
    PatientIdentity.objects.create(patient=patient, centre=centre, updated_by=by)
    assert len(HISTORY) == 9
    taken = []
    for model in HISTORY:
        table, before = model._meta.db_table, model._default_manager.count()
        assert before, table
        for statement in (
            f'UPDATE "{table}" SET pgh_created_at = now()',
            f'DELETE FROM "{table}"',
            f'TRUNCATE "{table}" CASCADE',
        ):
            try:
                run(statement)
                taken.append(statement)
            except DatabaseError as error:
                assert "append-only" in str(error) or "Cannot" in str(error)
        assert model._default_manager.count() == before
    assert taken == []


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


# --- T2: a superuser is found


def test_a_whole_chain_verifies_and_prints_its_head() -> None:
    events = five_events()
    assert verify().splitlines() == [
        "5 events, chain whole",
        f"head {events[-1].pk}:{events[-1].mac}",
    ]
    assert list(audit.broken_events()) == []


def test_an_empty_trail_is_whole() -> None:
    assert verify() == "0 events, chain whole\n"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", timezone.now() - timedelta(days=1)),
        ("action", "identity.guessed"),
        ("actor_id", 7),
        ("centre_id", 7),
        ("target", "SCT-9"),
        ("request_id", "another"),
        ("body", '{"n": 9}'),
        ("mac", "0" * 64),
    ],
)
def test_T2_an_edited_row_is_named(column: str, value: Any) -> None:
    events = five_events()
    with triggers_off():
        run(
            f"UPDATE registry_auditevent SET {column} = %s WHERE id = %s",
            [value, events[2].pk],
        )
    assert f"event {events[2].pk}: was altered" in first_bad()


def test_T2_a_deleted_row_is_named_by_its_successor() -> None:
    events = five_events()
    with triggers_off():
        run("DELETE FROM registry_auditevent WHERE id = %s", [events[2].pk])
    assert f"event {events[3].pk}: does not follow" in first_bad()


def test_T2_a_deleted_beginning_is_found() -> None:
    events = five_events()
    with triggers_off():
        run("DELETE FROM registry_auditevent WHERE id <= %s", [events[1].pk])
    assert f"event {events[2].pk}: does not follow" in first_bad()


def test_T2_swapped_rows_are_found() -> None:
    events = five_events()
    with triggers_off():
        for here, there in ((events[1].pk, -1), (events[2].pk, events[1].pk)):
            run("UPDATE registry_auditevent SET id = %s WHERE id = %s", [there, here])
        run("UPDATE registry_auditevent SET id = %s WHERE id = -1", [events[2].pk])
    assert f"event {events[1].pk}: does not follow" in first_bad()


def test_T2_an_inserted_row_is_found() -> None:
    events = five_events()
    AuditEvent.objects.create(
        action="identity.read", previous=events[-1].mac, mac="f" * 64
    )
    assert "was altered" in first_bad()


def test_T2_a_cut_tail_is_found_by_the_head_kept_outside() -> None:
    events = five_events()
    head = f"{events[-1].pk}:{events[-1].mac}"
    assert "chain whole" in verify(head=head)
    with triggers_off():
        run("DELETE FROM registry_auditevent WHERE id >= %s", [events[3].pk])
    assert "chain whole" in verify()  # which is why the head is kept outside
    assert f"event {events[-1].pk}: known from outside" in first_bad(head=head)


def test_T2_a_trail_written_anew_is_found_by_the_head() -> None:
    events = five_events()
    head = f"{events[-1].pk}:{events[-1].mac}"
    with triggers_off():
        run("TRUNCATE registry_auditevent RESTART IDENTITY")
    five_events()
    assert "chain whole" in verify()
    assert "known from outside" in first_bad(head=head)


@pytest.mark.parametrize("head", ["", "7", "x:y", "7:", "１:ab"])
def test_a_head_in_another_form_is_refused(head: str) -> None:
    if head:
        assert "ID:MAC" in first_bad(head=head)
    else:
        assert "chain whole" in verify(head=head)


def test_another_key_breaks_the_whole_chain(settings: Any) -> None:
    five_events()
    settings.AUDIT_KEY = "k" * 50
    assert len(list(audit.broken_events())) == 5


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
    assert list(audit.broken_events()) == []
