"""Records in JSON, generated from the described fields of their models.

What a client may set is exactly the described fields; everything else that a body
carries is refused, known or not: centre, version, status, who and when.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from registry.api.values import DescribedValue
from registry.constraints import described_fields
from registry.days import PartialDay, Precision, precision_of
from registry.fields import DayField
from registry.models import ClinicalRecord

LONGEST_CODE = 16


@dataclass(frozen=True)
class Parent:
    """The row that a new row hangs on: named once, at the creation."""

    name: str
    queryset: Any

    def find(self, user: Any, code: str) -> models.Model | None:
        """The row, if the person may know of it."""
        return self.queryset.visible_to(user).filter(code=code).first()


class ParentField(serializers.Field):
    """The code of the row above. Foreign and unknown codes get the same answer."""

    default_error_messages = {"does_not_exist": _("There is no record of this code.")}

    def __init__(self, parent: Parent, **kwargs: Any) -> None:
        self.named = parent
        super().__init__(**kwargs)

    def to_internal_value(self, value: Any) -> Any:
        found = None
        if isinstance(value, str) and len(value) <= LONGEST_CODE:
            found = self.named.find(self.context["request"].user, value)
        if found is None:
            self.fail("does_not_exist")
        return found

    def to_representation(self, value: Any) -> str:
        return value.code


class MissingField(serializers.Field):
    """``{"ki67_pct": "not_done"}``: why a field has no value; null takes it back.

    Names and reasons are the model's own rules.
    """

    default_error_messages = {"shape": _("Give an object of field names and reasons.")}

    def __init__(self, names: list[str], **kwargs: Any) -> None:
        self.names = names
        super().__init__(**kwargs)

    def to_internal_value(self, value: Any) -> dict[str, str | None]:
        if not isinstance(value, Mapping):
            self.fail("shape")
        if not all(isinstance(reason, str | None) for reason in value.values()):
            self.fail("shape")
        return dict(value)

    def to_representation(self, value: Any) -> Any:
        return value


class PrecisionField(serializers.Field):
    """``{"surgery_date": "month"}``: which days are known in part only.

    Written beside its day it says how much of that is known, so that what was read can
    be sent back; ``2014-05`` as the day says it alone.
    """

    default_error_messages = {
        "shape": _("Give an object of names of days with “year” or “month”."),
        "unknown_field": _("{name} is not a day of this record."),
        "without_day": _("Send {name} as well."),
        "two_precisions": _("{name} was given to the {given}, not to the {said}."),
    }

    def __init__(self, names: list[str], **kwargs: Any) -> None:
        self.names = names
        super().__init__(required=False, **kwargs)

    def to_internal_value(self, value: Any) -> dict[str, Precision]:
        known = isinstance(value, Mapping) and all(
            part in ("year", "month") for part in value.values()
        )
        if not known:
            self.fail("shape")
        for name in value:
            if name not in self.names:
                self.fail("unknown_field", name=str(name)[:40])
        return dict(value)

    def to_representation(self, value: Any) -> Any:
        return value

    def put_on(self, values: dict[str, Any], parts: Mapping[str, str], at: Any) -> None:
        """Make the days of a body as little known as its ``precision`` says.

        A day that was not sent must be what the record ``at`` has already.
        """
        for name, part in parts.items():
            day = values.get(name)
            if day is None and precision_of(getattr(at, name, None)) != part:
                self.fail("without_day", name=name)
            if precision_of(day) not in ("day", part):
                self.fail(
                    "two_precisions", name=name, given=precision_of(day), said=part
                )
            if day is not None:
                values[name] = PartialDay.known(day, part)


class StrictSerializer(serializers.Serializer[Any]):
    """A body with a member that nobody asked for is refused, not trimmed."""

    refusals: ClassVar[dict[str, Any]] = {
        "unknown_field": _("Unknown field."),
        "read_only_field": _("This field cannot be set."),
    }

    def to_internal_value(self, data: Any) -> Any:
        errors = self.foreign_members(data) if isinstance(data, Mapping) else {}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            found: Any = error.detail
            raise serializers.ValidationError({**found, **errors}) from error
        if errors:
            raise serializers.ValidationError(errors)
        return values

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The clean body with its days as little known as its ``precision`` says."""
        parts = attrs.pop("precision", {})
        try:
            if parts:
                self.fields["precision"].put_on(attrs, parts, self.instance)  # type: ignore[attr-defined]
        except serializers.ValidationError as error:
            raise serializers.ValidationError({"precision": error.detail}) from error
        return attrs

    def foreign_members(self, data: Mapping[str, Any]) -> dict[str, Any]:
        writable = {field.field_name for field in self._writable_fields}
        return {
            name[:80]: [self.refusal(name)] for name in data if name not in writable
        }

    def refusal(self, name: str) -> Any:
        code = "read_only_field" if name in self.fields else "unknown_field"
        return serializers.ErrorDetail(self.refusals[code], code)


