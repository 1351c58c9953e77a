"""What can be known to be wrong before anything starts, said plainly."""

from __future__ import annotations

import errno
import shutil
import socket
from pathlib import Path

import psutil

from registry.embedded.errors import ServiceError

LEAST_FREE_MEGABYTES = 200


def check_disk(folder: Path) -> None:
    free = shutil.disk_usage(folder).free // 2**20
    if free < LEAST_FREE_MEGABYTES:
        raise ServiceError(
            f"Only {free} MB are free on the disk of {folder};"
            f" the registry needs at least {LEAST_FREE_MEGABYTES} MB."
        )


def read_port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise ServiceError(f"PORT={text!r} must be a number from 1 to 65535.")
    return int(text)


def check_port(port: int) -> None:
    """Whether gunicorn will be able to listen on the loopback address."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise ServiceError(port_message(port, error)) from None


def port_message(port: int, error: OSError) -> str:
    if error.errno != errno.EADDRINUSE:
        return f"Port {port} cannot be used: {error.strerror}. Try PORT=8123."
    return (
        f"Port {port} is taken{by_whom(port)}."
        f" Stop that program, or choose another port: make run PORT={port % 65535 + 1}"
    )


def by_whom(port: int) -> str:
    """`` by python (process 812)`` where the system tells it, else nothing."""
    try:
        listeners = [
            connection.pid
            for connection in psutil.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
            and connection.laddr.port == port
            and connection.pid
        ]
        return f" by {psutil.Process(listeners[0]).name()} (process {listeners[0]})"
    except (psutil.Error, IndexError):
        return ""
