"""The figure of an event over time, with both of its endpoints named.

The curve is survival free of the event, which death ends too; the shares, the incidence
and the ratios speak of the event alone. Each test stands beside its own difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from outcomes.models.outcome_columns import EXCLUSIONS
from outcomes.views.figure_files import survival_files
from outcomes.views.figure_links import Address, linked
from outcomes.views.figure_words import (
    Figure,
    Group,
    Payload,
    comparison_words,
    hidden_rows,
    joined,
    note_on_hidden,
    note_on_unknown,
    percent,
    ratio_words,
    share_words,
    shown_groups,
)

DAYS_IN_YEAR = 365.25
FIVE_YEARS = 1826
# A curve is drawn as long as this many are followed in one group at least: beyond, one
# event moves it by a fifth or more.
LEAST_AT_RISK = 5


@dataclass(frozen=True)
class EventWords:
    """How a figure speaks of its event."""

    identifier: str
    title: str
    happened: str
    free_of_it: str
    text: str
    # Outcomes of the list: known whether it happened, it did, death came first.
    known: str
    events: str
    died: str


def survival_figure(
    payload: Payload, words: EventWords, address: Address = None
) -> Figure:
    """Kaplan-Meier curves by group, with the numbers behind them as a table."""
    groups = shown_groups(payload)
    curves = [
        {"name": group["short"], "meaning": group["meaning"], "n": group["curve"]["n"]}
        | group["curve"]
        for group in groups
        if group["curve"] and group["curve"]["days"]
    ]
    return {
        "id": words.identifier,
        "files": survival_files(payload),
        "empty": not curves,
        "title": words.title,
        "answer": event_answer(groups, words.happened),
        "chart": {
            "kind": "survival",
            "curves": curves,
            "until_days": last_day(curves),
            "x_label": _("Years since the operation"),
            "y_label": words.free_of_it,
        },
        "table": {
            "columns": table_columns(),
            "rows": [survival_row(group, words, address) for group in groups]
            + hidden_rows(payload, len(table_columns()) - 1),
        },
        "text": joined(
            words.text,
            excluded_words(groups),
            note_on_unknown(payload),
            note_on_hidden(payload),
        ),
        "method": method_words(payload),
    }


def event_answer(groups: list[Group], happened: str) -> str:
    """The answer of all groups in one line: how many had the event, who died first."""
    told = [joined(share_words(group), died_words(group)) for group in groups]
    return f"{happened}: {'; '.join(told)}." if told else _("Nothing can be shown.")


def died_words(group: Group) -> str:
    """Deaths that end the curve of a group as an event does."""
    died = group.get("died_first")
    return _("and %(n)s died without it") % {"n": f"{died:,}"} if died else ""


def method_words(payload: Payload) -> str:
    """Each endpoint with its differences and its test."""
    return joined(
        _("Kaplan-Meier with log-log limits; shares with exact limits."),
        comparison_words(payload, "rate_ratio", ratio_words),
        comparison_words(payload.get("competing_risks", {}), "rate_ratio", ratio_words),
    )


def last_day(curves: list[dict[str, Any]]) -> int | None:
    """Where the axis ends; None lets the chart decide."""
    days = [
        day
        for curve in curves
        for day, followed in zip(curve["days"], curve["at_risk"], strict=True)
        if followed >= LEAST_AT_RISK
    ]
    return max(days, default=None)


def table_columns() -> list[str]:
    return [
        _("Group"),
        _("Cases"),
        _("Assessed"),
        _("Events"),
        _("Share"),
        _("95 % interval"),
        _("Died without it"),
        _("Incidence at 5 years, death competing"),
        _("Free of it and alive at 5 years"),
        _("Person-years"),
        _("Rate per 100"),
        _("Median follow-up, years"),
    ]


def survival_row(group: Group, words: EventWords, address: Address) -> list[Any]:
    share, rate = group["proportion"], group["rate_per_100_person_years"]
    days = group["median_follow_up_days"]
    return [
        group["name"],
        linked(address, group, group["n"], "operated"),
        linked(address, group, group["assessed"], words.known),
        linked(address, group, group["events"], words.events),
        percent(share["value"]),
        f"{percent(share['lower'])} – {percent(share['upper'])}",
        "–"
        if group["curve"] is None
        else linked(address, group, group.get("died_first"), words.died),
        at_five_years(group, "incidence_at"),
        at_five_years(group, "survival_at"),
        f"{group['person_years']:.1f}",
        "–" if rate["value"] is None else f"{rate['value']:.2f}",
        "–" if days is None else f"{days / DAYS_IN_YEAR:.1f}",
    ]


def at_five_years(group: Group, name: str) -> str:
    """``12.1 % (4.0 – 30.2 %)``; a dash where nobody is followed that long."""
    for point in group.get(name, []):
        if point["day"] == FIVE_YEARS and point["value"] is not None:
            limits = f"{percent(point['lower'])} – {percent(point['upper'])}"
            known = point["lower"] is not None
            return percent(point["value"]) + (f" ({limits})" if known else "")
    return "–"


def excluded_words(groups: list[Group]) -> str:
    """Which cases are not on the curves, and why."""
    totals: dict[str, int] = {}
    for group in groups:
        for reason, n in group.get("excluded", {}).items():
            totals[reason] = totals.get(reason, 0) + n
    labels = {code: str(label) for code, label in EXCLUSIONS}
    told = [f"{labels.get(reason, reason)} ({n})" for reason, n in totals.items()]
    return _("Not on the curves: %(why)s.") % {"why": "; ".join(told)} if told else ""
