"""The sealer beside open transactions, other sealers, a kill and a wrong clock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import psycopg2
import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from registry import audit, records
from registry.audit import heads, sealing
from registry.audit.sealing import seal_all
from registry.embedded.places import BASE_DIR
from registry.models import AuditEvent, Seal
from registry.permissions import Role
from tests.factories import make_case, make_centre, make_user
from tests.pages import signed_in
from tests.processes import eventually
from tests.registry.evidence import found, rows, run, triggers_off

pytestmark = pytest.mark.django_db(transaction=True)
EVENTS = "registry_auditevent"
INSERT = (
    "INSERT INTO registry_auditevent (at, action, target, request_id, body)"
    " VALUES (clock_timestamp(), 'case.read', %s, '', '{}') RETURNING id"
)


@contextmanager
def another_connection() -> Iterator[Any]:
    """A connection of somebody else to the same database; open until the block ends."""
    known = connection.get_connection_params()
    kept = {name: known[name] for name in ("dbname", "user", "host") if name in known}
    other = psycopg2.connect(**kept)
    try:
        yield other
    finally:
        other.close()


def events(count: int) -> list[int]:
    return [audit.record("case.read", target=f"TUM-{n}").pk for n in range(count)]


def written_by(other: Any, target: str) -> int:
    with other.cursor() as cursor:
        cursor.execute(INSERT, [target])
        return int(cursor.fetchone()[0])


def seals() -> list[Seal]:
    return list(Seal.objects.filter(table=EVENTS))


def spans() -> list[list[list[int]]]:
    return [seal.spans for seal in seals()]


def awaited(number: int) -> bool:
    """Whether the last seal says that this row may still come."""
    return any(first <= number <= last for first, last, *_ in seals()[-1].awaited)


OLDEST_HERE = """
coalesce((SELECT min(backend_xid::text::bigint) FROM pg_stat_activity
          WHERE datname = current_database()),
         pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
"""


@pytest.fixture
def _no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """No minute of grace; and the transactions of this database only, because other
    tests have theirs on the same server."""
    everywhere = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
    assert everywhere in sealing.MOMENT
    here = sealing.MOMENT.replace(everywhere, OLDEST_HERE)
    monkeypatch.setattr(sealing, "MOMENT", here)
    monkeypatch.setattr(sealing, "GRACE_SECONDS", 0)


# --- what is sealed


def test_a_sealer_with_nothing_new_writes_nothing() -> None:
    assert seal_all() == 0
    numbers = events(3)
    assert seal_all() == 3
    assert spans() == [[[numbers[0], numbers[2]]]]
    assert seal_all() == 0
    assert Seal.objects.count() == 1
    assert found() == []


def test_many_rows_come_under_several_seals(monkeypatch: pytest.MonkeyPatch) -> None:
    """An import of any size takes the memory of one seal."""
    monkeypatch.setattr(sealing, "MOST_ROWS", 4)
    numbers = events(10)
    assert seal_all() == 10
    assert [seal.count for seal in seals()] == [4, 4, 2]
    assert [seal.total for seal in seals()] == [4, 8, 10]
    assert found() == []
    with triggers_off():
        run("UPDATE registry_auditevent SET target = '' WHERE id = %s", [numbers[5]])
    assert found() == [f"{EVENTS} {numbers[5]}: was altered"]


@pytest.mark.usefixtures("_no_grace")
def test_rows_of_an_open_transaction_are_sealed_when_it_ends() -> None:
    with another_connection() as centre:
        first = events(1)[0]
        long_one = written_by(centre, "TUM-long")
        last = events(1)[0]
        assert seal_all() == 2
        assert spans() == [[[first, first], [last, last]]]
        assert found() == []
        events(1)
        seal_all()
        assert awaited(long_one)
        centre.commit()
    assert seal_all() == 1
    assert spans()[-1] == [[long_one, long_one]]
    assert not awaited(long_one)
    assert found() == []
    with triggers_off():
        run("DELETE FROM registry_auditevent WHERE id = %s", [long_one])
    assert found() == [f"{EVENTS} {long_one}: is missing"]


@pytest.mark.usefixtures("_no_grace")
def test_a_number_whose_transaction_failed_stays_empty_for_ever() -> None:
    """It is awaited while that transaction may be open, and nobody's afterwards."""
    with another_connection() as centre:
        failed = written_by(centre, "TUM-failed")
        events(1)
        seal_all()
        assert awaited(failed)
        centre.rollback()
    seal_all()
    assert seals()[-1].awaited == []
    assert found() == []
    run(INSERT_AT, [failed])
    assert found() == [f"{EVENTS} {failed}: was inserted later"]
    assert seal_all() == 0
    assert found() == [f"{EVENTS} {failed}: was inserted later"]


INSERT_AT = (
    "INSERT INTO registry_auditevent (id, at, action, target, request_id, body)"
    " VALUES (%s, now(), 'case.read', '', '', '{}')"
)


@pytest.mark.usefixtures("_no_grace")
def test_a_restored_dump_awaits_no_transaction_of_the_old_server() -> None:
    """Transactions of another server count from the beginning again."""
    with another_connection() as centre:
        written_by(centre, "TUM-lost")
        events(1)
        with triggers_off():
            seal_all()
            moved = seals()[-1]
            moved.awaited = [[*moved.awaited[-1][:2], 2**40, moved.awaited[-1][3]]]
            moved.server, moved.mac = "7", ""
            moved.mac = sealing.mac_of(moved)
            moved.save()
        seal_all()
        assert seals()[-1].awaited == []
        centre.rollback()
    assert found() == []


def test_a_row_that_waits_too_long_for_its_seal_is_named() -> None:
    long_ago = timezone.now() - timedelta(minutes=16)
    old = AuditEvent.objects.create(action="case.read", at=long_ago)
    events(1)
    said = f"{EVENTS} {old.pk}: unsealed for more than 15 minutes (1 rows)"
    assert [each.partition(";")[0] for each in found()] == [said]
    seal_all()
    assert found() == []


def test_F27_a_clock_that_jumps_back_breaks_nothing() -> None:
    events(2)
    seal_all()
    back = timezone.now() - timedelta(hours=1)
    AuditEvent.objects.create(action="case.read", at=back)
    seal_all()
    last = seals()[-1]
    with triggers_off():
        last.at = back
        last.mac = sealing.mac_of(last)
        last.save()
    events(1)
    seal_all()
    assert found() == []


def test_another_key_breaks_every_seal(settings: Any) -> None:
    for _seal in range(3):
        events(1)
        seal_all()
    settings.AUDIT_KEY = "k" * 50
    assert found() == [f"seal {seal.pk}: was altered" for seal in seals()]


# --- columns that come and go


def test_a_new_column_leaves_sealed_rows_as_they_were() -> None:
    number = events(1)[0]
    seal_all()
    run(f"ALTER TABLE {EVENTS} ADD COLUMN colour text NOT NULL DEFAULT 'red'")
    try:
        assert found() == []
        events(1)
        seal_all()
        assert "colour" in seals()[-1].columns
        with triggers_off():
            run(f"UPDATE {EVENTS} SET colour = 'blue' WHERE id > %s", [number])
        assert found() == [f"{EVENTS} {number + 1}: was altered"]
    finally:
        run(f"ALTER TABLE {EVENTS} DROP COLUMN colour")


def test_rows_are_sealed_anew_after_an_update_that_rewrote_them() -> None:
    events(3)
    seal_all()
    run(f"ALTER TABLE {EVENTS} RENAME COLUMN request_id TO asked")
    try:
        assert "column request_id is gone" in found()[0]
        sealing.begin_anew(EVENTS, "request_id is called asked")
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {EVENTS}")
            assert seal_all() == cursor.fetchone()[0]
        assert found() == []
    finally:
        run(f"ALTER TABLE {EVENTS} RENAME COLUMN asked TO request_id")


# --- nobody waits


def test_an_open_transaction_delays_nobody() -> None:
    """It holds an event and its number; another centre saves and reads meanwhile.

    Without a lock there is nothing to wait for: the lock timeout of one millisecond
    would turn any wait into an error.
    """
    page = signed_in(make_user(Role.SURGEON, make_centre()))
    case = make_case()
    with another_connection() as centre:
        written_by(centre, "TUM-slow")
        run("SET lock_timeout = 1")
        try:
            records.update(case, by=case.created_by, values={"side": "L"}, version=1)
            number = audit.record("case.changed", target=case.code).pk
            assert page.get(reverse("cases:list")).status_code == 200
            assert seal_all() > 0
        finally:
            run("RESET lock_timeout")
        centre.rollback()
    assert AuditEvent.objects.filter(pk=number).exists()


def test_writers_do_not_wait_for_the_sealer_and_sealers_not_for_each_other() -> None:
    events(2)
    with another_connection() as sealer:
        with sealer.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [sealing.SEAL_LOCK])
        run("SET lock_timeout = 1")
        try:
            events(1)
            assert seal_all() == 0
        finally:
            run("RESET lock_timeout")
        sealer.rollback()
    assert seal_all() == 3
    assert found() == []


