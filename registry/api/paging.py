"""Pages by position, not by number: stable while rows are added, flat in cost.

The cursor holds the last row's place in the order of the list, encrypted: primary keys
would tell how many rows the registry holds.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.utils.urls import remove_query_param, replace_query_param

MOST_ROWS = 500
LONGEST_CURSOR = 400
WHOLE_NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)


class StableCursorPagination(BasePagination):
    """``{"next": address or null, "results": [...]}``; ``page_size`` up to 500.

    A view names its order in ``ordering`` or ``order_of(request)``; the last name must
    be unique.
    """

    parameters = ("cursor", "page_size")

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> list[Any]:
        self.base_url = request.build_absolute_uri()
        self.order = tuple(order_of(view, request))
        size = page_size(request.query_params.get("page_size"))
        self.purpose = f"{request.path} {self.order}"
        rows = list(self.after(queryset, request).order_by(*self.order)[: size + 1])
        self.next_cursor = (
            write_cursor(
                self.purpose, [place(rows[size - 1], name) for name in self.order]
            )
            if len(rows) > size
            else None
        )
        return rows[:size]

    def after(self, queryset: QuerySet[Any], request: Request) -> QuerySet[Any]:
        """The rows that follow the cursor."""
        text = request.query_params.get("cursor")
        if text is None:
            return queryset
        places = read_cursor(self.purpose, text)
        # The first comparison alone lets the database walk the index from there.
        queryset = queryset.filter(**{f"{self.order[0]}__gte": places[0]})
        condition = Q()
        for n, name in enumerate(self.order):
            equal = dict(zip(self.order[:n], places[:n], strict=True))
            condition |= Q(**equal, **{f"{name}__gt": places[n]})
        return queryset.filter(condition)

    def get_next_link(self) -> str | None:
        if self.next_cursor is None:
            return None
        base = remove_query_param(self.base_url, "cursor")
        return replace_query_param(base, "cursor", self.next_cursor)

    def get_paginated_response(self, rows: Any) -> Response:
        return Response({"next": self.get_next_link(), "results": rows})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {
                "next": {
                    "type": ["string", "null"],
                    "format": "uri",
                    "description": _("Address of the next page."),
                },
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": _("Place in the list, from the address in “next”."),
                "schema": {"type": "string", "maxLength": LONGEST_CURSOR},
            },
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "description": _("Rows a page."),
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MOST_ROWS,
                    "default": api_settings.PAGE_SIZE,
                },
            },
        ]


def order_of(view: Any, request: Request) -> Sequence[str]:
    if hasattr(view, "order_of"):
        order: Sequence[str] = view.order_of(request)
        return order
    return getattr(view, "ordering", ("pk",))


def page_size(text: str | None) -> int:
    """Rows a page; a 400 unless it is a whole number from 1 to 500."""
    if text is None:
        return int(api_settings.PAGE_SIZE or MOST_ROWS)
    if not WHOLE_NUMBER.fullmatch(text) or not 1 <= int(text) <= MOST_ROWS:
        raise ValidationError(
            {"page_size": _("Choose from 1 to %(most)s.") % {"most": MOST_ROWS}},
            "page_size",
        )
    return int(text)


def place(row: Any, name: str) -> Any:
    """The row's value in the order, as the cursor carries it."""
    value = row[name] if isinstance(row, dict) else getattr(row, name)
    return value if isinstance(value, int | str) else value.isoformat()


def cipher() -> MultiFernet:
    """Writes by the present key, reads by those before a change of SECRET_KEY too."""
    known = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    keys = [hashlib.sha256(b"paging cursor" + key.encode()).digest() for key in known]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])


def write_cursor(purpose: str, places: list[Any]) -> str:
    return cipher().encrypt(json.dumps([purpose, places]).encode()).decode()


def read_cursor(purpose: str, text: str) -> list[Any]:
    """The places that :func:`write_cursor` put in, for the same list. Else a 400."""
    try:
        written_for, places = json.loads(cipher().decrypt(text.encode()))
    except InvalidToken as error:
        raise invalid_cursor() from error
    if written_for != purpose:
        raise invalid_cursor()
    return list(places)


def invalid_cursor() -> ValidationError:
    return ValidationError(
        {"cursor": _("This cursor is not valid. Start without one.")}, "invalid_cursor"
    )
