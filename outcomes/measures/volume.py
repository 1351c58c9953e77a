"""How many cases, by the year of their operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, F, IntegerField, QuerySet, Value

from outcomes.measures.base import (
    WHOLE,
    Cells,
    ComparedByCells,
    Group,
    Row,
    hide_group,
    ordered,
    started,
)
from outcomes.measures.grouping import By, named, split_by_group
from outcomes.stats.result import not_estimable

OPERATED = "operated"  # the part of a group that says how many were


class Volume(ComparedByCells):
    """Of all cases, by year of operation; None where it is not known."""

    name = "volume"
    windows: tuple[str, ...] = ()
    default_window = ""

    def reduce(self, facts: QuerySet[Any], by: By, window: str) -> list[Row]:
        """Counts by group, year and whether there was an operation."""
        banded = "surgery_year_to"  # in the released facts
        has_bands = any(field.name == banded for field in facts.model._meta.fields)
        last = F(banded) if has_bands else Value(None, IntegerField())
        found = facts.order_by().values_list(
            *by, F("surgery_year"), last, F("has_operation")
        )
        return ordered(found.annotate(n=Count("pk")))

    def conclude(self, rows: Sequence[Row], by: By, window: str) -> dict[str, Any]:
        split = split_by_group(rows, by)
        groups = [_group(named(key, by), part) for key, part in split]
        return {
            "n_cases": sum(group["n"] for group in groups),
            "groups": groups,
            "test": not_estimable("none", "counts of cases are not compared").to_json(),
        }

    def cells(self, group: Group) -> Cells:
        """Each year is a part of its own."""
        years = {str(item["year"]): [item["n"]] for item in group["years"]}
        operated = [group["operated"], group["n"] - group["operated"]]
        return {WHOLE: [group["n"]], OPERATED: operated} | years

    def hide(self, group: Group, part: str) -> None:
        if part == WHOLE:
            hide_group(group)
            return
        if part == OPERATED:
            group["operated"] = None
        for item in group.get("years", []):
            if str(item["year"]) == part:
                item["n"], item["suppressed"] = None, True

    def limit(self, group: Group) -> None:
        """Everything is covered by the cells."""


def in_bands(payload: dict[str, Any], width: int) -> dict[str, Any]:
    """The same with years in bands of ``width``, for those whose rows carry bands."""
    groups = [g | {"years": _banded(g["years"], width)} for g in payload["groups"]]
    return payload | {"groups": groups}


def _banded(years: Sequence[dict[str, Any]], width: int) -> list[dict[str, Any]]:
    counted: dict[int | None, int] = {}
    for item in years:
        year = item["year"]
        first = None if year is None else year - year % width
        counted[first] = counted.get(first, 0) + item["n"]
    return [
        {"year": first, "n": n, **({} if first is None else {"to": first + width - 1})}
        for first, n in counted.items()
    ]


def _group(name: dict[str, Any], rows: Sequence[Row]) -> Group:
    years: dict[tuple[int | None, int | None], int] = {}
    operated = 0
    for year, last, was_operated, n in rows:
        years[year, last] = years.get((year, last), 0) + n
        operated += n if was_operated else 0
    return {
        **started(name),
        "n": sum(years.values()),
        "operated": operated,
        "years": [
            {"year": year, "n": years[year, last]}
            | ({} if last is None else {"to": last})
            for year, last in sorted(years, key=_by_year)
        ],
    }


def _by_year(band: tuple[int | None, int | None]) -> tuple[bool, int, int]:
    """Years in order, the wider of two bands behind, unknown ones last."""
    return band[0] is None, band[0] or 0, band[1] or 0


VOLUME = Volume()
