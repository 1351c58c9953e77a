"""How the questions of a form stand on the page: sections, rows, level ranges, scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.forms import BoundField
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


@dataclass(frozen=True)
class Levels:
    """A rostral and a caudal level; a range typed into the first fills both."""

    top: str
    bottom: str
    label: Text
    hint: Text = _("Th5, D5, Th5-7 and C4/5 are understood. One level counts for both.")


@dataclass(frozen=True)
class Score:
    """Sub-scores that are summed while typing."""

    title: Text
    items: tuple[str, ...]
    maximum: int
    minimum: int = 0
    hint: Text = ""
    show_if: str = ""


Row = str | tuple[str, ...] | Levels | Score


@dataclass(frozen=True)
class Section:
    """A part of a form in clinical order; ``more`` is folded until it is wanted."""

    id: str
    title: Text
    rows: tuple[Row, ...]
    hint: Text = ""
    more: tuple[Row, ...] = ()
    show_if: str = ""


@dataclass(frozen=True)
class Cell:
    """One question as the template draws it."""

    kind: str
    field: BoundField
    missing: BoundField | None
    optional: bool
    show_if: str
    width: str


@dataclass(frozen=True)
class RowView:
    """One row as the template draws it: cells, a level range or a score card."""

    kind: str
    cells: tuple[Cell, ...] = ()
    spec: Any = None
    missing: BoundField | None = None
    show_if: str = ""

    @property
    def fields(self) -> list[BoundField]:
        return [cell.field for cell in self.cells]


@dataclass(frozen=True)
class SectionView:
    spec: Section
    rows: list[RowView]
    more: list[RowView]
    more_open: bool
    errors: int


def names_in(rows: tuple[Row, ...]) -> Iterator[str]:
    """The field names of rows, in order."""
    for row in rows:
        if isinstance(row, str):
            yield row
        elif isinstance(row, Levels):
            yield from (row.top, row.bottom)
        elif isinstance(row, Score):
            yield from row.items
        else:
            yield from row
