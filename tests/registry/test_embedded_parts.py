"""What a local run checks and starts beside PostgreSQL: ports, locks, Redis, children."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import psutil
import pytest

from registry.embedded import places, preflight, supervisor
from registry.embedded.errors import ServiceError
from registry.embedded.lease import AlreadyHeld, held_alone
from registry.embedded.redis import port_command
from registry.embedded.supervisor import Child
from tests.processes import eventually, free_port


def test_taken_port_names_its_holder() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(ServiceError, match=rf"\(process {os.getpid()}\)"):
            preflight.check_port(port)


@pytest.mark.parametrize("text", ["", "0", "65536", "eighty", "８０", "-1", "80 80"])
def test_impossible_port_is_refused(text: str) -> None:
    with pytest.raises(ServiceError, match="from 1 to 65535"):
        preflight.read_port(text)


def test_second_run_hears_of_the_first(tmp_path: Path) -> None:
    lock = tmp_path / "serve.lock"
    with held_alone(lock, "process 12"), pytest.raises(AlreadyHeld, match="process 12"):
        with held_alone(lock, "process 13"):
            pass
    with held_alone(lock, "process 14"):
        assert lock.read_text() == "process 14"


KEYS = ("secret_key", "audit_key", "pseudonym_key")


def test_keys_are_made_once_for_the_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYELON_VAR", str(tmp_path / "var"))
    keys = [places.local_key(name) for name in KEYS]
    assert min(map(len, keys)) >= 32
    assert len(set(keys)) == 3
    assert [places.local_key(name) for name in KEYS] == keys
    for name in KEYS:
        assert (tmp_path / "var" / name).stat().st_mode & 0o777 == 0o600


def test_records_of_before_keep_the_key_that_they_hang_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYELON_VAR", str(tmp_path / "var"))
    former = places.local_key("secret_key")
    (tmp_path / "var" / "postgres").mkdir()
    assert [places.local_key(name) for name in KEYS] == [former] * 3
    (tmp_path / "var" / "secret_key").write_text("n" * 50)
    assert [places.local_key(name) for name in KEYS[1:]] == [former] * 2


def test_addresses_are_computed_without_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYELON_VAR", str(tmp_path / "var"))
    places.local_database_url()
    places.local_redis_url()
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize(
    ("environment", "dotenv", "expected"),
    [
        ({}, "", "true"),
        ({"DATABASE_URL": "postgresql://x/y"}, "", None),
        ({"SECRET_KEY_FILE": "/run/secrets/key"}, "", None),
        ({"MYELON_LOCAL": "false"}, "", "false"),
        ({}, "SECRET_KEY=abc\n", None),
        ({}, "export DATABASE_URL=postgresql://x/y\n", None),
        ({}, "SECRET_KEY=\n# DATABASE_URL=x\n", "true"),
    ],
)
def test_local_mode_is_only_chosen_without_production_variables(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    dotenv: str,
    expected: str | None,
) -> None:
    for name in ("DATABASE_URL", "SECRET_KEY", "SECRET_KEY_FILE", "MYELON_LOCAL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / ".env").write_text(dotenv)
    monkeypatch.setattr(places, "BASE_DIR", tmp_path)
    places.choose_local_mode()
    assert os.environ.get("MYELON_LOCAL") == expected


def test_redis_keeps_its_queue_over_a_restart(tmp_path: Path) -> None:
    port = free_port()
    child = Child("Redis", port_command(tmp_path / "redis", port), tmp_path / "log")
    child.start()
    try:
        eventually(lambda: redis_says(port, "RPUSH queue task") == ":1")
        child.stop()
        child.start()
        eventually(lambda: redis_says(port, "LLEN queue") == ":1")
    finally:
        child.stop()


def redis_says(port: int, command: str) -> str:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(command.encode() + b"\r\n")
            return connection.recv(100).decode().strip()
    except OSError:
        return ""


def test_child_that_dies_again_and_again_ends_with_its_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such setting')"]
    child = Child("worker", command, tmp_path / "worker.log")
    child.start()
    with pytest.raises(ServiceError, match="no such setting"):
        eventually(lambda: child.restart_if_ended() and False, 30)


def test_stubborn_child_is_killed_with_its_children(tmp_path: Path) -> None:
    program = (
        "import signal, subprocess, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(subprocess.Popen(['sleep', '600']).pid, flush=True)\n"
        "signal.pause()\n"
    )
    log = tmp_path / "log"
    child = Child("worker", [sys.executable, "-c", program], log, patience=0.2)
    child.start()
    grandchild = int(eventually(log.read_text))
    child.stop()
    assert not child.running
    eventually(lambda: not psutil.pid_exists(grandchild))


def test_a_log_turns_while_its_program_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "LARGEST_LOG_BYTES", 100)
    log = tmp_path / "log" / "words.log"
    child = Child(
        "words", ["sh", "-c", "while :; do echo words; sleep 0.02; done"], log
    )
    child.start()
    try:
        eventually(lambda: log.stat().st_size > 100)
        child.turn_log()
        former = log.with_suffix(".log.1").read_text()
        assert former.startswith("words\n")
        eventually(lambda: log.stat().st_size > 20)
        assert log.read_text().startswith("words\n"), "no hole at its beginning"
        assert child.running
    finally:
        child.stop()
