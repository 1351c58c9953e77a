"""Finer de-identified rows: for whom a purpose was granted, and only while it is."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from outcomes.deidentified import deidentified_columns, limited_columns
from outcomes.models import CaseFacts
from outcomes.models.fact_column import Kind
from registry import actions
from registry.models import AuditEvent, DetailGrant, User
from registry.permissions import Role
from tests import factories
from tests.registry.api_cast import Cast, make_cast

pytestmark = pytest.mark.django_db
PATH = "facts/?detail=limited"
GRANTS = ("none", "in_force", "expired", "ended")
MAY_READ = {"registry_coordinator", "analyst"}
ROLES = (
    "surgeon_a",
    "coordinator_a",
    "registry_coordinator",
    "analyst",
    "administrator",
)


@pytest.fixture
def cast() -> Cast:
    return make_cast()


def given(person: User, state: str = "in_force") -> DetailGrant:
    """A grant as it may have come to be, written past the action that checks roles."""
    day = timezone.localdate() + timedelta(-1 if state == "expired" else 0)
    granter = factories.make_user(Role.ADMINISTRATOR, password=None)
    grant: DetailGrant = DetailGrant.objects.create(
        user=person, purpose="A study", until=day, granted_by=granter
    )
    if state == "ended":
        actions.end_grant(by=granter, grant=grant)
    return grant


@pytest.mark.parametrize("state", GRANTS)
@pytest.mark.parametrize("role", ROLES)
def test_role_by_grant(cast: Cast, role: str, state: str) -> None:
    if state != "none":
        given(cast.people[role], state)
    may = role in MAY_READ and state == "in_force"
    for form in ("json", "csv", "ndjson", "parquet"):
        answer = cast.apis[role].get(f"{PATH}&format={form}")
        assert answer.status_code == (200 if may else 403), form
    assert cast.apis["stranger"].get(PATH).status_code == 401


def test_a_grant_stops_at_once(cast: Cast) -> None:
    analyst = cast.apis["analyst"]
    grant = given(cast.people["analyst"])
    assert analyst.get(PATH).status_code == 200
    yesterday = timezone.localdate() - timedelta(1)
    DetailGrant.objects.filter(pk=grant.pk).update(until=yesterday)
    assert analyst.get(PATH).status_code == 403
    DetailGrant.objects.filter(pk=grant.pk).update(until=timezone.localdate())
    assert analyst.get(PATH).status_code == 200
    actions.end_grant(by=cast.people["administrator"], grant=grant)
    assert analyst.get(PATH).status_code == 403


def test_every_read_is_recorded_with_its_purpose(cast: Cast) -> None:
    grant = given(cast.people["analyst"])
    for form in ("json", "csv"):
        cast.apis["analyst"].get(f"{PATH}&format={form}&sex=F")
    told = [e.body for e in AuditEvent.objects.filter(action="facts.read")]
    assert [(e["detail"], e["grant"], e["purpose"]) for e in told] == [
        ("limited", grant.pk, "A study")
    ] * 2
    assert {e["filters"]["sex"] for e in told} == {"F"}
    cast.apis["analyst"].get("facts/")
    plain = AuditEvent.objects.filter(action="facts.read").latest("pk").body
    assert (plain["detail"], plain["grant"], plain["purpose"]) == ("released", None, "")


@pytest.fixture
def old_case(cast: Cast) -> CaseFacts:
    """Of 1931, operated on at 83; its age in the facts is 96."""
    case = factories.make_case(
        cast.centre_a,
        by=cast.people["surgeon_a"],
        operation={"surgery_date": date(2014, 6, 3), "blood_loss_ml": 20},
        size_cc_mm="25.5",
        histology_who2021="lipoma",
        icdo_morphology="8850/0",
    )
    CaseFacts.objects.filter(pk=case.pk).update(age_at_surgery=96, rfs_days=368)
    found: CaseFacts = CaseFacts.objects.get(pk=case.pk)
    return found


def test_values_are_as_recorded(cast: Cast, old_case: CaseFacts) -> None:
    given(cast.people["analyst"])
    (row,) = (
        cast.apis["analyst"].get(f"{PATH}&histology_who2021=lipoma").json()["results"]
    )
    expected = {
        "surgery_year": 2014,
        "age_at_surgery": 90,
        "size_cc_mm": 25.5,
        "blood_loss_ml": 20,
        "rfs_days": 368,
        "histology_who2021": "lipoma",
        "case": old_case.pseudonym,
    }
    assert {name: row[name] for name in expected} == expected
    assert list(row) == [column.name for column in limited_columns()]


def test_an_unknown_age_is_not_ninety(cast: Cast, old_case: CaseFacts) -> None:
    given(cast.people["analyst"])
    CaseFacts.objects.update(age_at_surgery=None)
    answer = cast.apis["analyst"].get(f"{PATH}&fields=age_at_surgery").json()
    assert {row["age_at_surgery"] for row in answer["results"]} == {None}
    assert cast.apis["analyst"].get(f"{PATH}&age_min=0").json()["results"] == []


def test_no_code_no_date_and_nobody_who_withdrew(cast: Cast) -> None:
    given(cast.people["analyst"])
    names = {column.name for column in limited_columns()}
    assert not any(column.kind == Kind.DATE for column in limited_columns())
    assert not names & {"case_code", "patient_code", "centre_code", "birth_year"}
    assert names - {c.name for c in deidentified_columns()} == {"cutoff_days"}
    body = cast.apis["analyst"].get(f"{PATH}&format=csv").body.decode()
    rows = list(csv.DictReader(io.StringIO(body)))
    assert len(rows) == 1
    secrets = [cast.code("cases"), cast.code("patients"), "AAA"]
    assert not [secret for secret in secrets if secret in body]
    CaseFacts.objects.update(consent_research="withdrawn")
    assert cast.apis["analyst"].get(PATH).json()["results"] == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("rows=coded&detail=limited", "invalid_choice"),
        ("detail=finer", "invalid_choice"),
        ("detail=limited&age_min=95", "band"),
        ("detail=limited&age_max=90", "band"),
        ("detail=limited&centre=AAA", "unknown_parameter"),
        ("detail=limited&surgery_date_after=2014-01-01", "unknown_parameter"),
        ("detail=limited&fields=surgery_date", "unknown_field"),
    ],
)
def test_what_it_has_not_cannot_be_asked_for(cast: Cast, query: str, code: str) -> None:
    given(cast.people["registry_coordinator"])
    answer = cast.apis["registry_coordinator"].get(f"facts/?{query}")
    assert answer.status_code == 400
    assert [error["code"] for error in answer.json()["errors"]] == [code]


def test_filters_act_on_finer_values(cast: Cast, old_case: CaseFacts) -> None:
    given(cast.people["analyst"])
    CaseFacts.objects.filter(pk=old_case.pk).update(age_at_surgery=62)

    def found(query: str) -> int:
        answer: Any = cast.apis["analyst"].get(f"{PATH}&{query}").json()
        return len(answer["results"])

    assert found("age_min=62&age_max=62") == 1
    assert found("age_min=63&age_max=63") == 0
    assert found("histology_who2021=lipoma") == 1
