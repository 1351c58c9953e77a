from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pyrage import x25519

from registry.backup.container import written_whole
from registry.backup.errors import BackupError


class Command(BaseCommand):
    help = (
        "Make a key pair for backups: the private key goes into FILE, which belongs to"
        " a safe and not to this machine; the public one is printed."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        identity = x25519.Identity.generate()
        public = identity.to_public()
        try:
            with written_whole(options["file"]) as file:
                file.write(f"# public key: {public}\n{identity}\n".encode())
        except BackupError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(str(public))
