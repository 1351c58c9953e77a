"""Where the embedded services keep their files, and the addresses that follow."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from pathlib import Path
from urllib.parse import quote

BASE_DIR = Path(__file__).resolve().parents[2]
# A Unix socket's path has at most 107 bytes on Linux and 103 on macOS, counted with the
# name that the server appends (".s.PGSQL.5432").
LONGEST_SOCKET_FOLDER = 85
PRODUCTION_VARIABLES = ("DATABASE_URL", "SECRET_KEY")


def var_folder() -> Path:
    """The folder of everything that this installation writes: ``var/``."""
    return Path(os.environ.get("MYELON_VAR") or BASE_DIR / "var").absolute()


def choose_local_mode() -> None:
    """Set MYELON_LOCAL=true where nothing speaks of production.

    Only ``manage.py`` and the tests call this. A web server or a worker started by hand
    without its variables must stop instead of quietly using the embedded database.
    """
    if not production_is_configured():
        os.environ.setdefault("MYELON_LOCAL", "true")


def production_is_configured() -> bool:
    """Whether a production variable is in the environment or in the ``.env`` file."""
    names = [name + suffix for name in PRODUCTION_VARIABLES for suffix in ("", "_FILE")]
    dotenv = BASE_DIR / ".env"
    lines = dotenv.read_text().splitlines() if dotenv.is_file() else []
    written = {
        line.removeprefix("export ").split("=")[0].strip()
        for line in lines
        if line.partition("=")[2].strip()
    }
    return any(os.environ.get(name) or name in written for name in names)


def socket_folder(service_folder: Path) -> Path:
    """A folder for the service's Unix socket, near its files where the path is short.

    Deep checkouts get a folder below the temporary folder, named after the path and
    the user, so that two checkouts or two users never share one.
    """
    near = service_folder.parent / "run" / service_folder.name
    if len(os.fsencode(near)) <= LONGEST_SOCKET_FOLDER:
        return near
    mark = hashlib.sha256(os.fsencode(service_folder)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"myelon-{os.getuid()}-{mark}"


def database_url(service_folder: Path, database: str = "myelon") -> str:
    """The address of a database on the embedded server of this folder."""
    return (
        f"postgresql://postgres@/{quote(str(socket_folder(service_folder)))}/{database}"
    )


def local_database_url() -> str:
    return database_url(var_folder() / "postgres")


def redis_socket() -> Path:
    return socket_folder(var_folder() / "redis") / "redis.sock"


def local_redis_url() -> str:
    return f"redis+socket://{quote(str(redis_socket()))}?virtual_host=0"


def local_key(name: str) -> str:
    """A key of this installation, made once and kept in ``var/``, never committed.

    Installations of before had one key for everything: where records exist already,
    that one stays, or their audit trail and pseudonyms would change.
    """
    path = var_folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    former = var_folder() / "secret_key"
    inherits = (var_folder() / "postgres").exists() and former.exists()
    key = former.read_text() if inherits else secrets.token_urlsafe(48)
    try:
        with open(path, "x", opener=owner_only) as file:
            file.write(key)
    except FileExistsError:
        pass
    return path.read_text().strip()


def owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
