"""Opens what a page offers: every link, and every option of every list of choices."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from django.test import Client
from django.urls import Resolver404, resolve

# Of addresses that differ in their values only, so many are opened.
MOST_ALIKE = 2
# Files, not pages.
NOT_WALKED = ("/static/",)


@dataclass
class Form:
    """A form that GETs: its address, what it sends untouched, its lists of choices."""

    action: str
    sent: dict[str, str] = field(default_factory=dict)
    options: list[tuple[str, str]] = field(default_factory=list)

    def addresses(self) -> list[str]:
        """The form untouched, and with each option of each list chosen."""
        asked = [self.sent, *(self.sent | {name: code} for name, code in self.options)]
        return [f"{self.action}?{urlencode(each)}" for each in asked]


class Offers(HTMLParser):
    """Addresses that a page offers: links, rows, background requests and forms."""

    def __init__(self, here: str) -> None:
        super().__init__()
        self.here = here
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.form: Form | None = None
        self.select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        for name in ("href", "data-href", "hx-get"):
            if name in given and tag != "link":
                self.links.append(given[name])
        if tag == "form" and given.get("method", "get").lower() == "get":
            self.form = Form(given.get("action") or urlsplit(self.here).path)
            self.forms.append(self.form)
        if self.form is not None:
            self.in_form(tag, given, self.form)

    def in_form(self, tag: str, given: dict[str, str], form: Form) -> None:
        if tag == "input" and given.get("name"):
            form.sent[given["name"]] = given.get("value", "")
        if tag == "select":
            self.select = given.get("name", "")
        if tag == "option" and self.select:
            form.options.append((self.select, given.get("value", "")))
            if "selected" in given or self.select not in form.sent:
                form.sent[self.select] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        if tag == "select":
            self.select = ""


@dataclass
class Walk:
    """One person's way through all pages, from the start."""

    client: Client
    seen: set[str] = field(default_factory=set)
    alike: Counter[tuple[str, ...]] = field(default_factory=Counter)
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)

    def from_page(self, start: str = "/") -> Walk:
        """Open everything that can be reached; returns itself."""
        queue = deque([(start, "")])
        while queue:
            address, found_on = queue.popleft()
            for offered in self.open(address, found_on):
                if self.is_new(offered):
                    queue.append((offered, address))
        return self

    def is_new(self, address: str) -> bool:
        parts = urlsplit(address)
        if parts.netloc or parts.scheme or parts.path.startswith(NOT_WALKED):
            return False
        if not parts.path or address in self.seen:
            return False
        self.seen.add(address)
        shape = shape_of(address)
        self.alike[shape] += 1
        return self.alike[shape] <= MOST_ALIKE

    def open(self, address: str, found_on: str) -> list[str]:
        response = self.client.get(address)
        self.opened.append(address)
        if response.status_code in {301, 302}:
            return [urljoin(address, response["Location"])]
        if response.status_code >= 400:
            self.refused.append((response.status_code, address, found_on))
        if not response.get("Content-Type", "").startswith("text/html"):
            return []
        offers = Offers(address)
        offers.feed(response.content.decode())
        forms = [each for form in offers.forms for each in form.addresses()]
        return [
            urljoin(address, each).partition("#")[0] for each in [*offers.links, *forms]
        ]


def shape_of(address: str) -> tuple[str, ...]:
    """What addresses share that differ in their codes only.

    The one value of a closed list is part of the shape, so that every option is opened;
    codes, days, numbers and marks of pages are not. Combinations are tried by the names
    of what is combined, three and more at once as one: else there is no end of them.
    """
    parts = urlsplit(address)
    try:
        view = resolve(parts.path).view_name
    except Resolver404:
        view = parts.path
    asked = [(name, value) for name, value in parse_qsl(parts.query) if value]
    if len(asked) > 2:
        return (view, "several")
    if len(asked) == 2:
        return (view, *sorted(name for name, _value in asked))
    return (view, *(name + "=" + plain(value) for name, value in asked))


def plain(value: str) -> str:
    """A code of a closed list; empty for a day, a number, a mark of a page."""
    return "" if any(sign.isdigit() for sign in value) else value
