from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from outcomes import facts


class Command(BaseCommand):
    help = (
        "Derive the facts of all cases anew, in batches; safe to break off and repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--outdated",
            action="store_true",
            help="only cases whose facts are missing or of an older definition",
        )
        parser.add_argument("--batch", type=int, default=facts.REBUILD_BATCH)

    def handle(self, *args: Any, **options: Any) -> None:
        visited = facts.rebuild(
            outdated_only=options["outdated"],
            batch=max(1, options["batch"]),
            progress=self.tell if options["verbosity"] > 1 else None,
        )
        self.stdout.write(f"Facts of {visited} cases derived.")

    def tell(self, visited: int) -> None:
        self.stdout.write(f"{visited} cases")
