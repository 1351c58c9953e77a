"""Say how many rows of the analysis table look alike, before and after release."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from outcomes.anonymity import (
    KNOWN_OUTSIDE,
    MEASURED,
    RELEASED,
    Anonymity,
    measured,
    withheld,
)
from outcomes.models import CaseFacts, ReleasedFacts
from outcomes.released import keep_up

# What somebody knows: columns of the facts, and of the released facts.
KNOWN = {
    "sex, age, region, year, compartment, neurofibromatosis": (KNOWN_OUTSIDE, RELEASED),
    "minutes, millilitres, size, day of the visit": (MEASURED, MEASURED),
    "all of these": ((*KNOWN_OUTSIDE, *MEASURED), (*RELEASED, *MEASURED)),
}


class Command(BaseCommand):
    help = "Measure the k-anonymity of de-identified rows, and what it costs."

    def handle(self, *args: Any, **options: Any) -> None:
        keep_up()
        for words, (recorded, released) in KNOWN.items():
            self.stdout.write(f"Somebody knows {words}:")
            self.tell("recorded", measured(CaseFacts.objects.all(), recorded))
            self.tell("released", measured(ReleasedFacts.objects.all(), released))
        self.stdout.write("Values withheld, and in bands by their width:")
        for name, told in withheld().items():
            self.stdout.write(f"  {name}: {told}")

    def tell(self, what: str, found: Anonymity) -> None:
        self.stdout.write(
            f"  {what}: {found.unique} of {found.rows} rows are alone"
            f" ({found.share_unique:.0%}), {found.few} in sets below the threshold,"
            f" k = {found.k or '–'}"
        )
