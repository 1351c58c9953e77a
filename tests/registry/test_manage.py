"""``manage.py`` as people start it, where it cannot work."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

import manage
from registry.embedded.places import BASE_DIR

SERVE = [sys.executable, "manage.py", "serve_local"]


def test_a_folder_that_cannot_be_written_is_a_sentence() -> None:
    """T11 of a local run; as root no permission bit stops anybody, so a file does."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "registry.settings",
        "MYELON_LOCAL": "true",
        "MYELON_VAR": "/dev/null/var",
        "DATABASE_URL": "",
    }
    answer = subprocess.run(
        SERVE,
        cwd=BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "must be able to write there" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("number", "name", "own"),
    [
        (errno.EROFS, "postgres", True),
        (errno.EACCES, "secret_key", True),
        (errno.ENOSPC, "log/web.log", True),
        (errno.ENOENT, "postgres", False),
        (errno.EACCES, "/etc/shadow", False),
    ],
)
def test_only_what_concerns_the_own_folder_is_one(
    number: int,
    name: str,
    own: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MYELON_VAR", str(tmp_path))
    error = OSError(number, os.strerror(number), str(tmp_path / name))
    assert manage.concerns_own_folder(error) is own
