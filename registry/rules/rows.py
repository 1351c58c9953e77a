"""All rows of a patient that rules compare, read in one SELECT."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from django.db import connection, models
from django.db.models import F, Value
from django.db.models.functions import Cast, JSONObject

from registry.models.partly_known import partial_days
from registry.rules.declared import (
    KINDS,
    Kind,
    PatientRows,
    Row,
    fields_of,
    kind_of,
    remembered,
)

PATIENT = -1  # stands for the patient's key in the statement that is made once
NO_CASE = Cast(Value(None), models.BigIntegerField())


def rows_of(patient_id: int) -> PatientRows:
    """All rows of a patient that count, in one SELECT."""
    sql, parameters = _statement()
    filled = [patient_id if value == PATIENT else value for value in parameters]
    with connection.cursor() as cursor:
        cursor.execute(sql, filled)
        found = cursor.fetchall()
    rows = [
        Row(kind, pk, code, case, _python(kind, content))
        for kind, pk, code, case, content in found
    ]
    return PatientRows(tuple(sorted(rows, key=lambda row: row.key)))


@remembered
def _statement() -> tuple[str, tuple[Any, ...]]:
    parts: list[str] = []
    parameters: list[Any] = []
    for kind in KINDS.values():
        sql, given = _select(kind).query.sql_with_params()
        parts.append(f"({sql})")
        parameters += given
    return " UNION ALL ".join(parts), tuple(parameters)


def _select(kind: Kind) -> models.QuerySet[Any, Any]:
    rows: models.QuerySet[Any, Any] = kind.model._default_manager.filter(
        **kind.counts, **{kind.to_patient: PATIENT}
    ).order_by()
    case = F(kind.to_case) if kind.to_case else NO_CASE
    fields = {name: F(name) for name in fields_of(kind.name)}
    return rows.values_list(
        Value(kind.name),
        F("pk"),
        F(kind.to_code),
        case,
        Cast(JSONObject(**fields), models.TextField()),
    )


def _python(kind: str, content: Any) -> dict[str, Any]:
    values = json.loads(content, parse_float=Decimal)
    days = _days_of(KINDS[kind].model)
    plain = {
        name: date.fromisoformat(value) if value and name in days else value
        for name, value in values.items()
    }
    return plain | partial_days(plain)


@cache
def _days_of(model: type[models.Model]) -> frozenset[str]:
    fields = model._meta.local_fields
    return frozenset(
        field.name for field in fields if isinstance(field, models.DateField)
    )


def row_of(record: models.Model) -> Row | None:
    """The row as a record in memory has it; None for kinds that no rule speaks of."""
    kind = kind_of(type(record))
    if kind is None:
        return None
    case = _follow(record, kind.to_case) if kind.to_case else None
    values = {name: _plain(getattr(record, name)) for name in fields_of(kind.name)}
    return Row(kind.name, record.pk, str(_follow(record, kind.to_code)), case, values)


def _plain(value: Any) -> Any:
    return value.pk if isinstance(value, models.Model) else value


def _follow(record: Any, path: str) -> Any:
    for name in path.split("__"):
        record = getattr(record, name)
    return _plain(record)
