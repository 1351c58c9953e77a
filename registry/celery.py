"""The Celery application, and the one way by which the web asks for background work.

Redis is the doorbell, rows are the truth: a message that could not be sent is found by
the sweep. So publishing fails fast, and for ten seconds after a failure is not even
tried.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import Any

from celery import Celery, Task
from celery.signals import setup_logging
from django.db import transaction
from django_structlog.celery.steps import DjangoStructLogInitStep
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

# Before Celery(): its Django part, which renews broken database connections, is only
# switched on when the settings are known here.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")
app = Celery("registry")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()  # for every thread: Celery's "current app" is one thread's alone
app.steps["worker"].add(DjangoStructLogInitStep)

logger = logging.getLogger(__name__)
BROKER_ERRORS = (OperationalError, RedisError, OSError)


@setup_logging.connect
def keep_django_logging(**kwargs: object) -> None:
    """A receiver, even an empty one, stops Celery from installing its own logging."""


class Breaker:
    """Remembers for a while that the broker is away, for all threads of the process."""

    def __init__(self, pause_seconds: float = 10) -> None:
        self.pause_seconds = pause_seconds
        self.closed_until = 0.0
        self.open = False
        self.lock = threading.Lock()

    def allows(self) -> bool:
        """Whether to try now. After the pause, one caller tries for all."""
        with self.lock:
            if not self.open:
                return True
            if time.monotonic() < self.closed_until:
                return False
            self.closed_until = time.monotonic() + self.pause_seconds
            return True

    def failed(self) -> None:
        with self.lock:
            self.open = True
            self.closed_until = time.monotonic() + self.pause_seconds

    def succeeded(self) -> None:
        with self.lock:
            self.open = False


breaker = Breaker()


def enqueue(task: Task, *arguments: Any) -> None:
    """Ask for a task after commit. Never raises: the save has already succeeded.

    A lambda, not ``functools.partial``: Django's own logging of a robust callback needs
    a name and crashes on a partial.
    """
    transaction.on_commit(lambda: publish(task, *arguments), robust=True)


def publish(task: Task, *arguments: Any) -> bool:
    """Send the message now; False where the broker is away."""
    if not breaker.allows():
        return False
    try:
        task.apply_async(arguments)
    except BROKER_ERRORS as error:
        breaker.failed()
        logger.warning(
            "background work not announced, the sweep will find it: %s (%s)",
            task.name,
            type(error).__name__,
        )
        return False
    breaker.succeeded()
    return True
