"""What the OpenAPI generator cannot see by itself."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiFilterExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers

from registry.fields import (
    ChoiceField,
    DayField,
    FlagField,
    LevelField,
    MeasureField,
    MissingReason,
    MultiChoiceField,
    WholeNumberField,
)

ETAG = OpenApiParameter(
    "ETag",
    str,
    OpenApiParameter.HEADER,
    response=["200", "201"],
    description="Version of the record; send it back as If-Match.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="ETag of the record as you read it. 428 without, 412 if it is old.",
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="1 to 80 visible ASCII characters. The same request sent again with "
    "the same key makes no second record; other content with it is a 422.",
)
ACKNOWLEDGE = OpenApiParameter(
    "Acknowledge-Duplicates",
    str,
    OpenApiParameter.HEADER,
    description="Codes of records that look the same and are others, with commas "
    "between them, as the 409 with the code duplicate named them.",
)
PROBLEM = (
    "400 a mistake in the request, errors says where; 401 no valid token; 403 not \
for this role or token; 429 too many requests, wait for Retry-After seconds"
)
NO_SUCH_RECORD = "; 404 no such record, or none that you may know of"
NOT_CHANGED = "; 409 the state of the record does not allow it; 412 changed meanwhile, \
current holds it; 413 too large; 415 not JSON; 428 If-Match is missing."


@extend_schema_field({"description": "What was sent, whatever it was."})
class AnyValue(serializers.JSONField):
    """What was sent, whatever it was."""


class ProblemErrorSerializer(serializers.Serializer[Any]):
    """One mistake."""

    field = serializers.CharField(allow_null=True)
    code = serializers.CharField()
    value = AnyValue()
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457 problem details."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    errors = ProblemErrorSerializer(many=True)  # type: ignore[assignment]
    current = AnyValue(
        required=False, help_text=gettext_lazy("With 412: the record as it is.")
    )
    differing = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text=gettext_lazy(
            "With 412: fields in which it differs from what was sent."
        ),
    )
    duplicates = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text=gettext_lazy(
            "With 409 and the code “duplicate”: records that look the same."
        ),
    )


class RegistrySchema(AutoSchema):
    """Adds the problem answers that every route can give."""

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        problems = PROBLEM
        if "{" in self.path:
            problems += NO_SUCH_RECORD
        if self.method != "GET":
            problems += NOT_CHANGED
        reference = self.resolve_serializer(ProblemSerializer, "response").ref
        bodies["4XX"] = {
            "description": problems,
            "content": {"application/problem+json": {"schema": reference}},
        }
        return bodies


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "registry.authentication.TokenAuthentication"
    name = "token"
    priority = 1

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": _("Make a token on your account page."),
        }


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "registry.authentication.BrowserSessionAuthentication"
    name = "session"
    priority = 1

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": "session"}


class FilterSchema(OpenApiFilterExtension):
    """Filters by label and closed list; one parameter may hold several codes."""

    target_class = "registry.api.filters.StrictFilterBackend"
    priority = 1

    def get_schema_operation_parameters(
        self, auto_schema: AutoSchema, *args: Any, **kwargs: Any
    ) -> list[dict[str, Any]]:
        filterset = getattr(auto_schema.view, "filterset_class", None)
        if filterset is None or auto_schema.method != "GET":
            return []
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": described_filter(found),
                "schema": {"type": "string"},
            }
            for name, found in filterset.base_filters.items()
        ]


def described_filter(found: Any) -> str:
    """Label of a filter, with its codes if they are a closed list."""
    codes = [str(code) for code, _label in found.extra.get("choices", ())]
    words = str(found.label or "")
    return ": ".join(filter(None, [words, ", ".join(codes)]))


class DescribedValueSchema(OpenApiSerializerFieldExtension):
    """Type, range, list, unit and definition of a described field."""

    target_class = "registry.api.values.DescribedValue"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> Any:
        field = self.target.model_field
        schema = type_of(field) | range_of(field)
        words = [str(field.definition)]
        if field.unit:
            words.append(_("Unit: %s.") % field.unit)
        if isinstance(field, DayField):
            words.append(_("The middle of what precision says is known."))
        if isinstance(field, DayField) and direction == "request":
            schema = {
                "type": "string",
                "pattern": "^[0-9]{4}(-[0-9]{2}){0,2}$",
                "examples": ["2014-05-03", "2014-05", "2014"],
            }
        if isinstance(field, LevelField) and direction == "request":
            schema = {
                "type": "string",
                "maxLength": 40,
                "examples": ["Th5", "T5", "C4"],
            }
        description = " ".join(word for word in words if word)
        return schema | ({"description": description} if description else {})


class ParentSchema(OpenApiSerializerFieldExtension):
    target_class = "registry.api.serializers.ParentField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> Any:
        return {"type": "string", "maxLength": 16, "examples": ["TUM-7K2M9Q4D"]}


class MissingSchema(OpenApiSerializerFieldExtension):
    target_class = "registry.api.serializers.MissingField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> Any:
        reasons: list[Any] = list(MissingReason.values)
        kinds = ["string", "null"] if direction == "request" else ["string"]
        if direction == "request":
            reasons.append(None)
        return {
            "type": "object",
            "description": _("Why a field has no value, by field name."),
            "propertyNames": {"enum": self.target.names},
            "additionalProperties": {"type": kinds, "enum": reasons},
        }


class PrecisionSchema(OpenApiSerializerFieldExtension):
    target_class = "registry.api.serializers.PrecisionField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> Any:
        return {
            "type": "object",
            "description": _("Which days are known to the month or year only."),
            "propertyNames": {"enum": self.target.names},
            "additionalProperties": {"type": "string", "enum": ["month", "year"]},
        }


def type_of(field: Any) -> dict[str, Any]:
    """JSON type of a described field, with its closed list if there is one."""
    if isinstance(field, MultiChoiceField):
        items = {"type": "string", "enum": field.codes}
        return {"type": "array", "items": items}
    if isinstance(field, LevelField):
        return with_list({"type": "string"}, list(field.allowed), field.null)
    if isinstance(field, ChoiceField) and not field.choices:
        return {"type": "string", "maxLength": field.max_length}
    if isinstance(field, FlagField):
        return {"type": "boolean"}
    if isinstance(field, DayField):
        return {"type": "string", "format": "date"}
    if isinstance(field, WholeNumberField | MeasureField):
        kind = "integer" if isinstance(field, WholeNumberField) else "number"
        codes = [code for code, _label in field.flatchoices]
        return with_list({"type": kind}, codes, field.null)
    if field.choices:
        codes = [code for code, _label in field.flatchoices]
        return with_list({"type": "string"}, codes, field.null)
    return {"type": "string", "maxLength": field.max_length}


def with_list(
    schema: dict[str, Any], codes: list[Any], nullable: bool
) -> dict[str, Any]:
    if not codes:
        return schema
    return schema | {"enum": [*codes, None] if nullable else codes}


def range_of(field: Any) -> dict[str, Any]:
    """Limits and step of a number."""
    if not isinstance(field, WholeNumberField | MeasureField):
        return {}
    limits: dict[str, Any] = {}
    if field.least is not None:
        limits["minimum"] = number(field.least)
    if field.most is not None:
        limits["maximum"] = number(field.most)
    if field.step is not None:
        limits["multipleOf"] = number(field.step)
    return limits


def number(value: Any) -> int | float:
    return int(value) if value == int(value) else float(value)
