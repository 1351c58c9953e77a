"""The production set-up as processes: what docker-compose.yml says, without containers.

Roles are made by the repository's own script, the environment of each program is read
from docker-compose.yml, the command of the web server from the Dockerfile, and nginx
runs the repository's configuration with other ports and paths. So a mistake in one of
these files fails a test.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from registry.embedded.lease import one_at_a_time
from registry.embedded.places import BASE_DIR, var_folder
from registry.embedded.postgres import programs
from tests.processes import KILLABLE, Server, copy_data, free_port
from tests.template_database import migrations_mark

COMPOSE: dict[str, Any] = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())
DOCKERFILE = (BASE_DIR / "Dockerfile").read_text()
SCRIPT = BASE_DIR / "deploy" / "postgres" / "10-roles.sh"
SECRETS = {
    "SECRET_KEY": "0123456789abcdef" * 4,
    "AUDIT_KEY": "fedcba9876543210" * 4,
    "PSEUDONYM_KEY": "02468ace13579bdf" * 4,
    "POSTGRES_PASSWORD": "superuser-s-password",
    "OWNER_DATABASE_PASSWORD": "owner-s-password",
    "APP_DATABASE_PASSWORD": "application-s-password",
    "REDIS_PASSWORD": "broker-s-password",
    "ALLOWED_HOSTS": "registry.test",
    "EMAIL_URL": "smtp://127.0.0.1:1",  # nobody listens there
}
# Over TCP a password is asked for, as in a container; the socket is the superuser's.
ACCESS = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


def listening() -> dict[str, str]:
    """Settings of a server that programs reach as they reach a container."""
    return KILLABLE | {"listen_addresses": "127.0.0.1", "port": str(free_port())}


@contextmanager
def empty_server(folder: Path) -> Iterator[Server]:
    """A new PostgreSQL that listens on a port, with a database and its superuser."""
    server = Server(folder, listening())
    server.hold("registry")
    try:
        (server.data / "pg_hba.conf").write_text(ACCESS)
        password = SECRETS["POSTGRES_PASSWORD"]
        execute(server, f"ALTER ROLE postgres PASSWORD '{password}'")
        execute(server, "SELECT pg_reload_conf()")
        yield server
    finally:
        server.stop("immediate")
        server.release()


def execute(server: Server, statement: str) -> list[tuple[Any, ...]]:
    """As superuser, through the socket."""
    connection = server.connect("registry")
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def url_of(server: Server, role: str) -> str:
    password = {
        "postgres": SECRETS["POSTGRES_PASSWORD"],
        "registry_owner": SECRETS["OWNER_DATABASE_PASSWORD"],
        "registry_app": SECRETS["APP_DATABASE_PASSWORD"],
    }[role]
    return f"postgresql://{role}:{password}@127.0.0.1:{server.port}/registry"


def make_roles(server: Server) -> None:
    """By the script that the container of PostgreSQL runs."""
    environment = {
        "PATH": f"{programs()}:{os.defpath}",
        "PGHOST": str(server.socket_folder),
        "PGPORT": str(server.port),
        "POSTGRES_USER": "postgres",
        "POSTGRES_DB": "registry",
        **SECRETS,
    }
    subprocess.run(["bash", str(SCRIPT)], env=environment, check=True)


@dataclass
class Production:
    """A prepared database, and the environment that compose gives to each service."""

    folder: Path
    postgres: Server
    redis_port: int = field(default_factory=free_port)

    def environment(self, service: str) -> dict[str, str]:
        """The block of docker-compose.yml, with the hosts of this machine."""
        written = COMPOSE["services"][service]["environment"]
        filled = {name: substituted(str(value)) for name, value in written.items()}
        for name, value in filled.items():
            value = value.replace("@postgres/", f"@127.0.0.1:{self.postgres.port}/")
            filled[name] = value.replace("@redis:6379", f"@127.0.0.1:{self.redis_port}")
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
            "DJANGO_SETTINGS_MODULE": "registry.settings",
            "MYELON_LOCAL": "false",
            "STATIC_ROOT": str(self.folder / "static"),
            **filled,
            "AUDIT_HEADS": str(self.folder / "heads.jsonl"),
        }

    def manage(
        self, *arguments: str, service: str = "migrate", **more: str
    ) -> subprocess.CompletedProcess[str]:
        """``docker compose run SERVICE python manage.py …``; the caller looks at it."""
        return subprocess.run(
            [sys.executable, str(BASE_DIR / "manage.py"), *arguments],
            cwd=BASE_DIR,
            env=self.environment(service) | more,
            capture_output=True,
            text=True,
            check=False,
        )


def substituted(text: str) -> str:
    """``${NAME}``, ``${NAME:-default}`` and ``${NAME:?message}`` as compose fills them."""

    def value(found: re.Match[str]) -> str:
        name, rule, rest = found[1], found[2], found[3]
        if name in SECRETS:
            return SECRETS[name]
        assert rule != ":?", f"{name} has no value: {rest}"
        return rest or ""

    return re.sub(r"\$\{(\w+)(:[-?])?([^}]*)\}", value, text)


@contextmanager
def production_database(folder: Path) -> Iterator[Production]:
    """Roles, tables and rights as after the first start of the service ``migrate``."""
    server = Server(folder / "postgres", listening())
    copy_data(production_template(), server.data)
    server.hold("registry")
    try:
        yield Production(folder, server)
    finally:
        server.thaw()
        server.stop("immediate")
        server.release()


def production_template() -> Path:
    """A stopped data folder, prepared once by the repository's script and command."""
    folder = var_folder() / "test-production"
    folder.mkdir(parents=True, exist_ok=True)
    granting = ("management/commands/prepare_deployment.py", "audit/evidence.py")
    prepared = [SCRIPT, *(BASE_DIR / "registry" / path for path in granting)]
    mark = hashlib.sha256(b"".join(path.read_bytes() for path in prepared)).hexdigest()
    template = folder / f"{migrations_mark()}-{mark[:16]}"
    with one_at_a_time(folder / "making"):
        if not template.exists():
            for old in folder.glob("*/"):
                shutil.rmtree(old)
            with empty_server(folder / "new") as server:
                make_roles(server)
                answer = Production(folder, server).manage("prepare_deployment")
                assert answer.returncode == 0, answer.stderr
                server.stop()
            (folder / "new").rename(template)
    return template
