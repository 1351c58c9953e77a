"""``make run`` as processes: it starts everything, shares nothing, and ends cleanly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from registry.embedded.places import BASE_DIR
from registry.embedded.postgres import THROW_AWAY, EmbeddedPostgres
from tests.processes import Server, clone_template, eventually, free_port

pytestmark = pytest.mark.services


class LocalRun:
    """One ``manage.py serve_local`` with its own ``var`` folder."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.output = folder / "output"
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "registry.settings",
            "MYELON_LOCAL": "true",
            "MYELON_VAR": str(folder),
            "DATABASE_URL": "",
            "PORT": str(self.port),
            "EMPTY": "1",
            "ADMIN_EMAIL": "first@hospital.example",
            "ADMIN_PASSWORD": "a long enough phrase",
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(BASE_DIR / "manage.py"), "serve_local"],
                cwd=BASE_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # As a shell starts it with "&": Ctrl-C of others must not reach it.
                preexec_fn=ignore_interrupts,
            )

    def said(self) -> str:
        return self.output.read_text()

    def wait_until_ready(self) -> None:
        eventually(lambda: "Myelon is ready" in self.said() or self.has_ended(), 120)
        assert not self.has_ended(), self.said()

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)

    def left_over(self) -> list[str]:
        """Processes that still know this run's folder or port."""
        marks = (str(self.folder), f"127.0.0.1:{self.port}")
        found = []
        for process in psutil.process_iter(["cmdline"]):
            line = " ".join(process.info["cmdline"] or [])
            if any(mark in line for mark in marks) and process.pid != os.getpid():
                found.append(line)
        return found

    def readiness(self) -> dict[str, object]:
        with urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=10) as answer:
            return json.load(answer)


def ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.fixture
def run(tmp_path: Path, test_server: EmbeddedPostgres) -> Iterator[LocalRun]:
    clone_template(Server(tmp_path / "postgres", THROW_AWAY))
    run = LocalRun(tmp_path)
    yield run
    if run.process is not None and not run.has_ended():
        run.end(signal.SIGTERM)


def test_run_starts_ends_and_starts_again_with_its_records(run: LocalRun) -> None:
    run.start()
    run.wait_until_ready()
    assert "first@hospital.example may now sign in" in run.said()
    eventually(lambda: run.readiness()["worker_age_seconds"] is not None)
    assert run.end(signal.SIGINT) == 0
    assert run.left_over() == []
    run.output.write_text("")
    run.start()
    run.wait_until_ready()
    assert "administrator" not in run.said()
    assert run.end(signal.SIGTERM) == 0
    assert run.left_over() == []


def test_dead_parts_are_started_again(run: LocalRun) -> None:
    run.start()
    run.wait_until_ready()
    database = Server(run.folder / "postgres")
    assert database.process_id is not None
    os.kill(database.process_id, signal.SIGKILL)
    parent = psutil.Process(run.process.pid if run.process else 0)
    for child in parent.children():
        child.kill()
    eventually(lambda: run.said().count("started it again") >= 4)
    eventually(lambda: "PostgreSQL had ended" in run.said())
    eventually(lambda: is_well(run))
    assert run.end(signal.SIGINT) == 0
    assert run.left_over() == []


def is_well(run: LocalRun) -> bool:
    try:
        return run.readiness()["status"] == run.readiness()["redis"] == "ok"
    except OSError:
        return False


def test_killed_run_takes_its_children_along(run: LocalRun) -> None:
    """And it starts straight after everything was killed, the database too."""
    run.start()
    run.wait_until_ready()
    run.end(signal.SIGKILL)
    eventually(lambda: not [line for line in run.left_over() if "postgres" not in line])
    database = Server(run.folder / "postgres").process_id
    assert database is not None
    os.kill(database, signal.SIGKILL)
    run.start()
    eventually(lambda: run.said().count("Myelon is ready") == 2, 120)
    assert run.end(signal.SIGINT) == 0
    assert run.left_over() == []


def test_second_run_and_taken_port_are_said_plainly(run: LocalRun) -> None:
    run.start()
    run.wait_until_ready()
    second = LocalRun(run.folder)
    second.output = run.folder / "second"
    second.start()
    eventually(second.has_ended, 60)
    assert "runs already from this folder" in second.said()
    assert f"http://127.0.0.1:{run.port}/" in second.said()
    elsewhere = LocalRun(run.folder, MYELON_VAR=str(run.folder / "other"))
    elsewhere.output = run.folder / "third"
    elsewhere.environment["PORT"] = str(run.port)
    elsewhere.start()
    eventually(elsewhere.has_ended, 60)
    assert f"Port {run.port} is taken by " in elsewhere.said()
    assert "Traceback" not in second.said() + elsewhere.said()
    assert run.end(signal.SIGINT) == 0


def test_empty_run_without_terminal_says_what_it_needs(run: LocalRun) -> None:
    run.environment |= {"ADMIN_EMAIL": "", "ADMIN_PASSWORD": ""}
    run.start()
    eventually(run.has_ended, 60)
    assert "Set ADMIN_EMAIL and ADMIN_PASSWORD" in run.said()
    assert "Traceback" not in run.said()


def test_weak_first_password_is_refused(run: LocalRun) -> None:
    run.environment |= {"ADMIN_PASSWORD": "short"}
    run.start()
    eventually(run.has_ended, 60)
    assert "too short" in run.said()


def test_production_variables_keep_it_from_starting(run: LocalRun) -> None:
    run.environment |= {
        "MYELON_LOCAL": "false",
        "SECRET_KEY": "s" * 50,
        "AUDIT_KEY": "a" * 50,
        "PSEUDONYM_KEY": "p" * 50,
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    run.start()
    eventually(run.has_ended, 60)
    assert "this looks like production" in run.said()
