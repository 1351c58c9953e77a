"""The real system as processes, for tests that carry the marker ``services``.

Each ``RunningRegistry`` has everything of its own: a PostgreSQL server copied from a
migrated template, a Redis on a loopback port, gunicorn, a worker and beat with a short
sweep. So a test may kill, freeze or restart any part without disturbing others:

    with started_registry(tmp_path) as registry:
        registry.redis.stop()
        registry.worker.kill()
        registry.web.freeze()
        registry.postgres.restart("immediate")
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from registry.embedded.account import account_for
from registry.embedded.lease import one_at_a_time
from registry.embedded.places import BASE_DIR, var_folder
from registry.embedded.postgres import THROW_AWAY, EmbeddedPostgres, programs
from registry.embedded.programs import (
    beat_command,
    is_ready,
    web_command,
    worker_command,
)
from registry.embedded.redis import port_command
from registry.embedded.supervisor import Child, stop_all
from tests.template_database import (
    ensure_template_database,
    migrations_mark,
    shared_server,
)

START_SECONDS = 90
# Commits reach the operating system, so they outlive the server but not the machine.
KILLABLE = {"fsync": "off", "full_page_writes": "off"}
SWEEP_SECONDS = "2"


class Program(Child):
    """A child with the levers of a fault test; ``start`` and ``stop`` are inherited."""

    def kill(self) -> None:
        """SIGKILL to the program and everything that it started."""
        self.send(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def freeze(self) -> None:
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.send(signal.SIGCONT)

    def restart(self) -> None:
        self.stop()
        self.start()

    def stop(self) -> None:
        self.thaw()
        super().stop()


class Server(EmbeddedPostgres):
    """The system's own PostgreSQL with the levers of a fault test."""

    def restart(self, mode: str = "fast") -> None:
        self.stop(mode)
        self.start()

    def freeze(self) -> None:
        """Stop the server's processes where they are: connections are taken by the
        system, and nobody answers."""
        self.send_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self.send_all(signal.SIGCONT)

    def send_all(self, number: signal.Signals) -> None:
        """Each of its processes leads a group of its own."""
        if self.process_id is not None:
            postmaster = psutil.Process(self.process_id)
            for process in [postmaster, *postmaster.children(recursive=True)]:
                process.send_signal(number)


@dataclass
class RunningRegistry:
    """Addresses, processes and levers of one started system."""

    folder: Path
    port: int
    postgres: Server
    redis_url: str
    extra_environment: dict[str, str] = field(default_factory=dict)
    programs: dict[str, Program] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def web(self) -> Program:
        return self.programs["web"]

    @property
    def worker(self) -> Program:
        return self.programs["worker"]

    @property
    def beat(self) -> Program:
        return self.programs["beat"]

    @property
    def redis(self) -> Program:
        return self.programs["redis"]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DJANGO_SETTINGS_MODULE": "registry.settings",
            "MYELON_LOCAL": "true",
            "MYELON_VAR": str(self.folder),
            "DATABASE_URL": self.postgres.url(),
            "REDIS_URL": self.redis_url,
            "SWEEP_SECONDS": SWEEP_SECONDS,
            **self.extra_environment,
        }

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Run ``manage.py`` against this system and return what it prints."""
        command = [sys.executable, str(BASE_DIR / "manage.py"), *arguments]
        answer = subprocess.run(
            command,
            cwd=BASE_DIR,
            env=os.environ | self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode != 0:
            raise RuntimeError(f"{arguments}: {answer.stdout}\n{answer.stderr}")
        return answer.stdout

    def query(
        self, statement: str, values: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        """Rows of a statement, over a connection of its own, committed at once.

        A percent sign is doubled where values are given.
        """
        connection = self.postgres.connect("myelon")
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def start(self) -> None:
        for program in self.programs.values():
            program.start()
        eventually(lambda: is_ready(self.port), START_SECONDS)

    def stop(self) -> None:
        for program in self.programs.values():
            program.thaw()
        stop_all([self.web, self.beat, self.worker])
        self.redis.stop()
        self.postgres.thaw()
        self.postgres.stop("immediate")
        self.postgres.release()

    def logs(self) -> str:
        """Everything that the programs have written."""
        return "".join(
            path.read_text(errors="replace")
            for path in sorted((self.folder / "log").glob("*.log"))
        )


@contextmanager
def started_registry(
    folder: Path, manage: Sequence[Sequence[str]] = (), **environment: str
) -> Iterator[RunningRegistry]:
    """A started system with its files in ``folder``; everything ends with the block.

    ``manage`` are commands run before the programs start, such as
    ``[["create_demo_users"]]``; further environment variables reach all programs.
    """
    registry = prepared_registry(folder, environment)
    try:
        for command in manage:
            registry.manage(*command)
        registry.start()
        yield registry
    finally:
        registry.stop()


def prepared_registry(folder: Path, environment: dict[str, str]) -> RunningRegistry:
    server = Server(folder / "postgres", settings=KILLABLE)
    clone_template(server)
    port, redis_port = free_port(), free_port()
    registry = RunningRegistry(
        folder, port, server, f"redis://127.0.0.1:{redis_port}/0", environment
    )
    variables = registry.environment
    commands = {
        "redis": port_command(folder / "redis", redis_port),
        "web": web_command(port),
        "worker": worker_command(),
        "beat": beat_command(folder),
    }
    registry.programs = {
        name: Program(name, command, folder / "log" / f"{name}.log", variables)
        for name, command in commands.items()
    }
    server.hold()
    return registry


def clone_template(server: Server) -> None:
    """Copy the migrated data folder, which takes a tenth of the migrations' time."""
    copy_data(migrated_template(), server.data)


def copy_data(template: Path, data: Path) -> None:
    """A data folder of its own, owned by the account that runs PostgreSQL."""
    shutil.copytree(template, data)
    account = account_for(data, programs() / "postgres")
    for path in [data, *data.rglob("*")]:
        account.owns(path)
    data.chmod(0o700)


def migrated_template() -> Path:
    """A stopped data folder with all migrations, made again when a migration changes."""
    folder = var_folder() / "test-templates"
    folder.mkdir(parents=True, exist_ok=True)
    template = folder / migrations_mark()
    with one_at_a_time(folder / "making"):
        if not template.exists():
            for old in folder.glob("*/"):
                shutil.rmtree(old)
            make_template(template)
    return template


def make_template(template: Path) -> None:
    """Copy the template database of the ordinary tests into a server of its own."""
    shared, server = shared_server(), Server(template.with_name("new"), THROW_AWAY)
    shared.hold()
    server.hold()
    try:
        source = shared.client_options(ensure_template_database(shared))
        dump = [str(programs() / "pg_dump"), *source]
        restore = [str(programs() / "psql"), "--quiet", "--set=ON_ERROR_STOP=1"]
        content = subprocess.run(dump, check=True, capture_output=True).stdout
        subprocess.run(
            [*restore, *server.client_options()],
            input=content,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    finally:
        server.release()
        shared.release()
    server.data.rename(template)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def eventually(check: Callable[[], Any], seconds: float = 60) -> Any:
    """The first true answer of ``check``; fails with its last answer when time is up."""
    deadline = time.monotonic() + seconds
    while not (answer := check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"still {answer!r} after {seconds} seconds")
        time.sleep(0.1)
    return answer
