"""Clinical records over the API: every write through the actions, every read scoped.

A record is read with its ETag and changed with If-Match; a POST may carry an
Idempotency-Key. Each read of case-level rows is one audit event.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from registry import audit
from registry.api.errors import PreconditionFailed, PreconditionRequired
from registry.api.filters import instant
from registry.api.paging import StableCursorPagination
from registry.api.schema import ACKNOWLEDGE, ETAG, IDEMPOTENCY_KEY, IF_MATCH
from registry.api.serializers import ReasonSerializer, RecordSerializer
from registry.api.views import StrictView, person_of
from registry.duplicates import ask_about, rows_alike
from registry.models import ClinicalQuerySet
from registry.permissions import Permission, can, check
from registry.records import StaleVersion, once

# A row is stamped before its transaction ends; asking again from this much earlier
# misses none.
OVERLAP = timedelta(minutes=1)
CODE = r"[A-Z]{3}-[0-9A-Z]{4,12}"
ETAG_FORM = re.compile(r'(?:W/)?"([0-9]{1,9})"', re.ASCII)
KEY_FORM = re.compile(r"[!-~]{1,80}", re.ASCII)
READ_AND_WRITE: dict[str, Collection[Permission]] = {
    "GET": {Permission.READ_CASES},
    "POST": {Permission.WRITE_CASES},
    "PATCH": {Permission.WRITE_CASES},
}
UPDATED_SINCE = OpenApiParameter(
    "updated_since",
    str,
    description="Instant or day. Also names what was voided since; ask again with the "
    "answer's as_of.",
)
VOIDED = OpenApiParameter(
    "voided",
    bool,
    description="true lists the void records instead of those that count, for people who"
    " write or verify.",
)


class RecordPagination(StableCursorPagination):
    """Adds what was voided and the instant from which to ask again."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        page = super().get_paginated_response_schema(schema)
        instant_schema = {"type": "string", "format": "date-time"}
        tombstone = {
            "type": "object",
            "required": ["code", "version", "voided_at"],
            "properties": {
                "code": {"type": "string"},
                "version": {"type": "integer"},
                "voided_at": instant_schema,
            },
        }
        page["required"] += ["voided", "as_of"]
        page["properties"] |= {
            "voided": {"type": "array", "items": tombstone},
            "as_of": instant_schema,
        }
        return page


