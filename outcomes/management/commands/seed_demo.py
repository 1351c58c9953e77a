from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from cases.models import Case
from outcomes.facts import rebuild
from outcomes.summaries import mark_all_wanted
from outcomes.synthetic.load import analyse, load
from outcomes.synthetic.parameters import Size
from registry import audit
from registry.actions import grant_role
from registry.models import Centre, User
from registry.permissions import Role

SEEDER = "synthetic-cases@registry.invalid"


class Command(BaseCommand):
    help = "Make a seeded synthetic registry, marked everywhere as synthetic."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--cases", type=int, default=400)
        parser.add_argument("--centres", type=int, default=8)
        parser.add_argument("--seed", type=int, default=7)

    def handle(self, *args: Any, **options: Any) -> None:
        size = Size(options["cases"], options["centres"], options["seed"])
        if not 1 <= size.cases <= 5_000_000 or not 1 <= size.centres <= 500:
            raise CommandError("--cases from 1 to 5000000, --centres from 1 to 500")
        if Centre.objects.filter(is_synthetic=False).exists():
            raise CommandError("This registry has centres with patients.")
        if Case.objects.filter(centre__code__startswith="DEMO-").exists():
            raise CommandError("The registry holds synthetic cases already.")
        began = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("SET idle_in_transaction_session_timeout = 0")
        by, centres = self.seeder(size.centres)
        loaded = load(size, [centre.pk for centre in centres], by.pk, self.say)
        audit.record("registry.seeded", actor=by, seed=size.seed, rows=loaded.rows)
        self.stdout.write("deriving facts")
        analyse()
        rebuild()
        mark_all_wanted()
        rows = ", ".join(f"{count} {name}" for name, count in loaded.rows.items())
        self.stdout.write(f"{rows} in {time.monotonic() - began:.1f} s")

    def say(self, done: int) -> None:
        self.stdout.write(f"{done} cases")

    def seeder(self, count: int) -> tuple[User, list[Centre]]:
        """The person in whose name synthetic cases stand, and the demo centres."""
        centres = [
            Centre.objects.get_or_create(
                code=f"DEMO-{number:03d}",
                defaults={"name": f"Demo hospital {number}", "is_synthetic": True},
            )[0]
            for number in range(1, count + 1)
        ]
        user = User.objects.filter(email=SEEDER).first()
        if user is None:
            user = User.objects.create_user(SEEDER, None, name="Synthetic cases")
            for centre in centres:
                grant_role(by=None, person=user, role=Role.COORDINATOR, centre=centre)
        return user, centres
