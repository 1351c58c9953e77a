"""What slips through every door is refused by the database."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, models, transaction

from cases.models import (
    Case,
    Complication,
    MriStudy,
    Operation,
    Patient,
    PatientIdentity,
)
from outcomes.models import CaseFacts, Recurrence, Visit, VitalStatus
from registry import records
from registry.constraints import FieldCheck, described_fields
from registry.fields import (
    ChoiceField,
    DayField,
    Described,
    LevelField,
    MeasureField,
    MultiChoiceField,
    Need,
    Privacy,
    WholeNumberField,
    WordsField,
)
from registry.models import ClinicalRecord
from tests.factories import OPERATED_ON, make_case, make_centre, make_user
from tests.registry.api_cast import whole_case

DICTIONARY = Path(__file__).parents[1] / "fixtures" / "data_dictionary.csv"
CLINICAL = [
    model
    for model in apps.get_models()
    if issubclass(model, ClinicalRecord) or model is PatientIdentity
]
BOOKKEEPING = set(
    "id code version missing precision created_at created_by updated_at updated_by voided_at"
    " voided_by void_reason patient case operation centre status verified_at"
    " verified_by index_operation".split()
)


def limited(field: Any) -> bool:
    """Whether the description limits the values of a field."""
    closed = isinstance(field, ChoiceField) and field.choices
    ranged = field.least is not None or field.most is not None
    return bool(closed or ranged or isinstance(field, LevelField | MultiChoiceField))


def outside(field: Any) -> list[Any]:
    """Values that the description forbids and the column's type could hold."""
    if isinstance(field, MultiChoiceField):
        return [["no_such_code"], []]
    if isinstance(field, LevelField):
        return ["T13", "t5"]
    if isinstance(field, ChoiceField):
        return ["no_such"[: field.max_length]]
    if isinstance(field, DayField):
        return ["1899-12-31"]
    return numbers_outside(field)


def numbers_outside(field: Any) -> list[Any]:
    step = Decimal(1).scaleb(-getattr(field, "decimal_places", 0))
    limits = [(field.least, -step), (field.most, step)]
    return [limit + beyond for limit, beyond in limits if limit is not None]


@pytest.fixture
def rows(db: None) -> dict[type[models.Model], Any]:
    """One row of each clinical model."""
    centre = make_centre()
    by = make_user("surgeon", centre, password=None)
    made = {type(row): row for row in whole_case(centre, by).values()}
    patient = made[Patient]
    made[PatientIdentity] = PatientIdentity.objects.create(
        patient=patient, centre=centre, family_name="Yamada", updated_by=by
    )
    return made


def write(row: models.Model, column: str, value: Any) -> None:
    """An UPDATE as somebody at the server's prompt would write it."""
    table, key = row._meta.db_table, row._meta.pk
    assert key is not None
    statement = f'UPDATE "{table}" SET "{column}" = %s WHERE "{key.column}" = %s'
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [value, row.pk])
        assert cursor.rowcount == 1


def is_refused(row: models.Model, column: str, value: Any) -> bool:
    """Whether the database takes the value back with a broken CHECK."""
    try:
        write(row, column, value)
    except DatabaseError as error:
        assert "check constraint" in str(error) or "overflow" in str(error)
        return True
    return False


@pytest.mark.parametrize("model", CLINICAL)
def test_values_outside_the_description_are_refused(
    rows: dict[Any, Any], model: Any
) -> None:
    tried = [
        (field.name, value, is_refused(rows[model], field.column, value))
        for field in described_fields(model)
        if limited(field)
        for value in outside(field)
    ]
    assert [each for each in tried if not each[2]] == []
    assert {name for name, _value, _refused in tried} == {
        field.name for field in described_fields(model) if limited(field)
    }


@pytest.mark.parametrize(
    "model", [each for each in CLINICAL if each != PatientIdentity]
)
def test_a_value_and_a_reason_together_are_refused(
    rows: dict[Any, Any], model: Any
) -> None:
    row = rows[model]
    answered = [
        field.name
        for field in described_fields(model)
        if field.null and getattr(row, field.name) is not None
    ]
    assert answered
    taken = [
        name
        for name in answered
        if not is_refused(row, "missing", f'{{"{name}": "unknown"}}')
    ]
    assert taken == []


@pytest.mark.parametrize("model", CLINICAL)
def test_every_field_that_can_be_missing_has_the_check(model: Any) -> None:
    if model is PatientIdentity:
        return
    checked = {
        name
        for each in model._meta.constraints
        if isinstance(each, FieldCheck)
        for name in [each.name.removeprefix(f"{model._meta.model_name}_")]
    }
    for field in described_fields(model):
        if field.null and not isinstance(field, WordsField):
            assert f"{field.name}_ok"[: 60 - len(model._meta.model_name) - 1] in checked


@pytest.mark.parametrize("model", CLINICAL)
def test_every_field_has_a_label_and_a_privacy_class(model: Any) -> None:
    for field in described_fields(model):
        assert field._verbose_name is not None, field.name
        assert str(field.verbose_name).strip(), field.name
        assert isinstance(field.privacy, Privacy), field.name
        assert isinstance(field.need, Need), field.name
        if isinstance(field, MeasureField | WholeNumberField):
            assert field.unit or field.choices or field.most is not None, field.name


