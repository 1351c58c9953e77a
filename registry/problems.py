"""Answers in problem+json (RFC 9457) where no view of the API is left to give them."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, JsonResponse
from django.utils.functional import Promise

MEDIA_TYPE = "application/problem+json"


def is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def plain_problem(
    status: int,
    code: str,
    title: str | Promise,
    detail: str | Promise,
    headers: Mapping[str, str] | None = None,
) -> JsonResponse:
    """A problem that speaks of no field."""
    body = {
        "type": "about:blank",
        "title": str(title),
        "status": status,
        "code": code,
        "detail": str(detail),
        "errors": [],
    }
    return JsonResponse(
        body,
        status=status,
        content_type=MEDIA_TYPE,
        headers=dict(headers or {}),
        json_dumps_params={"ensure_ascii": False},
    )
