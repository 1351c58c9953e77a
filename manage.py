#!/usr/bin/env python
"""Administrative commands. Without production variables, the embedded database."""

from __future__ import annotations

import atexit
import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line

from registry.embedded import choose_local_mode, local_database_url
from registry.embedded.errors import ServiceError
from registry.embedded.postgres import EmbeddedPostgres

# These never ask the database; the first run of them should not create one.
WITHOUT_DATABASE = {
    "create_backup_key",
    "help",
    "version",
    "makemessages",
    "compilemessages",
    "diffsettings",
    "upgrade_postgres",
}


def needs_embedded_database(arguments: list[str]) -> bool:
    if not arguments or arguments[0] in WITHOUT_DATABASE or "--help" in arguments:
        return False
    return settings.LOCAL and settings.DATABASE_URL == local_database_url()


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")
    choose_local_mode()
    if needs_embedded_database(sys.argv[1:]):
        server = EmbeddedPostgres()
        try:
            server.hold()
        except ServiceError as error:
            sys.exit(f"manage.py: {error}")
        atexit.register(server.release)
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
