"""Settings come from the environment; odd values and missing secrets stop start-up."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys

import pytest

from registry.embedded.places import BASE_DIR

PRODUCTION = {
    "SECRET_KEY": "s" * 50,
    "AUDIT_KEY": "a" * 50,
    "PSEUDONYM_KEY": "p" * 50,
    "DATABASE_URL": "postgresql://registry_app:secret@postgres/registry",
    "REDIS_URL": "redis://redis/0",
    "ALLOWED_HOSTS": "registry.example.org",
    "AUDIT_HEADS": "/var/lib/myelon/heads.jsonl",
}
READ = """
import json
from django.conf import settings
names = {names!r}
print(json.dumps({{name: getattr(settings, name) for name in names}}, default=str))
"""


def read_settings(environment: dict[str, str], *names: str) -> tuple[int, str]:
    """Exit code and output of a fresh process that reads the settings."""
    kept = {"PATH": os.environ["PATH"]}
    answer = subprocess.run(
        [sys.executable, "-c", READ.format(names=list(names) or ["DEBUG"])],
        cwd=BASE_DIR,
        env=kept | {"DJANGO_SETTINGS_MODULE": "registry.settings"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.returncode, answer.stdout + answer.stderr


def test_production_starts_with_its_variables() -> None:
    code, output = read_settings(PRODUCTION, "SECURE_SSL_REDIRECT", "DEBUG")
    assert (code, output) == (0, '{"SECURE_SSL_REDIRECT": true, "DEBUG": false}\n')


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "AUDIT_KEY", "PSEUDONYM_KEY", "DATABASE_URL", "REDIS_URL"]
)
def test_missing_secret_stops_production(name: str) -> None:
    environment = {key: value for key, value in PRODUCTION.items() if key != name}
    code, output = read_settings(environment)
    assert code != 0
    assert f"{name} must be set" in output


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("DEBUG", "true"),
        ("DEBUG", "perhaps"),
        ("SWEEP_SECONDS", "０"),
        ("SWEEP_SECONDS", "-1"),
        ("SESSION_IDLE_MINUTES", "never"),
        ("DISCLOSURE_THRESHOLD", "1"),
        ("DATABASE_URL", "sqlite:///registry.db"),
        ("MYELON_LOCAL", "yes"),
    ],
)
def test_odd_value_stops_start_up_with_its_name(name: str, value: str) -> None:
    code, output = read_settings(PRODUCTION | {name: value})
    assert code != 0
    assert name in output.splitlines()[-1]


def test_secret_may_come_from_a_file(tmp_path: object) -> None:
    file = BASE_DIR.__class__(str(tmp_path)) / "key"
    file.write_text("f" * 50)
    environment = {
        key: value for key, value in PRODUCTION.items() if key != "SECRET_KEY"
    }
    code, output = read_settings(
        environment | {"SECRET_KEY_FILE": str(file)}, "SECRET_KEY"
    )
    assert (code, output) == (0, f'{{"SECRET_KEY": "{"f" * 50}"}}\n')


def test_local_mode_needs_nothing(tmp_path: object) -> None:
    environment = {"MYELON_LOCAL": "true", "MYELON_VAR": str(tmp_path)}
    code, output = read_settings(environment, "SECURE_SSL_REDIRECT", "ALLOWED_HOSTS")
    assert code == 0
    assert '"SECURE_SSL_REDIRECT": false' in output
    assert "127.0.0.1" in output


def test_example_lists_every_variable_that_is_read() -> None:
    listed = set(
        re.findall(r"^([A-Z_]+)=", (BASE_DIR / ".env.example").read_text(), re.M)
    )
    read = {name.removesuffix("_FILE") for name in variables_read()}
    compose = (BASE_DIR / "docker-compose.yml").read_text()
    read |= set(re.findall(r"(?<!\$)\$\{([A-Z_]+)[:}]", compose))
    assert listed == read


def variables_read() -> set[str]:
    """Names read from the environment by settings, services and commands."""
    paths = [BASE_DIR / "registry" / "settings.py"]
    paths += (BASE_DIR / "registry" / "embedded").glob("*.py")
    paths += BASE_DIR.glob("*/management/commands/*.py")
    return {
        call.args[0].value
        for path in paths
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and reads_environment(call)
        and isinstance(call.args[0], ast.Constant)
    }


def reads_environment(call: ast.Call) -> bool:
    """``env.str("X")``, ``env_int("X", …)`` or ``os.environ.get("X")``."""
    source = ast.unparse(call.func)
    return bool(call.args) and (
        source.startswith(("env.", "env_")) or source == "os.environ.get"
    )
