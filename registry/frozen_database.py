"""Statements that wait on a server which no longer answers are broken off here.

PostgreSQL's own limits are kept by the server: when it is frozen, or behind a network
that swallows everything, a statement on an open connection waits for ever, and libpq has
no limit for reading. So each process has one thread that looks at what has waited for
seconds, asks over a new connection whether the server lives, and if it does not, ends
the waiting connections. A server that lives is left alone: its limits hold.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

logger = logging.getLogger(__name__)
PATIENCE_SECONDS = 4.0
PROBE_SECONDS = 3  # libpq waits for two at least


@dataclass
class Wait:
    """One statement under way; ``asked_at`` is when the server was last asked."""

    connection: Connection
    asked_at: float = field(default_factory=time.monotonic)


class Watch:
    """What waits in this process, and the thread that looks at it."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """A forked child starts anew: it has neither the thread nor its statements."""
        self.changed = threading.Condition()
        self.waits: dict[int, Wait] = {}
        self.thread: threading.Thread | None = None

    @contextmanager
    def over(self, connection: Connection) -> Iterator[None]:
        key = threading.get_ident()
        if key in self.waits:  # a statement inside a statement of the same thread
            yield
            return
        with self.changed:
            self.waits[key] = Wait(connection)
            if self.thread is None:
                self.thread = threading.Thread(
                    target=self.look_for_ever, name="database watch", daemon=True
                )
                self.thread.start()
            if len(self.waits) == 1:
                self.changed.notify()
        try:
            yield
        finally:
            with self.changed:
                del self.waits[key]

    def look_for_ever(self) -> None:
        while True:
            with self.changed:
                while not self.waits:
                    self.changed.wait()
            time.sleep(PATIENCE_SECONDS / 4)
            try:
                self.look()
            except Exception:
                logger.exception("the watch over the database failed once")

    def look(self) -> None:
        """Ask for each server once; end what waits for one that does not answer."""
        now, waiting = time.monotonic(), list[Wait]()
        with self.changed:
            for wait in self.waits.values():
                if now - wait.asked_at >= PATIENCE_SECONDS:
                    wait.asked_at = now
                    waiting.append(wait)
        for address in {wait.connection.dsn for wait in waiting}:
            if not lives(address, waiting):
                self.end([w for w in waiting if w.connection.dsn == address])

    def end(self, waiting: list[Wait]) -> None:
        """Under the lock: nobody closes a connection, and its number, meanwhile."""
        with self.changed:
            for wait in waiting:
                if wait in self.waits.values():
                    logger.error("a statement was broken off: the database is frozen")
                    shut(wait.connection)


def lives(address: str, waiting: list[Wait]) -> bool:
    given = next(w.connection for w in waiting if w.connection.dsn == address)
    password = given.info.password
    try:
        psycopg2.connect(
            address, password=password, connect_timeout=PROBE_SECONDS
        ).close()
    except psycopg2.OperationalError as error:
        # Too many connections, or starting: the server said so itself.
        return "FATAL" in str(error)
    return True


def shut(connection: Connection) -> None:
    """Both directions, so that libpq reads an end; the number stays libpq's to close."""
    try:
        duplicate = socket.socket(fileno=os.dup(connection.fileno()))
    except (psycopg2.InterfaceError, OSError):
        return
    with duplicate:
        try:
            duplicate.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


watch = Watch()
os.register_at_fork(after_in_child=watch.reset)


class WatchedCursor(Cursor):
    """Of psycopg2, with every exchange with the server watched."""

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002
        with watch.over(self.connection):
            super().execute(query, vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        with watch.over(self.connection):
            super().executemany(query, vars_list)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        with watch.over(self.connection):
            super().copy_expert(sql, file, size)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """Of a named cursor the rows come from the server with each call."""
        number = self.arraysize if size is None else size
        if self.name is None:
            return super().fetchmany(number)
        with watch.over(self.connection):
            return super().fetchmany(number)


class WatchedConnection(Connection):
    """Of psycopg2, with the ends of transactions watched too."""

    def commit(self) -> None:
        with watch.over(self):
            super().commit()

    def rollback(self) -> None:
        with watch.over(self):
            super().rollback()
