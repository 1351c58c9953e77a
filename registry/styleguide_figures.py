"""Specimen figures of the style guide: shapes to look at, not results."""

from __future__ import annotations

from typing import Any

YEARS = [str(year) for year in range(2012, 2022)]
SHIFT_CATEGORIES = [
    {"name": "Improved", "meaning": "improved"},
    {"name": "Unchanged", "meaning": "unchanged"},
    {"name": "Worse", "meaning": "worse"},
]


def bars(identifier: str, inner: list[int], outer: list[int]) -> dict[str, Any]:
    return {
        "id": identifier,
        "title": "How many cases were operated each year?",
        "answer": f"Specimen: {sum(inner) + sum(outer)} cases in ten years.",
        "chart": {
            "kind": "bars",
            "x": YEARS,
            "y_label": "Cases",
            "series": [
                {
                    "name": "Extramedullary",
                    "meaning": "extramedullary",
                    "values": outer,
                },
                {
                    "name": "Intramedullary",
                    "meaning": "intramedullary",
                    "values": inner,
                },
            ],
        },
        "table": {
            "columns": ["Year", "Intramedullary", "Extramedullary"],
            "rows": [list(row) for row in zip(YEARS, inner, outer, strict=True)],
        },
        "text": "Specimen bars by year and compartment.",
    }


def specimen_curve(name: str, meaning: str, falls: float) -> dict[str, Any]:
    """A made-up curve whose survival falls by the same factor at every third step."""
    curve: dict[str, Any] = {"name": name, "meaning": meaning, "n": 40}
    columns: dict[str, list[Any]] = {
        key: [] for key in ("days", "survival", "lower", "upper", "at_risk", "censored")
    }
    survival = 1.0
    for step in range(40):
        event = step % 3 == 1
        survival *= falls if event else 1.0
        known = survival < 1
        columns["days"].append(60 + step * 88)
        columns["survival"].append(survival)
        columns["lower"].append(
            max(0.0, survival - 0.03 - step / 260) if known else None
        )
        columns["upper"].append(
            min(1.0, survival + 0.03 + step / 400) if known else None
        )
        columns["at_risk"].append(40 - step)
        columns["censored"].append(0 if event else 1)
    return curve | columns


def survival() -> dict[str, Any]:
    curves = [
        specimen_curve("GTR", "gtr", 0.99),
        specimen_curve("Less than GTR", "less_than_gtr", 0.94),
    ]
    return {
        "id": "specimen-survival",
        "title": "How long did patients stay free of recurrence?",
        "answer": "Specimen curves: fewer recurrences after gross total resection.",
        "chart": {
            "kind": "survival",
            "curves": curves,
            "x_label": "Years since surgery",
            "y_label": "Free of recurrence",
        },
        "table": {
            "columns": ["Group", "n", "Free at the end"],
            "rows": [[c["name"], c["n"], f"{c['survival'][-1]:.3f}"] for c in curves],
        },
        "text": "Specimen curves with interval bands, ticks for censored cases.",
        "method": "Kaplan-Meier, log-log interval.",
    }


def shift(identifier: str, rows: list[tuple[str, list[int], int]]) -> dict[str, Any]:
    return {
        "id": identifier,
        "title": "Who improved at 12 months?",
        "answer": "Specimen counts by compartment.",
        "chart": {
            "kind": "shift",
            "categories": SHIFT_CATEGORIES,
            "rows": [
                {"name": name, "counts": counts, "missing": missing}
                for name, counts, missing in rows
            ],
        },
        "table": {
            "columns": ["Group", "Improved", "Unchanged", "Worse", "Not assessed"],
            "rows": [[name, *counts, missing] for name, counts, missing in rows],
        },
        "text": "Specimen counts; cases that were not assessed are left out.",
        "height": "s",
    }


def proportions() -> dict[str, Any]:
    rows = [
        ("GTR, intramedullary", "gtr", 0.0, 0.0, 0.176, 0, 19),
        ("Less than GTR", "less_than_gtr", 0.25, 0.11, 0.47, 6, 24),
        ("Biopsy", "other", None, None, None, 0, 0),
    ]
    keys = ("name", "meaning", "value", "lower", "upper", "events", "n")
    return {
        "id": "specimen-proportions",
        "title": "What came back?",
        "answer": "Specimen: no event among 19, which still allows a rate of 17.6 %.",
        "chart": {
            "kind": "proportions",
            "x_label": "Share with recurrence",
            "rows": [dict(zip(keys, row, strict=True)) for row in rows],
        },
        "table": {
            "columns": ["Group", "Events", "n"],
            "rows": [[row[0], row[5], row[6]] for row in rows],
        },
        "text": "Specimen shares with 95 % intervals.",
        "method": "Clopper-Pearson interval.",
        "height": "s",
    }


def specimen_figures() -> list[dict[str, Any]]:
    inner = [3, 4, 2, 6, 5, 7, 6, 8, 9, 7]
    outer = [14, 17, 15, 21, 19, 26, 24, 29, 31, 27]
    return [
        bars("specimen-bars", inner, outer),
        bars(
            "specimen-dots",
            [0, 1, 0, 2, 1, 0, 3, 1, 2, 1],
            [1, 2, 2, 1, 3, 4, 2, 5, 4, 3],
        ),
        survival(),
        proportions(),
        shift(
            "specimen-shift",
            [
                ("Intramedullary", [31, 40, 12], 9),
                ("Extramedullary", [160, 98, 11], 20),
            ],
        ),
        shift(
            "specimen-shift-dots",
            [("Intramedullary", [9, 8, 2], 0), ("Extramedullary", [7, 11, 1], 0)],
        ),
    ]


FIGURES = specimen_figures()
