"""The thread that writes log lines to standard error, one per process."""

from __future__ import annotations

import atexit
import os
import queue
import sys
import threading
import time

LONGEST_QUEUE = 10_000
FLUSH_SECONDS = 1.0


class StderrWriter:
    """A bounded queue and the thread that empties it; ``dropped`` counts lost lines."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """A forked child starts anew: it has the queue, but not the thread."""
        self.lines: queue.Queue[str] = queue.Queue(LONGEST_QUEUE)
        self.starting = threading.Lock()
        self.thread: threading.Thread | None = None
        self.dropped = 0

    def ensure_running(self) -> None:
        if self.thread is not None:
            return
        with self.starting:
            if self.thread is None:
                self.thread = threading.Thread(
                    target=self.write_for_ever, name="log writer", daemon=True
                )
                self.thread.start()

    def write_for_ever(self) -> None:
        while True:
            line = self.lines.get()
            try:
                sys.stderr.write(line + "\n")
                sys.stderr.flush()
            except (OSError, ValueError):
                self.dropped += 1
            finally:
                self.lines.task_done()

    def flush(self) -> None:
        """Wait shortly for the last lines; a stalled reader does not hold the exit."""
        deadline = time.monotonic() + FLUSH_SECONDS
        while self.lines.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.01)


stderr_writer = StderrWriter()
atexit.register(stderr_writer.flush)
# A fork while the thread writes would leave the child a stream that stays locked.
os.register_at_fork(before=stderr_writer.flush, after_in_child=stderr_writer.reset)
