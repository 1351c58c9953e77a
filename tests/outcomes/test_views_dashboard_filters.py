"""The dashboard's filters, the way from a number to its cases, the numbers as files."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from cases.models import Case
from outcomes.views import figure_words
from registry.models import Centre
from registry.permissions import Role
from tests.factories import make_case, make_centre, make_user
from tests.outcomes.registry_of_cases import fill
from tests.pages import signed_in

pytestmark = pytest.mark.django_db
DASHBOARD = "/dashboard/"


@pytest.fixture
def centre() -> Centre:
    """A centre with cases of every course, and one with others."""
    fill(make_centre(), 12, seed=3)
    centre = make_centre()
    fill(centre, 30)
    return centre


@pytest.fixture
def page(centre: Centre) -> Client:
    return signed_in(make_user(Role.SURGEON, centre))


def tiles(response: Any) -> dict[str, dict[str, Any]]:
    return {tile["label"]: tile for tile in response.context["tiles"]}


def counted(tile: dict[str, Any]) -> int:
    """The number of cases that a tile tells: its value, or the events of a share."""
    text = tile["value"]
    if text.endswith("%") or text == "–":  # nobody assessed
        found = re.match(r"[\d,]+", tile["note"])
        text = found[0] if found else "0"
    return int(text.replace(",", ""))


LINK = re.compile(r'<td class="number"><a href="([^"]+)">([\d,]+)</a></td>')
FILTERED = [{}, {"compartment": "intramedullary"}, {"surgery_date_after": "2030-01-01"}]


@pytest.mark.parametrize("filters", FILTERED)
def test_every_number_opens_as_many_cases_as_it_counts(
    page: Client, filters: dict[str, str]
) -> None:
    found = tiles(page.get(DASHBOARD, filters))
    linked = {label: tile for label, tile in found.items() if "url" in tile}
    assert len(linked) == 7
    for label, tile in linked.items():
        rows = page.get(tile["url"]).context["rows"]
        assert len(rows) == counted(tile), label


@pytest.mark.parametrize("filters", FILTERED[:2])
def test_every_count_of_a_table_opens_as_many_cases(
    page: Client, centre: Centre, filters: dict[str, str]
) -> None:
    """Each link of the tables is followed, and the list says how many there are."""
    html = page.get(DASHBOARD, filters).content.decode()
    links = LINK.findall(html)
    outcomes = {
        parse_qs(urlsplit(unescape(url)).query)["outcome"][0] for url, _n in links
    }
    assert {"counted", "operated", "came_back", "recurred_known"} <= outcomes
    assert {"improved_m12", "pain_segmental_m12", "pain_told_m12"} <= outcomes
    for url, told in links:
        listed = page.get(unescape(url))
        assert listed.status_code == 200, url
        assert listed.context["count"].split()[0] == told, url


def test_a_count_of_an_unknown_group_opens_its_cases(
    page: Client, centre: Centre
) -> None:
    make_case(centre, operation=True, compartment=None)
    html = page.get(DASHBOARD).content.decode()
    links = [url for url, _n in LINK.findall(html) if "not_known" in url]
    assert links
    for url in links:
        assert page.get(unescape(url)).context["count"].startswith("1 ")


def test_zero_and_hidden_counts_open_nothing(page: Client, centre: Centre) -> None:
    html = page.get(DASHBOARD).content.decode()
    assert "0" not in {told for _url, told in LINK.findall(html)}
    pooled = page.get(DASHBOARD, {"scope": "pool"}).content.decode()
    # Only the own line of the table of centres leads to cases.
    assert all(f"centre={centre.code}&" in url for url, _n in LINK.findall(pooled))


def test_a_filter_narrows_every_number(page: Client, centre: Centre) -> None:
    inside = Case.objects.filter(centre=centre, compartment="intramedullary").count()
    assert 0 < inside < 30
    found = page.get(DASHBOARD, {"compartment": "intramedullary"})
    assert tiles(found)["Cases"]["value"] == str(inside)
    (chip,) = found.context["filter_chips"]
    assert chip["label"] == "Compartment: Intramedullary"
    assert tiles(page.get(DASHBOARD + chip["remove_url"]))["Cases"]["value"] == "30"


@pytest.mark.parametrize(
    "wrong", [{"compartment": "x"}, {"surgery_date_after": "2021-02-30"}]
)
def test_a_wrong_filter_is_told_at_its_field(
    page: Client, wrong: dict[str, str]
) -> None:
    response = page.get(DASHBOARD, wrong)
    assert response.status_code == 400
    assert set(wrong) <= set(response.context["filter_form"].errors)
    assert tiles(response)["Cases"]["value"] == "30"


def test_all_centres_stand_beside_the_own(page: Client) -> None:
    found = tiles(page.get(DASHBOARD))
    for label in ("Recurred or regrew", "Improved at 12 months"):
        assert found[label]["beside"].startswith("all centres: ")
    narrowed = tiles(page.get(DASHBOARD, {"compartment": "intramedullary"}))
    assert "beside" not in narrowed["Improved at 12 months"]


def test_the_pool_of_a_surgeon_has_neither_filters_nor_cases(page: Client) -> None:
    asked = {"scope": "pool", "compartment": "intramedullary"}
    response = page.get(DASHBOARD, asked)
    assert response.status_code == 200
    assert response.context["filters_ignored"]
    assert not response.context["filter_form"].fields
    assert not any("url" in tile for tile in response.context["tiles"])
    whole = page.get(DASHBOARD, {"scope": "pool", "compartment": ""})
    assert not whole.context["filters_ignored"]
    assert tiles(whole) == tiles(response)


def test_an_analyst_narrows_the_pool_by_what_is_released(
    centre: Centre, settings: Any
) -> None:
    settings.RELEASE_K = 1
    analyst = signed_in(make_user(Role.ANALYST))
    response = analyst.get(DASHBOARD, {"compartment": "intramedullary"})
    inside = Case.objects.filter(compartment="intramedullary").count()
    assert tiles(response)["Cases"]["value"] == str(inside)
    assert not any("url" in tile for tile in response.context["tiles"])
    assert set(response.context["filter_form"].fields) == {
        "compartment",
        "histology_who2021",
        "region",
    }


def test_an_analyst_is_offered_values_of_enough_cases_only(
    centre: Centre, settings: Any
) -> None:
    settings.DISCLOSURE_THRESHOLD = 5
    make_case(centre, histology_who2021="lipoma")
    analyst = signed_in(make_user(Role.ANALYST))
    panel = analyst.get(DASHBOARD).context["filter_form"]
    offered = [
        code for code, _label in panel.fields["histology_who2021"].widget.choices
    ]
    assert offered == ["", "schwannoma"]
    refused = analyst.get(DASHBOARD, {"histology_who2021": "lipoma"})
    assert refused.status_code == 400
    assert "histology_who2021" in refused.context["filter_form"].errors


def test_the_registry_s_numbers_open_the_cases_of_all_centres(centre: Centre) -> None:
    reader = signed_in(make_user(Role.REGISTRY_COORDINATOR))
    found = tiles(reader.get(DASHBOARD))
    assert found["Cases"]["value"] == "42"
    assert len(reader.get(found["Cases"]["url"]).context["rows"]) == 42


def test_nobody_who_withdrew_is_behind_a_number(page: Client, centre: Centre) -> None:
    before = counted(tiles(page.get(DASHBOARD))["Cases"])
    case = Case.objects.filter(centre=centre).first()
    assert case
    form = page.get(reverse("cases:edit-patient", args=[case.code]))
    sent = {
        name: form.context["forms"][0][name].value()
        for name in form.context["forms"][0].fields
    }
    sent = {name: value for name, value in sent.items() if value not in (None, [])}
    sent |= {"consent_research": "withdrawn", "version": str(case.patient.version)}
    page.post(reverse("cases:edit-patient", args=[case.code]), sent)
    tile = tiles(page.get(DASHBOARD))["Cases"]
    assert counted(tile) == before - 1
    assert len(page.get(tile["url"]).context["rows"]) == before - 1


# --- words and files


def test_differences_are_points_with_a_minus() -> None:
    found = {"value": -0.265, "lower": -0.492, "upper": 0.0331}
    told = figure_words.difference_words(found)
    assert told == "difference −26.5 percentage points (−49.2 to 3.3)"
    assert figure_words.points(-0.0001) == "0.0"
    assert figure_words.points(None) == "–"


def test_as_of_tells_its_zone(page: Client) -> None:
    for figure in page.get(DASHBOARD).context["figures"]:
        assert re.fullmatch(r"\d\d:\d\d \S+ on \d{4}-\d\d-\d\d", figure["as_of"])


def test_files_hold_the_numbers_of_the_answer(page: Client, centre: Centre) -> None:
    figures = {each["id"]: each for each in page.get(DASHBOARD).context["figures"]}
    numbers, curve = figures["progression"]["files"]
    assert numbers["columns"][:4] == ["eor_final", "n", "assessed", "events"]
    for row in (*numbers["rows"], *curve["rows"]):
        for value in row[1:]:
            assert value is None or isinstance(value, int | float)
    by_group = {row[0]: row for row in curve["rows"]}
    assert set(by_group) <= {row[0] for row in numbers["rows"]}
    drawn = {
        each["name"].lower(): each for each in figures["progression"]["chart"]["curves"]
    }
    for code, last in by_group.items():
        assert last[1:3] == [drawn[code]["days"][-1], drawn[code]["survival"][-1]]
    volume = figures["volume"]["files"][0]
    assert sum(row[-1] for row in volume["rows"]) == 30


def test_centre_stands_beside_centre(page: Client, centre: Centre) -> None:
    """The own and all for people of a centre; each and all for the whole registry."""
    told = page.get(DASHBOARD).context["centres"]
    assert [row[0] for row in told["rows"]] == [centre.name, "All centres"]
    assert told["rows"][0][1]["value"] == 30
    assert page.get(DASHBOARD, {"region": "thoracic"}).context["centres"] is None
    everywhere = signed_in(make_user(Role.REGISTRY_COORDINATOR))
    rows = everywhere.get(DASHBOARD).context["centres"]["rows"]
    assert len(rows) == 1 + Centre.objects.count()
    assert sum(row[1]["value"] for row in rows[1:]) == rows[0][1]["value"] == 42
    for row in rows:
        for cell in row[1:]:
            if isinstance(cell, dict):
                told_there = everywhere.get(cell["url"]).context["count"]
                assert told_there.split()[0] == str(cell["value"])
