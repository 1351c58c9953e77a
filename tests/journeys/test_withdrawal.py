"""A patient withdraws the consent: at once in no number and no row, at every door."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from pyarrow import parquet

from cases.models import Patient
from outcomes import summaries
from outcomes.models import CaseFacts, Summary
from registry.models import Centre, User
from registry.permissions import Role
from tests import factories
from tests.outcomes.registry_of_cases import fill
from tests.pages import signed_in
from tests.registry.api_client import Api

pytestmark = pytest.mark.django_db

# A grouping that is kept as rows, and one that is counted for the question.
BYS = ("", "compartment", "nf_status")
FILTERS = ("", "sex=F", "sex=M", "compartment=intramedullary")
MOMENTS = ("as_of", "stale", "input_hash")


@dataclass
class Registry:
    own: Centre
    patient: Patient
    people: dict[str, User]

    @property
    def scope(self) -> str:
        return f"scope={self.own.code}"


@pytest.fixture
def registry() -> Registry:
    own, other = factories.make_centre(), factories.make_centre()
    fill(own, 12, seed=1)
    fill(other, 14, seed=2)
    by = factories.surgeon_of(own)
    patient = factories.make_patient(own, by=by)
    for side in ("R", "L"):
        factories.make_case(patient=patient, by=by, operation=True, mri=True, side=side)
    people = {
        "surgeon": by,
        "foreign": factories.surgeon_of(other),
        "analyst": factories.make_user(Role.ANALYST, password=None),
        "registry": factories.make_user(Role.REGISTRY_COORDINATOR, password=None),
    }
    for centre_id in (own.pk, other.pk, None):
        summaries.refresh_scope(centre_id)
    return Registry(own, patient, people)


def withdraw(registry: Registry) -> None:
    answer = Api(registry.people["surgeon"]).patch(
        f"patients/{registry.patient.code}/", {"consent_research": "withdrawn"}, 1
    )
    assert answer.status_code == 200


def questions(registry: Registry) -> list[tuple[str, str]]:
    """Everybody's questions to the summaries: who asks, and what."""
    asked = []
    for measure in sorted({measure for measure, _by, _window in summaries.STORED}):
        for by in BYS:
            start = f"summaries/{measure}/?" + (f"by={by}&" if by else "")
            asked += [("foreign", start), ("surgeon", start + registry.scope)]
            asked += [
                ("registry", start),
                ("analyst", start),
                ("analyst", start + "sex=F"),
            ]
    return [(who, path.rstrip("&?")) for who, path in asked]


def answers(registry: Registry) -> dict[tuple[str, str], dict[str, Any]]:
    apis = {who: Api(person) for who, person in registry.people.items()}
    found = {}
    for who, path in questions(registry):
        answer = apis[who].get(path)
        assert answer.status_code == 200, (path, answer.json())
        numbers = answer.json()
        found[who, path] = {k: v for k, v in numbers.items() if k not in MOMENTS}
    return found


def test_every_summary_is_as_if_the_patient_had_never_been_entered(
    registry: Registry,
) -> None:
    before = answers(registry)
    withdraw(registry)
    after = answers(registry)
    CaseFacts.objects.filter(patient_code=registry.patient.code).delete()
    Summary.objects.update(payload=None)

    assert after == answers(registry)
    lost = {before[key]["n_cases"] - after[key]["n_cases"] for key in before}
    assert lost == {2}


def test_the_numbers_lose_exactly_the_patient(registry: Registry) -> None:
    asked = [("registry", "summaries/volume"), ("analyst", "summaries/volume/?sex=F")]
    before = [counted(registry, *one) for one in asked]
    withdraw(registry)
    assert [counted(registry, *one) for one in asked] == [n - 2 for n in before]


def counted(registry: Registry, who: str, path: str) -> int:
    path = path if "?" in path else f"{path}/"
    return int(Api(registry.people[who]).get(path).json()["n_cases"])