@pytest.mark.parametrize("model", CLINICAL)
def test_every_other_field_is_known_bookkeeping(model: Any) -> None:
    others = {
        field.name
        for field in model._meta.local_fields
        if not isinstance(field, Described | models.GeneratedField)
    }
    assert others <= BOOKKEEPING


def test_names_and_hospital_numbers_stand_apart() -> None:
    direct = {
        (field.model, field.name)
        for model in CLINICAL
        for field in described_fields(model)
        if field.privacy == Privacy.DIRECT
    }
    assert {model for model, _name in direct} == {PatientIdentity}
    assert {"family_name", "given_name", "birth_date", "hospital_number"} <= {
        name for _model, name in direct
    }


@pytest.mark.parametrize("model", CLINICAL)
def test_words_are_dropped_and_dates_become_days(model: Any) -> None:
    for field in described_fields(model):
        if isinstance(field, WordsField):
            dropped = {Privacy.TEXT, Privacy.DIRECT, Privacy.STAFF}
            assert field.privacy in dropped, field.name
        if isinstance(field, DayField):
            assert field.privacy in {Privacy.DATE, Privacy.DIRECT}, field.name


# --- rules over several fields, met without the actions


def test_rules_over_fields_hold_in_the_database(rows: dict[Any, Any]) -> None:
    broken = [
        (Case, "status", "deleted"),
        (Case, "status", "verified"),
        (Case, "level_caudal", "C2"),
        (Case, "level_caudal", "C8"),
        (Case, "incidental", True),
        (Case, "icdo_morphology", "schwan"),
        (Case, "eden_type", "II"),
        (Patient, "voided_at", "2024-01-01"),
        (Patient, "void_reason", "because"),
        (Operation, "discharge_date", "2015-03-01"),
        (Operation, "levels_opened_to", "C2"),
    ]
    taken = [each for each in broken if not is_refused(rows[each[0]], *each[1:])]
    assert taken == []


def test_a_case_stays_in_the_centre_of_its_patient(rows: dict[Any, Any]) -> None:
    elsewhere = make_centre()
    with pytest.raises(DatabaseError, match="foreign key"):
        write(rows[Case], "centre_id", elsewhere.pk)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_rows_with_parts_are_not_deleted(rows: dict[Any, Any]) -> None:
    for model in (Patient, Case, Operation):
        with pytest.raises(models.ProtectedError):
            rows[model].delete()


def test_a_refused_rule_speaks_at_its_field(db: None) -> None:
    case = make_case(level_rostral="C4", level_caudal="C6")
    with pytest.raises(ValidationError) as refused:
        records.update(
            case,
            by=case.created_by,
            values={"level_caudal": "C2"},
            version=case.version,
        )
    assert refused.value.message_dict == {
        "level_caudal": ["The caudal level lies rostral to the rostral level."]
    }


# --- the data dictionary

MODELS_OF = {
    "patient": (Patient, PatientIdentity, VitalStatus),
    "tumour": (Case,),
    "symptom (baseline and each visit)": (Case, Visit),
    "mri (one row per study)": (MriStudy,),
    "surgery (one row per operation)": (Operation,),
    "complication (0..n per operation)": (Complication,),
    "visit / score": (Visit,),
}
# Dictionary fields that have another name here, or are derived: never typed.
PLACES: dict[str, tuple[Any, str]] = {
    "patient_id": (Patient, "code"),
    "site_id": (Patient, "centre"),
    "mrn": (PatientIdentity, "hospital_number"),
    "age_at_surgery": (CaseFacts, "age_at_surgery"),
    "tumour_id": (Case, "code"),
    "giant": (Case, "level_span"),
    "pain_nrs": (Visit, "pain_segmental_nrs"),
    "mri_id": (MriStudy, "code"),
    "oedema_total_seg": (CaseFacts, "oedema_total_seg"),
    "operation_id": (Operation, "code"),
    "los_days": (CaseFacts, "los_days"),
    "visit_day": (CaseFacts, "visit_day_m12"),
    "residual_pain": (CaseFacts, "residual_pain_m12"),
    "missing_reason": (Visit, "missing"),
}


def dictionary() -> list[dict[str, str]]:
    with DICTIONARY.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row["field"]) for row in dictionary()]
)
def test_every_field_of_the_dictionary_has_a_place(row: dict[str, str]) -> None:
    name = row["field"]
    if name in PLACES:
        model, name = PLACES[name]
        assert name in {field.name for field in model._meta.get_fields()}
        return
    found = [
        model._meta.get_field(name)
        for model in MODELS_OF[row["table"]]
        if name in {field.name for field in model._meta.get_fields()}
    ]
    assert found
    field = found[0]
    if row["privacy_class"] == "direct":
        assert field.privacy == Privacy.DIRECT
    if row["unit"] and isinstance(field, MeasureField | WholeNumberField):
        assert str(field.unit)
    if row["type"] == "list" and isinstance(field, Described):
        assert isinstance(field, ArrayField)


def test_the_whole_dictionary_is_read() -> None:
    rows = dictionary()
    assert len(rows) == 171
    assert {row["table"] for row in rows} == set(MODELS_OF)


def test_day_zero_is_the_index_operation(rows: dict[Any, Any]) -> None:
    assert rows[Case].operated_on == OPERATED_ON
    assert rows[Recurrence].detected_on > OPERATED_ON
