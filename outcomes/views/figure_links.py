"""The way from a count in a table to the cases that it counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from outcomes.disclosure import MERGED
from outcomes.filters import NOT_KNOWN
from outcomes.views.figure_words import Group, hidden_if_none

# Makes the address of a list of cases; None for people who may not read them.
Address = Callable[..., str] | None


def linked(
    address: Address, group: Group, n: int | None, outcome: str, **more: str
) -> Any:
    """A count for a cell: ``{value, url}`` where it has cases that may be read."""
    codes = group["group"]
    if address is None or not n or MERGED in codes.values():
        return hidden_if_none(n)
    told = [
        f"{name}:{NOT_KNOWN if code is None else code}" for name, code in codes.items()
    ]
    asked = {"group": told[0]} if told else {}
    return {"value": n, "url": address(outcome=outcome, **asked, **more)}


def in_years(first: int, last: int) -> dict[str, str]:
    """The days of these years."""
    return {
        "surgery_date_after": f"{first}-01-01",
        "surgery_date_before": f"{last}-12-31",
    }
