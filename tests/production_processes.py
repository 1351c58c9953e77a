"""Web, worker, beat, Redis and nginx of the production set-up, started as processes."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from registry.embedded.places import BASE_DIR
from registry.embedded.redis import port_command
from tests.processes import START_SECONDS, Program, eventually, free_port
from tests.production import (
    COMPOSE,
    DOCKERFILE,
    SECRETS,
    Production,
    production_database,
)

HOST = "registry.test"
NGINX_PROGRAM = shutil.which("nginx", path=f"{os.defpath}:/usr/sbin") or ""
NGINX = (BASE_DIR / "deploy" / "nginx.conf").read_text()


class NameServer:
    """Answers every question for a name with one address, as Docker's does for ``web``."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                question, client = self.socket.recvfrom(512)
                self.socket.sendto(self.answer(question), client)
            except OSError:
                return

    def answer(self, question: bytes) -> bytes:
        """RFC 1035: the question again, and one A record that lives for a second."""
        name_ends = question.index(0, 12) + 5
        head = question[:2] + b"\x81\x80" + question[4:6] + b"\0\1\0\0\0\0"
        record = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton(self.address)
        return head + question[12:name_ends] + record


@dataclass
class ProductionProcesses:
    """Everything that docker-compose.yml starts, and the address in front of it."""

    production: Production
    names: NameServer
    web_port: int = field(default_factory=free_port)
    https_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    programs: dict[str, Program] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.https_port}"

    def client(self, address: str = "127.0.0.1", **more: object) -> httpx.Client:
        """A browser at a loopback address of its own; keeps its cookies."""
        return httpx.Client(
            base_url=self.url,
            transport=httpx.HTTPTransport(local_address=address, verify=False),
            headers={"Host": HOST, "Origin": f"https://{HOST}"},
            timeout=30,
        )

    def program(self, name: str, command: list[str], service: str = "web") -> Program:
        log = self.production.folder / "log" / f"{name}.log"
        environment = self.production.environment(service)
        return Program(name, command, log, environment, inherits=False)

    def web(self, **environment: str) -> Program:
        """The image's start command, at the address that the name has now."""
        found = re.search(r"^CMD (\[.*?\])", DOCKERFILE, re.M | re.S)
        assert found is not None
        command: list[str] = json.loads(found[1].replace("\\\n", ""))
        bind = command.index("0.0.0.0:8000")
        command[bind] = f"{self.names.address}:{self.web_port}"
        program = self.program("web", command)
        program.environment = dict(program.environment) | environment
        return program

    def restart_web(self, **environment: str) -> None:
        self.programs["web"].stop()
        self.programs["web"] = self.web(**environment)
        self.programs["web"].start()
        eventually(self.answers, START_SECONDS)

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def nginx_configuration(self) -> Path:
        """The repository's file with other ports and paths."""
        folder = self.production.folder / "nginx"
        folder.mkdir()
        make_certificate(folder)
        replaced = {
            "/etc/nginx/tls": str(folder),
            "/run/nginx.pid": str(folder / "pid"),
            "/dev/stderr": str(folder / "error.log"),
            "/dev/stdout": str(folder / "access.log"),
            "resolver 127.0.0.11 ": f"resolver 127.0.0.1:{self.names.port} ",
            "web:8000": f"web:{self.web_port}",
            "listen 80 ": f"listen 127.0.0.1:{self.http_port} ",
            "listen 443 ": f"listen 127.0.0.1:{self.https_port} ",
            "listen 127.0.0.1:8080;": f"listen 127.0.0.1:{free_port()};",
            "default_type": f"client_body_temp_path {folder}/body;"
            f" proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;"
            f" uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;"
            " default_type",
        }
        text = NGINX
        for here, there in replaced.items():
            assert here in text, here
            text = text.replace(here, there)
        text = re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.M)
        (folder / "nginx.conf").write_text(text)
        return folder / "nginx.conf"

    def start(self) -> None:
        folder = self.production.folder
        redis = port_command(folder / "redis", self.production.redis_port)
        own = "daemon off; user root;" if os.geteuid() == 0 else "daemon off;"
        nginx = [NGINX_PROGRAM, "-c", str(self.nginx_configuration()), "-g", own]
        self.programs = {
            "redis": self.program(
                "redis", [*redis, "--requirepass", SECRETS["REDIS_PASSWORD"]]
            ),
            "web": self.web(),
            "worker": self.of_compose("worker"),
            "beat": self.of_compose("beat"),
            "nginx": self.program("nginx", nginx),
        }
        for program in self.programs.values():
            program.start()
        eventually(self.answers, START_SECONDS)

    def of_compose(self, service: str) -> Program:
        command = COMPOSE["services"][service]["command"]
        schedule = f"--schedule={self.production.folder / 'schedule'}"
        command = [schedule if "--schedule" in part else part for part in command]
        return self.program(service, command, service)

    def stop(self) -> None:
        for name in ("nginx", "web", "beat", "worker", "redis"):
            if name in self.programs:
                self.programs[name].stop()
        self.names.socket.close()


def make_certificate(folder: Path) -> None:
    files = f"-keyout {folder}/key.pem -out {folder}/certificate.pem"
    request = f"req -x509 -newkey rsa:2048 -nodes -subj /CN={HOST} {files}"
    command = ["openssl", *shlex.split(request)]
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def started_production(folder: Path) -> Iterator[ProductionProcesses]:
    with production_database(folder) as production:
        collected = production.manage("collectstatic", "--noinput", service="web")
        assert collected.returncode == 0, collected.stderr
        processes = ProductionProcesses(production, NameServer("127.0.0.1"))
        try:
            processes.start()
            yield processes
        finally:
            processes.stop()
