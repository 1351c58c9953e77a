"""What a backup says of itself, and whether it fits the code and the keys here."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings

from registry.backup.errors import BackupError

FORMAT = 1
# Keys without which restored rows cannot be checked or joined any more.
KEYS = ("AUDIT_KEY", "PSEUDONYM_KEY")


@dataclass(frozen=True)
class Manifest:
    """``rows`` by table; ``keys`` are marks of keys, never the keys.

    ``owner`` and ``application`` are the roles of a production database, else empty.
    """

    format: int
    made_at: str
    myelon: str
    postgresql: int
    migrations: list[list[str]]
    rows: dict[str, int]
    owner: str
    application: str
    keys: dict[str, str]
    dump_bytes: int
    dump_sha256: str

    def as_json(self) -> bytes:
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode()

    @property
    def row_count(self) -> int:
        return sum(self.rows.values())


def read_manifest(text: bytes) -> Manifest:
    """Raises BackupError for a format that this version does not know."""
    content: dict[str, Any] = json.loads(text)
    if content.get("format") != FORMAT:
        raise BackupError(
            f"The backup has format {content.get('format')}; this version of Myelon"
            f" reads format {FORMAT}."
        )
    return Manifest(**content)


def mark_of(key: str) -> str:
    """Tells two keys apart and nothing else about them."""
    return hmac.new(key.encode(), b"myelon backup", hashlib.sha256).hexdigest()[:12]


def marks() -> dict[str, str]:
    """Marks of the keys in force."""
    return {name: mark_of(getattr(settings, name)) for name in KEYS}


def check_migrations(
    manifest: Manifest, known: Iterable[tuple[str, str]], ours: set[str]
) -> None:
    """Refuse rows of a newer version; apps that are not ours may have squashed."""
    there = {(app, name) for app, name in manifest.migrations if app in ours}
    unknown = sorted(there - set(known))
    if unknown:
        raise BackupError(
            f"The backup was made by a newer version ({manifest.myelon}) with the"
            f" migration {'.'.join(unknown[0])}. Restore it with that version."
        )


def check_keys(manifest: Manifest, present: dict[str, str]) -> None:
    for name, mark in manifest.keys.items():
        if name in present and present[name] != mark:
            raise BackupError(
                f"The backup was made under another {name}. Set the one of that time,"
                " or give --other-keys and live with an audit trail that cannot be"
                " verified and pseudonyms that are new."
            )
