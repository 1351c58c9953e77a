"""How many rows look alike, and what questions to the summaries give back."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections import Counter
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from pyarrow import parquet

from cases.actions import update_record
from cases.models import Case
from outcomes import facts, summaries
from outcomes.anonymity import KNOWN_OUTSIDE, RELEASED, measured
from outcomes.models import CaseFacts
from outcomes.models.fact_column import Release
from outcomes.models.fact_columns import COLUMN_BY_NAME
from outcomes.quasi_identifiers import QUASI_IDENTIFIERS
from registry.models import Centre, User
from registry.permissions import Role
from tests import factories
from tests.outcomes.random_registry import make_cases
from tests.outcomes.released_rows import released_rows
from tests.registry.api_client import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def centre() -> Centre:
    """Twelve of one kind whose ages differ, and one lipoma of 2014."""
    centre = factories.make_centre()
    for number in range(12):
        year = 1961 + number % 5
        factories.make_case(centre, operation=True, patient_values={"birth_year": year})
    CaseFacts.objects.update(surgery_year=2016)
    rare = factories.make_case(centre, operation=True, histology_who2021="lipoma")
    CaseFacts.objects.filter(pk=rare.pk).update(surgery_year=2014)
    return centre


def test_bands_make_rows_alike(centre: Centre) -> None:
    recorded = measured(CaseFacts.objects.all(), KNOWN_OUTSIDE)
    released = measured(released_rows(), RELEASED)
    assert recorded.rows == released.rows == 13
    assert (recorded.k, recorded.unique) == (1, 1)
    assert recorded.few == 13
    assert (released.k, released.unique, released.share_unique) == (13, 0, 0.0)


def test_nobody_is_nobody() -> None:
    found = measured(CaseFacts.objects.none(), KNOWN_OUTSIDE)
    assert (found.rows, found.k, found.share_unique) == (0, None, 0.0)


def test_the_command_tells_before_and_after(centre: Centre, capsys: Any) -> None:
    call_command("measure_anonymity")
    told = capsys.readouterr().out
    assert told.count("recorded: ") == told.count("released: ") == 3
    assert "k = 13" in told
    assert "surgery_year: withheld 0.0%, 3 years 0.0%, 9 years 100.0%" not in told


def answer(query: str) -> Any:
    return Api(factories.make_user(Role.ANALYST, password=None)).get(query).json()


def test_the_year_of_one_patient_is_not_given_back(centre: Centre) -> None:
    """By filters and groupings down to one case, its year stays what its row tells."""
    rows = answer("facts/?fields=surgery_year,histology_who2021")["results"]
    rare = [row for row in rows if row["histology_who2021"] == "other"]
    assert len(rare) == 1
    assert rare[0]["surgery_year"] in {None, "2007-2015"}
    for query in ("?histology_who2021=other", "?by=histology_who2021,sex,region"):
        groups = answer(f"summaries/volume/{query}")["groups"]
        (alone,) = [group for group in groups if group["n"] == 1]
        assert band_of(alone["years"][0]) == rare[0]["surgery_year"]


def band_of(item: dict[str, Any]) -> str | None:
    return f"{item['year']}-{item['to']}" if item["year"] else None


def test_a_rare_value_is_no_group_of_its_own(centre: Centre) -> None:
    """What rows carry as other is other in every grouping."""
    groups = answer("summaries/volume/?by=histology_who2021")["groups"]
    assert {g["group"]["histology_who2021"]: g["n"] for g in groups} == {
        "schwannoma": 12,
        "other": 1,
    }
    coordinator = Api(factories.make_user(Role.REGISTRY_COORDINATOR, password=None))
    exact = coordinator.get("summaries/volume/?by=histology_who2021").json()["groups"]
    assert {g["group"]["histology_who2021"] for g in exact} == {"schwannoma", "lipoma"}


def test_pooled_groups_number_what_the_rows_number(centre: Centre) -> None:
    assert settings.DISCLOSURE_THRESHOLD == 10
    rows = answer("facts/?fields=nf_status,histology_who2021&page_size=500")["results"]
    for name in ("nf_status", "histology_who2021"):
        told = answer(f"summaries/volume/?by={name}")["groups"]
        for group in told:
            value = group["group"][name]
            assert group["n"] == sum(row[name] == value for row in rows)


# --- the released table is one in which nobody is alone -------------------------------


@pytest.fixture
def registry(settings: Any) -> list[Case]:
    """Random facts of two centres, rare kinds and unknown ones among them."""
    settings.RELEASE_K = 4
    cases = make_cases(70)
    facts.rebuild()
    summaries.mark_all_wanted()
    return cases


def sets_alike(rows: list[dict[str, Any]]) -> Counter[tuple[str, ...]]:
    names = (*KNOWN_OUTSIDE, "withheld", *(f"{name}_missing" for name in WITH_REASON))
    return Counter(tuple(str(row[name]) for name in names) for row in rows)


WITH_REASON = ("sex", "compartment", "nf_status")


def rows_in(form: str, api: Api) -> list[dict[str, Any]]:
    body = api.get(f"facts/?format={form}&page_size=500").body
    if form == "json":
        return list(json.loads(body)["results"])
    if form == "ndjson":
        return [json.loads(line) for line in body.splitlines()]
    if form == "parquet":
        return list(parquet.read_table(io.BytesIO(body)).to_pylist())
    return list(csv.DictReader(io.StringIO(body.decode())))


@pytest.mark.parametrize("form", ["json", "csv", "ndjson", "parquet"])
def test_nobody_is_alone_in_any_form(registry: list[Case], form: str) -> None:
    """Counted from what an analyst holds, not by the code that chose the levels."""
    api = Api(factories.make_user(Role.ANALYST, password=None))
    rows = rows_in(form, api)
    assert len(rows) == 70
    alike = sets_alike(rows)
    assert min(alike.values()) >= 4
    assert len(alike) > 3
    told = [row for row in rows if not row["withheld"]]
    assert told, "some rows are told whole"


def test_nobody_is_alone_after_any_change(registry: list[Case], settings: Any) -> None:
    """Who comes, changes or withdraws leaves no row alone, and at once."""
    api = Api(factories.make_user(Role.ANALYST, password=None))
    by = factories.surgeon_of(registry[0].centre)
    for number in range(3):
        factories.make_case(registry[0].centre, by=by, operation=True)
        patient = next(c for c in registry[number::7] if c.centre == by_centre(by))
        patient.patient.refresh_from_db()
        update_record(
            by=by,
            record=patient.patient,
            version=patient.patient.version,
            values={"consent_research": "withdrawn"},
        )
        assert min(sets_alike(rows_in("json", api)).values()) >= 4
    settings.RELEASE_K = 9
    assert min(sets_alike(rows_in("json", api)).values()) >= 9


def by_centre(person: User) -> Centre:
    return Centre.objects.get(memberships__user=person)


def test_of_few_cases_nothing_is_told(settings: Any) -> None:
    settings.RELEASE_K = 5
    centre = factories.make_centre()
    by = factories.surgeon_of(centre)
    factories.make_case(centre, by=by, operation=True)
    api = Api(factories.make_user(Role.ANALYST, password=None))
    for _n in range(3):
        factories.make_case(centre, by=by, operation=True)
        for row in rows_in("json", api):
            assert [row[name] for name in KNOWN_OUTSIDE] == [None] * 6
            assert row["withheld"].split() == list(KNOWN_OUTSIDE)
            assert row["sex_missing"] == "withheld"
            assert row["compartment_mri"] is None
    for _n in range(2):
        factories.make_case(centre, by=by, operation=True)
        rows = rows_in("json", api)
    assert {row["withheld"] for row in rows} == {None}
    assert {row["compartment"] for row in rows} == {"intramedullary"}


def test_filters_and_groups_see_what_rows_show(registry: list[Case]) -> None:
    """A withheld value is found by no filter and counted in no group."""
    api = Api(factories.make_user(Role.ANALYST, password=None))
    rows = rows_in("json", api)
    assert any(row["withheld"] for row in rows)
    for name in ("compartment", "sex", "region", "nf_status"):
        told = Counter(row[name] for row in rows)
        answer = api.get(f"summaries/volume/?by={name}").json()
        assert {g["group"][name]: g["n"] for g in answer["groups"]} == dict(told)
        for value in filter(None, told):
            found = api.get(f"summaries/volume/?{name}={value}")
            if found.status_code == 200:
                assert found.json()["n_cases"] == told[value]
    years = api.get("summaries/volume/").json()["groups"][0]["years"]
    bands = Counter(row["surgery_year"] for row in rows)
    assert (
        Counter(
            {f"{i['year']}-{i['to']}" if i["year"] else None: i["n"] for i in years}
        )
        == +bands
    )


def test_ages_are_found_by_bands_that_lie_within(registry: list[Case]) -> None:
    api = Api(factories.make_user(Role.ANALYST, password=None))
    bands = [row["age_at_surgery"] for row in rows_in("json", api)]
    for query, limit in (("age_min", 40), ("age_max", 59)):
        inside = [
            band for band in filter(None, bands) if lies_within(band, query, limit)
        ]
        found = api.get(f"facts/?fields=age_at_surgery&page_size=500&{query}={limit}")
        told = [row["age_at_surgery"] for row in found.json()["results"]]
        assert Counter(told) == Counter(inside)


def lies_within(band: str, query: str, limit: int) -> bool:
    """Whether ``40 to 59`` or ``80 or more`` is all from, or up to, this age."""
    first, last = band.split(" to ") if " to " in band else (band[:2], "999")
    return int(first) >= limit if query == "age_min" else int(last) <= limit


def test_stored_numbers_of_analysts_are_of_released_rows(registry: list[Case]) -> None:
    summaries.refresh_scope(None)
    analyst = factories.make_user(Role.ANALYST, password=None)
    coordinator = factories.make_user(Role.REGISTRY_COORDINATOR, password=None)
    path = "summaries/volume/?by=compartment"
    mine, exact = (Api(person).get(path).json() for person in (analyst, coordinator))
    assert mine["n_cases"] == exact["n_cases"] == 70
    rows = Counter(row["compartment"] for row in rows_in("json", Api(analyst)))
    assert {g["group"]["compartment"]: g["n"] for g in mine["groups"]} == dict(rows)
    assert mine["groups"] != exact["groups"]


def test_bands_of_the_levels_are_those_of_the_columns() -> None:
    for found in QUASI_IDENTIFIERS:
        column = COLUMN_BY_NAME[found.name]
        assert column.release != Release.DROP
        assert len(found.costs) == max(len(found.steps), 1) + 1
        if found.steps:
            assert found.steps[0] == column.step
            assert all(b % a == 0 for a, b in itertools.pairwise(found.steps))
        for name in found.follows:
            assert name in COLUMN_BY_NAME, name
