from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from registry.backup.container import written_whole
from registry.backup.database import Database
from registry.backup.errors import BackupError
from registry.backup.making import make_backup
from registry.backup.manifest import Manifest, marks


class Command(BaseCommand):
    help = (
        "Write the whole database into FILE, with a manifest; - is standard output."
        " Encrypted for BACKUP_RECIPIENTS or --recipient."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument(
            *("--recipient", "-r"),
            action="append",
            metavar="age1…",
            help="public key that shall open the backup; may be given several times",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        recipients = options["recipient"] or settings.BACKUP_RECIPIENTS
        told = {"recipients": recipients, "keys": marks()}
        database = Database.of_settings(connection)
        try:
            if options["file"] == "-":
                manifest = make_backup(database, sys.stdout.buffer, **told)
                sys.stdout.buffer.flush()
            else:
                with written_whole(Path(options["file"])) as file:
                    manifest = make_backup(database, file, **told)
        except BackupError as error:
            raise CommandError(str(error)) from None
        self.stderr.write(summary(manifest, encrypted=bool(recipients)))


def summary(manifest: Manifest, *, encrypted: bool) -> str:
    kind = "encrypted" if encrypted else "not encrypted"
    return (
        f"Backup of {manifest.row_count} rows in {len(manifest.rows)} tables,"
        f" {manifest.dump_bytes} bytes, {kind}, SHA-256 {manifest.dump_sha256}"
    )
