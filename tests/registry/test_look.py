"""The visual language keeps its promises: contrast, policy, complete style guide."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
COMPONENTS = sorted((ROOT / "templates" / "components").glob("*.html"))
STATIC = ROOT / "registry" / "static" / "myelon"
TOKEN = re.compile(r"--([\w-]+):\s*(#[0-9a-f]{6});")
INCLUDED = re.compile(r"components/([\w.]+)\"")

TEXT_ON_SURFACE = [
    (text, surface)
    for text in ("ink", "ink-2", "ink-3", "accent", "ok", "warn", "error", "info")
    for surface in ("surface", "surface-rail", "surface-sunk", "surface-float")
] + [
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("accent-strong", "accent-soft"),
    ("ok", "ok-soft"),
    ("warn", "warn-soft"),
    ("error", "error-soft"),
    ("info", "info-soft"),
    ("ink-2", "neutral-soft"),
    ("ink-2", "surface-hover"),
]


def tokens(theme: str) -> dict[str, str]:
    """Colours of one theme; dark ones stand in for the light ones they replace."""
    css = (STATIC / "tokens.css").read_text(encoding="utf-8")
    light, rest = css.split('\n[data-bs-theme="dark"] {\n', maxsplit=1)
    dark = rest.split("\n}\n", maxsplit=1)[0]
    chosen = dict(TOKEN.findall(light))
    return chosen | dict(TOKEN.findall(dark)) if theme == "dark" else chosen


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_tokens_text_reaches_wcag_aa(theme: str) -> None:
    colours = tokens(theme)
    weak = {
        (text, surface): round(contrast(colours[text], colours[surface]), 2)
        for text, surface in TEXT_ON_SURFACE
        if contrast(colours[text], colours[surface]) < 4.5
    }
    assert weak == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("edge", ["line-control", "focus"])
def test_tokens_control_edges_reach_three_to_one(theme: str, edge: str) -> None:
    colours = tokens(theme)
    assert contrast(colours[edge], colours["surface"]) >= 3


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.name)
def test_templates_obey_the_content_security_policy(path: Path) -> None:
    html = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle\s*=|<style\b|\son[a-z]+\s*=\s*[\"']", html)
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", html)
    assert not re.search(r"(?:src|href)=[\"']https?://", html)


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda p: p.name)
def test_components_open_with_their_parameters(path: Path) -> None:
    assert "{% comment %}" in "".join(path.read_text(encoding="utf-8")[:120])


# They only arrange components that are shown on their own.
ARRANGEMENTS = {"form_section.html", "form_row.html", "form_cell.html"}


def test_styleguide_shows_every_component() -> None:
    shown: set[str] = set()
    waiting = ["registry/styleguide.html", "base.html", "base_entrance.html"]
    while waiting:
        html = (ROOT / "templates" / waiting.pop()).read_text(encoding="utf-8")
        new = set(INCLUDED.findall(html)) - shown
        shown |= new
        waiting += [f"components/{name}" for name in new]
    assert {path.name for path in COMPONENTS} - shown - ARRANGEMENTS == set()


def test_icons_that_templates_name_exist() -> None:
    sprite = (STATIC / "icons.svg").read_text(encoding="utf-8")
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', sprite))
    named = {
        name
        for path in TEMPLATES
        for name in re.findall(
            r'icon\.html" with (?:[^%]*\s)?name="([\w-]+)"', path.read_text("utf-8")
        )
    }
    assert named
    assert named - drawn == set()
