"""The numbers behind a figure as tables to compute with: numbers in cells, no words.

Shares are from 0 to 1, groups are codes, days are days. A cell is empty where a number
is not estimable or is hidden to protect patients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import gettext as _

from outcomes.views.figure_words import Group, Payload

Row = list[Any]
CURVE = ("days", "survival", "lower", "upper", "at_risk", "events", "censored")


def table(
    name: str, label: str, columns: Iterable[str], rows: list[Row]
) -> dict[str, Any]:
    """A file: its name, the label of its button, its columns and rows."""
    return {"name": name, "label": label, "columns": list(columns), "rows": rows}


def by_group(
    payload: Payload, numbers: dict[str, Callable[[Group], Any]]
) -> dict[str, Any]:
    """One row a group: its codes, then the numbers; empty where it is hidden."""
    rows = [
        [
            *group["group"].values(),
            *(
                None if group.get("suppressed") else of(group)
                for of in numbers.values()
            ),
        ]
        for group in payload["groups"]
    ]
    return table("numbers", _("Numbers, CSV"), [*payload["by"], *numbers], rows)


def at(*path: str) -> Callable[[Group], Any]:
    """Reads a number of a group; None where the answer was released without it."""

    def read(group: Group) -> Any:
        found: Any = group
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    return read


RATE_OF = "rate_per_100_person_years"
SHARE: dict[str, Callable[[Group], Any]] = {
    "n": at("n"),
    "assessed": at("assessed"),
    "events": at("events"),
    "share": at("proportion", "value"),
    "share_lower": at("proportion", "lower"),
    "share_upper": at("proportion", "upper"),
}
RATE: dict[str, Callable[[Group], Any]] = {
    "person_years": at("person_years"),
    RATE_OF: at(RATE_OF, "value"),
    "rate_lower": at(RATE_OF, "lower"),
    "rate_upper": at(RATE_OF, "upper"),
    "median_follow_up_days": at("median_follow_up_days"),
}


def survival_files(payload: Payload) -> list[dict[str, Any]]:
    """The numbers of the groups, and each point of each curve."""
    return [by_group(payload, SHARE | RATE), curve_file(payload)]


def curve_file(payload: Payload) -> dict[str, Any]:
    """One row a day of a curve; events and censored cases where they are told."""
    rows = []
    for group in payload["groups"]:
        curve = group.get("curve") or {"days": []}
        for place in range(len(curve["days"])):
            points = [curve[name][place] if name in curve else None for name in CURVE]
            rows.append([*group["group"].values(), *points])
    columns = [*payload["by"], "day", *CURVE[1:]]
    return table("curve", _("Curve, CSV"), columns, rows)


def volume_files(payload: Payload) -> list[dict[str, Any]]:
    """Counts by year or band of years; ``year_to`` is the last year of the band."""
    rows = [
        [
            *group["group"].values(),
            item["year"],
            item.get("to", item["year"]),
            item["n"],
        ]
        for group in payload["groups"]
        for item in group.get("years", [])
    ]
    columns = [*payload["by"], "year", "year_to", "n"]
    return [table("numbers", _("Numbers, CSV"), columns, rows)]


def improvement_files(payload: Payload, changes: Iterable[str]) -> list[dict[str, Any]]:
    return [by_group(payload, SHARE | {name: at(name) for name in changes})]


def pain_files(payload: Payload, sites: Iterable[str]) -> list[dict[str, Any]]:
    numbers = {name: at("sites", name, "n") for name in sites}
    return [by_group(payload, SHARE | numbers)]