class RecordSerializer(StrictSerializer):
    # The base of every clinical record. No docstring: it would describe each of them.
    model: ClassVar[type[ClinicalRecord]]
    # Not "parent": that is the name of what encloses a serializer.
    above: ClassVar[Parent | None] = None
    # Read-only members beside the described fields: name to serializer field.
    derived: ClassVar[Mapping[str, Any]] = {}
    # Members that are set once, at the creation, beside the parent.
    once: ClassVar[Mapping[str, Any]] = {}

    def get_fields(self) -> dict[str, serializers.Field]:
        fields: dict[str, serializers.Field] = {
            "code": serializers.CharField(read_only=True, label=_("code"))
        }
        changing = self.partial
        if self.above:
            fields[self.above.name] = ParentField(self.above, read_only=changing)
        for name, make in self.once.items():
            fields[name] = make(read_only=changing)
        for field in described_fields(self.model):
            required = not field.null and not field.has_default()
            fields[field.name] = DescribedValue(field, required=required)
        fields["missing"] = MissingField(missing_names(self.model), required=False)
        if days := day_names(self.model):
            fields["precision"] = PrecisionField(days)
        for name, make in self.derived.items():
            fields[name] = make(read_only=True, allow_null=True)
        return fields | bookkeeping_fields()

    def split(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """The clean body: (values, missing reasons, what is set once)."""
        values = dict(self.validated_data)
        missing = values.pop("missing", {})
        names = [*self.once, *([self.above.name] if self.above else [])]
        once = {name: values.pop(name) for name in names if name in values}
        return values, missing, once


def missing_names(model: type[models.Model]) -> list[str]:
    """Fields and rows for which a reason may stand."""
    rows = getattr(model, "ROWS_WITH_REASON", ())
    return [*(field.name for field in described_fields(model) if field.null), *rows]


def day_names(model: type[models.Model]) -> list[str]:
    """Names of the days of a model, which may be known in part."""
    return [each.name for each in described_fields(model) if isinstance(each, DayField)]


def bookkeeping_fields() -> dict[str, serializers.Field]:
    return {
        "version": serializers.IntegerField(read_only=True),
        "created_at": serializers.DateTimeField(read_only=True),
        "updated_at": serializers.DateTimeField(read_only=True),
        "voided_at": serializers.DateTimeField(read_only=True, allow_null=True),
        "void_reason": serializers.CharField(read_only=True),
    }


class ReasonSerializer(StrictSerializer):
    """The reason for a voiding or an amendment."""

    reason = serializers.CharField(max_length=500, trim_whitespace=True)


class NothingSerializer(StrictSerializer):
    """An empty body."""


class TombstoneSerializer(serializers.Serializer[Any]):
    """A record that was voided since."""

    code = serializers.CharField()
    version = serializers.IntegerField()
    updated_at = serializers.DateTimeField()
    voided_at = serializers.DateTimeField()
