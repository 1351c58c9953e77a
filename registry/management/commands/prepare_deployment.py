"""Before a new version serves: migrations, the cache table, the application's rights."""

from __future__ import annotations

import os
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection, transaction
from psycopg2 import sql

from registry.audit.evidence import sealed_tables
from registry.models import Seal

APPLICATION_ROLE = "registry_app"


class Command(BaseCommand):
    help = (
        "Migrate as the owner of the tables and grant the application's role"
        " (APP_DATABASE_ROLE, default registry_app) its rows, not the audit trail."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=1)
        call_command("createcachetable")
        grant_application_role(
            os.environ.get("APP_DATABASE_ROLE", "") or APPLICATION_ROLE
        )


def append_only_tables() -> list[str]:
    """Everything that is evidence, and its seals."""
    return [Seal._meta.db_table, *(each.table for each in sealed_tables())]


@transaction.atomic
def grant_application_role(role: str) -> None:
    """Rows of every table may be read and written; the trail may only grow.

    Deleting stays possible where no trigger refuses it: sessions and the cache need it.
    """
    statements = [
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
        "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {role}",
        "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {role}",
    ]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(sql.SQL(statement).format(role=sql.Identifier(role)))
        for table in append_only_tables():
            revoke = sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {role}")
            cursor.execute(
                revoke.format(table=sql.Identifier(table), role=sql.Identifier(role))
            )
