"""What Chromium draws is what the server sent: numbers, steps, colours, places.

The page is made of the house's own component and scripts, without the rest of the
registry; the options of the charts are read back from the drawing.
"""

from __future__ import annotations

import functools
import json
import random
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from registry.display import MEANINGS
from tests.browser.chromium import chromium, clean_page

pytestmark = pytest.mark.browser
STATIC = Path(__file__).parents[2] / "registry" / "static"
DAYS_IN_YEAR = 365.25
PAGE = """<!doctype html><meta charset="utf-8"><title>Figures</title>
<link rel="stylesheet" href="/myelon/tokens.css">
<link rel="stylesheet" href="/myelon/components.css">
<div id="words" hidden data-at-risk="Number at risk" data-censored="ticks: censored"
 data-assessed="{{n}} assessed" data-assessed-of="{{n}} of {{m}} assessed"></div>
<figure class="figure" id="one" data-figure>
 <div class="figure-chart figure-chart--l" data-chart data-chart-source="chart"></div>
 <script type="application/json" id="chart">{chart}</script>
 <script type="application/json" id="one-curve">{table}</script>
 <button type="button" data-figure-save="csv" data-figure-file="one-curve">CSV</button>
</figure>
<script type="module" src="/myelon/charts.js" data-echarts="/vendor/echarts/echarts.min.js"></script>
"""
READ = """() => window.echarts
  .getInstanceByDom(document.querySelector("[data-chart]")).getOption()"""


class Quiet(SimpleHTTPRequestHandler):
    """The static files, and one page that a test puts there."""

    page = b""

    def do_GET(self) -> None:
        if self.path != "/":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(self.page)))
        self.end_headers()
        self.wfile.write(self.page)
        return None

    def log_message(self, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(STATIC))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


def drawn(
    page: Page, address: str, chart: dict[str, Any], table: Any = None
) -> dict[str, Any]:
    """The option of the drawing, as the chart library has it."""
    text = PAGE.format(chart=json.dumps(chart), table=json.dumps(table))
    Quiet.page = text.encode()
    page.goto(address)
    page.wait_for_function(
        "() => window.echarts?.getInstanceByDom(document.querySelector('[data-chart]'))"
        "?.getOption().series.length > 0"
    )
    found: dict[str, Any] = page.evaluate(READ)
    return found


# --- curves


def random_curve(draw: random.Random, name: str, meaning: str) -> dict[str, Any]:
    """Kaplan-Meier by hand, of cases with whole days of follow-up."""
    followed = sorted(
        (draw.randrange(30, 4000), draw.random() < 0.3) for _n in range(25)
    )
    days = sorted({day for day, _event in followed})
    survival, at_risk, censored, alive = [], [], [], 1.0
    for day in days:
        risk = sum(1 for each, _event in followed if each >= day)
        events = sum(1 for each, event in followed if each == day and event)
        alive *= 1 - events / risk
        survival.append(alive)
        at_risk.append(risk)
        censored.append(sum(1 for each, event in followed if each == day and not event))
    return {
        "name": name,
        "meaning": meaning,
        "n": len(followed),
        "days": days,
        "survival": survival,
        "lower": [max(0, value - 0.1) for value in survival],
        "upper": [min(1, value + 0.1) for value in survival],
        "at_risk": at_risk,
        "censored": censored,
        "followed": followed,
    }


def survival_chart(seed: int, until: int) -> dict[str, Any]:
    draw = random.Random(seed)
    names = (("GTR", "gtr"), ("NTR", "ntr"), ("STR", "str"), ("PR", "pr"))
    curves = [random_curve(draw, *each) for each in names]
    return {
        "kind": "survival",
        "curves": curves,
        "until_days": until,
        "x_label": "Years",
        "y_label": "Free of it",
    }


def step_at(curve: dict[str, Any], day: float) -> float:
    known = [
        s for d, s in zip(curve["days"], curve["survival"], strict=True) if d <= day
    ]
    return known[-1] if known else 1.0


@pytest.mark.parametrize(("seed", "until"), [(1, 2500), (2, 3900), (3, 700)])
def test_curves_are_the_numbers_and_reach_the_end_of_the_axis(
    browser: Any, address: str, seed: int, until: int
) -> None:
    chart = survival_chart(seed, until)
    with clean_page(browser, 900) as page:
        option = drawn(page, address, chart)
    lines = [each for each in option["series"] if each["type"] == "line"]
    end = until / DAYS_IN_YEAR
    for curve, line in zip(chart["curves"], lines, strict=True):
        points = line["data"]
        assert points[0] == [0, 1]
        last = min(until, curve["days"][-1])
        assert points[-1][0] == pytest.approx(last / DAYS_IN_YEAR)
        assert points[-1][1] == pytest.approx(step_at(curve, last))
        shown = [
            (d, s)
            for d, s in zip(curve["days"], curve["survival"], strict=True)
            if d / DAYS_IN_YEAR <= end
        ]
        corners = {(round(x * DAYS_IN_YEAR), round(y, 9)) for x, y in points}
        assert {(day, round(value, 9)) for day, value in shown} <= corners


