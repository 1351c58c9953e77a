"""Who uses an embedded server: shared locks that end with their process.

Every user of a server holds a shared lock on one file. Whoever leaves and could turn
the own lock into an exclusive one was the last and stops the server. The kernel drops
the locks of a process however it ends, so a crash leaves nothing to clean up.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Lease:
    """One process's claim on a server; the file descriptor is the claim."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self.descriptor, fcntl.LOCK_SH)

    def is_last(self) -> bool:
        """Whether nobody else holds a claim; call inside ``one_at_a_time``."""
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def drop(self) -> None:
        os.close(self.descriptor)


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Only one process at a time starts or stops a server."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class AlreadyHeld(RuntimeError):
    """Somebody else holds the exclusive lock; the text is what they wrote into it."""


@contextmanager
def held_alone(path: Path, note: str) -> Iterator[None]:
    """Hold a lock for as long as the block runs, with a note for those who come later.

    Raises AlreadyHeld with the other's note.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyHeld(path.read_text().strip()) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, note.encode())
        yield
    finally:
        os.close(descriptor)
