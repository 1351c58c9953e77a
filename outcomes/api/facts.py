"""The analysis table over the API: one flat typed row a case.

De-identified unless asked otherwise: of all centres for analysts, of the own centre for
those who enter cases there. ``?rows=coded`` gives codes and dates to people who may
read the cases themselves, ``?detail=limited`` finer de-identified rows to people with a
grant for a purpose. Patients who withdrew their consent are in neither.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import django_filters
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import FileResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from outcomes.api.fact_files import FORMATS, written
from outcomes.deidentified import (
    Selection,
    deidentified,
    deidentified_columns,
    limited_columns,
    limited_set,
)
from outcomes.filters import DeidentifiedFactsFilter, FactsFilter, LimitedSetFilter
from outcomes.models import CaseFacts, ReleasedFacts
from outcomes.models.fact_column import FactColumn, Kind
from outcomes.models.fact_columns import APPOINTMENT_COLUMN, FACT_COLUMNS
from outcomes.models.pseudonym import key_version
from outcomes.released import keep_up
from outcomes.schedule import AppointmentState
from registry import audit
from registry.api.paging import StableCursorPagination
from registry.api.views import StrictView, person_of
from registry.models import DetailGrant
from registry.permissions import Permission, can, check

DEIDENTIFIED, CODED = "deidentified", "coded"
RELEASED, LIMITED = "released", "limited"
LONGEST_FIELDS = 8000


class FileRenderer(BaseRenderer):
    """Names a file form for the negotiation; the view writes the file itself."""

    charset = None

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return JSONRenderer().render(data)


def renderer_of(name: str, content_type: str) -> type[FileRenderer]:
    attributes = {"media_type": content_type, "format": name}
    return type(f"{name.title()}Renderer", (FileRenderer,), attributes)


class DeidentifiedRow(serializers.Serializer[Any]):
    """Any column may be missing or null. ``codebook/`` describes each."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {column.name: field_of(column) for column in deidentified_columns()}


