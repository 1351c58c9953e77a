"""What a browser sends for a form as it stands in the HTML, nothing touched."""

from __future__ import annotations

from html.parser import HTMLParser

from django.http import QueryDict

NOT_SENT = {"submit", "button", "reset", "file", "image"}
Attributes = dict[str, str | None]


class FormReader(HTMLParser):
    """Collects the successful controls (HTML 5, 4.10.21.4) of a page or of one form."""

    def __init__(self, marker: str = "") -> None:
        super().__init__(convert_charrefs=True)
        self.marker = marker
        self.inside = not marker
        self.sent: list[tuple[str, str]] = []
        self.text: list[str] | None = None
        self.open: Attributes = {}
        self.options: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found: Attributes = dict(attrs)
        if tag == "form" and self.marker in found:
            self.inside = True
        if not self.inside or "disabled" in found:
            return
        if tag == "input":
            self.take_input(found)
        elif tag in {"select", "textarea"}:
            self.open, self.options, self.text = found, [], []
        elif tag == "option" and self.open:
            self.options.append((found.get("value") or "", "selected" in found))

    def take_input(self, found: Attributes) -> None:
        kind, name = found.get("type") or "text", found.get("name")
        if not name or kind in NOT_SENT:
            return
        if kind in {"radio", "checkbox"}:
            if "checked" in found:
                self.sent.append((name, found.get("value") or "on"))
            return
        # A line of text holds no line breaks.
        value = (found.get("value") or "").replace("\r", "").replace("\n", "")
        self.sent.append((name, value))

    def handle_data(self, data: str) -> None:
        if self.text is not None:
            self.text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self.marker:
            self.inside = False
        if tag not in {"select", "textarea"} or not self.open:
            return
        name = self.open.get("name")
        if name and tag == "textarea":
            text = "".join(self.text or []).removeprefix("\n")
            self.sent.append((name, text.replace("\n", "\r\n")))
        elif name:
            chosen = [value for value, selected in self.options if selected]
            first = [value for value, _selected in self.options[:1]]
            self.sent.append((name, (chosen or first or [""])[-1]))
        self.open, self.text = {}, None


def sent_by(html: str, marker: str = "") -> QueryDict:
    """The names and values; ``marker`` is an attribute of the form, such as data-draft."""
    reader = FormReader(marker)
    reader.feed(html)
    query = QueryDict(mutable=True)
    for name, value in reader.sent:
        query.appendlist(name, value)
    return query
