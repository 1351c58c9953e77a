"""Figures of the dashboard, made from the numbers of a measure.

Each says its question, its answer in words with the interval, its method and its
denominator. A group that is hidden to protect patients is named, never drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from outcomes.models.fact_columns import COLUMN_BY_NAME
from outcomes.models.outcome_columns import CHANGES, EXCLUSIONS, RESIDUAL_PAIN
from registry.display import MEANINGS

Payload = dict[str, Any]
Group = dict[str, Any]
Figure = dict[str, Any]
PERCENT = 100
# A curve is drawn as long as this many are followed in one group at least: beyond, one
# event moves it by a fifth or more.
LEAST_AT_RISK = 5
# What a chart has room for; tables and answers give the whole name.
SHORT = {
    "intradural_extramedullary": gettext_lazy("Extramedullary"),
    "intradural_both": gettext_lazy("Intra- and extramedullary"),
    "dumbbell_intra_extradural": gettext_lazy("Dumbbell"),
    "foraminal_paravertebral": gettext_lazy("Foraminal"),
    "gtr": "GTR",
    "ntr": "NTR",
    "str": "STR",
    "pr": "PR",
}


def shown_groups(payload: Payload) -> list[Group]:
    """Groups that are not hidden, each with its label and colour."""
    return [
        group
        | {
            "name": group_label(group),
            "short": short_label(group),
            "meaning": meaning_of(group),
        }
        for group in payload["groups"]
        if not group.get("suppressed")
    ]


def hidden_labels(payload: Payload) -> list[str]:
    return [
        group_label(group) for group in payload["groups"] if group.get("suppressed")
    ]


def group_label(group: Group) -> str:
    """The group in words, such as ``Intramedullary, Gross total (GTR)``."""
    words = [code_label(name, code) for name, code in group["group"].items()]
    return ", ".join(words) or _("All cases")


def short_label(group: Group) -> str:
    codes = list(group["group"].values())
    short = SHORT.get(str(codes[0])) if len(codes) == 1 else None
    return str(short) if short else group_label(group)


def code_label(column: str, code: Any) -> str:
    if code is None:
        label = COLUMN_BY_NAME[column].label
        return _("%(what)s not known") % {"what": capfirst(str(label))}
    return str(dict(COLUMN_BY_NAME[column].values).get(code, code))


def meaning_of(group: Group) -> str:
    codes = list(group["group"].values())
    if not codes:
        return "all"
    return "unknown" if codes[0] is None else MEANINGS.get(str(codes[0]), "other")


def percent(value: float | None) -> str:
    """``17.6 %``; a dash where nothing can be said."""
    return "–" if value is None else f"{value * PERCENT:.1f} %"


def share_words(group: Group) -> str:
    """``Intramedullary 0 of 19 (0.0 to 17.6 %)``."""
    if not group["assessed"]:
        return _("%(name)s: nobody assessed") % {"name": group["name"]}
    share = group["proportion"]
    return _("%(name)s %(n)s of %(total)s (%(lower)s to %(upper)s)") % {
        "name": group["name"],
        "n": f"{group['events']:,}",
        "total": f"{group['assessed']:,}",
        "lower": percent(share["lower"]).removesuffix(" %"),
        "upper": percent(share["upper"]),
    }


def answer(payload: Payload, verb: str) -> str:
    """The answer of all groups in one line, with exact 95 % limits."""
    told = [share_words(group) for group in shown_groups(payload)]
    return f"{verb}: {'; '.join(told)}." if told else _("Nothing can be shown.")


def note_on_hidden(payload: Payload) -> str:
    hidden = hidden_labels(payload)
    if not hidden:
        return ""
    return _("Hidden, because too few patients could be recognised: %(names)s.") % {
        "names": ", ".join(hidden)
    }


def hidden_rows(payload: Payload, width: int) -> list[list[Any]]:
    """Table rows of hidden groups: the name and nothing else."""
    return [[label, *[_("hidden")] * width] for label in hidden_labels(payload)]


def test_words(payload: Payload) -> str:
    """The test of the groups, never without saying why it is missing."""
    test = payload.get("test", {})
    if test.get("estimable"):
        return f"{capfirst(test['name'])}: p {p_value(test['p_value'])}."
    reason = test.get("reason")
    return _("Not tested: %(reason)s.") % {"reason": reason} if reason else ""


def p_value(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def contrasts(
    payload: Payload, key: str, words: Callable[[dict[str, Any]], str]
) -> str:
    """Differences to the first group with their intervals."""
    told = []
    for item in payload.get("differences", []):
        found = item[key]
        if found.get("value") is None:
            continue
        pair = (
            group_label({"group": item["group"]}),
            group_label({"group": item["reference"]}),
        )
        told.append(f"{pair[0]} / {pair[1]}: {words(found)}")
    return "; ".join(told) + "." if told else ""


def ratio_words(found: dict[str, Any]) -> str:
    upper = "∞" if found["upper"] is None else f"{found['upper']:.2f}"
    lower = "0" if found["lower"] is None else f"{found['lower']:.2f}"
    return _("rate ratio %(value)s (%(lower)s to %(upper)s)") % {
        "value": f"{found['value']:.2f}",
        "lower": lower,
        "upper": upper,
    }


def difference_words(found: dict[str, Any]) -> str:
    return _("difference %(value)s (%(lower)s to %(upper)s)") % {
        "value": percent(found["value"]),
        "lower": percent(found["lower"]),
        "upper": percent(found["upper"]),
    }


def joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


# --- the figures


def volume_figure(payload: Payload) -> Figure:
    """Cases by year of operation and compartment."""
    groups = shown_groups(payload)
    years = sorted(
        {item["year"] for group in groups for item in group["years"] if item["year"]}
    )
    counts = {
        group["name"]: {item["year"]: item["n"] for item in group["years"]}
        for group in groups
    }
    total = sum(group["n"] for group in groups)
    operated = sum(group["operated"] for group in groups)
    shown = ngettext("%(n)s case shown", "%(n)s cases shown", total)
    return {
        "id": "volume",
        "empty": not groups,
        "title": _("How many cases were operated each year?"),
        "answer": shown % {"n": f"{total:,}"}
        + _(", %(n)s of them operated.") % {"n": f"{operated:,}"}
        if groups
        else _("Nothing can be shown."),
        "chart": {
            "kind": "bars",
            "x": [str(year) for year in years],
            "y_label": _("Cases"),
            "series": [
                {
                    "name": group["short"],
                    "meaning": group["meaning"],
                    "values": [counts[group["name"]].get(year, 0) for year in years],
                }
                for group in groups
            ],
        },
        "table": {
            "columns": [_("Year"), *[group["name"] for group in groups]],
            "rows": [
                [str(year), *[counts[group["name"]].get(year, 0) for group in groups]]
                for year in years
            ],
        },
        "text": joined(
            _("Bars by year of the index operation and compartment."),
            note_on_hidden(payload),
        ),
    }


def survival_figure(
    payload: Payload, identifier: str, title: str, verb: str, text: str
) -> Figure:
    """Kaplan-Meier curves by group, with the numbers behind them as a table."""
    groups = shown_groups(payload)
    curves = [
        {"name": group["short"], "meaning": group["meaning"], "n": group["assessed"]}
        | group["curve"]
        for group in groups
        if group["curve"] and group["curve"]["days"]
    ]
    return {
        "id": identifier,
        "empty": not curves,
        "title": title,
        "answer": answer(payload, verb),
        "chart": {
            "kind": "survival",
            "curves": curves,
            "until_days": last_day(curves),
            "x_label": _("Years since the operation"),
            "y_label": _("Free of it and alive"),
        },
        "table": {
            "columns": [
                _("Group"),
                _("Cases"),
                _("Assessed"),
                _("Events"),
                _("Share"),
                _("95 % interval"),
                _("Person-years"),
                _("Rate per 100"),
                _("Median follow-up, years"),
            ],
            "rows": [survival_row(group) for group in groups] + hidden_rows(payload, 8),
        },
        "text": joined(text, excluded_words(groups), note_on_hidden(payload)),
        "method": joined(
            _("Kaplan-Meier with log-log limits; shares with exact limits."),
            contrasts(payload, "rate_ratio", ratio_words),
            test_words(payload),
        ),
    }


def last_day(curves: list[dict[str, Any]]) -> int | None:
    """Where the axis ends; None lets the chart decide."""
    days = [
        day
        for curve in curves
        for day, followed in zip(curve["days"], curve["at_risk"], strict=True)
        if followed >= LEAST_AT_RISK
    ]
    return max(days, default=None)


def survival_row(group: Group) -> list[Any]:
    share, rate = group["proportion"], group["rate_per_100_person_years"]
    days = group["median_follow_up_days"]
    return [
        group["name"],
        group["n"],
        group["assessed"],
        group["events"],
        percent(share["value"]),
        f"{percent(share['lower'])} – {percent(share['upper'])}",
        f"{group['person_years']:.1f}",
        "–" if rate["value"] is None else f"{rate['value']:.2f}",
        "–" if days is None else f"{days / 365.25:.1f}",
    ]


def excluded_words(groups: list[Group]) -> str:
    """Which cases are not on the curves, and why."""
    totals: dict[str, int] = {}
    for group in groups:
        for reason, n in group["excluded"].items():
            totals[reason] = totals.get(reason, 0) + n
    labels = {code: str(label) for code, label in EXCLUSIONS}
    told = [f"{labels.get(reason, reason)} ({n})" for reason, n in totals.items()]
    return _("Not on the curves: %(why)s.") % {"why": "; ".join(told)} if told else ""


def improvement_figure(payload: Payload) -> Figure:
    """What became of the McCormick grade, by group."""
    groups = shown_groups(payload)
    return {
        "id": "improvement",
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
            "rows": [improvement_row(group) for group in groups]
            + hidden_rows(payload, 7),
        },
        "text": joined(
            _(
                "Modified McCormick grade at 12 months against before the operation; "
                "both grades must be known. Lower is better."
            ),
            note_on_hidden(payload),
        ),
        "method": joined(
            _("Shares with exact limits."),
            contrasts(payload, "difference", difference_words),
            test_words(payload),
        ),
    }


def improvement_row(group: Group) -> list[Any]:
    share = group["proportion"]
    return [
        group["name"],
        *[group[code] for code, _label in CHANGES],
        group["assessed"],
        group["n"],
        percent(share["value"]),
        f"{percent(share['lower'])} – {percent(share['upper'])}",
    ]


def pain_figure(payload: Payload) -> Figure:
    """Residual pain by site and group."""
    groups = shown_groups(payload)
    sites = [(code, str(label)) for code, label in RESIDUAL_PAIN]
    return {
        "id": "residual-pain",
        "empty": not groups,
        "title": _("Who still hurts at 12 months, and where?"),
        "answer": answer(payload, _("Pain")),
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
            ],
        },
        "table": {
            "columns": [
                _("Group"),
                *[label for _code, label in sites],
                _("NRS 4 or more"),
                _("Assessed"),
                _("Operated"),
            ],
            "rows": [pain_row(group, sites) for group in groups]
            + hidden_rows(payload, len(sites) + 3),
        },
        "text": joined(
            _("Pain at the 12-month visit, counted from the third month on."),
            note_on_hidden(payload),
        ),
        "method": joined(
            _("Shares with exact limits."),
            contrasts(payload, "difference", difference_words),
            test_words(payload),
        ),
    }


# None, local, segmental, below the level, mixed.
PAIN_COLOURS = ("unchanged", "improved", "worse", "less_than_gtr", "other")


def pain_row(group: Group, sites: list[tuple[str, str]]) -> list[Any]:
    return [
        group["name"],
        *[group["sites"][code]["n"] for code, _label in sites],
        group["nrs_4_or_more"]["n"],
        group["assessed"],
        group["n"],
    ]
