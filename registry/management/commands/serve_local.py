"""Everything that a first run needs, in one command; ``make run`` calls it."""

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from registry.celery import breaker, publish
from registry.embedded import local_database_url, local_redis_url
from registry.embedded.errors import ServiceError
from registry.embedded.lease import AlreadyHeld, held_alone
from registry.embedded.places import var_folder
from registry.embedded.postgres import EmbeddedPostgres
from registry.embedded.preflight import check_disk, check_port, read_port
from registry.embedded.programs import (
    beat_command,
    is_ready,
    web_command,
    worker_command,
)
from registry.embedded.redis import socket_command
from registry.embedded.supervisor import Child, stop_all
from registry.models import User
from registry.permissions import Role
from registry.tasks import run_sweep

READY_SECONDS = 90
DEMO_SIGN_INS = {
    "surgeon@demo.example": "surgeon",
    "surgeon.b@demo.example": "surgeon of another centre",
    "coordinator@demo.example": "coordinator",
    "analyst@demo.example": "analyst",
    "admin@demo.example": "administrator",
}


class Command(BaseCommand):
    help = "Run the registry on this machine: database, Redis, worker and web server."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.LOCAL:
            raise CommandError(
                "This command is for a local run. DATABASE_URL or SECRET_KEY is set, so"
                " this looks like production: see docs/operations.md."
            )
        logging.getLogger().setLevel(logging.ERROR)
        # SIGINT too: a shell that starts a program in the background lets it ignore that.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, interrupt)
        try:
            port = read_port(os.environ.get("PORT") or "8000")
            note = f"process {os.getpid()}, http://127.0.0.1:{port}/"
            with held_alone(var_folder() / "serve.lock", note):
                self.run(port)
        except AlreadyHeld as other:
            raise CommandError(
                f"The registry runs already from this folder ({other}). Stop it first."
            ) from None
        except ServiceError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self.say("Stopped. The records are kept in var/.")

    def say(self, text: str) -> None:
        """At once, also into a file or a pipe."""
        self.stdout.write(text)
        self.stdout.flush()

    def run(self, port: int) -> None:
        check_disk(var_folder())
        check_port(port)
        server = EmbeddedPostgres()
        services, programs = local_services(), list[Child]()
        try:
            self.prepare_database()
            programs = local_programs(port, demo=has_demo_data())
            self.start([*services, *programs], port)
            self.watch([*services, *programs], server)
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            self.say("\nStopping …")
            stop_all(programs)
            stop_all(services)
            server.release()

    def prepare_database(self) -> None:
        """Migrations, the cache table, and the demo registry or a first administrator."""
        self.say("Preparing the database …")
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("SET idle_in_transaction_session_timeout = 0")
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        if os.environ.get("EMPTY") == "1":
            self.ensure_administrator()
        elif not User.objects.exists():
            self.load_demo()
        connection.close()

    def ensure_administrator(self) -> None:
        administrators = User.objects.filter(memberships__role=Role.ADMINISTRATOR)
        if not administrators.exists():
            self.say("An empty registry needs its first administrator.")
            call_command("create_administrator")

    def load_demo(self) -> None:
        """All or nothing, so that an interrupted first run begins again."""
        self.say("Loading the demo registry (once, about a minute) …")
        commands = (
            ["load_published"],
            ["seed_demo", "--cases=400", "--centres=8", "--seed=7"],
            ["create_demo_users"],
        )
        log_of("demo").parent.mkdir(parents=True, exist_ok=True)
        with log_of("demo").open("w") as report, transaction.atomic():
            for command in commands:
                call_command(*command, stdout=report)

    def start(self, children: list[Child], port: int) -> None:
        self.say("Starting the web server and the worker …")
        for child in children:
            child.start()
        wait_until_ready(children, port)
        # What the demo registry left to be counted need not wait for beat. Redis was
        # not there while it was loaded, but is now.
        breaker.succeeded()
        publish(run_sweep)
        self.say(self.style.SUCCESS(f"\nMyelon is ready: http://127.0.0.1:{port}/\n"))
        if has_demo_data():
            self.say("Sign in with the password 'demo' as")
            for email, role in DEMO_SIGN_INS.items():
                self.say(f"  {email:<26} {role}")
        self.say(f"\nLogs are in {var_folder() / 'log'}. Ctrl-C ends it.")

    def watch(self, children: list[Child], server: EmbeddedPostgres) -> None:
        """Restart what dies, until the person ends it."""
        embedded = settings.DATABASE_URL == local_database_url()
        while True:
            time.sleep(0.5)
            if embedded and server.process_id is None:
                self.stderr.write("PostgreSQL had ended; starting it again.")
                server.hold()
            for child in children:
                child.turn_log()
                if child.restart_if_ended():
                    self.stderr.write(f"The {child.name} had ended; started it again.")


def interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def has_demo_data() -> bool:
    return User.objects.filter(is_demo=True).exists()


def local_programs(port: int, *, demo: bool) -> list[Child]:
    environment = {"MYELON_DEMO_DATA": "true"} if demo else {}
    return [
        Child("web server", web_command(port), log_of("web"), environment),
        Child("worker", worker_command(), log_of("worker"), environment),
        Child("beat", beat_command(var_folder()), log_of("beat"), environment),
    ]


def local_services() -> list[Child]:
    """What the programs need: it starts before them and ends after them."""
    if settings.REDIS_URL != local_redis_url():
        return []
    return [Child("Redis server", socket_command(), log_of("redis"))]


def log_of(name: str) -> Path:
    return var_folder() / "log" / f"{name}.log"


def wait_until_ready(children: list[Child], port: int) -> None:
    """Until ``/readyz`` says yes; raises ServiceError when a child ends or time is up."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        for child in children:
            if not child.running:
                raise ServiceError(child.last_words())
        if is_ready(port):
            return
        time.sleep(0.2)
    raise ServiceError(
        f"The web server did not become ready in {READY_SECONDS} seconds."
        f" The logs in {var_folder() / 'log'} say why."
    )
