"""How many rows look alike, and what questions to the summaries give back."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from outcomes.anonymity import QUASI_IDENTIFIERS, measured
from outcomes.models import CaseFacts
from registry.models import Centre
from registry.permissions import Role
from tests import factories
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
    facts = CaseFacts.objects.all()
    recorded = measured(facts, QUASI_IDENTIFIERS, released=False)
    released = measured(facts, QUASI_IDENTIFIERS, released=True)
    assert recorded.rows == released.rows == 13
    assert (recorded.k, recorded.unique) == (1, 1)
    assert recorded.few == 13
    assert (released.few, released.share_unique) == (1, 1 / 13)


def test_nobody_is_nobody() -> None:
    found = measured(CaseFacts.objects.none(), QUASI_IDENTIFIERS, released=True)
    assert (found.rows, found.k, found.share_unique) == (0, None, 0.0)


def test_the_command_tells_before_and_after(centre: Centre, capsys: Any) -> None:
    call_command("measure_anonymity")
    told = capsys.readouterr().out
    assert told.count("recorded: ") == told.count("released: ") == 3


def answer(query: str) -> Any:
    return Api(factories.make_user(Role.ANALYST, password=None)).get(query).json()


def test_the_year_of_one_patient_is_not_given_back(centre: Centre) -> None:
    """By filters and groupings down to one case, its year stays a band."""
    whole = answer("summaries/volume/")["groups"][0]["years"]
    assert {(i["year"], i["to"]): i["n"] for i in whole} == {
        (2013, 2015): 1,
        (2016, 2018): 12,
    }
    for query in ("?histology_who2021=other", "?by=histology_who2021,sex,region"):
        for group in answer(f"summaries/volume/{query}")["groups"]:
            assert all(item["to"] == item["year"] + 2 for item in group["years"])


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
