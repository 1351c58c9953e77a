"""Registries of random facts: every value that a column may have, in any mixture.

The facts are written as rows of their table, so that ties, empty groups, unknown codes
and contradictions come up that few records would give. What hangs together in the
facts hangs together here: an event has a day, a change has both grades.
"""

from __future__ import annotations

import random
from typing import Any

from django.db import transaction
from django.utils import timezone

from cases.models import Case
from outcomes.measures.grouping import GROUPABLE
from outcomes.measures.mri_features import FEATURES
from outcomes.models import CaseFacts
from outcomes.models.fact_column import Kind
from outcomes.models.fact_columns import COLUMN_BY_NAME
from outcomes.models.outcome_columns import SEGMENTAL_COURSES
from outcomes.models.pain_columns import SITES as FLAGS
from outcomes.synthetic.load import load
from outcomes.synthetic.parameters import Size
from outcomes.windows import AFTER, RESIDUAL_PAIN_WINDOWS
from registry.models import User
from tests import factories

JOA_MOST = {"thoracic11": 11, "cervical17": 17}
COURSES = tuple(code for code, _label in SEGMENTAL_COURSES)
SITES = ("none", "local", "segmental", "below_level", "mixed")
REASONS = ("extent_unknown", "no_postoperative_mri", "mri_day_unknown")


def make_cases(number: int) -> list[Case]:
    """Cases of two centres to hang the facts on."""
    by = User.objects.create_user("random@x.example", None, name="Random")
    centres = [factories.make_centre() for _n in range(2)]
    load(Size(number, 2, 7), [centre.pk for centre in centres], by.pk)
    return list(Case.objects.filter(centre__in=centres).order_by("pk"))


@transaction.atomic
def write_facts(cases: list[Case], seed: int) -> random.Random:
    """Random facts of some of the cases instead of all that there were."""
    draw = random.Random(seed)
    CaseFacts.objects.all().delete()
    number = draw.choice([2, 5, 12, 40, len(cases)])
    odds = Odds(draw)
    CaseFacts.objects.bulk_create(
        random_facts(case, draw, odds) for case in draw.sample(cases, number)
    )
    return draw


class Odds:
    """How a registry is, so that not every one has some of everything."""

    def __init__(self, draw: random.Random) -> None:
        self.unknown = draw.choice([0.0, 0.1, 0.5])
        self.event = draw.choice([0.0, 0.05, 0.3, 0.8])
        self.death = draw.choice([0.0, 0.1, 0.5])
        self.last_day = draw.choice([4, 60, 3000])
        self.groups = draw.choice([1, 2, 3, 30])
        self.rates = draw.choice([2, 12])


def random_facts(case: Case, draw: random.Random, odds: Odds, **values: Any) -> Any:
    """Unsaved facts of a case; ``values`` replace what was drawn."""
    found: dict[str, Any] = {
        "case_id": case.pk,
        "centre_id": case.centre_id,
        "definition": "random",
        "refreshed_at": timezone.now(),
        "consent_research": draw.choice(["opt_in", None]),
        "has_operation": draw.random() < 0.9,
        "has_preop_mri": draw.random() < 0.8,
        "surgery_year": draw.choice([None, 2014, 2015, 2016]),
    }
    for name in dict.fromkeys((*GROUPABLE, *FEATURES)):
        found[name] = random_code(name, draw, odds)
    found |= random_course(draw, odds) if found["has_operation"] else {}
    found |= random_scores(draw, odds) | random_pain(draw, odds)
    return CaseFacts(**(found | values))


def random_code(name: str, draw: random.Random, odds: Odds) -> Any:
    column = COLUMN_BY_NAME[name]
    if draw.random() < odds.unknown:
        return None
    if column.kind == Kind.FLAG:
        return draw.random() < 0.5
    codes = [code for code, _label in column.values]
    # The last codes of a list say "unknown".
    return draw.choice([*codes[: odds.groups], codes[-1]] if odds.unknown else codes)


def random_course(draw: random.Random, odds: Odds) -> dict[str, Any]:
    """Endpoints as the facts derive them from the days of what happened."""

    def day(chance: float) -> int | None:
        return draw.randint(1, odds.last_day) if draw.random() < chance else None

    seen, death = day(0.9), day(odds.death)
    kind = draw.choice(["recurrence", "regrowth", "neither"])
    event = day(odds.event) if kind != "neither" else None
    found: dict[str, Any] = {
        "death_event": death is not None,
        "death_days": death if death is not None else seen,
        "new_lesion_event": draw.choice([None, True, False]),
    }
    known = kind != "neither" and (event is not None or seen is not None)
    if known:
        found |= {
            f"{kind}_event": event is not None,
            f"{kind}_days": event if event is not None else seen,
        }
    for survival, enters in (("rfs", kind == "recurrence"), ("pfs", known)):
        if not (enters and known):
            found[f"{survival}_exclusion"] = draw.choice(REASONS)
            continue
        ends = [ended for ended in (event, death) if ended is not None]
        found[f"{survival}_event"] = bool(ends)
        found[f"{survival}_days"] = min(ends) if ends else seen
    return found


def random_scores(draw: random.Random, odds: Odds) -> dict[str, Any]:
    before = draw.choice([None, 1, 2, 3, 4, 5])
    form = draw.choice([None, *JOA_MOST])
    points = None if form is None else draw.randint(1, JOA_MOST[form])
    found: dict[str, Any] = {
        "mmcs_preop": before,
        "joa_region_preop": form,
        "joa_total_preop": points,
    }
    for window in AFTER:
        after = draw.choice([None, 1, 2, 3, 4, 5])
        found[f"mmcs_{window.name}"] = after
        if before is not None and after is not None and draw.random() < 0.95:
            change = "unchanged" if after == before else "improved"
            found[f"mmcs_change_{window.name}"] = "worse" if after > before else change
        later = draw.choice([None, form, form])
        if later is None:
            continue
        most, total = JOA_MOST[later], draw.randint(0, JOA_MOST[later])
        total -= total % odds.rates if odds.rates == 2 else 0
        found[f"joa_region_{window.name}"] = later
        found[f"joa_total_{window.name}"] = total
        if points is not None and points < most:
            rate = 100 * (total - points) / (most - points)
            found[f"joa_recovery_rate_{window.name}"] = rate
    return found


def random_pain(draw: random.Random, odds: Odds) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for window in RESIDUAL_PAIN_WINDOWS:
        site = None if draw.random() < odds.unknown else draw.choice(SITES)
        if site is None:
            continue
        found[f"residual_pain_nrs_{window.name}"] = draw.choice([None, 0, 2, 4, 9])
        found[f"segmental_pain_course_{window.name}"] = draw.choice(COURSES)
        found[f"residual_pain_{window.name}"] = site
        several = draw.sample(list(FLAGS), 2) if site == "mixed" else []
        for name in FLAGS:
            hurts = name == site or name in several
            found[f"residual_{name}_pain_{window.name}"] = hurts
    return found
