"""Logs: allowed fields only, no values in exceptions, and never in the way."""

from __future__ import annotations

import json
import logging
import logging.config
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
import structlog

from registry import log_stream
from registry import logging as registry_logging
from registry.embedded.places import BASE_DIR
from registry.log_stream import StderrWriter
from registry.logging import NeverWaitingHandler, logging_configuration

CANARY = "Yamada Hanako"
WRITE_LINES = """
import logging, logging.config, sys
from registry.logging import configure_structlog, logging_configuration
import structlog
logging.config.dictConfig(logging_configuration(readable=False, exception_texts=False))
configure_structlog(exception_texts=False)
{statements}
"""


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> Iterator[StderrWriter]:
    own = StderrWriter()
    monkeypatch.setattr(registry_logging, "stderr_writer", own)
    yield own


def written(statements: str) -> list[dict[str, object]]:
    """The JSON lines that a fresh process writes."""
    answer = subprocess.run(
        [sys.executable, "-c", WRITE_LINES.format(statements=statements)],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in answer.stderr.splitlines()]


def test_only_allowed_fields_are_written() -> None:
    (line,) = written(
        "structlog.get_logger('x').info("
        f"'saved', request_id='r1', patient={CANARY!r}, code=200)"
    )
    assert line.pop("timestamp")
    assert line == {
        "event": "saved",
        "request_id": "r1",
        "code": 200,
        "level": "info",
        "logger": "x",
    }


def test_query_string_is_dropped() -> None:
    (line,) = written(
        "structlog.get_logger('x').info('request_finished',"
        " request='GET /cases/?q=Yamada')"
    )
    assert line["request"] == "GET /cases/"


@pytest.mark.parametrize(
    "call",
    [
        "logging.getLogger('django.request').exception('failed')",
        "structlog.get_logger('x').exception('failed')",
        "structlog.get_logger('x').error('failed', exc_info=error)",
    ],
)
def test_exception_is_told_by_type_and_place_only(call: str) -> None:
    (line,) = written(
        "def save():\n"
        f"    raise ValueError('Key (name)=({CANARY}) already exists')\n"
        "try:\n    save()\n"
        f"except ValueError as error:\n    {call}\n"
    )
    assert CANARY not in json.dumps(line)
    assert str(line["exception"]).startswith("builtins.ValueError at ")
    assert "in save" in str(line["exception"])


def test_exception_in_a_message_is_named_only() -> None:
    (line,) = written(
        "logging.getLogger('django.db.backends.base').error("
        f"'Error calling %s (%s).', 'hook', ValueError({CANARY!r}))"
    )
    assert line["event"] == "Error calling hook (ValueError)."


def test_foreign_lines_carry_the_request_s_id() -> None:
    (line,) = written(
        "structlog.contextvars.bind_contextvars(request_id='r2')\n"
        "logging.getLogger('django.request').warning('Not Found: %s', '/x/')"
    )
    assert line["request_id"] == "r2"
    assert line["event"] == "Not Found: /x/"


def test_sign_in_names_are_not_logged() -> None:
    assert written("logging.getLogger('axes.handlers').warning('x@y.example')") == []


def test_line_that_cannot_be_written_quotes_nothing() -> None:
    class Broken:
        def __str__(self) -> str:
            raise ValueError(CANARY)

    record = logging.makeLogRecord({"msg": "%s", "args": (Broken(),), "name": "x"})
    line = NeverWaitingHandler().line_of(record)
    assert line.startswith("a line of x ")
    assert line.endswith("failed: ValueError")


def test_blocked_reader_never_holds_a_caller(writer: StderrWriter) -> None:
    """F33: the pipe is full and nobody reads."""
    reader, pipe = os.pipe()
    os.set_blocking(pipe, False)
    try:
        while True:
            os.write(pipe, b"x" * 65536)
    except BlockingIOError:
        os.set_blocking(pipe, True)
    with os.fdopen(pipe, "w") as full:
        stuck = threading.Thread(target=write_one, args=(full,), daemon=True)
        stuck.start()
        writer.thread = stuck
        handler = NeverWaitingHandler()
        record = logging.makeLogRecord({"msg": "line"})
        for _ in range(log_stream.LONGEST_QUEUE + 50):
            handler.handle(record)
        assert stuck.is_alive()
        assert writer.dropped == 50
        os.read(reader, 10**7)
        stuck.join()
    os.close(reader)


def write_one(full: object) -> None:
    full.write("line")  # type: ignore[attr-defined]
    full.flush()  # type: ignore[attr-defined]


def test_forked_child_writes_with_a_thread_of_its_own() -> None:
    lines = written(
        "import os\n"
        "logging.getLogger('parent').warning('before')\n"
        "child = os.fork()\n"
        "logging.getLogger('child' if child == 0 else 'parent').warning('after')\n"
        "if child == 0:\n"
        "    from registry.log_stream import stderr_writer\n"
        "    stderr_writer.flush(); os._exit(0)\n"
        "os.waitpid(child, 0)"
    )
    assert sorted((line["logger"], line["event"]) for line in lines) == [
        ("child", "after"),
        ("parent", "after"),
        ("parent", "before"),
    ]


def test_local_lines_are_readable() -> None:
    configuration = logging_configuration(readable=True, exception_texts=True)
    renderer = configuration["formatters"]["line"]["processors"][-1]
    assert isinstance(renderer, structlog.dev.ConsoleRenderer)
