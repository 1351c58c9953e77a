from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.audit import heads
from registry.audit.verifying import problems
from registry.models import Seal


class Command(BaseCommand):
    help = (
        "Compare the audit trail with its seals, records with their history, and the"
        " chain with the heads kept outside; prints the head."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--head", help="an earlier head, as printed: ID:MAC")
        parser.add_argument("--heads", help="file of heads instead of AUDIT_HEADS")
        parser.add_argument(
            "--restored",
            action="store_true",
            help="after restoring a backup: heads that are younger are no cut tail",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        known = self.known_heads(options["heads"])
        if options["head"]:
            known.append(typed_head(options["head"]))
        first = ""
        for line in problems(known, restored=options["restored"]):
            self.stderr.write(line)
            first = first or line
        if first:
            raise CommandError(f"BROKEN: {first}")
        head = heads.present_head()
        rows, seals = (head.rows if head else 0), Seal.objects.count()
        self.stdout.write(f"{rows} rows under {seals} seals, chain whole")
        self.stdout.write(f"{len(known)} heads kept outside agree")
        if head:
            self.stdout.write(f"head {head.seal}:{head.mac}")

    def known_heads(self, chosen: str | None) -> list[heads.Head]:
        path = Path(chosen) if chosen else heads.heads_file()
        if path is None or (not chosen and not path.exists()):
            self.stderr.write("No file of heads: a cut end would not be seen.")
            return []
        try:
            return list(heads.read_heads(path))
        except (OSError, heads.HeadError) as error:
            raise CommandError(f"The heads cannot be read: {error}") from None


def typed_head(text: str) -> heads.Head:
    number, _colon, mac = text.partition(":")
    if not (number.isascii() and number.isdigit()) or not mac:
        raise CommandError("Write the head as ID:MAC.")
    return heads.Head("it was printed", int(number), mac, 0)
