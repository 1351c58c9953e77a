"""The command lines of a local run, and how to ask whether it is ready."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen


def web_command(port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "gunicorn", "registry.wsgi:application"),
        *("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"),
        *("--workers", "2", "--threads", "8", "--timeout", "60"),
        *("--graceful-timeout", "3", "--no-control-socket"),
    ]


def worker_command() -> list[str]:
    return [
        *(sys.executable, "-m", "celery", "-A", "registry", "worker"),
        *("--concurrency", "2", "--loglevel", "INFO"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]


def beat_command(folder: Path) -> list[str]:
    schedule = str(folder / "celerybeat-schedule")
    return [
        *(sys.executable, "-m", "celery", "-A", "registry", "beat"),
        *("--schedule", schedule, "--pidfile", "", "--loglevel", "WARNING"),
    ]


def is_ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return json.load(answer)["status"] == "ok"
    except (URLError, OSError, ValueError):
        return False
