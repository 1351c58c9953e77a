"""The codebook: every field of the record and every column of the facts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cases.models import (
    Case,
    Complication,
    MriStudy,
    Operation,
    Patient,
    PatientIdentity,
)
from outcomes.deidentified import deidentified_columns, limited_columns
from outcomes.models import Recurrence, Visit, VitalStatus
from outcomes.models.fact_column import FactColumn, kind_of
from outcomes.models.fact_columns import APPOINTMENT_COLUMN, FACT_COLUMNS
from registry.api.permissions import READING
from registry.api.views import StrictView
from registry.constraints import described_fields
from registry.fields import MissingReason, MultiChoiceField
from registry.permissions import Permission

# Name of the table in the codebook, as the data dictionary has it.
TABLES: tuple[tuple[str, type[models.Model]], ...] = (
    ("patient", Patient),
    ("patient_identity", PatientIdentity),
    ("tumour", Case),
    ("mri", MriStudy),
    ("surgery", Operation),
    ("complication", Complication),
    ("visit", Visit),
    ("recurrence", Recurrence),
    ("vital_status", VitalStatus),
)


class CodeSerializer(serializers.Serializer[Any]):
    """One value of a closed list."""

    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class CodebookEntrySerializer(serializers.Serializer[Any]):
    """What a field means and what it may hold."""

    table = serializers.CharField()
    field = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    definition = serializers.CharField()
    type = serializers.CharField()
    unit = serializers.CharField()
    least = serializers.CharField(allow_null=True)
    most = serializers.CharField(allow_null=True)
    values = CodeSerializer(many=True)
    missing_reasons = serializers.ListField(child=serializers.CharField())
    need = serializers.CharField()
    privacy = serializers.CharField()
    group = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    release = serializers.CharField()


class CodebookSerializer(serializers.Serializer[Any]):
    """All entries, in clinical order."""

    entries = CodebookEntrySerializer(many=True)


def record_entries() -> Iterator[dict[str, Any]]:
    for table, model in TABLES:
        for field in described_fields(model):
            yield entry_of_field(table, model, field)


def entry_of_field(table: str, model: type[models.Model], field: Any) -> dict[str, Any]:
    several = isinstance(field, MultiChoiceField)
    options = field.options.choices if several else field.flatchoices
    has_reasons = field.null and hasattr(model, "missing")
    return {
        "table": table,
        "field": field.name,
        "label": str(field.verbose_name),
        "definition": str(field.definition),
        "type": "list of text" if several else str(kind_of(field)),
        "unit": str(field.unit),
        "least": limit(field.least),
        "most": limit(field.most),
        "values": codes(options or ()),
        "missing_reasons": list(MissingReason.values) if has_reasons else [],
        "need": str(field.need),
        "privacy": str(field.privacy),
        "group": field.group,
        "source": model._meta.label,
        "release": "",
    }


def fact_entries() -> Iterator[dict[str, Any]]:
    """The columns as they leave the registry, of ``?detail=limited`` and coded ones."""
    for column in deidentified_columns():
        yield entry_of_column("facts", column)
    for column in limited_columns():
        yield entry_of_column("facts_limited", column)
    for column in (*FACT_COLUMNS, APPOINTMENT_COLUMN):
        yield entry_of_column("facts_coded", column)


def entry_of_column(table: str, column: FactColumn) -> dict[str, Any]:
    return {
        "table": table,
        "field": column.name,
        "label": str(column.label),
        "definition": str(column.definition),
        "type": str(column.kind),
        "unit": str(column.unit),
        "least": None,
        "most": None,
        "values": codes(column.values),
        "missing_reasons": [],
        "need": "",
        "privacy": str(column.privacy),
        "group": "",
        "source": column.source,
        "release": str(column.release),
    }


def codes(options: Any) -> list[dict[str, str]]:
    return [{"code": str(code), "label": str(label)} for code, label in options]


def limit(value: Any) -> str | None:
    return None if value is None else str(value)


class CodebookView(StrictView):
    """Every field: label, definition, type, unit, values, privacy class."""

    needs: Mapping[str, Collection[Permission]] = {"GET": READING}  # type: ignore[misc]

    @extend_schema(responses=CodebookSerializer)
    def get(self, request: Request) -> Response:
        """The whole codebook. ``release`` says how a column of facts is de-identified."""
        return Response({"entries": [*record_entries(), *fact_entries()]})
