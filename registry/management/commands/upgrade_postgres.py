from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from registry.backup.errors import BackupError
from registry.backup.manifest import marks
from registry.backup.upgrading import upgrade
from registry.embedded.errors import ServiceError
from registry.embedded.lease import AlreadyHeld, held_alone
from registry.embedded.places import var_folder


class Command(BaseCommand):
    help = (
        "Take the embedded database of a local run to the PostgreSQL of this version."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.LOCAL:
            raise CommandError("This is for a local run; see docs/operations.md.")
        var = var_folder()
        try:
            with held_alone(var / "serve.lock", "upgrade_postgres"):
                kept, file = upgrade(var / "postgres", var / "backups", marks())
        except AlreadyHeld as other:
            raise CommandError(f"Stop the registry first ({other}).") from None
        except (BackupError, ServiceError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"Upgraded. The backup on the way is {file}; the data of before are in"
            f" {kept}: remove them when you have looked around."
        )
