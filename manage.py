#!/usr/bin/env python
"""Administrative commands. Without production variables, the embedded database."""

from __future__ import annotations

import atexit
import errno
import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line

from registry.embedded import choose_local_mode, local_database_url
from registry.embedded.errors import ServiceError
from registry.embedded.places import var_folder
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


CANNOT_WRITE = {
    *(errno.EACCES, errno.EPERM, errno.EROFS),
    *(errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR),
}


def needs_embedded_database(arguments: list[str]) -> bool:
    if not arguments or arguments[0] in WITHOUT_DATABASE or "--help" in arguments:
        return False
    return settings.LOCAL and settings.DATABASE_URL == local_database_url()


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")
    choose_local_mode()
    try:
        if needs_embedded_database(sys.argv[1:]):
            server = EmbeddedPostgres()
            server.hold()
            atexit.register(server.release)
        execute_from_command_line(sys.argv)
    except ServiceError as error:
        sys.exit(f"manage.py: {error}")
    except OSError as error:
        if not concerns_own_folder(error):
            raise
        sys.exit(
            f"manage.py: {error.filename}: {error.strerror}. The registry keeps its"
            f" records in {var_folder()} and must be able to write there; MYELON_VAR"
            " names another folder."
        )


def concerns_own_folder(error: OSError) -> bool:
    """Whether the folder of a local run is read-only, somebody else's or full."""
    name = str(error.filename or "")
    return error.errno in CANNOT_WRITE and name.startswith(str(var_folder()))


if __name__ == "__main__":
    main()
