"""Say how many rows of the analysis table look alike, before and after release."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from outcomes.anonymity import MEASURED, QUASI_IDENTIFIERS, measured
from outcomes.models import CaseFacts

KNOWN = {
    "sex, age, region, year, compartment, neurofibromatosis": QUASI_IDENTIFIERS,
    "age, minutes, millilitres, size, day of the visit": ("age_at_surgery", *MEASURED),
    "all of these": (*QUASI_IDENTIFIERS, *MEASURED),
}


class Command(BaseCommand):
    help = "Measure the k-anonymity of de-identified rows."

    def handle(self, *args: Any, **options: Any) -> None:
        facts = CaseFacts.objects.all()
        for words, names in KNOWN.items():
            self.stdout.write(f"Somebody knows {words}:")
            for released in (False, True):
                found = measured(facts, names, released=released)
                self.stdout.write(
                    f"  {'released' if released else 'recorded'}: {found.unique} of"
                    f" {found.rows} rows are alone ({found.share_unique:.0%}),"
                    f" {found.few} in sets below the threshold, k = {found.k or '–'}"
                )
