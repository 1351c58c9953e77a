"""Logs: JSON lines in production, readable lines locally, never a patient's words.

Only the fields of ``ALLOWED_FIELDS`` are written, addresses lose their query string (it
may hold a name that somebody searched for), and exceptions are told by type and place:
their texts quote values ("Key (email)=(…) already exists").
"""

from __future__ import annotations

import logging
import queue
import sys
import traceback
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from registry.log_stream import stderr_writer

ALLOWED_FIELDS = {
    "_record",
    "_from_structlog",
    "event",
    "level",
    "timestamp",
    "logger",
    "request_id",
    "correlation_id",
    "user_id",
    "request",
    "code",
    "task",
    "task_id",
    "parent_task_id",
    "task_name",
    "duration_ms",
    "reason",
    "exception",
}


class NeverWaitingHandler(logging.Handler):
    """Hands lines to a thread that writes them; drops them when the reader stalls.

    A full pipe at standard error would otherwise stop every request at its first line.
    """

    def emit(self, record: logging.LogRecord) -> None:
        try:
            stderr_writer.lines.put_nowait(self.line_of(record))
            stderr_writer.ensure_running()
        except queue.Full:
            stderr_writer.dropped += 1

    def line_of(self, record: logging.LogRecord) -> str:
        """The line, or where it failed: Python's own report would quote the values."""
        try:
            return self.format(record)
        except Exception as error:
            place = f"{record.name} {record.pathname}:{record.lineno}"
            return f"a line of {place} failed: {type(error).__name__}"


class ExceptionsByType(logging.Filter):
    """Names an exception among a message's arguments instead of quoting its text."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                type(value).__name__ if isinstance(value, BaseException) else value
                for value in record.args
            )
        return True


def keep_allowed_fields(
    logger: WrappedLogger, method: str, event: EventDict
) -> EventDict:
    return {name: value for name, value in event.items() if name in ALLOWED_FIELDS}


def drop_query_string(
    logger: WrappedLogger, method: str, event: EventDict
) -> EventDict:
    if "request" in event:
        event["request"] = str(event["request"]).split("?")[0]
    return event


class DescribeException:
    """Replaces ``exc_info`` by type and place; ``texts`` adds what it says (DEBUG)."""

    def __init__(self, texts: bool) -> None:
        self.texts = texts

    def __call__(
        self, logger: WrappedLogger, method: str, event: EventDict
    ) -> EventDict:
        info = event.pop("exc_info", None)
        error = info[1] if isinstance(info, tuple) else info
        if isinstance(error, BaseException):
            event["exception"] = describe(error, texts=self.texts)
        return event


def describe(error: BaseException, *, texts: bool) -> str:
    """``ValueError at cases/forms.py:12 in clean``, the innermost ten frames."""
    if texts:
        return "".join(traceback.format_exception(error))
    frames = traceback.extract_tb(error.__traceback__)[-10:]
    places = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    return f"{kind} at " + " > ".join(places)


def shared_processors(exception_texts: bool) -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        DescribeException(texts=exception_texts),
        drop_query_string,
        keep_allowed_fields,
    ]


def logging_configuration(*, readable: bool, exception_texts: bool) -> dict[str, Any]:
    """The LOGGING setting; foreign loggers pass the same processors as our own."""
    renderer: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if readable:
        renderer = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [
                    add_exc_info,
                    *shared_processors(exception_texts),
                ],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    renderer,
                ],
            }
        },
        "filters": {"exceptions_by_type": {"()": ExceptionsByType}},
        "handlers": {
            "stderr": {
                "()": NeverWaitingHandler,
                "formatter": "line",
                "filters": [] if exception_texts else ["exceptions_by_type"],
            }
        },
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            "django.db.backends": {"level": "WARNING"},
            # Names the person's e-mail address; the audit events tell the same.
            "axes": {"level": "CRITICAL"},
            # django-structlog tells the same in one line with the request's id, and
            # without the text of the exception.
            "celery.app.trace": {"level": "CRITICAL"},
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
        },
    }


def add_exc_info(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Take the exception of a foreign record, so that its text is not appended."""
    record = event.get("_record")
    if record is not None and record.exc_info:
        event["exc_info"] = record.exc_info
        record.exc_info = record.exc_text = None
    return event


def configure_structlog(*, exception_texts: bool) -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            current_exception,
            *shared_processors(exception_texts),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def current_exception(
    logger: WrappedLogger, method: str, event: EventDict
) -> EventDict:
    """``exc_info=True`` means the exception being handled."""
    if event.get("exc_info") is True:
        event["exc_info"] = sys.exc_info()
    return event
