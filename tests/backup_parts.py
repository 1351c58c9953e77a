"""What tests of backups share: an older PostgreSQL, and files that were tampered with."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

from registry.embedded.account import account_for
from registry.embedded.postgres import EmbeddedPostgres, programs, programs_of

OLD = 16  # the other version that the wheel carries
# The registry itself never ran on it; nothing here is what the upgrade is about.
UNKNOWN_TO_IT = {
    b"SET transaction_timeout = 0;": b"",
    b"casefold(": b"lower(",
    b"COLLATE pg_catalog.pg_unicode_fast": b"",
}


def older_data(data: Path, plain_dump: bytes) -> None:
    """A data folder of PostgreSQL 16 with the tables and rows of a dump."""
    folder = programs_of(OLD)
    assert folder is not None
    data.mkdir(mode=0o700, parents=True)
    account = account_for(data, folder / "postgres")
    account.owns(data)
    setup = ["initdb", "-U", "postgres", "--auth=trust", "--encoding=UTF8"]
    server = EmbeddedPostgres(data, other_programs=folder)
    answer = server.run(account, *setup, "--locale=C", "-D", str(data))
    assert answer.returncode == 0, answer.stderr
    server.hold()
    try:
        known = plain_dump
        for newer, older in UNKNOWN_TO_IT.items():
            known = known.replace(newer, older)
        load = [str(folder / "psql"), "--quiet", "--set=ON_ERROR_STOP=1"]
        subprocess.run(
            [*load, *server.client_options()],
            input=known,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    finally:
        server.release()


def plain_dump(server: EmbeddedPostgres, name: str = "myelon") -> bytes:
    command = [str(programs() / "pg_dump"), *server.client_options(name)]
    return subprocess.run(command, check=True, capture_output=True).stdout


def altered(source: Path, target: Path, dump: bytes | None = None, **told: Any) -> Path:
    """A copy of a backup with another dump, or with other words in its manifest."""
    with zipfile.ZipFile(source) as archive:
        content = archive.read("registry.dump") if dump is None else dump
        manifest = json.loads(archive.read("manifest.json")) | told
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("registry.dump", content)
        archive.writestr("manifest.json", json.dumps(manifest))
    return target
