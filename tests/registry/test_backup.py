"""Backups: what was written is there again, and nothing else is ever restored."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pyrage import x25519

from registry.backup.container import (
    MANIFEST,
    identities_in,
    opened,
    recipients_of,
    written_whole,
)
from registry.backup.database import Database, client_program
from registry.backup.errors import BackupError
from registry.backup.making import WITHOUT_ROWS, make_backup
from registry.backup.manifest import (
    Manifest,
    check_keys,
    check_migrations,
    mark_of,
    read_manifest,
)
from registry.backup.restoring import check_dump, check_empty, restore
from registry.embedded.postgres import EmbeddedPostgres
from tests.backup_parts import altered
from tests.processes import prepared_registry

pytestmark = pytest.mark.services

KEYS = {"AUDIT_KEY": mark_of("a" * 50), "PSEUDONYM_KEY": mark_of("p" * 50)}
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
ROWS = (
    "SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM public.{} t"
)
SOME_ROWS = """
INSERT INTO registry_centre
  (code, name, is_active, is_synthetic, created_at, time_zone)
SELECT 'C' || n, '大学病院 ' || n, true, false, now(), '' FROM generate_series(10, 99) n;
INSERT INTO django_session VALUES ('a-session-of-before', 'x', now());
"""


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, test_server: EmbeddedPostgres
) -> Iterator[EmbeddedPostgres]:
    registry = prepared_registry(tmp_path_factory.mktemp("backup"), {})
    try:
        registry.query(SOME_ROWS)
        yield registry.postgres
    finally:
        registry.postgres.stop("immediate")
        registry.postgres.release()


@pytest.fixture(scope="module")
def plain(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return backup_of(server, tmp_path_factory.mktemp("files") / "plain.backup")


@pytest.fixture
def empty(server: EmbeddedPostgres, request: pytest.FixtureRequest) -> Database:
    """An empty database on the same server."""
    name = f"empty_{abs(hash(request.node.name))}"
    server.ensure_database(name)
    return Database.of_server(server, name)


def backup_of(server: EmbeddedPostgres, path: Path, *recipients: str) -> Path:
    with written_whole(path) as file:
        make_backup(Database.of_server(server), file, recipients=recipients, keys=KEYS)
    return path


def manifest_of(path: Path) -> Manifest:
    with opened(path, None) as archive:
        return read_manifest(archive.read(MANIFEST))


def restored(path: Path, into: Database, key: Path | None = None) -> None:
    with opened(path, key) as archive:
        manifest = read_manifest(archive.read(MANIFEST))
        check_dump(archive, manifest)
        check_empty(into)
        restore(into, archive, manifest)


def content(server: EmbeddedPostgres, name: str) -> dict[str, Any]:
    """Count and hash of the rows of every table."""
    with closing(server.connect(name)) as connection, connection.cursor() as cursor:
        cursor.execute(TABLES)
        found = {}
        for (table,) in cursor.fetchall():
            cursor.execute(ROWS.format(table))
            found[table] = cursor.fetchone()
    return found


def test_every_row_is_there_again(
    server: EmbeddedPostgres, plain: Path, empty: Database
) -> None:
    """T7; sessions stay behind, so that nobody is signed in anew by a restore."""
    before = content(server, "myelon")
    restored(plain, empty)
    after = content(server, str(empty.parameters["dbname"]))

    assert before["registry_centre"][0] >= 90
    assert before["django_session"][0] == 1
    for table in WITHOUT_ROWS:
        assert after.pop(table) == (0, None)
        del before[table]
    assert after == before


def test_the_manifest_tells_what_is_in_the_file(
    server: EmbeddedPostgres, plain: Path
) -> None:
    manifest = manifest_of(plain)
    kept = {
        table: count
        for table, (count, _hash) in content(server, "myelon").items()
        if table not in WITHOUT_ROWS
    }
    assert manifest.rows == kept
    assert ["registry", "0001_initial"] in manifest.migrations
    assert 180000 <= manifest.postgresql < 190000
    with zipfile.ZipFile(plain) as archive:
        assert archive.getinfo("registry.dump").file_size == manifest.dump_bytes


def test_an_encrypted_backup_opens_with_its_key_alone(
    server: EmbeddedPostgres, empty: Database, tmp_path: Path
) -> None:
    """T10."""
    right, wrong = tmp_path / "right.key", tmp_path / "wrong.key"
    identity = x25519.Identity.generate()
    right.write_text(f"# kept in a safe\n{identity}\n")
    wrong.write_text(f"{x25519.Identity.generate()}\n")
    path = backup_of(server, tmp_path / "b", str(identity.to_public()))

    assert path.read_bytes().startswith(b"age-encryption.org/v1\n")
    assert b"registry.dump" not in path.read_bytes()
    with pytest.raises(BackupError, match="name the key"):
        restored(path, empty)
    with pytest.raises(BackupError, match="does not open with the key"):
        restored(path, empty, wrong)
    restored(path, empty, right)
    name = str(empty.parameters["dbname"])
    assert content(server, name)["registry_centre"][0] >= 90


def test_a_damaged_encrypted_backup_is_refused(
    server: EmbeddedPostgres, empty: Database, tmp_path: Path
) -> None:
    key, identity = tmp_path / "key", x25519.Identity.generate()
    key.write_text(str(identity))
    whole = backup_of(server, tmp_path / "b", str(identity.to_public())).read_bytes()
    for number, damaged in enumerate(
        (whole[:-1000], whole[:50_000] + b"\0" + whole[50_001:])
    ):
        path = tmp_path / f"damaged-{number}"
        path.write_bytes(damaged)
        with pytest.raises(BackupError, match="was altered"):
            restored(path, empty, key)


def test_an_altered_dump_is_refused_before_anything_is_restored(
    server: EmbeddedPostgres, plain: Path, empty: Database, tmp_path: Path
) -> None:
    other = altered(plain, tmp_path / "other", dump=b"PGDMP something else")
    with pytest.raises(BackupError, match="was altered"):
        restored(other, empty)
    cut = tmp_path / "cut"
    cut.write_bytes(plain.read_bytes()[:-200])
    with pytest.raises(BackupError, match="not whole"):
        restored(cut, empty)
    check_empty(empty)


def test_a_restore_that_breaks_off_leaves_nothing(
    plain: Path, empty: Database, tmp_path: Path
) -> None:
    """The dump ends in the middle, and its manifest says that this is right."""
    with zipfile.ZipFile(plain) as archive:
        whole = archive.read("registry.dump")
    half = altered(plain, tmp_path / "half", dump=whole[: len(whole) // 2])
    with opened(half, None) as archive:
        with pytest.raises(BackupError, match="nothing was restored"):
            restore(empty, archive, manifest_of(half))
    check_empty(empty)


def test_rows_that_differ_from_the_manifest_are_told(
    plain: Path, empty: Database, tmp_path: Path
) -> None:
    rows = manifest_of(plain).rows
    rows["registry_centre"] += 1
    other = altered(plain, tmp_path / "other", rows=rows)
    with pytest.raises(BackupError, match="do not hold the rows"):
        restored(other, empty)


def test_a_database_with_data_is_refused(server: EmbeddedPostgres, plain: Path) -> None:
    before = content(server, "myelon")
    with pytest.raises(BackupError, match=r"holds \d+ tables already"):
        restored(plain, Database.of_server(server))
    assert content(server, "myelon") == before


def test_rows_of_a_newer_version_are_refused(plain: Path) -> None:
    manifest = manifest_of(plain)
    known = {(app, name) for app, name in manifest.migrations}
    check_migrations(manifest, known, {"cases", "registry"})
    check_migrations(manifest, known - {("axes", "0001_initial")}, {"cases"})
    with pytest.raises(BackupError, match="newer version.*cases.0001_initial"):
        check_migrations(manifest, known - {("cases", "0001_initial")}, {"cases"})


def test_other_keys_are_refused(plain: Path) -> None:
    manifest = manifest_of(plain)
    check_keys(manifest, KEYS)
    for name in KEYS:
        with pytest.raises(BackupError, match=f"another {name}"):
            check_keys(manifest, KEYS | {name: mark_of("b" * 50)})


def test_an_unknown_format_is_refused(plain: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="format 2"):
        manifest_of(altered(plain, tmp_path / "new", format=2))
    (tmp_path / "words").write_text("not a backup")
    with pytest.raises(BackupError, match="no backup of Myelon"):
        manifest_of(tmp_path / "words")


def test_a_failed_backup_leaves_no_file(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    nowhere = Database(Database.of_server(server).parameters | {"dbname": "missing"})
    with pytest.raises(BackupError, match="does not answer"):
        with written_whole(tmp_path / "b") as file:
            make_backup(nowhere, file, keys=KEYS)
    assert list(tmp_path.iterdir()) == []


def test_a_backup_is_never_overwritten_and_is_the_owner_s_alone(plain: Path) -> None:
    assert plain.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BackupError, match="never overwritten"):
        with written_whole(plain):
            pass


def test_a_dump_that_fails_is_told_by_its_own_words(server: EmbeddedPostgres) -> None:
    """A reader without the right to all: the file must not look whole."""
    reader = Database(Database.of_server(server).parameters | {"user": "reader"})
    rights = (
        "CREATE ROLE reader LOGIN",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
    )
    with closing(server.connect("myelon")) as connection, connection.cursor() as cursor:
        cursor.execute(rights[0])
        with pytest.raises(BackupError, match="refused: permission denied"):
            make_backup(reader, io.BytesIO(), keys=KEYS)
        cursor.execute(rights[1])
        with pytest.raises(BackupError, match="pg_dump failed: .*SELECT privilege"):
            make_backup(reader, io.BytesIO(), keys=KEYS)


def test_wrong_keys_are_named(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="begins with age1"):
        recipients_of(["age1typo"])
    with pytest.raises(BackupError, match="No such file"):
        identities_in(tmp_path / "missing")
    (tmp_path / "public").write_text("age1typo")
    with pytest.raises(BackupError, match="no private key"):
        identities_in(tmp_path / "public")


def test_a_server_newer_than_every_program_is_told() -> None:
    with pytest.raises(BackupError, match="client programs of PostgreSQL 99"):
        client_program("pg_dump", 99)
