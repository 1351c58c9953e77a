from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from outcomes import pool, summaries
from outcomes.models import Summary
from registry.models import Centre


class Command(BaseCommand):
    help = "Compute the stored summaries now, without the background worker."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--all", action="store_true", help="also those that are fresh"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        summaries.ensure_rows()
        scopes = [*Centre.objects.order_by("pk").values_list("pk", flat=True), None]
        written = 0
        for centre_id in scopes:
            written += summaries.refresh_scope(centre_id, forced=options["all"])
        pool.renew_if_due()
        failed = Summary.objects.exclude(error="").count()
        self.stdout.write(f"{written} summaries computed, {failed} failed.")
