"""Faults of the services while people save, on the real system as processes.

The numbers are those of the reliability acceptance list. Limits in seconds are the
promises made to the person who waits, with room for a busy machine.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
import redis

from registry.embedded.account import account_for
from registry.embedded.postgres import EmbeddedPostgres, programs
from tests.journeys.saving import Surgeon, new_surgeon
from tests.processes import RunningRegistry, eventually, started_registry

pytestmark = pytest.mark.services

# Publishing with the defaults of Celery costs a save 6 to 60 seconds, or hangs it.
AT_ONCE = 5
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND query LIKE '%outcomes_casefacts%'
"""


RESTING = """
SELECT count(*) FROM outcomes_summary WHERE duration_ms >= 500
  AND as_of > clock_timestamp() - greatest(duration_ms, 10000) * interval '1 ms'
"""
# Every row of every scope that lags behind the changes of its scope.
LATE = """
SELECT count(*) FROM outcomes_summary summary
WHERE as_of IS NULL OR done < (
  SELECT coalesce(sum(n), 0) FROM (
    SELECT centre_id, counted AS n FROM outcomes_changecount
    UNION ALL SELECT centre_id, 1 FROM outcomes_casechange) AS change
  WHERE summary.centre_id IS NULL OR change.centre_id = summary.centre_id)
"""


@pytest.fixture(scope="module")
def registry(
    tmp_path_factory: pytest.TempPathFactory, test_server: EmbeddedPostgres
) -> Iterator[RunningRegistry]:
    with started_registry(tmp_path_factory.mktemp("faults")) as registry:
        yield registry


@pytest.fixture(scope="module")
def surgeon(registry: RunningRegistry) -> Surgeon:
    return new_surgeon(registry)


@pytest.fixture
def well(registry: RunningRegistry, surgeon: Surgeon) -> Iterator[None]:
    """Ends with every part running."""
    yield
    registry.redis.thaw()
    registry.redis.restart_if_ended()
    registry.worker.restart_if_ended()
    eventually(lambda: is_well(surgeon))


def new_web_server(registry: RunningRegistry, surgeon: Surgeon) -> None:
    """One whose breakers are closed, so that it tries to publish."""
    registry.web.kill()
    registry.web.start()
    eventually(lambda: is_up(surgeon))
    for _ in range(4):
        assert surgeon.ask("GET", "/api/v1/cases/")[0] == 200


def is_up(surgeon: Surgeon) -> bool:
    try:
        return surgeon.ask("GET", "/readyz")[0] == 200
    except OSError:
        return False


def is_well(surgeon: Surgeon) -> bool:
    try:
        status, checks, _seconds = surgeon.ask("GET", "/readyz")
    except OSError:
        return False
    return status == 200 and checks["redis"] == "ok"


def test_save_while_all_is_well(surgeon: Surgeon, well: None) -> None:
    before = surgeon.cases()
    status, answer, _seconds = surgeon.save_case()
    assert status == 201, answer
    assert surgeon.cases() == before + 1


def test_f1_redis_stopped(
    registry: RunningRegistry, surgeon: Surgeon, well: None
) -> None:
    registry.redis.stop()
    for _ in range(3):
        before = surgeon.cases()
        status, answer, seconds = surgeon.save_case()
        assert status == 201, answer
        assert surgeon.cases() == before + 1
        assert seconds < AT_ONCE


def test_f2_redis_frozen(
    registry: RunningRegistry, surgeon: Surgeon, well: None
) -> None:
    """Each of the two web processes may wait once, then its breaker is open."""
    new_web_server(registry, surgeon)
    waited_before = times_waited(registry)
    registry.redis.freeze()
    for _ in range(12):
        status, answer, seconds = surgeon.save_case()
        assert status == 201, answer
        assert seconds < AT_ONCE
    assert 1 <= times_waited(registry) - waited_before <= 2


def times_waited(registry: RunningRegistry) -> int:
    return registry.web.log.read_text().count("background work not announced")


def test_f3_redis_behind_a_dropped_network(
    registry: RunningRegistry, surgeon: Surgeon, well: None
) -> None:
    """A listener whose backlog is full: the system drops further connections."""
    registry.redis.stop()
    port = int(registry.redis_url.rsplit(":", 1)[1].split("/")[0])
    fillers = []
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(0)
        try:
            for _ in range(4):
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(("127.0.0.1", port))
                fillers.append(filler)
            new_web_server(registry, surgeon)
            status, answer, seconds = surgeon.save_case()
        finally:
            for filler in fillers:
                filler.close()
    assert status == 201, answer
    assert seconds < AT_ONCE


def test_f4_summaries_catch_up_after_redis_returns(
    registry: RunningRegistry, surgeon: Surgeon, well: None
) -> None:
    registry.redis.stop()
    for _ in range(3):
        assert surgeon.save_case()[0] == 201
    assert stored_counts(registry) != saved_counts(registry)
    registry.redis.start()
    eventually(lambda: is_fresh(registry), 60)