class LimitedRow(serializers.Serializer[Any]):
    """De-identified, for a granted purpose: values as recorded, ages from 90 as one."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {column.name: field_of(column) for column in limited_columns()}


class CodedRow(serializers.Serializer[Any]):
    """With codes and dates. Any column may be missing or null."""

    def get_fields(self) -> dict[str, serializers.Field]:
        columns = (*FACT_COLUMNS, APPOINTMENT_COLUMN)
        return {column.name: field_of(column) for column in columns}


class FactsRow(serializers.Serializer[Any]):
    """Placeholder of a row, which is of the kind that was asked for."""


class FactsRowSchema(OpenApiSerializerExtension):
    """Either kind: a column such as the year has another type in each."""

    target_class = FactsRow

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        kinds = (DeidentifiedRow, LimitedRow, CodedRow)
        refs = [auto_schema.resolve_serializer(kind, direction).ref for kind in kinds]
        return {"anyOf": refs, "description": _("By “rows” and “detail”.")}


def field_of(column: FactColumn) -> serializers.Field:
    kinds: dict[Kind, type[serializers.Field]] = {
        Kind.TEXT: serializers.CharField,
        Kind.WHOLE: serializers.IntegerField,
        Kind.NUMBER: serializers.FloatField,
        Kind.FLAG: serializers.BooleanField,
        Kind.DATE: serializers.DateField,
    }
    return kinds[column.kind](
        required=False,
        allow_null=True,
        label=str(column.label),
        help_text=" ".join(filter(None, [str(column.definition), str(column.unit)])),
    )


PARAMETERS = [
    OpenApiParameter(
        "format",
        str,
        enum=["json", *FORMATS],
        description="Instead of Accept. json comes in pages, the others as one file with"
        " the number of rows in X-Row-Count.",
    ),
    OpenApiParameter(
        "fields", str, description="Columns, with commas between; all without it."
    ),
    OpenApiParameter(
        "rows",
        str,
        enum=[DEIDENTIFIED, CODED],
        description="coded: with codes and dates, of the cases that you may read.",
    ),
    OpenApiParameter(
        "detail",
        str,
        enum=[RELEASED, LIMITED],
        description="limited: de-identified rows with single ages, years, days and sizes,"
        " for people with a grant for a purpose; a 403 for others.",
    ),
]


class FactsViewSet(StrictView, GenericViewSet[CaseFacts]):
    """The analysis table."""

    needs: Mapping[str, Collection[Permission]] = {  # type: ignore[misc]
        "GET": {Permission.READ_FACTS, Permission.READ_CENTRE_FACTS}
    }
    queryset = CaseFacts.objects.all()
    serializer_class = FactsRow
    renderer_classes = (
        JSONRenderer,
        *(renderer_of(name, form.content_type) for name, form in FORMATS.items()),
    )
    pagination_class = StableCursorPagination
    # Not the order of entry, and not the order of codes that somebody may know.
    ordering = ("pseudonym", "pk")
    parameters = ("format", "fields", "rows", "detail")
    filterset_class: type[django_filters.FilterSet] = FactsFilter

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # The choice decides which filters exist: hidden values cannot be filtered by.
        self.coded = request.query_params.get("rows") == CODED
        self.limited = request.query_params.get("detail") == LIMITED and not self.coded
        self.filterset_class = (
            FactsFilter
            if self.coded
            else LimitedSetFilter
            if self.limited
            else DeidentifiedFactsFilter
        )
        super().initial(request, *args, **kwargs)
        one_of(request, "rows", [DEIDENTIFIED, CODED])
        one_of(request, "detail", [RELEASED] if self.coded else [RELEASED, LIMITED])
        self.grant = self.granted() if self.limited else None
        one_of(request, "format", ["json", *FORMATS])

    def granted(self) -> DetailGrant:
        """The grant by which finer rows are read; raises PermissionDenied."""
        person = person_of(self.request)
        check(person, Permission.READ_FACTS)
        grant: DetailGrant | None = person.detail_grants.in_force().first()
        if grant is None:
            raise PermissionDenied(
                _(
                    "Finer rows are for people with a grant for a purpose, in force today."
                )
            )
        return grant

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Say which key made the pseudonyms: extracts of one version join."""
        if not getattr(self, "coded", True):
            response["X-Pseudonym-Version"] = key_version()
        return super().finalize_response(request, response, *args, **kwargs)

    def get_queryset(self) -> QuerySet[CaseFacts]:
        if getattr(self, "swagger_fake_view", False):
            return CaseFacts.objects.none()
        rows: QuerySet[CaseFacts] = self.table.objects.visible_to(
            self.request.user, self.permission()
        ).for_research()
        return rows

    @property
    def table(self) -> Any:
        """Where the rows stand; the released ones are brought up to date."""
        if self.coded or self.limited:
            return CaseFacts
        keep_up()
        return ReleasedFacts

    def permission(self) -> Permission:
        """By which right the rows are read. Raises PermissionDenied for coded ones."""
        if self.coded:
            check(person_of(self.request), Permission.READ_CASES)
            return Permission.READ_CASES
        everywhere = can(person_of(self.request), Permission.READ_FACTS)
        return Permission.READ_FACTS if everywhere else Permission.READ_CENTRE_FACTS

    @extend_schema(parameters=PARAMETERS)
    def list(self, request: Request) -> Response | FileResponse:
        """Rows of the analysis table, in pages or as a file."""
        columns = self.columns(request)
        rows = self.filter_queryset(self.get_queryset())
        form = request.accepted_renderer.format
        if form in FORMATS:
            return self.file(rows, columns, form)
        found: Any = self.paginate_queryset(rows.values(*self.ordering))
        keys = [row["pk"] for row in found]
        page = self.select(self.table.objects.filter(pk__in=keys), columns)
        results = list(ordered(page))
        self.record("json", columns, len(results), keys)
        return self.get_paginated_response(results)

    def columns(self, request: Request) -> tuple[FactColumn, ...]:
        """The columns asked for, in the order of the table."""
        offered = (
            FACT_COLUMNS
            if self.coded
            else limited_columns()
            if self.limited
            else deidentified_columns()
        )
        text = request.query_params.get("fields")
        if text is None:
            return offered
        if self.coded:
            offered = (*offered, APPOINTMENT_COLUMN)
        names = text[:LONGEST_FIELDS].split(",")
        unknown = sorted(set(names) - {column.name for column in offered})
        if unknown:
            message = _("Unknown column: %s.") % unknown[0][:80]
            error = ErrorDetail(message, "unknown_field")
            raise ValidationError({"fields": [error]})
        return tuple(column for column in offered if column.name in names)

    def select(self, rows: Any, columns: tuple[FactColumn, ...]) -> Selection:
        names = tuple(column.name for column in columns)
        rows = rows.order_by(*self.ordering)
        if self.coded:
            if APPOINTMENT_COLUMN.name in names:
                state = AppointmentState(F("case_id"), timezone.localdate())
                rows = rows.annotate(**{APPOINTMENT_COLUMN.name: state})
            return Selection(names, rows.values_list(*names))
        return limited_set(rows, names) if self.limited else deidentified(rows, names)

    def file(
        self, rows: Any, columns: tuple[FactColumn, ...], form: str
    ) -> FileResponse:
        """The whole selection as a file, complete or not at all."""
        selection = self.select(rows, columns)
        if self.coded:  # of readers who know the order of entry anyhow
            selection = Selection(selection.names, selection.rows.order_by())
        content, count = written(selection, columns, form)
        self.record(form, columns, count)
        response = FileResponse(
            content,
            as_attachment=True,
            filename=f"facts.{FORMATS[form].suffix}",
            content_type=FORMATS[form].content_type,
        )
        response["X-Row-Count"] = str(count)
        response["X-As-Of"] = timezone.now().isoformat(timespec="seconds")
        return response

    def record(
        self,
        form: str,
        columns: tuple[FactColumn, ...],
        count: int,
        keys: Collection[int] = (),
    ) -> None:
        """One audit event a request: what was asked, how many rows went out."""
        given = self.request.query_params
        audit.record(
            "facts.read",
            actor=self.request.user,
            rows=CODED if self.coded else DEIDENTIFIED,
            detail=LIMITED if self.limited else RELEASED,
            grant=self.grant.pk if self.grant else None,
            purpose=self.grant.purpose if self.grant else "",
            form=form,
            filters={
                name: given[name][:200] for name in given if name in self.filter_names()
            },
            columns=[column.name for column in columns],
            count=count,
            cases=sorted(keys),
        )

    def filter_names(self) -> Collection[str]:
        return set(self.filterset_class.base_filters)


def ordered(page: Selection) -> Iterator[dict[str, Any]]:
    return (dict(zip(page.names, row, strict=True)) for row in page.rows)


def one_of(request: Request, name: str, values: list[str]) -> None:
    if request.query_params.get(name, values[0]) not in values:
        message = _("Choose one of: %s.") % ", ".join(values)
        raise ValidationError({name: [ErrorDetail(message, "invalid_choice")]})
