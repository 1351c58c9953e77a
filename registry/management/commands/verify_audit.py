from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.audit import broken_events
from registry.models import AuditEvent


class Command(BaseCommand):
    help = "Check the chain of the audit trail; prints its head, to be kept outside."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--head", help="an earlier head, as printed: ID:MAC")

    def handle(self, *args: Any, **options: Any) -> None:
        head = None
        if options["head"]:
            number, _colon, mac = options["head"].partition(":")
            if not (number.isascii() and number.isdigit()) or not mac:
                raise CommandError("Write the head as ID:MAC.")
            head = (int(number), mac)
        broken = list(broken_events(head))
        for line in broken:
            self.stderr.write(line)
        if broken:
            raise CommandError(f"BROKEN: {broken[0]}")
        last = AuditEvent.objects.order_by("-pk").first()
        count = AuditEvent.objects.count()
        self.stdout.write(f"{count} events, chain whole")
        if last:
            self.stdout.write(f"head {last.pk}:{last.mac}")
