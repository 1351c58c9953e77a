from __future__ import annotations

from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from registry.backup.container import MANIFEST, opened
from registry.backup.database import Database
from registry.backup.errors import BackupError
from registry.backup.manifest import (
    Manifest,
    check_keys,
    check_migrations,
    marks,
    read_manifest,
)
from registry.backup.restoring import check_dump, check_empty, restore
from registry.health import known_migrations, missing_migrations
from registry.management.commands.prepare_deployment import grant_application_role


class Command(BaseCommand):
    help = (
        "Restore a backup into the empty database of DATABASE_URL, or of a local run."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument(
            *("--key", "-k"),
            type=Path,
            metavar="FILE",
            help="private key, if encrypted",
        )
        parser.add_argument(
            "--other-keys",
            action="store_true",
            help="restore although a key differs from that of the backup",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = self.restore(
                options["file"], options["key"], options["other_keys"]
            )
        except BackupError as error:
            raise CommandError(str(error)) from None
        role = manifest.application
        if role:
            grant_application_role(role)
        self.stdout.write(
            f"Restored {manifest.row_count} rows in {len(manifest.rows)} tables,"
            f" as of {manifest.made_at}."
        )
        missing = missing_migrations(connection)
        if missing:
            command = "migrate" if settings.LOCAL else "prepare_deployment"
            self.stdout.write(
                f"{len(missing)} migrations are newer than the backup:"
                f" run `python manage.py {command}`, then `verify_audit --restored`."
            )
        else:
            # Heads that were kept since the backup was made are not of it.
            call_command(
                "verify_audit",
                restored=True,
                stdout=self.stdout,
                stderr=self.stderr,
            )

    def restore(self, file: Path, key: Path | None, other_keys: bool) -> Manifest:
        database = Database.of_settings(connection)
        ours = {
            app.label for app in apps.get_app_configs() if app.path in own_folders()
        }
        with opened(file, key) as archive:
            manifest = read_manifest(archive.read(MANIFEST))
            check_migrations(manifest, known_migrations(), ours)
            if not other_keys:
                check_keys(manifest, marks())
            check_dump(archive, manifest)
            check_empty(database)
            restore(database, archive, manifest)
        return manifest


def own_folders() -> set[str]:
    return {str(path.parent) for path in settings.BASE_DIR.glob("*/apps.py")}
