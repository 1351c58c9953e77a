"""The figure by year counts nobody twice and loses nobody, whatever bands are told."""

from __future__ import annotations

from typing import Any

from outcomes.views.volume_figure import volume_figure


def group(compartment: str, *years: dict[str, Any]) -> dict[str, Any]:
    n = sum(item["n"] or 0 for item in years)
    named = {"compartment": compartment}
    return {"group": named, "known": True, "n": n, "operated": n, "years": [*years]}


def figure(*groups: dict[str, Any]) -> dict[str, Any]:
    return volume_figure(
        {"measure": "volume", "by": ["compartment"], "groups": [*groups]}
    )


def band(first: int, last: int, n: int | None) -> dict[str, Any]:
    return {"year": first, "to": last, "n": n}


def test_bars_stand_for_bands_of_one_width_and_wider_ones_for_themselves() -> None:
    told = figure(
        group("intramedullary", band(2007, 2009, 5), band(2007, 2015, 7)),
        group("extramedullary", band(2013, 2015, 6), band(2016, 2024, 8)),
    )
    assert told["chart"]["x"] == ["2007–2009", "2013–2015"]
    assert [series["values"] for series in told["chart"]["series"]] == [[5, 0], [0, 6]]
    assert told["table"]["rows"] == [
        ["2007–2009", 5, 0],
        ["2013–2015", 0, 6],
        ["2007–2015, not told closer", 7, 0],
        ["2016–2024, not told closer", 0, 8],
    ]
    assert "15 cases whose year is told in wider bands" in told["text"]
    (file,) = told["files"]
    assert file["columns"][-3:] == ["year", "year_to", "n"]
    assert [2007, 2015, 7] in [row[-3:] for row in file["rows"]]


def test_no_bar_overlaps_another_and_every_case_stands_in_one_row() -> None:
    spans = [(first, first + width - 1) for width in (3, 9) for first in (2007, 2016)]
    groups = [
        group(name, *(band(*span, n) for n, span in enumerate(spans, start=start)))
        for name, start in (("intramedullary", 5), ("dumbbell", 11))
    ]
    told = figure(*groups)
    bars = [tuple(map(int, text.split("–"))) for text in told["chart"]["x"]]
    pairs = zip(bars, bars[1:], strict=False)
    assert all(before[1] < after[0] for before, after in pairs)
    counts = [row[1:] for row in told["table"]["rows"]]
    assert [sum(column) for column in zip(*counts, strict=True)] == [
        each["n"] for each in groups
    ]


def test_years_are_told_one_by_one_where_they_are_known() -> None:
    unknown = {"year": None, "n": 2}
    told = figure(group("intramedullary", {"year": 2014, "n": 3}, unknown))
    assert told["chart"]["x"] == ["2014"]
    assert told["table"]["rows"] == [["2014", 3]]
    assert "wider" not in told["text"]


def test_a_hidden_count_is_no_zero() -> None:
    told = figure(group("intramedullary", band(2013, 2015, None), band(2016, 2018, 9)))
    assert told["table"]["rows"] == [["2013–2015", "hidden"], ["2016–2018", 9]]
