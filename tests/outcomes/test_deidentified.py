"""What leaves the registry: an allow-list, transformed."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import models

from outcomes import facts, upkeep
from outcomes.deidentified import deidentified, deidentified_columns
from outcomes.models import CaseFacts, ReleasedFacts
from outcomes.models.fact_column import Kind, Release
from outcomes.models.fact_columns import FACT_COLUMNS
from outcomes.models.pseudonym import key_version
from registry.fields import Privacy
from tests import factories
from tests.outcomes.released_rows import released_rows

NEVER_RELEASED = {
    Privacy.DIRECT,
    Privacy.STAFF,
    Privacy.DATE,
    Privacy.CODE,
    Privacy.TEXT,
}


def test_every_column_of_the_table_is_described() -> None:
    fields = {field.name for field in CaseFacts._meta.get_fields()}
    described = {column.name for column in FACT_COLUMNS}
    own = {"case", "centre", "definition", "refreshed_at", "pseudonym"}
    assert fields - described == own
    assert described <= fields


def test_every_column_is_classified() -> None:
    for column in FACT_COLUMNS:
        assert isinstance(column.privacy, Privacy), column.name
        assert isinstance(column.release, Release), column.name
        assert str(column.label)
        if column.privacy in NEVER_RELEASED or column.kind == Kind.DATE:
            assert column.release == Release.DROP, column.name
        if column.privacy == Privacy.SENSITIVE:
            assert column.release in {Release.DROP, Release.GROUP_RARE}, column.name


def test_no_dates_and_no_codes_are_released() -> None:
    released = {column.name for column in deidentified_columns()}
    assert not released & {
        "case_code",
        "patient_code",
        "centre_code",
        "surgery_date",
        "birth_year",
        "level_rostral",
        "level_caudal",
        "level_rostral_ordinal",
    }
    assert {"case", "patient", "region", "level_span", "rfs_days"} <= released
    dates = [
        field.name
        for field in CaseFacts._meta.fields
        if type(field) is models.DateField
    ]
    assert sorted(dates) == ["cutoff_date", "surgery_date"]


@pytest.fixture(autouse=True)
def _told_though_alone(settings: Any) -> None:
    """How nobody is alone is tried elsewhere; here single rows show their values."""
    settings.RELEASE_K = 1


@pytest.mark.django_db
def test_rows_are_transformed() -> None:
    case = factories.make_case(
        operation={"surgery_date": date(2014, 6, 1)},
        size_cc_mm="25.5",
        patient_values={"nf_status": "NF1", "nf_basis": "clinical"},
    )
    CaseFacts.objects.filter(pk=case.pk).update(age_at_surgery=96)

    (row,) = deidentified(released_rows()).dicts()

    assert row["case"] == pseudonym(case.code)
    assert row["patient"] == pseudonym(case.patient.code)
    assert row["age_at_surgery"] == "90 or more"
    assert row["surgery_year"] == "2013-2015"
    assert row["size_cc_mm"] == 25
    assert row["volume_cm3"] == 2
    assert row["nf_status"] == "other"
    assert row["los_days"] == 12
    assert list(row) == [column.name for column in deidentified_columns()]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "recorded", "released"),
    [
        ("age_at_surgery", 0, "00 to 04"),
        ("age_at_surgery", 64, "60 to 64"),
        ("age_at_surgery", 89, "85 to 89"),
        ("age_at_surgery", 90, "90 or more"),
        ("surgery_year", 2016, "2016-2018"),
        ("surgery_year", 2015, "2013-2015"),
        ("size_cc_mm", 2, 5),
        ("size_cc_mm", 27.4, 25),
        ("size_cc_mm", 27.5, 30),
        ("volume_cm3", 0.2, 1),
        ("blood_loss_ml", 0, 0),
        ("blood_loss_ml", 20, 250),
        ("blood_loss_ml", 380, 500),
        ("operative_time_min", 209, 180),
        ("rfs_days", 0, 0),
        ("rfs_days", 3, 7),
        ("rfs_days", 368, 371),
        ("visit_day_m12", 366, 360),
        ("preop_mri_day", -10, -7),
    ],
)
def test_how_coarse_a_value_is_released(
    name: str, recorded: float, released: object
) -> None:
    case = factories.make_case(operation=True)
    CaseFacts.objects.filter(pk=case.pk).update(**{name: recorded})
    (row,) = deidentified(released_rows(), (name,)).dicts()
    assert row == {name: released}
    assert type(row[name]) is type(released) or name in {"size_cc_mm", "volume_cm3"}


@pytest.mark.django_db
def test_what_is_not_known_stays_unknown_in_every_column() -> None:
    """The least of nothing and 90 was 90."""
    case = factories.make_case()
    names = [column.name for column in FACT_COLUMNS]
    CaseFacts.objects.filter(pk=case.pk).update(**dict.fromkeys(names))
    CaseFacts.objects.filter(pk=case.pk).update(case_code="A", patient_code="B")

    (row,) = deidentified(released_rows()).dicts()

    known = {name: value for name, value in row.items() if value is not None}
    assert set(known) == {"case", "patient"}


COARSE = ("_days", "_day", "_min", "_ml", "_mm", "_cm3", "_pct", "_months", "_year")


def test_no_exact_measure_is_released() -> None:
    """A new column of days, sizes or amounts says how coarse it leaves."""
    for column in FACT_COLUMNS:
        if column.name.endswith("_precision"):
            continue  # a word about the number
        days = "_day_" in column.name or column.name == "age_at_surgery"
        if column.name.endswith(COARSE) or days:
            coarse = {Release.DROP, Release.ROUND, Release.BAND}
            assert column.release in coarse, column.name
        if column.release in {Release.ROUND, Release.BAND}:
            assert column.step > 0, column.name


def pseudonym(code: str) -> str:
    """The same by Python's own HMAC."""
    key = hashlib.sha256(f"{settings.PSEUDONYM_KEY}\0facts".encode()).digest()
    return hmac.new(key, code.encode(), hashlib.sha256).hexdigest()[:16]


