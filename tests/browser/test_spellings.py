"""The script reads levels and days exactly as the server does."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Page

from registry.days import DayError, read_day
from registry.levels import LevelError, parse_level_range
from tests.browser.chromium import chromium, clean_page
from tests.registry.spellings import DAYS, LEVELS

pytestmark = pytest.mark.browser
SCRIPTS = Path(__file__).parents[2] / "registry" / "static" / "myelon"
READ = """async ({name, reader, texts}) => {
  const module = await import(`/${name}.js`);
  return texts.map((text) => module[reader](text));
}"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Nothing; pytest shows what matters."""


@pytest.fixture(scope="module")
def scripts():
    """An origin that serves the scripts alone."""
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Quiet, directory=str(SCRIPTS))
    ) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with chromium() as browser, clean_page(browser) as page:
            page.goto(f"http://127.0.0.1:{server.server_port}/days.js")
            yield page
        server.shutdown()


def read(page: Page, name: str, reader: str, texts: list[str]) -> dict[str, object]:
    asked = {"name": name, "reader": reader, "texts": texts}
    return dict(zip(texts, page.evaluate(READ, asked), strict=True))


def test_the_script_reads_every_level_of_the_table(scripts: Page) -> None:
    expected = {text: list(dict.fromkeys(pair or ())) for text, pair in LEVELS.items()}
    found = read(scripts, "levels", "readLevels", list(LEVELS))
    assert found == expected


def test_the_script_reads_every_day_of_the_table(scripts: Page) -> None:
    assert read(scripts, "days", "readDate", list(DAYS)) == DAYS


def test_script_and_server_agree_on_what_the_table_does_not_name(scripts: Page) -> None:
    """Every text of up to four of these pieces: the two never differ."""
    pieces = ["T", "Th", "C", "L", "Co", "5", "12", "1", "-", "/", " ", ",", "IX", "."]
    texts = [""]
    for _length in range(4):
        texts += [f"{text}{piece}" for text in texts for piece in pieces]
        texts = list(dict.fromkeys(texts))[-9000:]
    found = read(scripts, "levels", "readLevels", texts)
    differing = {
        text: (levels, by_server(text))
        for text, levels in found.items()
        if levels != by_server(text)
    }
    assert differing == {}


def by_server(text: str) -> list[str]:
    try:
        return list(dict.fromkeys(parse_level_range(text)))
    except LevelError:
        return []


def test_script_and_server_agree_on_days_made_of_pieces(scripts: Page) -> None:
    pieces = ["2014", "5", "05", "31", "2", "-", "/", ".", " ", "may", "年", "月", "日"]
    texts = [""]
    for _length in range(5):
        texts += [f"{text}{piece}" for text in texts for piece in pieces]
        texts = list(dict.fromkeys(texts))[-20000:]
    found = read(scripts, "days", "readDate", texts)
    differing = {
        text: (day, day_by_server(text))
        for text, day in found.items()
        if day != day_by_server(text)
    }
    assert differing == {}


def day_by_server(text: str) -> str | None:
    try:
        return read_day(text).text
    except DayError:
        return None
