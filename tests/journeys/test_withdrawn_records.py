"""The record of a patient who withdrew: for the staff of the own centre alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from cases.choices import ResearchConsent
from cases.models import Patient
from registry.models import ClinicalRecord
from registry.models.clinical import CONSENT_WITHDRAWN
from registry.permissions import Role
from tests import factories
from tests.pages import signed_in
from tests.registry.api_cast import Cast, make_cast

pytestmark = pytest.mark.django_db
KINDS = (
    "patients",
    "cases",
    "operations",
    "mri-studies",
    "complications",
    "visits",
    "recurrences",
    "vital-statuses",
)
STAFF = ("surgeon_a", "coordinator_a")


@pytest.fixture
def cast() -> Cast:
    return make_cast()


def withdraw(cast: Cast) -> None:
    code = cast.code("patients")
    version = Patient.objects.get(code=code).version
    answer = cast.apis["surgeon_a"].patch(
        f"patients/{code}/", {"consent_research": "withdrawn"}, version
    )
    assert answer.status_code == 200


def test_the_word_is_that_of_the_record() -> None:
    assert CONSENT_WITHDRAWN == ResearchConsent.WITHDRAWN


def test_every_kind_of_row_knows_its_consent() -> None:
    models = [m for m in apps.get_models() if issubclass(m, ClinicalRecord)]
    assert len(models) >= len(KINDS)
    for model in models:
        assert model.CONSENT_PATH.endswith("consent_research")
        model.objects.filter(**{model.CONSENT_PATH: CONSENT_WITHDRAWN}).exists()


def seen(api: Any, cast: Cast, kind: str) -> tuple[int, bool, bool]:
    """Status of the record; whether it is listed, and listed as changed."""
    code = cast.code(kind)
    listed, changed = (
        code in api.get(f"{kind}/{query}").body.decode()
        for query in ("", "?updated_since=2020-01-01T00:00:00Z")
    )
    return api.get(f"{kind}/{code}/").status_code, listed, changed


@pytest.mark.parametrize("kind", KINDS)
def test_the_api_shows_it_to_the_own_centre_only(cast: Cast, kind: str) -> None:
    people = ("registry_coordinator", *STAFF)
    before = [seen(cast.apis[who], cast, kind) for who in people]
    assert before == [(200, True, True)] * 3
    withdraw(cast)
    after = [seen(cast.apis[who], cast, kind) for who in people]
    assert after == [(404, False, False), (200, True, True), (200, True, True)]


def pages_of(cast: Cast) -> list[str]:
    case = cast.code("cases")
    return [f"/cases/{case}/", f"/cases/{case}/history/"]


def statuses(client: Client, cast: Cast) -> list[int]:
    return [client.get(address).status_code for address in pages_of(cast)]


def test_pages_show_it_to_the_own_centre_only(cast: Cast) -> None:
    case = cast.code("cases")
    browsers = {
        who: signed_in(cast.people[who]) for who in ("registry_coordinator", *STAFF)
    }
    for client in browsers.values():
        assert set(statuses(client, cast)) == {200}
        assert case in client.get("/cases/").content.decode()
    withdraw(cast)
    outside = browsers.pop("registry_coordinator")
    assert set(statuses(outside, cast)) == {404}
    for address in ("/cases/", "/worklist/", f"/cases/?q={case}"):
        rows = outside.get(address).content.decode().replace(f"?q={case}", "")
        assert f"/cases/{case}/" not in rows
    for client in browsers.values():
        assert set(statuses(client, cast)) == {200}
        assert case in client.get("/cases/").content.decode()


def test_nobody_else_verifies_it(cast: Cast) -> None:
    api = cast.apis["registry_coordinator"]
    path = f"cases/{cast.code('cases')}/verify/"
    assert api.post(path, {}, if_match='"1"').status_code != 404
    withdraw(cast)
    assert api.post(path, {}, if_match='"1"').status_code == 404


def test_who_cares_for_the_patient_as_well_sees_it(cast: Cast) -> None:
    person = cast.people["registry_coordinator"]
    withdraw(cast)
    factories.add_role(person, Role.COORDINATOR, cast.centre_b)
    api = cast.apis["registry_coordinator"]
    assert seen(api, cast, "cases")[0] == 404
    factories.add_role(person, Role.COORDINATOR, cast.centre_a)
    assert seen(api, cast, "cases") == (200, True, True)


def test_unknown_consent_hides_nothing(cast: Cast) -> None:
    code = cast.code("patients")
    Patient.objects.filter(code=code).update(
        consent_research=None, missing={"consent_research": "unknown"}
    )
    api = cast.apis["registry_coordinator"]
    assert seen(api, cast, "cases") == (200, True, True)
