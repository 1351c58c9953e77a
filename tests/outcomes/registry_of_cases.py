"""A registry of a few dozen cases for the tests of measures, always the same."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from cases.models import Case
from registry.models import Centre
from tests import factories
from tests.factories import OPERATED_ON

COMPARTMENTS = ("intramedullary", "intradural_extramedullary", "extradural")
EXTENTS = ("gtr", "gtr", "gtr", "str", "pr")
BORDERS = ("smooth", "rough", "not_assessable")


def fill(centre: Centre, cases: int, seed: int = 7) -> list[Case]:
    """Cases with visits, MRI, recurrences and deaths, drawn with a seed."""
    draw = random.Random(seed)
    by = factories.surgeon_of(centre)
    return [one_case(centre, by, draw) for _n in range(cases)]


def one_case(centre: Centre, by: Any, draw: random.Random) -> Case:
    extent = draw.choice(EXTENTS)
    operated = draw.random() < 0.9
    case = factories.make_case(
        centre,
        by=by,
        compartment=draw.choice(COMPARTMENTS),
        patient_values={"sex": draw.choice("MF")},
        operation={"eor_mri": extent} if operated else False,
        mri={"border": draw.choice(BORDERS), "syrinx": draw.choice(["none", "present"])}
        if draw.random() < 0.8
        else False,
    )
    if operated:
        add_course(case, by, draw, extent)
    return case


def add_course(case: Case, by: Any, draw: random.Random, extent: str) -> None:
    for kind in ("preop", "m3", "m12", "m24"):
        if draw.random() < 0.85:
            add_visit(case, by, draw, kind)
    for _n in range(draw.randrange(3)):
        seen_on = OPERATED_ON + timedelta(days=draw.randrange(30, 1500))
        factories.make_mri(case, by=by, purpose="followup", mri_date=seen_on)
    if draw.random() < 0.25:
        kind = "recurrence" if extent == "gtr" else "regrowth"
        day = draw.randrange(100, 1800)
        factories.make_recurrence(case, by=by, kind=kind, day=day)
    if draw.random() < 0.15:
        factories.make_vital_status(
            case.patient,
            by=by,
            vital_status="dead",
            death_date=OPERATED_ON + timedelta(days=draw.randrange(1800, 3000)),
            death_cause="other",
            last_contact_date=None,
        )


def add_visit(case: Case, by: Any, draw: random.Random, kind: str) -> None:
    site = draw.choice([None, "local_axial", "segmental_at_level", "below_level"])
    values: dict[str, Any] = {"pain_present": site is not None}
    if site:
        values |= {"pain_distribution": [site], "pain_nrs_kind": "worst"}
        field = {
            "local_axial": "pain_local_nrs",
            "segmental_at_level": "pain_segmental_nrs",
            "below_level": "pain_below_level_nrs",
        }[site]
        values[field] = draw.randrange(1, 9)
    day = factories.VISIT_TARGETS[kind] + draw.randrange(-9, 10)
    factories.make_visit(
        case, kind, by=by, day=day, mmcs=draw.randrange(1, 6), **values
    )
