"""The child processes of a local run: started, watched, restarted, ended."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from registry.embedded.errors import ServiceError
from registry.embedded.places import BASE_DIR
from registry.embedded.postgres import last_lines

LARGEST_LOG_BYTES = 10_000_000
RESTARTS_A_MINUTE = 5


@dataclass
class Child:
    """One program in its own process group, so that Ctrl-C reaches only its parent.

    ``inherits`` adds the variables of the parent to its own. ``patience`` is how many
    seconds it gets to end by itself: a worker finishes its task, and a message that it
    drops is delivered again.
    """

    name: str
    command: list[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    patience: float = 5
    inherits: bool = True
    process: subprocess.Popen[bytes] | None = None
    started_at: list[float] = field(default_factory=list)

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.turn_log()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603
                [*dies_with_parent(), *self.command],
                cwd=BASE_DIR,
                env=(dict(os.environ) if self.inherits else {})
                | dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started_at.append(time.monotonic())

    def turn_log(self) -> None:
        """Keep the last log that grew too large, and begin anew, while the child writes.

        It appends, so it goes on at the new end; lines of this moment may be lost.
        """
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG_BYTES:
            shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
            os.truncate(self.log, 0)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def restart_if_ended(self) -> bool:
        """Start again after a death; raises ServiceError when it dies again and again."""
        if self.running:
            return False
        minute_ago = time.monotonic() - 60
        self.started_at = [at for at in self.started_at if at > minute_ago]
        if len(self.started_at) >= RESTARTS_A_MINUTE:
            raise ServiceError(self.last_words())
        self.start()
        return True

    def last_words(self) -> str:
        return (
            f"The {self.name} ends again and again. Its log {self.log} ends with:\n"
            f"{last_lines(self.log, 12)}"
        )

    def send(self, number: signal.Signals) -> None:
        """To the whole group: the program and the processes that it has started."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                pass

    def stop(self) -> None:
        """Ask, wait, insist: SIGTERM to the program, then SIGKILL to its group."""
        if self.process is None:
            return
        if self.running:
            self.process.terminate()
            self.wait(self.patience)
        self.send(signal.SIGKILL)
        self.process.wait()

    def wait(self, seconds: float) -> None:
        if self.process is not None:
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                return


@cache
def dies_with_parent() -> tuple[str, ...]:
    """Where Linux offers it: the child ends even when its parent is killed outright."""
    program = shutil.which("setpriv")
    if program is None:
        return ()
    check = [program, "--pdeathsig", "TERM", "true"]
    known = subprocess.run(check, capture_output=True, check=False).returncode == 0  # noqa: S603
    return (program, "--pdeathsig", "TERM") if known else ()


def stop_all(children: list[Child]) -> None:
    """Ask everybody at once, then wait in the order of the list."""
    for child in children:
        if child.running and child.process is not None:
            child.process.terminate()
    for child in children:
        child.stop()
