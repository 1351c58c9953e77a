"""The figure of cases by year of operation, in years or in bands that do not overlap.

Released rows tell the year in bands, of which some are wider than others and hold them.
Bars stand for bands of one width, the narrowest told; cases of wider bands have rows of
their own in the table and are told in words.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from outcomes.views.figure_files import volume_files
from outcomes.views.figure_links import Address, in_years, linked
from outcomes.views.figure_words import (
    Figure,
    Group,
    Payload,
    joined,
    note_on_hidden,
    shown_groups,
)

Band = tuple[int, int]  # the first and the last year


def volume_figure(payload: Payload, address: Address = None) -> Figure:
    """Cases by year of operation and compartment."""
    groups = shown_groups(payload)
    bars, wider = bands_of(groups)
    return {
        "id": "volume",
        "files": volume_files(payload),
        "empty": not groups,
        "title": _("How many cases were operated each year?"),
        "answer": answer_of(groups),
        "chart": {
            "kind": "bars",
            "x": [band_words(band) for band in bars],
            "y_label": _("Cases"),
            "series": [
                {
                    "name": group["short"],
                    "meaning": group["meaning"],
                    "values": [count_in(group, band) for band in bars],
                }
                for group in groups
            ],
        },
        "table": {
            "columns": [_("Year"), *[group["name"] for group in groups]],
            "rows": [row(band_words(band), band, groups, address) for band in bars]
            + [row(wider_words(band), band, groups, address) for band in wider],
        },
        "text": joined(
            _("Cases by year of the index operation and compartment."),
            note_on_wider(groups, wider),
            note_on_hidden(payload),
        ),
    }


def answer_of(groups: list[Group]) -> str:
    if not groups:
        return _("Nothing can be shown.")
    total = sum(group["n"] for group in groups)
    shown = ngettext("%(n)s case shown", "%(n)s cases shown", total)
    told = [group["operated"] for group in groups]
    operated = "." if None in told else _(", %(n)s of them operated.")
    if None not in told:
        operated %= {"n": f"{sum(told):,}"}
    return shown % {"n": f"{total:,}"} + operated


def band_of(item: dict[str, Any]) -> Band:
    return item["year"], item.get("to", item["year"])


def bands_of(groups: list[Group]) -> tuple[list[Band], list[Band]]:
    """Bands of the least width that is told, and wider ones, each in order."""
    found = {
        band_of(item)
        for group in groups
        for item in group["years"]
        if item["year"] is not None
    }
    least = min((last - first for first, last in found), default=0)
    bars = {band for band in found if band[1] - band[0] == least}
    return sorted(bars), sorted(found - bars)


def count_in(group: Group, band: Band) -> int | None:
    """Cases of a group told in exactly this band; None where they are hidden."""
    return next((i["n"] for i in group["years"] if band_of(i) == band), 0)


def row(label: str, band: Band, groups: list[Group], address: Address) -> list[Any]:
    days = in_years(*band)
    cells = [
        linked(address, group, count_in(group, band), "counted", **days)
        for group in groups
    ]
    return [label, *cells]


def band_words(band: Band) -> str:
    """A year, or a band of years."""
    first, last = band
    return str(first) if first == last else f"{first}–{last}"


def wider_words(band: Band) -> str:
    return _("%(years)s, not told closer") % {"years": band_words(band)}


def note_on_wider(groups: list[Group], wider: list[Band]) -> str:
    """How many cases are in no bar, for their year is told in a wider band only."""
    n = sum(count_in(group, band) or 0 for group in groups for band in wider)
    if not n:
        return ""
    return ngettext(
        "%(n)s case whose year is told in a wider band is in the table, not in the bars.",
        "%(n)s cases whose year is told in wider bands are in the table, not in the "
        "bars.",
        n,
    ) % {"n": f"{n:,}"}