@pytest.mark.django_db
def test_pseudonyms_hang_on_their_own_key_alone(settings: Any) -> None:
    """Extracts of before and after a change of SECRET_KEY join."""
    factories.make_case(operation=True)
    before = released_codes()
    settings.SECRET_KEY = settings.AUDIT_KEY = "n" * 50
    assert taken_up_again() == before
    version = key_version()
    settings.PSEUDONYM_KEY = "p" * 50
    after = taken_up_again()
    assert not set(after) & set(before)
    assert key_version() != version


def taken_up_again() -> list[tuple[str, str]]:
    """The codes after a restart and the next sweep, which takes up what is outdated."""
    facts.definition.cache_clear()
    facts.upsert_sql.cache_clear()
    cache.clear()
    try:
        upkeep.refresh_outdated()
        return released_codes()
    finally:
        facts.definition.cache_clear()
        facts.upsert_sql.cache_clear()


def released_codes() -> list[tuple[str, str]]:
    (row,) = deidentified(released_rows(), ("case", "patient")).dicts()
    return [("case", row["case"]), ("patient", row["patient"])]


@pytest.mark.django_db
def test_no_secret_of_the_record_is_in_a_row() -> None:
    canaries = {
        "family_name": "Canaryfamily",
        "given_name": "Canarygiven",
        "hospital_number": "CANARY-77",
        "birth_date": date(1971, 8, 19),
    }
    patient = factories.make_patient(identity=canaries, birth_year=None)
    case = factories.make_case(
        patient=patient,
        remark="Canaryremark",
        root_of_origin="Canaryroot",
        operation={"surgeon_id": "CANARYSURG", "surgery_date": date(2016, 9, 23)},
        mri={"reader_1": "CANARYREAD", "mri_date": date(2016, 9, 1)},
    )
    factories.make_visit(case, "m12", remark="Canaryvisit")

    (row,) = deidentified(released_rows()).dicts()

    text = " ".join(map(str, row.values())).lower()
    secrets = ["canary", "1971", "2016-09", "2017-09", case.code, patient.code]
    secrets += [case.centre.code, case.level_rostral, case.level_caudal]
    assert not [word for word in secrets if word.lower() in text.split()]
    assert "canary" not in text
    assert not [value for value in row.values() if isinstance(value, date)]


@pytest.mark.django_db
def test_withdrawn_consent_leaves_the_rows() -> None:
    factories.make_case(patient_values={"consent_research": "withdrawn"})
    kept = factories.make_case()
    rows = list(deidentified(released_rows(), ("case",)).dicts())
    assert rows == [{"case": pseudonym(kept.code)}]


@pytest.mark.django_db
def test_unknown_consent_stays() -> None:
    factories.make_case(
        patient=factories.make_patient(
            consent_research=None, missing={"consent_research": "unknown"}
        )
    )
    assert len(list(deidentified(released_rows(), ("case",)).dicts())) == 1


def test_only_listed_columns_can_be_asked_for() -> None:
    with pytest.raises(KeyError):
        deidentified(ReleasedFacts.objects.all(), ("surgery_date",))


@pytest.mark.django_db
def test_common_values_keep_their_names() -> None:
    centre = factories.make_centre()
    for _n in range(settings.DISCLOSURE_THRESHOLD):
        factories.make_case(centre)
    factories.make_case(
        centre, histology_who2021="subependymoma", icdo_morphology="9383/1"
    )
    found = deidentified(released_rows().order_by("pk"), ("histology_who2021",))
    shown = [row["histology_who2021"] for row in found.dicts()]
    assert shown == ["schwannoma"] * settings.DISCLOSURE_THRESHOLD + ["other"]
