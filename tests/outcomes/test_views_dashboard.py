"""The dashboard shows what the summaries say, and nothing more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from outcomes import summaries
from outcomes.views import figure_words, survival_figure, tiles
from registry.models import Centre
from registry.permissions import Role
from tests.factories import (
    OPERATED_ON,
    make_case,
    make_centre,
    make_mri,
    make_user,
    make_visit,
)
from tests.outcomes.registry_of_cases import fill
from tests.pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def centre() -> Centre:
    return make_centre()


@pytest.fixture
def page(centre: Centre) -> Client:
    return signed_in(make_user(Role.SURGEON, centre))


def followed_case(centre: Centre, before: int = 3, after: int = 2) -> Any:
    """A case with a follow-up MRI and the grades before and at 12 months."""
    case = make_case(centre, operation=True, mri=True)
    make_mri(case, purpose="followup", mri_date=OPERATED_ON + timedelta(400))
    make_visit(
        case, visit_type="preop", visit_date=OPERATED_ON - timedelta(2), mmcs=before
    )
    make_visit(
        case, visit_type="m12", visit_date=OPERATED_ON + timedelta(365), mmcs=after
    )
    return case


def refresh(centre: Centre) -> None:
    for scope in (centre.pk, None):
        summaries.refresh_scope(scope)


def test_it_tells_the_numbers_of_the_own_centre(page: Client, centre: Centre) -> None:
    followed_case(centre)
    followed_case(centre, before=2, after=2)
    followed_case(make_centre())
    refresh(centre)
    response = page.get(reverse("outcomes:dashboard"))
    tiles = {tile["label"]: tile for tile in response.context["tiles"]}
    assert tiles["Cases"]["value"] == "2"
    assert tiles["Improved at 12 months"]["value"] == "50.0 %"
    assert "1 of 2 assessed" in tiles["Improved at 12 months"]["note"]
    drawn = {figure["id"]: figure for figure in response.context["figures"]}
    assert drawn["improvement"]["chart"]["rows"] == [
        {"name": "Intramedullary", "counts": [1, 1, 0], "missing": 0}
    ]
    assert "Intramedullary 0 of 2 (0.0 to 84.2 %)" in drawn["recurrence"]["answer"]


def test_small_groups_of_other_centres_are_hidden(page: Client, centre: Centre) -> None:
    followed_case(make_centre())
    refresh(centre)
    response = page.get(reverse("outcomes:dashboard"), {"scope": "pool"})
    assert response.context["protected"]
    tiles = {tile["label"]: tile["value"] for tile in response.context["tiles"]}
    assert tiles["Cases"] == tiles["Improved at 12 months"] == "hidden"
    assert all(figure["empty"] for figure in response.context["figures"])


@pytest.mark.parametrize("threshold", [1, 2, 10_000])
def test_the_pool_opens_whatever_is_left_out_of_it(
    page: Client, centre: Centre, settings: Any, threshold: int
) -> None:
    """Everything shown without its details, some of it hidden, all of it hidden."""
    settings.DISCLOSURE_THRESHOLD = threshold
    fill(make_centre(), 40)
    refresh(centre)
    response = page.get(reverse("outcomes:dashboard"), {"scope": "pool"})
    assert response.status_code == 200
    drawn = [figure for figure in response.context["figures"] if not figure["empty"]]
    assert len(drawn) == {1: 5, 10_000: 0}.get(threshold, len(drawn))


@pytest.mark.parametrize(
    ("parts", "together", "told"),
    [
        ([30, 5], {"n": 35, "suppressed": True}, 35),
        ([30, None], {"n": 35}, 35),
        ([30, None], {"n": 35, "suppressed": True}, None),
    ],
)
def test_the_number_operated_is_hidden_only_where_no_answer_tells_it(
    parts: list[int | None], together: dict[str, Any], told: int | None
) -> None:
    groups = [{"operated": part} for part in parts]
    answers = {"volume": {"groups": groups}, "improvement_all": {"groups": [together]}}
    assert tiles.operated(answers) == told


def test_a_hidden_line_of_all_centres_is_explained(
    page: Client, centre: Centre
) -> None:
    fill(centre, 40)
    followed_case(make_centre())
    refresh(centre)
    response = page.get(reverse("outcomes:dashboard"))
    assert "hidden" in {
        tile["beside"].removeprefix("all centres: ")
        for tile in response.context["tiles"]
        if "beside" in tile
    }
    assert "Small groups of other centres are hidden" in response.content.decode()


def test_a_foreign_centre_is_unknown(page: Client) -> None:
    foreign = make_centre()
    address = reverse("outcomes:dashboard")
    assert page.get(address, {"scope": foreign.code}).status_code == 404
    assert page.get(address, {"scope": "NOBODY"}).status_code == 404
    assert page.get(address, {"compartment": "x"}).status_code == 400


def test_an_empty_registry_says_so(page: Client, centre: Centre) -> None:
    response = page.get(reverse("outcomes:dashboard"))
    assert response.status_code == 200
    assert "–" in response.content.decode()


def test_it_says_when_numbers_are_being_recounted(page: Client, centre: Centre) -> None:
    refresh(centre)
    address = reverse("outcomes:dashboard")
    assert not page.get(address).context["stale"]
    followed_case(centre)
    response = page.get(address)
    assert response.context["stale"]
    assert "hx-trigger" in response.content.decode()
    waiting = {"HX-Request": "true", "X-Background": "1"}
    asked = {"scope": centre.code, "seen": response.context["mark"]}
    assert page.get(address, asked, headers=waiting).status_code == 204
    refresh(centre)
    fresh = page.get(address, asked, headers=waiting)
    assert fresh.status_code == 200
    assert "hx-trigger" not in fresh.content.decode()
    assert "<html" not in fresh.content.decode()


def test_people_of_the_whole_registry_see_the_pool(centre: Centre) -> None:
    followed_case(centre)
    refresh(centre)
    for role in (Role.ANALYST, Role.REGISTRY_COORDINATOR):
        response = signed_in(make_user(role)).get(reverse("outcomes:dashboard"))
        assert response.context["scope"] == "pool"
        assert response.context["tiles"][0]["value"] == "1"
    administrator = signed_in(make_user(Role.ADMINISTRATOR))
    assert administrator.get(reverse("outcomes:dashboard")).status_code == 403


def test_small_p_values_are_not_written_as_zero() -> None:
    assert figure_words.p_value(0.0000001) == "< 0.001"
    assert figure_words.p_value(0.0421) == "= 0.042"


def test_the_axis_ends_where_few_are_followed() -> None:
    curve = {"days": [100, 900, 4000], "at_risk": [40, 5, 1]}
    assert survival_figure.last_day([curve]) == 900
    assert survival_figure.last_day([{"days": [10], "at_risk": [1]}]) is None


def test_a_contrast_without_events_in_one_group_keeps_its_limit() -> None:
    found = {"value": None, "lower": 0.023, "upper": None}
    assert figure_words.ratio_words(found) == "rate ratio – (0.02 to ∞)"
    payload = {
        "differences": [
            {
                "group": {"eor_mri": "str"},
                "reference": {"eor_mri": "gtr"},
                "rate_ratio": found,
            }
        ]
    }
    told = figure_words.contrasts(payload, "rate_ratio", figure_words.ratio_words)
    assert told.startswith("Subtotal (STR) against Gross total (GTR): rate ratio –")
