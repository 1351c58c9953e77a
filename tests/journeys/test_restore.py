"""T7: a backup of the production set-up becomes a registry on a bare server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from pyrage import x25519

from registry.embedded.postgres import EmbeddedPostgres
from tests.production import (
    SECRETS,
    Production,
    empty_server,
    execute,
    production_database,
    url_of,
)

pytestmark = pytest.mark.services

MAKE_ROWS = """
from registry import audit
from tests.factories import make_patient, surgeon_of
patient = make_patient()
surgeon = surgeon_of(patient.centre)
surgeon.set_password("correct horse battery")
surgeon.save()
audit.record("session.started", actor=surgeon)
print(surgeon.email)
"""
SIGN_IN = """
from django.contrib.auth.hashers import check_password
from registry.models import User
print(check_password("correct horse battery", User.objects.get().password))
"""
OWNERS = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"


@pytest.fixture(scope="module")
def production(
    tmp_path_factory: pytest.TempPathFactory, test_server: EmbeddedPostgres
) -> Iterator[Production]:
    with production_database(tmp_path_factory.mktemp("production")) as production:
        assert succeeded(production, "shell", "-c", MAKE_ROWS, service="web")
        yield production


def succeeded(production: Production, *arguments: str, **more: str) -> str:
    answer = production.manage(*arguments, **more)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_backup_of_production_becomes_a_registry_on_a_bare_server(
    production: Production, tmp_path: Path
) -> None:
    """Roles are made, rights granted, rows counted, the audit trail verified."""
    key, file = tmp_path / "key", tmp_path / "registry.backup"
    identity = x25519.Identity.generate()
    key.write_text(str(identity))
    succeeded(
        production, "backup", str(file), BACKUP_RECIPIENTS=str(identity.to_public())
    )
    assert file.read_bytes().startswith(b"age-encryption.org/")

    with empty_server(tmp_path / "bare") as bare:
        into = {"DATABASE_URL": url_of(bare, "postgres"), **SECRETS}
        told = succeeded(production, "restore", str(file), f"--key={key}", **into)
        assert "chain whole" in told

        assert execute(bare, OWNERS) == [("registry_owner",)]
        as_application = {"DATABASE_URL": url_of(bare, "registry_app")}
        asked = succeeded(production, "shell", "-c", SIGN_IN, **as_application)
        assert asked.split()[-1] == "True"
        with psycopg2.connect(as_application["DATABASE_URL"]) as connection:
            with connection.cursor() as cursor:
                with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                    cursor.execute("UPDATE registry_auditevent SET action = 'x'")