def test_one_save_is_fresh_in_every_row_although_costly_ones_rest(
    registry: RunningRegistry, surgeon: Surgeon, well: None
) -> None:
    """Rows that took 3.2 s and were counted just now, as in a registry of 400 cases."""
    eventually(lambda: is_fresh(registry), 60)
    registry.query(
        "UPDATE outcomes_summary SET duration_ms = 3200, as_of = clock_timestamp()"
    )
    assert surgeon.save_case()[0] == 201
    assert not is_fresh(registry)
    eventually(lambda: is_fresh(registry), 60)


def test_f5_worker_child_killed_in_the_middle_of_a_summary(
    registry: RunningRegistry, surgeon: Surgeon, well: None
) -> None:
    with refresh_under_way(registry, surgeon):
        assert registry.worker.process is not None
        worker = psutil.Process(registry.worker.process.pid)
        for child in worker.children(recursive=True):
            child.kill()
    eventually(lambda: is_fresh(registry), 60)


def test_f6_worker_killed_in_the_middle_of_a_summary(
    registry: RunningRegistry, surgeon: Surgeon, well: None
) -> None:
    with refresh_under_way(registry, surgeon):
        registry.worker.kill()
    registry.worker.start()
    eventually(lambda: is_fresh(registry), 60)


def test_f9_queue_lost_with_its_redis(
    registry: RunningRegistry, surgeon: Surgeon, well: None
) -> None:
    registry.worker.stop()
    for _ in range(5):
        assert surgeon.save_case()[0] == 201
    with redis.Redis.from_url(registry.redis_url) as client:
        assert client.llen("celery") > 0
    registry.redis.kill()
    shutil.rmtree(registry.folder / "redis")
    (registry.folder / "redis").mkdir()
    registry.redis.start()
    registry.worker.start()
    eventually(lambda: is_fresh(registry), 60)


@contextmanager
def refresh_under_way(registry: RunningRegistry, surgeon: Surgeon) -> Iterator[None]:
    """The block runs while the worker counts: a lock on the facts holds it there."""
    registry.beat.stop()
    registry.worker.freeze()
    # On a slow machine the last refresh was long, and such rows rest for a while.
    eventually(lambda: registry.query(RESTING) == [(0,)])
    eventually(lambda: announced(registry, surgeon))
    blocker = registry.postgres.connect("myelon")
    blocker.autocommit = False
    try:
        with blocker.cursor() as cursor:
            cursor.execute("LOCK TABLE outcomes_casefacts IN ACCESS EXCLUSIVE MODE")
            registry.worker.thaw()
            eventually(lambda: registry.query(WAITING) != [(0,)])
            yield
    finally:
        blocker.close()
        registry.beat.start()


def announced(registry: RunningRegistry, surgeon: Surgeon) -> bool:
    """Save a case; whether its message waits. After an outage the web pauses first."""
    assert surgeon.save_case()[0] == 201
    with redis.Redis.from_url(registry.redis_url) as client:
        return client.llen("celery") > 0


def is_fresh(registry: RunningRegistry) -> bool:
    """Whether no row of any scope lags behind, and the number stored is the counted."""
    if registry.query(LATE) != [(0,)]:
        return False
    return stored_counts(registry) == saved_counts(registry)


def stored_counts(registry: RunningRegistry) -> list[tuple[Any, ...]]:
    return registry.query(
        "SELECT coalesce(centre_id, 0), n_cases FROM outcomes_summary"
        " WHERE measure = 'volume' AND by = 'compartment' AND NOT released ORDER BY 1"
    )


def saved_counts(registry: RunningRegistry) -> list[tuple[Any, ...]]:
    return registry.query(
        "SELECT centre_id, count(*) FROM cases_case GROUP BY 1"
        " UNION ALL SELECT 0, count(*) FROM cases_case ORDER BY 1"
    )


def test_f17_database_restarted_between_requests(
    registry: RunningRegistry, surgeon: Surgeon, well: None
) -> None:
    for _ in range(3):
        assert surgeon.save_case()[0] == 201
        registry.postgres.restart("fast")
        for _ in range(4):
            status, answer, _seconds = surgeon.ask("GET", "/api/v1/cases/")
            assert status == 200, answer
        assert surgeon.save_case()[0] == 201


def test_f18_database_killed_while_people_save(
    registry: RunningRegistry, surgeon: Surgeon, well: None
) -> None:
    """A save is there whole with its history, or not at all; the answer is honest."""
    before = surgeon.cases()
    answers: list[tuple[int, dict[str, Any]]] = []
    stop = threading.Event()

    def save_without_pause() -> None:
        while not stop.is_set():
            status, answer, _seconds = surgeon.save_case()
            answers.append((status, answer))

    people = [threading.Thread(target=save_without_pause) for _ in range(3)]
    for person in people:
        person.start()
    for _ in range(3):
        wait_for_answers(answers, len(answers) + 5)
        registry.postgres.restart("immediate")
    stop.set()
    for person in people:
        person.join()
    saved = [answer["code"] for status, answer in answers if status == 201]
    refused = [answer for status, answer in answers if status != 201]
    assert {answer.get("code") for answer in refused} <= {"database_unavailable"}
    assert before + len(saved) <= surgeon.cases() <= before + len(answers)
    rows = registry.query("SELECT code FROM cases_case WHERE code = ANY(%s)", [saved])
    assert len(rows) == len(saved) == len(set(saved))
    without_history = registry.query(
        "SELECT count(*) FROM cases_case c WHERE NOT EXISTS"
        " (SELECT 1 FROM cases_caseevent e WHERE e.pgh_obj_id = c.id)"
    )
    assert without_history == [(0,)]


