"""Pages by key: the next page begins after the last row shown, at any size.

Two rows never swap places and none is shown twice: the primary key breaks ties.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

PAGE_SIZE = 50
MOST_COUNTED = 10_000
CURSOR = re.compile(r"(?:(\d{4}-\d{2}-\d{2})~)?(\d{1,18})", re.ASCII)


@dataclass(frozen=True)
class Order:
    """A sort order: the sorted column (None: the key alone) and its direction."""

    column: str | None
    descending: bool

    @property
    def columns(self) -> list[str]:
        sign = "-" if self.descending else ""
        named = [f"{sign}{self.column}"] if self.column else []
        return [*named, f"{sign}pk"]

    @property
    def reverse(self) -> Order:
        return Order(self.column, not self.descending)

    def beyond(self, cursor: str) -> Q:
        """Rows that follow the cursor in this order. BadRequest if it is none."""
        match = CURSOR.fullmatch(cursor)
        if not match or bool(match[1]) != bool(self.column):
            raise BadRequest(_("This page address is not complete."))
        than = "lt" if self.descending else "gt"
        key = int(match[2])
        if not self.column:
            return Q(**{f"pk__{than}": key})
        try:
            day = date.fromisoformat(match[1])
        except ValueError as error:
            raise BadRequest(_("This page address is not complete.")) from error
        same_day = Q(**{self.column: day, f"pk__{than}": key})
        return Q(**{f"{self.column}__{than}": day}) | same_day


@dataclass(frozen=True)
class Page:
    rows: list[Any]
    previous_cursor: str | None
    next_cursor: str | None


def page_of(rows: QuerySet[Any], order: Order, asked: QueryDict, value: Any) -> Page:
    """One page of rows. ``value(row)`` gives the sorted column of a row."""
    after, before = asked.get("after"), asked.get("before")
    backwards = before is not None
    direction = order.reverse if backwards else order
    cursor = before if backwards else after
    if cursor is not None:
        rows = rows.filter(direction.beyond(cursor))
    found = list(rows.order_by(*direction.columns)[: PAGE_SIZE + 1])
    more = len(found) > PAGE_SIZE
    found = found[:PAGE_SIZE]
    if backwards:
        found.reverse()
    if not found:
        return Page([], None, None)

    def cursor_of(row: Any) -> str:
        return f"{value(row).isoformat()}~{row.pk}" if order.column else str(row.pk)

    has_previous = more if backwards else after is not None
    has_next = backwards or more
    return Page(
        found,
        cursor_of(found[0]) if has_previous else None,
        cursor_of(found[-1]) if has_next else None,
    )


def counted(rows: QuerySet[Any]) -> tuple[int, bool]:
    """Number of rows, counted up to a limit: (number, whether there are more)."""
    number = rows.order_by()[: MOST_COUNTED + 1].count()
    return min(number, MOST_COUNTED), number > MOST_COUNTED


def address(asked: QueryDict, **changes: str | None) -> str:
    """The query string with some parameters changed and the cursor dropped."""
    changed = asked.copy()
    for name in ("after", "before"):
        changed.pop(name, None)
    for name, value in changes.items():
        changed.pop(name, None)
        if value is not None:
            changed[name] = value
    return f"?{changed.urlencode()}"
