"""A statement on an open connection ends when the server is frozen, and only then."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from typing import Any

import psycopg2
import pytest
from django.conf import settings

from registry import frozen_database
from registry.embedded.postgres import EmbeddedPostgres
from registry.frozen_database import watch
from tests.processes import KILLABLE, Server, eventually

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, test_server: EmbeddedPostgres
) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("frozen") / "postgres", KILLABLE)
    server.hold()
    yield server
    server.thaw()
    server.stop("immediate")
    server.release()


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen_database, "PATIENCE_SECONDS", 0.4)


def connected(server: Server) -> Any:
    return psycopg2.connect(
        host=str(server.socket_folder),
        user="postgres",
        dbname="myelon",
        **settings.DATABASES["default"]["OPTIONS"],
    )


WAYS = {
    "execute": lambda c: c.cursor().execute("SELECT 1"),
    "copy": lambda c: c.cursor().copy_expert("COPY (SELECT 1) TO STDOUT", BytesIO()),
    "commit": lambda c: c.commit(),
    "rollback": lambda c: c.rollback(),
}


@pytest.mark.parametrize("way", WAYS)
def test_F22_what_waits_on_a_frozen_server_ends(server: Server, way: str) -> None:
    """Without the watch, each of these waits until somebody thaws the server."""
    ended: list[BaseException] = []

    def ask(connection: Any) -> None:
        try:
            WAYS[way](connection)
        except psycopg2.Error as error:
            ended.append(error)

    with closing(connected(server)) as connection:
        connection.cursor().execute("CREATE TEMP TABLE IF NOT EXISTS t ()")
        server.freeze()
        try:
            person = threading.Thread(target=ask, args=[connection], daemon=True)
            person.start()
            eventually(lambda: ended, 30)
        finally:
            server.thaw()
        assert isinstance(ended[0], psycopg2.OperationalError)
        person.join()
    assert watch.waits == {}


def test_a_slow_statement_of_a_living_server_goes_on(server: Server) -> None:
    """It waits past the patience several times over; the server's own limits hold."""
    asked = []
    lives = frozen_database.lives

    def counted(*arguments: Any) -> bool:
        asked.append(lives(*arguments))
        return asked[-1]

    with pytest.MonkeyPatch.context() as patch, closing(connected(server)) as waiting:
        patch.setattr(frozen_database, "lives", counted)
        with closing(server.connect("myelon")) as holder, holder.cursor() as lock:
            lock.execute("SELECT pg_advisory_lock(1)")
            done: list[float] = []

            def wait() -> None:
                waiting.cursor().execute("SELECT pg_advisory_lock(1)")
                done.append(time.monotonic())

            person = threading.Thread(target=wait, daemon=True)
            person.start()
            eventually(lambda: len(asked) >= 2)
            assert not done
        person.join()
    assert asked[:2] == [True, True]
    assert done