class RecordViewSet(StrictView, GenericViewSet[Any]):
    """List, retrieve, create, change, void and restore the records of one table."""

    needs: ClassVar[Mapping[str, Collection[Permission]]] = READ_AND_WRITE
    serializer_class: type[RecordSerializer]
    record_actions: Any  # the module with update_record, void_record, restore_record
    queryset: ClinicalQuerySet
    related: ClassVar[tuple[str, ...]] = ()
    parameters = ("updated_since", "voided")
    pagination_class = RecordPagination
    lookup_field = "code"
    lookup_value_regex = CODE

    def get_queryset(self) -> ClinicalQuerySet:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset.none()
        rows = self.queryset.visible_to(self.request.user)
        return rows.select_related(*self.related) if self.related else rows

    def order_of(self, request: Request) -> tuple[str, ...]:
        since = "updated_since" in request.query_params
        return ("updated_at", "pk") if since else ("pk",)

    def filter_queryset(self, queryset: Any) -> Any:
        rows: Any = super().filter_queryset(queryset)
        since = self.request.query_params.get("updated_since")
        if self.asks_void():
            return rows.filter(voided_at__isnull=False)
        if since is None:
            return rows.current()
        return rows.filter(updated_at__gte=instant("updated_since", since))

    def asks_void(self) -> bool:
        """Whether the void rows are wanted; they are for those who write or verify."""
        asked = self.request.query_params.get("voided", "false")
        if asked not in {"true", "false"}:
            message = _("Write true or false.")
            raise ValidationError({"voided": message}, "invalid")
        if asked == "false":
            return False
        if "updated_since" in self.request.query_params:
            message = _("A list of changes names what was voided; ask for one of both.")
            raise ValidationError({"voided": message}, "exclusive")
        user = person_of(self.request)
        if not can(user, Permission.WRITE_CASES):
            check(user, Permission.VERIFY_CASES)
        return True

    @extend_schema(parameters=[UPDATED_SINCE, VOIDED])
    def list(self, request: Request) -> Response:
        """The records that you may read."""
        as_of = timezone.now() - OVERLAP
        rows: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        codes = [row.code for row in rows]
        audit.record(self.verb("listed"), actor=request.user, codes=codes)
        void = self.asks_void()
        current = [row for row in rows if void or not row.is_void]
        page = self.get_paginated_response(self.get_serializer(current, many=True).data)
        page.data |= {
            "voided": [tombstone(row) for row in rows if row.is_void and not void],
            "as_of": as_of,
        }
        return page

    @extend_schema(parameters=[ETAG])
    def retrieve(self, request: Request, code: str) -> Response:
        """One record, voided or not, with its ETag."""
        record = self.find(code)
        self.record_read(record)
        return self.answer(record)

    @extend_schema(parameters=[IDEMPOTENCY_KEY, ACKNOWLEDGE, ETAG])
    def create(self, request: Request) -> Response:
        """A new record."""
        key = idempotency_key(request)
        with transaction.atomic():
            if key:
                content = {"path": request.path, "body": request.data}
                submission, first = once(
                    by=person_of(request), key=key, content=content
                )
                if not first:
                    return self.created(self.find(submission.record_code))
            record = self.create_from(request)
            if key:
                submission.record_code = record.code
                submission.save(update_fields=["record_code"])
        return self.created(record)

    def create_from(self, request: Request) -> Any:
        serializer: Any = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values, missing, above = serializer.split()
        by = person_of(request)
        record = self.make(by=by, values=values, missing=missing, **above)
        # Afterwards, so that what is wrong is told first; a question undoes the row.
        self.ask_about({**values, **above}, made=record)
        return record

    def make(self, *, by: Any, values: Any, missing: Any, **above: Any) -> Any:
        """Create through the action of this record."""
        raise NotImplementedError

    def ask_about(
        self, values: Mapping[str, Any], record: Any = None, made: Any = None
    ) -> None:
        """A 409 for what looks like another record, unless it was acknowledged."""
        rows = rows_alike(self.serializer_class.model, values, record)
        others = rows.exclude(pk=made.pk) if made else rows
        ask_about(others, acknowledged(self.request))

    @extend_schema(parameters=[IF_MATCH, ACKNOWLEDGE, ETAG])
    def partial_update(self, request: Request, code: str) -> Response:
        """Change fields of a record, if nobody saved it meanwhile."""
        record = self.find(code)
        version = expected_version(request)
        serializer: Any = self.get_serializer(record, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        values, missing, _above = serializer.split()
        with transaction.atomic():
            answer = self.changed(
                self.record_actions.update_record,
                by=person_of(request),
                record=record,
                values=values,
                missing=missing,
                version=version,
            )
            self.ask_about(values, record)
        return answer

    @extend_schema(
        parameters=[IF_MATCH, ETAG],
        request=ReasonSerializer,
        description="Take a record"
        " out of every count, with a reason. It stays readable.",
    )
    @action(detail=True, methods=["post"])
    def void(self, request: Request, code: str) -> Response:
        record = self.find(code)
        version = expected_version(request)
        return self.changed(
            self.record_actions.void_record,
            by=person_of(request),
            record=record,
            version=version,
            reason=reason_given(request),
        )

    @extend_schema(
        parameters=[IF_MATCH, ETAG],
        request=ReasonSerializer,
        description="Let a void record count again, with a reason.",
    )
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, code: str) -> Response:
        record = self.find(code)
        version = expected_version(request)
        return self.changed(
            self.record_actions.restore_record,
            by=person_of(request),
            record=record,
            version=version,
            reason=reason_given(request),
        )

    def changed(self, change: Any, **arguments: Any) -> Response:
        """The answer to a change; the present record if somebody was faster."""
        try:
            return self.answer(change(**arguments))
        except StaleVersion as error:
            self.record_read(error.current)
            current = self.get_serializer(error.current).data
            raise PreconditionFailed(
                current, error.differing, etag_of(error.current)
            ) from error

    def find(self, code: str) -> Any:
        """The record, if the person may know of it. Refusals are audited."""
        record = self.get_queryset().filter(code=code).first()
        if record is None:
            audit.record(self.verb("denied"), actor=self.request.user, target=code)
            raise NotFound(_("There is no record of this code."))
        return record

    def answer(self, record: Any, code: int = status.HTTP_200_OK) -> Response:
        body = self.get_serializer(record).data
        return Response(body, code, headers={"ETag": etag_of(record)})

    def created(self, record: Any) -> Response:
        response = self.answer(record, status.HTTP_201_CREATED)
        response["Location"] = self.request.build_absolute_uri(f"{record.code}/")
        return response

    def record_read(self, record: Any) -> None:
        audit.record(
            self.verb("read"),
            actor=self.request.user,
            target=record.code,
            centre_id=centre_id_of(record),
        )

    def verb(self, what: str) -> str:
        return f"{self.queryset.model._meta.model_name}.{what}"


def tombstone(record: Any) -> dict[str, Any]:
    return {
        "code": record.code,
        "version": record.version,
        "voided_at": record.voided_at,
    }


def etag_of(record: Any) -> str:
    return f'"{record.version}"'


def centre_id_of(record: Any) -> int:
    """Primary key of the centre, along the path that scopes the model."""
    *above, last = record.CENTRE_PATH.split("__")
    for name in above:
        record = getattr(record, name)
    return int(getattr(record, f"{last}_id"))


def expected_version(request: Request) -> int:
    """The version in ``If-Match``. Raises 428 without it, 400 if it is none."""
    header = request.headers.get("If-Match")
    if header is None:
        raise PreconditionRequired
    match = ETAG_FORM.fullmatch(header.strip())
    if match is None:
        message = _("Send one ETag, as you read it with the record.")
        raise ValidationError({"If-Match": message}, "if_match")
    return int(match[1])


def idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not KEY_FORM.fullmatch(key):
        message = _("Send 1 to 80 visible ASCII characters.")
        raise ValidationError({"Idempotency-Key": message}, "idempotency_key")
    return key


def acknowledged(request: Request) -> set[str]:
    """The codes in ``Acknowledge-Duplicates``."""
    header = request.headers.get("Acknowledge-Duplicates", "")
    return {code.strip() for code in header.split(",")}


def reason_given(request: Request) -> str:
    serializer = ReasonSerializer(data=request.data)
    serializer.is_valid(raise_exception=True)
    return str(serializer.validated_data["reason"])
