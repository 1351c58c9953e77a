"""The people and cases of the journeys through the forms; run inside the registry."""

from __future__ import annotations

import json

from registry.permissions import Role
from tests.factories import (
    PASSWORD,
    make_case,
    make_centre,
    make_mri,
    make_user,
    make_visit,
)

SURGEON = "surgeon@forms.example"


def fill() -> None:
    """Make them and print their codes as one line of JSON."""
    centre = make_centre(code="FORMS")
    surgeon = make_user(Role.SURGEON, centre, email=SURGEON, password=PASSWORD)
    one = make_case(centre, by=surgeon, operation=True)
    other = make_case(centre, by=surgeon, operation=True)
    odd = make_case(centre, by=surgeon, incidental=None, operation=True)
    visit = make_visit(
        odd, by=surgeon, pain_segmental_nrs=0, missing={"sensory_level": "unknown"}
    )
    study = make_mri(odd, by=surgeon, oedema_present=None, oedema_cranial_seg=2)
    codes = {
        "one": one.code,
        "other": other.code,
        "patient_of_other": other.patient.code,
        "odd": odd.code,
        "visit": visit.code,
        "mri": study.code,
    }
    print("codes", json.dumps(codes))
