"""The file of a backup: written and read as a stream, encrypted or not."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyrage
from pyrage import x25519

from registry.backup.errors import BackupError
from registry.embedded.places import owner_only

DUMP, MANIFEST = "registry.dump", "manifest.json"
AGE_HEADER = b"age-encryption.org/"
CHUNK_BYTES = 1 << 20


def recipients_of(keys: Sequence[str]) -> list[x25519.Recipient]:
    """Public keys (``age1…``) as recipients; BackupError names what is none."""
    try:
        return [x25519.Recipient.from_str(key) for key in keys]
    except pyrage.RecipientError:
        raise BackupError(
            "A recipient is a public key that begins with age1;"
            " `manage.py create_backup_key FILE` makes one."
        ) from None


def identities_in(path: Path) -> list[x25519.Identity]:
    """The private keys in a file, as ``create_backup_key`` and age-keygen write them."""
    try:
        lines = path.read_text().split("\n")
    except OSError as error:
        raise BackupError(f"The key file {path}: {error.strerror}.") from None
    try:
        return [
            x25519.Identity.from_str(line.strip())
            for line in lines
            if line.strip() and not line.startswith("#")
        ]
    except pyrage.IdentityError:
        raise BackupError(f"{path} holds no private key of age.") from None


@contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """A new file for the owner alone that has its name only once it is complete."""
    if path.exists():
        raise BackupError(f"{path} exists; a backup is never overwritten.")
    part = path.with_name(path.name + ".part")
    try:
        with open(part, "wb", opener=owner_only) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def sealed(file: IO[bytes], keys: Sequence[str]) -> Iterator[IO[bytes]]:
    """What is written inside arrives in ``file`` encrypted; as it is without keys.

    age pulls its input, so a thread reads what the block writes into a pipe.
    """
    if not keys:
        yield file
        return
    recipients = recipients_of(keys)
    reading, writing = os.pipe()
    failures: list[Exception] = []

    def encrypt() -> None:
        with os.fdopen(reading, "rb") as plain:
            try:
                pyrage.encrypt_io(plain, file, recipients)
            except Exception as error:
                failures.append(error)

    thread = threading.Thread(target=encrypt, name="encrypting")
    thread.start()
    try:
        with os.fdopen(writing, "wb") as plain:
            yield plain
    finally:
        thread.join()
    if failures:
        raise BackupError(f"The backup could not be encrypted: {failures[0]}")


@contextmanager
def opened(path: Path, key_file: Path | None) -> Iterator[zipfile.ZipFile]:
    """The archive, decrypted into a file without a name where it is encrypted."""
    try:
        with path.open("rb") as file, tempfile.TemporaryFile() as plain:
            encrypted = file.read(len(AGE_HEADER)) == AGE_HEADER
            file.seek(0)
            if encrypted:
                decrypt(file, plain, key_file)
                plain.seek(0)
            with zipfile.ZipFile(plain if encrypted else file) as archive:
                if set(archive.namelist()) != {DUMP, MANIFEST}:
                    raise BackupError(f"{path} is no backup of Myelon.")
                yield archive
    except zipfile.BadZipFile:
        raise BackupError(f"{path} is no backup of Myelon, or not whole.") from None
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}.") from error


def decrypt(file: IO[bytes], plain: IO[bytes], key_file: Path | None) -> None:
    if key_file is None:
        raise BackupError("The backup is encrypted: name the key with --key FILE.")
    try:
        pyrage.decrypt_io(file, plain, identities_in(key_file))
    except (pyrage.DecryptError, OSError):
        raise BackupError(
            f"The backup does not open with the key in {key_file}, or was altered."
        ) from None


def copy(source: IO[bytes], target: IO[bytes]) -> None:
    shutil.copyfileobj(source, target, CHUNK_BYTES)