@pytest.mark.parametrize(("seed", "until"), [(1, 2500), (2, 3900)])
def test_numbers_at_risk_are_those_still_followed(
    browser: Any, address: str, seed: int, until: int
) -> None:
    """Counted from the cases themselves: a month early or late would be seen."""
    chart = survival_chart(seed, until)
    with clean_page(browser, 900) as page:
        option = drawn(page, address, chart)
    table = next(each for each in option["series"] if each.get("xAxisIndex") == 1)
    assert len(table["data"]) >= 4 * 3
    for years, row, number in table["data"]:
        day = years * DAYS_IN_YEAR
        followed = chart["curves"][row]["followed"]
        assert number == sum(1 for each, _event in followed if each >= day - 1e-6)


def test_groups_differ_in_colour_and_in_dash(browser: Any, address: str) -> None:
    with clean_page(browser, 900) as page:
        option = drawn(page, address, survival_chart(4, 3000))
    lines = [each["lineStyle"] for each in option["series"] if each["type"] == "line"]
    assert len({line["color"] for line in lines}) == 4
    assert len({json.dumps(line["type"]) for line in lines}) == 4
    assert len({MEANINGS[code] for code in ("gtr", "ntr", "str", "pr")}) == 4


@pytest.mark.parametrize("seed", range(4))
def test_labels_never_lie_on_each_other(browser: Any, address: str, seed: int) -> None:
    """Any values, also four that end at one height."""
    draw = random.Random(seed)
    values = [draw.random() for _n in range(4)] if seed else [0.9, 0.9, 0.9, 0.89]
    with clean_page(browser, 900) as page:
        drawn(page, address, survival_chart(1, 2500))
        places = page.evaluate(
            "async ([values, height]) => (await import('/myelon/chart_survival.js'))"
            ".labelPlaces(values, height)",
            [values, 260],
        )
    ordered = sorted(places)
    gaps = [b - a for a, b in zip(ordered, ordered[1:], strict=False)]
    assert min(gaps) >= 32 - 1e-9
    assert ordered[-1] <= 260


# --- bars, dots and shares


@pytest.mark.parametrize("most", [4, 60])
def test_bars_and_dots_count_what_was_sent(
    browser: Any, address: str, most: int
) -> None:
    draw = random.Random(most)
    series = [
        {
            "name": name,
            "meaning": meaning,
            "values": [draw.randrange(most) for _year in range(8)],
        }
        for name, meaning in (("In", "intramedullary"), ("Ex", "extramedullary"))
    ]
    years = [str(2010 + n) for n in range(8)]
    chart = {"kind": "bars", "x": years, "series": series, "y_label": "Cases"}
    with clean_page(browser, 900) as page:
        option = drawn(page, address, chart)
    assert option["xAxis"][0]["data"] == years
    for sent in series:
        found = next(
            each for each in option["series"] if each.get("name") == sent["name"]
        )
        if found["type"] == "scatter":
            counts = [0] * 8
            for place, _height in found["data"]:
                counts[place] += 1
            assert counts == sent["values"]
        else:
            assert found["data"] == sent["values"]


def test_shares_are_of_those_assessed(browser: Any, address: str) -> None:
    rows = [
        {"name": "In", "counts": [30, 12, 8], "missing": 4},
        {"name": "Ex", "counts": [5, 2, 1], "missing": 0},
    ]
    categories = [{"name": n, "meaning": n} for n in ("improved", "unchanged", "worse")]
    chart = {"kind": "shift", "categories": categories, "rows": rows}
    with clean_page(browser, 900) as page:
        option = drawn(page, address, chart)
    bars = [each for each in option["series"] if each["type"] == "bar"]
    assert [each["data"][0] for each in bars] == [30 / 50, 12 / 50, 8 / 50]
    assert [each["data"][1] for each in bars] == [None] * 3  # dots, one a case


@pytest.mark.parametrize("width", [340, 900])
def test_names_stand_above_the_plot_at_any_width(
    browser: Any, address: str, width: int
) -> None:
    names = ["Local, root or wound", "Segmental", "Below the level", "Mixed", "None"]
    meanings = ["improved", "worse", "pr", "other", "unchanged"]
    categories = [
        {"name": n, "meaning": m} for n, m in zip(names, meanings, strict=True)
    ]
    rows = [{"name": "In", "counts": [30, 12, 8, 3, 2], "missing": 4}]
    chart = {"kind": "shift", "categories": categories, "rows": rows}
    legend_bottom = """() => {
      const chart = window.echarts.getInstanceByDom(document.querySelector("[data-chart]"));
      const legend = chart.getModel().getComponent("legend");
      const box = chart.getViewOfComponentModel(legend).group.getBoundingRect();
      const view = chart.getViewOfComponentModel(legend).group;
      return view.y + box.y + box.height; }"""
    with clean_page(browser, width) as page:
        option = drawn(page, address, chart)
        assert page.evaluate(legend_bottom) <= option["grid"][0]["top"]


# --- files


def test_csv_holds_numbers_and_the_curve(browser: Any, address: str) -> None:
    table = {
        "columns": ["eor_mri", "day", "survival", "lower"],
        "rows": [["gtr", 0, 1, None], ["gtr", 412, 0.875, -0.25], ["=1+1", 5, 1e-7, 2]],
    }
    with clean_page(browser, 900) as page:
        drawn(page, address, survival_chart(1, 2500), table)
        with page.expect_download() as download:
            page.click("button")
        text = Path(download.value.path()).read_text("utf-8-sig")
    lines = text.splitlines()
    assert lines[0] == "eor_mri,day,survival,lower"
    assert lines[1:3] == ["gtr,0,1,", "gtr,412,0.875,-0.25"]
    assert lines[3] == "'=1+1,5,1e-7,2"
