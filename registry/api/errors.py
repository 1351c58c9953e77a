"""Every error of the API as ``application/problem+json`` (RFC 9457).

The body holds ``errors``: field, code, value and message, with the codes that the
forms and the import use for the same mistake.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    PermissionDenied,
    RequestDataTooBig,
)
from django.core.exceptions import (
    ValidationError as DjangoValidationError,
)
from django.db import DataError, IntegrityError
from django.http import Http404, JsonResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.views import set_rollback

from registry.api.parsers import BodyTooLarge
from registry.api.throttling import RefusedRateThrottle
from registry.duplicates import LooksAlike
from registry.problems import MEDIA_TYPE
from registry.records import RecordLocked, StaleVersion, SubmissionMismatch

logger = logging.getLogger(__name__)
LONGEST_VALUE = 100
WHOLE = {NON_FIELD_ERRORS, "non_field_errors"}


class Conflict(exceptions.APIException):
    """The state of the record does not allow it."""

    status_code = 409
    default_code = "conflict"


class Duplicate(Conflict):
    """The record looks like others; holds their codes."""

    default_code = "duplicate"

    def __init__(self, codes: list[str]) -> None:
        super().__init__(
            _(
                "This looks like a record that is there already: %(codes)s. If it is"
                " another one, name them in “Acknowledge-Duplicates”."
            )
            % {"codes": ", ".join(codes)}
        )
        self.codes = codes


class PreconditionFailed(exceptions.APIException):
    """Somebody saved the record meanwhile; holds it as it is now."""

    status_code = 412
    default_code = "stale_version"

    def __init__(self, current: Any, differing: list[str], etag: str) -> None:
        super().__init__(
            _("This record was changed meanwhile. Compare, then send it again.")
        )
        self.current, self.differing, self.etag = current, differing, etag


class PreconditionRequired(exceptions.APIException):
    """A change must say on which version it is based."""

    status_code = 428
    default_code = "if_match_required"

    def __init__(self) -> None:
        super().__init__(_("Send “If-Match” with the ETag of the record you read."))


class UnprocessableKey(exceptions.APIException):
    """The Idempotency-Key was used for something else."""

    status_code = 422
    default_code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(_("This Idempotency-Key was sent with other content before."))


def problem_json(error: Exception, context: Mapping[str, Any]) -> JsonResponse | None:
    """The answer to an exception of a view; None leaves it to the 500 page."""
    known = as_api_exception(error)
    if known is None:
        return None
    request = context.get("request")
    view = context.get("view")
    if known.status_code == HTTPStatus.UNAUTHORIZED:
        known = count_refused(known, request, view)
    set_rollback()
    return problem(known, request)


def as_api_exception(error: Exception) -> exceptions.APIException | None:
    """The API's exception for one of Django, of the database or of the registry."""
    if isinstance(error, exceptions.APIException):
        return error
    for kind, translate in TRANSLATIONS.items():
        if isinstance(error, kind):
            translated: exceptions.APIException = translate(error)
            return translated
    return None


def not_found(error: Exception) -> exceptions.APIException:
    return exceptions.NotFound()


def denied(error: Exception) -> exceptions.APIException:
    return exceptions.PermissionDenied(str(error) or None)


def invalid(error: Any) -> exceptions.APIException:
    return exceptions.ValidationError(details_of(error))


def details_of(error: DjangoValidationError) -> dict[str, list[exceptions.ErrorDetail]]:
    """Messages with their codes, by field."""
    by_field = (
        error.error_dict
        if hasattr(error, "error_dict")
        else {NON_FIELD_ERRORS: error.error_list}
    )
    return {
        name: [
            exceptions.ErrorDetail(message, item.code or "invalid")
            for item in items
            for message in item.messages
        ]
        for name, items in by_field.items()
    }


def locked(error: Exception) -> exceptions.APIException:
    return Conflict(str(error), "locked")


def stale(error: Any) -> exceptions.APIException:
    return PreconditionFailed(None, error.differing, f'"{error.current.version}"')


def duplicate(error: Any) -> exceptions.APIException:
    return Duplicate(error.codes)


def mismatch(error: Exception) -> exceptions.APIException:
    return UnprocessableKey()


def too_large(error: Exception) -> exceptions.APIException:
    return BodyTooLarge()


def impossible_value(error: Exception) -> exceptions.APIException:
    """What no check foresaw. The log says which; the answer stays a 400."""
    logger.warning("refused by the database or the interpreter: %s", type(error))
    return exceptions.ParseError(_("A value is out of every range."), "out_of_range")


def broken_constraint(error: Exception) -> exceptions.APIException:
    """Two requests at once: both were checked, the database let one through."""
    logger.warning("integrity error over the API: %s", type(error.__cause__))
    return Conflict(
        _("It collides with something saved at the same moment. Read, then try again."),
        "conflict",
    )


TRANSLATIONS: dict[type[Exception], Callable[[Any], exceptions.APIException]] = {
    Http404: not_found,
    PermissionDenied: denied,
    DjangoValidationError: invalid,
    StaleVersion: stale,
    RecordLocked: locked,
    LooksAlike: duplicate,
    SubmissionMismatch: mismatch,
    RequestDataTooBig: too_large,
    IntegrityError: broken_constraint,
    DataError: impossible_value,
    OverflowError: impossible_value,
    RecursionError: impossible_value,
}


def count_refused(
    error: exceptions.APIException, request: Any, view: Any
) -> exceptions.APIException:
    """Refused strangers count against their address: a 429 instead, past the limit."""
    throttle = RefusedRateThrottle()
    if request is None or throttle.allow_request(request, view):
        return error
    return exceptions.Throttled(throttle.wait())


def problem(error: exceptions.APIException, request: Any = None) -> JsonResponse:
    """The response: title by status, one entry in ``errors`` for each mistake."""
    errors = list(entries(error.detail, request))
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(error.status_code).phrase,
        "status": error.status_code,
        "code": errors[0]["code"] if errors else "error",
        "detail": errors[0]["message"] if errors else "",
        "errors": errors if isinstance(error.detail, dict | list) else [],
    }
    if isinstance(error, PreconditionFailed):
        body |= {"current": error.current, "differing": error.differing}
    if isinstance(error, Duplicate):
        body |= {"duplicates": error.codes}
    return JsonResponse(
        body,
        status=error.status_code,
        content_type=MEDIA_TYPE,
        headers=headers_of(error),
        encoder=JSONEncoder,
        json_dumps_params={"ensure_ascii": False},
    )


def headers_of(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(error.auth_header)  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))  # type: ignore[attr-defined]
    if isinstance(error, PreconditionFailed):
        headers["ETag"] = error.etag
    return headers


def entries(detail: Any, request: Any, path: str = "") -> Iterator[dict[str, Any]]:
    """One entry for each message, with the path of its field."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            here = path if name in WHOLE else f"{path}.{name}".lstrip(".")
            yield from entries(inner, request, here)
    elif isinstance(detail, list | tuple):
        for inner in detail:
            yield from entries(inner, request, path)
    else:
        yield {
            "field": path or None,
            "code": getattr(detail, "code", "invalid"),
            "value": sent_value(request, path),
            "message": str(detail),
        }


def sent_value(request: Any, path: str) -> Any:
    """What was sent for the field, shortened; None for what is no single value."""
    if not path or request is None:
        return None
    value = request.query_params.get(path)
    if value is None:
        sent = getattr(request, "_full_data", None)
        value = sent.get(path) if isinstance(sent, Mapping) else None
    if isinstance(value, str):
        return value[:LONGEST_VALUE]
    return value if isinstance(value, int | Decimal) else None