def test_a_recount_that_began_before_is_not_shown(registry: Registry) -> None:
    """The row was counted with the patient and is written after the withdrawal."""
    row = Summary.objects.get(
        centre=None, released=False, measure="volume", by="compartment"
    )
    wanted = summaries.wanted_of(None)
    before = Summary.objects.filter(pk=row.pk).values().get()
    withdraw(registry)
    before["done"] = wanted
    Summary.objects.filter(pk=row.pk).update(**before)

    assert counted(registry, "registry", "summaries/volume/?by=compartment") == 26


def test_summaries_and_rows_tell_the_same_patients(registry: Registry) -> None:
    """Nobody is found by taking the rows from the summary."""
    withdraw(registry)
    api = Api(registry.people["analyst"])
    for more in FILTERS:
        rows = api.get(f"facts/?fields=case&page_size=500&{more}".rstrip("&")).json()
        number = api.get(f"summaries/volume/?{more}").json()["n_cases"]
        assert number == len(rows["results"])


@pytest.mark.parametrize(
    ("who", "kind"),
    [
        ("surgeon", "rows=deidentified"),
        ("surgeon", "rows=coded"),
        ("analyst", "rows=deidentified"),
        ("registry", "rows=coded"),
    ],
)
def test_no_form_of_the_facts_holds_a_row(
    registry: Registry, who: str, kind: str
) -> None:
    before = rows_by_form(registry, who, kind)
    withdraw(registry)
    after = rows_by_form(registry, who, kind)
    assert {form: n - after[form] for form, n in before.items()} == dict.fromkeys(
        before, 2
    )


def rows_by_form(registry: Registry, who: str, kind: str) -> dict[str, int]:
    api = Api(registry.people[who])
    body = {
        form: api.get(f"facts/?format={form}&{kind}").body
        for form in ("csv", "ndjson", "parquet", "json")
    }
    return {
        "csv": len(list(csv.DictReader(io.StringIO(body["csv"].decode())))),
        "ndjson": len(body["ndjson"].splitlines()),
        "parquet": parquet.read_table(io.BytesIO(body["parquet"])).num_rows,
        "json": len(json.loads(body["json"])["results"]),
    }


def test_a_rare_value_is_counted_without_the_withdrawn(
    registry: Registry, settings: Any
) -> None:
    settings.DISCLOSURE_THRESHOLD = 28
    assert "schwannoma" in histologies(registry)
    withdraw(registry)
    assert histologies(registry) == {"other"}


def histologies(registry: Registry) -> set[str]:
    rows = Api(registry.people["analyst"]).get("facts/?fields=histology_who2021")
    return {row["histology_who2021"] for row in rows.json()["results"]}


def test_the_dashboard_counts_without_the_patient(registry: Registry) -> None:
    address = f"/dashboard/?scope={registry.own.code}"
    client = signed_in(registry.people["surgeon"])
    assert cases_told(client, address) == "14"
    withdraw(registry)
    assert cases_told(client, address) == "12"


def cases_told(client: Client, address: str) -> str:
    tiles = client.get(address, follow=True).context["tiles"]
    return str(tiles[0]["value"])


def test_the_record_stays_for_care_and_says_so(registry: Registry) -> None:
    client = signed_in(registry.people["surgeon"])
    case = registry.patient.cases.first()
    words = "Consent to research withdrawn"
    assert words not in client.get(f"/cases/{case.code}/").content.decode()
    withdraw(registry)
    page = client.get(f"/cases/{case.code}/")
    assert words in page.content.decode()
    history: Any = apps.get_model("cases", "PatientEvent")
    told = history.objects.filter(pgh_obj_id=registry.patient.pk).order_by("pgh_id")
    consents = list(told.values_list("consent_research", flat=True))
    assert consents == ["opt_in", "withdrawn"]


def test_consent_given_again_brings_the_patient_back(registry: Registry) -> None:
    before = counted(registry, "registry", "summaries/volume")
    withdraw(registry)
    Api(registry.people["surgeon"]).patch(
        f"patients/{registry.patient.code}/", {"consent_research": "opt_in"}, 2
    )
    assert counted(registry, "registry", "summaries/volume") == before
