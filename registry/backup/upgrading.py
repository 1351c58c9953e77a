"""The embedded database of an older PostgreSQL, taken to the one that is here now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from registry.backup.container import MANIFEST, opened, written_whole
from registry.backup.database import Database
from registry.backup.errors import BackupError
from registry.backup.keeping import STAMP
from registry.backup.making import make_backup
from registry.backup.manifest import read_manifest
from registry.backup.restoring import check_dump, restore
from registry.embedded.postgres import MAJOR, EmbeddedPostgres, programs_of


def upgrade(data: Path, backups: Path, keys: Mapping[str, str]) -> tuple[Path, Path]:
    """Dump by the old version, load by the new one; the old folder and the backup.

    The data folder changes its name only after every row was counted in the new one.
    Raises BackupError where there is nothing to do or no program of the old version.
    """
    written = EmbeddedPostgres(data).data_version
    if written in {None, MAJOR}:
        raise BackupError(f"{data} needs no upgrade to PostgreSQL {MAJOR}.")
    kept = data.with_name(f"{data.name}.{written}")
    if kept.exists():
        raise BackupError(f"{kept} is in the way: move it first.")
    old = EmbeddedPostgres(data, other_programs=programs_for(written or 0, data))
    new = EmbeddedPostgres(data.with_name(f"{data.name}.upgraded"))
    if new.data.exists():
        raise BackupError(f"{new.data} is left of a broken attempt: remove it first.")
    backups.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = backups / f"postgresql-{written}-{datetime.now(UTC):{STAMP}}.backup"
    old.hold()
    try:
        with written_whole(file) as target:
            make_backup(Database.of_server(old), target, keys=keys)
        load(file, new)
    finally:
        old.release()
    data.rename(kept)
    new.data.rename(data)
    return kept, file


def load(file: Path, server: EmbeddedPostgres) -> None:
    server.hold()
    try:
        with opened(file, None) as archive:
            manifest = read_manifest(archive.read(MANIFEST))
            check_dump(archive, manifest)
            restore(Database.of_server(server), archive, manifest)
    finally:
        server.release()


def programs_for(major: int, data: Path) -> Path:
    folder = programs_of(major)
    if folder is None:
        raise BackupError(
            f"{data} was written by PostgreSQL {major}, whose programs are not here."
            f" Install PostgreSQL {major} and try again; or start the version of Myelon"
            " that ran last and write `python manage.py backup FILE` there, move"
            f" {data} away here, and `python manage.py restore FILE`."
        )
    return folder
