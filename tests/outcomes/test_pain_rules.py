"""Place and intensity of pain agree: 0 is "asked and absent", a marked place is above 0."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from outcomes import choices
from outcomes.models import Visit
from registry.permissions import Role
from tests.factories import make_case, make_centre, make_user
from tests.pages import signed_in
from tests.registry.api_client import Api, codes_of

pytestmark = pytest.mark.django_db
SITES = sorted(choices.PAIN_NRS_FIELDS.items())


@pytest.mark.parametrize(("site", "name"), SITES)
@pytest.mark.parametrize(
    ("present", "marked", "intensity", "refused_at"),
    [
        (True, True, 0, "nrs"),  # marked, but no pain
        (True, True, 1, None),
        (True, True, None, None),
        (True, False, 0, None),  # asked and absent
        (True, False, 1, "nrs"),  # pain of no place
        (False, False, 0, None),
        (False, False, 1, "nrs"),
    ],
)
def test_both_doors_hold_the_rule(
    site: str,
    name: str,
    present: bool,
    marked: bool,
    intensity: int | None,
    refused_at: str | None,
) -> None:
    centre = make_centre()
    surgeon = make_user(Role.SURGEON, centre)
    case = make_case(centre, operation=True)
    said: dict[str, Any] = {
        "visit_type": "m12",
        "visit_date": "2016-03-01",
        "pain_present": present,
        "pain_distribution": [site] if marked else None,
        name: intensity,
    }
    answer = Api(surgeon).post("visits/", said | {"case": case.code})
    typed = {k: v for k, v in said.items() if v is not None}
    typed["pain_present"] = str(present).lower()
    address = reverse("outcomes:visit-new", args=[case.code])
    acknowledged = {"acknowledge": answer.json().get("code", "")}
    page = signed_in(surgeon).post(address, typed | acknowledged)
    if refused_at is None:
        assert (answer.status_code, page.status_code) == (201, 302)
        assert set(Visit.objects.values_list(name, flat=True)) == {intensity}
    else:
        assert (answer.status_code, page.status_code) == (400, 422)
        assert name in codes_of(answer)
        assert name in page.context["forms"][0].errors
        assert not Visit.objects.exists()