def wait_for_answers(answers: list[Any], count: int) -> None:
    eventually(lambda: len(answers) > count)


def test_f21_database_away_and_back(
    registry: RunningRegistry, surgeon: Surgeon, well: None
) -> None:
    web = registry.web.process
    registry.postgres.stop("fast")
    assert surgeon.ask("GET", "/healthz")[0] == 200
    status, checks, _seconds = surgeon.ask("GET", "/readyz")
    assert (status, checks["database"]) == (503, "unavailable")
    status, problem, seconds = surgeon.save_case()
    assert (status, problem["code"]) == (503, "database_unavailable")
    assert seconds < AT_ONCE
    registry.postgres.start()
    assert surgeon.save_case()[0] == 201
    assert registry.web.process is web
    assert web is not None
    assert web.poll() is None


def test_f22_database_frozen(
    registry: RunningRegistry, surgeon: Surgeon, well: None
) -> None:
    """Requests over open connections end, and are told; nothing is restarted."""
    assert surgeon.ask("GET", "/api/v1/cases/")[0] == 200
    web = registry.web.process
    registry.postgres.freeze()
    try:
        for _ in range(3):
            status, problem, _seconds = surgeon.save_case()
            assert (status, problem["code"]) == (503, "database_unavailable")
        assert surgeon.ask("GET", "/readyz")[0] == 503
    finally:
        registry.postgres.thaw()
    eventually(lambda: surgeon.save_case()[0] == 201)
    assert registry.web.process is web


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None, reason="needs a small disk"
)
def test_f25_disk_full(
    registry: RunningRegistry, surgeon: Surgeon, well: None, tmp_path: Path
) -> None:
    """Told as what it is, by save and readiness; and over when there is room again."""
    with small_disk(registry, tmp_path) as disk:
        filler = disk / "filler"
        fill(filler)
        refused = eventually(lambda: refused_save(surgeon))
        assert refused == (507, "storage_full")
        status, checks, _seconds = surgeon.ask("GET", "/readyz")
        assert (status, checks["storage"]) == (503, "full")
        filler.unlink()
        eventually(lambda: surgeon.save_case()[0] == 201)
        assert surgeon.ask("GET", "/readyz")[0] == 200


def refused_save(surgeon: Surgeon) -> tuple[int, str] | None:
    status, answer, _seconds = surgeon.save_case()
    return None if status == 201 else (status, answer["code"])


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError as error:
            assert error.errno == errno.ENOSPC


@contextmanager
def small_disk(registry: RunningRegistry, folder: Path) -> Iterator[Path]:
    """A disk of 16 MB that holds the history of cases, and the server's scratch files."""
    disk = folder / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)]
    if subprocess.run(command, check=False).returncode != 0:
        pytest.skip("no disk can be mounted here")
    try:
        place = disk / "tables"
        place.mkdir(mode=0o700)
        account_for(registry.postgres.data, programs() / "postgres").owns(place)
        registry.query(f"CREATE TABLESPACE small LOCATION '{place}'")
        registry.query("ALTER TABLE cases_caseevent SET TABLESPACE small")
        registry.query("ALTER DATABASE myelon SET temp_tablespaces = 'small'")
        yield disk
        registry.query("ALTER DATABASE myelon RESET temp_tablespaces")
        registry.query("ALTER TABLE cases_caseevent SET TABLESPACE pg_default")
        eventually(lambda: dropped(registry))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def dropped(registry: RunningRegistry) -> bool:
    """Empty once the last scratch file and the next checkpoint are gone."""
    registry.query("CHECKPOINT")
    try:
        registry.query("DROP TABLESPACE small")
    except psycopg2.Error:
        return False
    return True


def test_logs_of_all_this_name_nobody(
    registry: RunningRegistry, surgeon: Surgeon, well: None
) -> None:
    """T5, S14: no token, no address of a person, no text of an exception."""
    logs = registry.logs()
    assert "database unavailable" in logs
    ((email,),) = registry.query("SELECT email FROM registry_user LIMIT 1")
    for canary in (surgeon.token, email, "server closed the connection"):
        assert canary not in logs


def test_stopped_worker_ends_within_its_grace(
    registry: RunningRegistry, well: None
) -> None:
    """F16 for an idle worker: SIGTERM, exit 0."""
    process = registry.worker.process
    assert process is not None
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
