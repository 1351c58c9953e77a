from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from registry import audit
from registry.audit.evidence import sealed_tables
from registry.audit.sealing import begin_anew, seal_all
from registry.models import Seal


class Command(BaseCommand):
    help = (
        "After an update that rewrote rows of a table of evidence: seal it from its"
        " first row again. Run verify_audit before the update."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("table")
        parser.add_argument("--reason", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        table, reason = options["table"], options["reason"].strip()
        known = {each.table for each in sealed_tables()}
        if table not in known and not Seal.objects.filter(table=table).exists():
            raise CommandError(f"{table} is no table of evidence.")
        if not reason:
            raise CommandError("Give the reason.")
        with transaction.atomic():
            audit.record("audit.sealed_anew", target=table, reason=reason[:200])
            begin_anew(table, reason[:200])
        self.stdout.write(f"{table} begun anew, {seal_all()} rows sealed")
