from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.actions import create_token
from registry.models import User


class Command(BaseCommand):
    help = "Make an API token for a person; it is printed once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="command line")
        parser.add_argument("--days", type=int, default=90)
        parser.add_argument("--write", action="store_true", help="may also write")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = User.objects.filter(email__iexact=options["email"]).first()
        if owner is None:
            raise CommandError("There is no person with that e-mail address.")
        _token, secret = create_token(
            by=owner,
            owner=owner,
            name=options["name"],
            days=options["days"],
            read_only=not options["write"],
        )
        self.stdout.write(secret)
