"""Figures of the dashboard, made from the numbers of a measure.

Each says its question, its answer in words with the interval, its method and its
denominator. A group that is hidden to protect patients is named, never drawn.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from outcomes.models.outcome_columns import CHANGES, RESIDUAL_PAIN
from outcomes.views.figure_files import (
    improvement_files,
    pain_files,
)
from outcomes.views.figure_links import Address, linked
from outcomes.views.figure_words import (
    Figure,
    Group,
    Payload,
    answer,
    comparison_words,
    difference_words,
    hidden_rows,
    joined,
    note_on_hidden,
    note_on_unknown,
    percent,
    shown_groups,
)


def improvement_figure(payload: Payload, address: Address = None) -> Figure:
    """What became of the McCormick grade, by group."""
    groups = shown_groups(payload)
    return {
        "id": "improvement",
        "files": improvement_files(payload, [code for code, _label in CHANGES]),
        "empty": not groups,
        "title": _("Who improved by 12 months?"),
        "answer": answer(payload, _("Improved")),
        "chart": {
            "kind": "shift",
            "categories": [
                {"name": str(label), "meaning": code} for code, label in CHANGES
            ],
            "rows": [
                {
                    "name": group["short"],
                    "counts": [group[code] for code, _label in CHANGES],
                    "missing": group["n"] - group["assessed"],
                }
                for group in groups
                if group["worse"] is not None
            ],
        },
        "table": {
            "columns": [
                _("Group"),
                *[str(label) for _code, label in CHANGES],
                _("Assessed"),
                _("Operated"),
                _("Improved, share"),
                _("95 % interval"),
            ],
            "rows": [improvement_row(group, address) for group in groups]
            + hidden_rows(payload, 7),
        },
        "text": joined(
            _(
                "Modified McCormick grade at 12 months against before the operation; "
                "both grades must be known. Lower is better."
            ),
            note_on_unknown(payload),
            note_on_hidden(payload),
        ),
        "method": joined(
            _("Shares with exact limits."),
            comparison_words(payload, "difference", difference_words),
        ),
    }


def improvement_row(group: Group, address: Address) -> list[Any]:
    share = group["proportion"]
    return [
        group["name"],
        *[
            linked(address, group, group[code], f"{code}_m12")
            for code, _label in CHANGES
        ],
        linked(address, group, group["assessed"], "assessed_m12"),
        linked(address, group, group["n"], "operated"),
        percent(share["value"]),
        f"{percent(share['lower'])} – {percent(share['upper'])}",
    ]


def pain_figure(payload: Payload, address: Address = None) -> Figure:
    """Residual pain by site and group."""
    groups = shown_groups(payload)
    sites = [(code, str(label)) for code, label in RESIDUAL_PAIN]
    return {
        "id": "residual-pain",
        "files": pain_files(payload, [code for code, _label in sites]),
        "empty": not groups,
        "title": _("Who still hurts at 12 months, and where?"),
        "answer": answer(payload, _("Segmental pain")),
        "chart": {
            "kind": "shift",
            "categories": [
                {"name": label, "meaning": colour}
                for (_code, label), colour in zip(sites, PAIN_COLOURS, strict=True)
            ],
            "rows": [
                {
                    "name": group["short"],
                    "counts": [group["sites"][code]["n"] for code, _label in sites],
                    "missing": group["n"] - group["assessed"],
                }
                for group in groups
                if group["sites"]
            ],
        },
        "table": {
            "columns": [
                _("Group"),
                *[label for _code, label in sites],
                _("Segmental, share"),
                _("95 % interval"),
                _("NRS 4 or more"),
                _("Assessed"),
                _("Operated"),
            ],
            "rows": [pain_row(group, sites, address) for group in groups]
            + hidden_rows(payload, len(sites) + 5),
        },
        "text": joined(
            _(
                "Pain at the 12-month visit, counted from the third month on. Bars show "
                "pain at one site only, or at several (mixed); segmental pain alone or "
                "with other sites is what the groups are compared by."
            ),
            note_on_unknown(payload),
            note_on_hidden(payload),
        ),
        "method": joined(
            _("Shares with exact limits."),
            comparison_words(payload, "difference", difference_words),
        ),
    }


# None, local, segmental, below the level, mixed.
PAIN_COLOURS = ("unchanged", "improved", "worse", "less_than_gtr", "other")


def pain_row(group: Group, sites: list[tuple[str, str]], address: Address) -> list[Any]:
    share = group["proportion"]
    return [
        group["name"],
        *[
            linked(address, group, site_count(group, code), f"pain_{code}_m12")
            for code, _label in sites
        ],
        percent(share["value"]),
        f"{percent(share['lower'])} – {percent(share['upper'])}",
        linked(
            address, group, group.get("nrs_4_or_more", {}).get("n"), "pain_nrs_4_m12"
        ),
        linked(address, group, group["assessed"], "pain_told_m12"),
        linked(address, group, group["n"], "operated"),
    ]


def site_count(group: Group, code: str) -> int | None:
    """Cases with pain of a site; None where the sites are hidden."""
    return group["sites"][code]["n"] if group["sites"] else None