# --- kill -9


def manage(*arguments: str) -> subprocess.Popen[bytes]:
    known = connection.settings_dict
    host = quote(known["HOST"], safe="")
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "registry.settings",
        "DATABASE_URL": f"postgresql://postgres@/{host}/{known['NAME']}",
    }
    return subprocess.Popen(
        [sys.executable, str(BASE_DIR / "manage.py"), *arguments],
        cwd=BASE_DIR,
        env=environment,
        start_new_session=True,
    )


def waits_for_seals() -> bool:
    return bool(
        rows(
            "SELECT FROM pg_locks WHERE NOT granted"
            " AND relation = 'registry_seal'::regclass"
        )
    )


@pytest.mark.services
def test_a_sealer_that_is_killed_loses_and_doubles_nothing() -> None:
    """It is stopped where it has read the rows and is about to write their seal."""
    events(5)
    with another_connection() as guard:
        with guard.cursor() as cursor:
            cursor.execute("LOCK TABLE registry_seal IN SHARE MODE")
        sealer = manage("seal_audit")
        eventually(waits_for_seals, 60)
        os.killpg(sealer.pid, signal.SIGKILL)
        sealer.wait()
        guard.rollback()
    eventually(lambda: not waits_for_seals(), 30)
    events(2)
    seal_all()
    assert heads.sealed_rows() == 7
    assert found() == []


def test_two_sealers_at_once_make_one_chain() -> None:
    events(40)
    answers: list[int] = []

    def work() -> None:
        try:
            answers.append(seal_all())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(answers) == heads.sealed_rows() == 40
    assert found() == []
