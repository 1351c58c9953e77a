"""What the documents tell people to run: their blocks of code and their commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """One fenced block; ``number`` counts within its document."""

    document: str
    number: int
    language: str
    code: str

    @property
    def id(self) -> str:
        return f"{self.document}-{self.number}"


def blocks() -> Iterator[Block]:
    for path in DOCUMENTS:
        for number, found in enumerate(FENCE.finditer(path.read_text()), start=1):
            yield Block(path.name, number, found[1], found[2])


def commands() -> Iterator[tuple[str, str]]:
    """Document and text of everything in code style that starts a program."""
    for path in DOCUMENTS:
        text = path.read_text()
        lines = [
            *INLINE.findall(FENCE.sub("", text)),
            *(line for found in FENCE.finditer(text) for line in found[2].splitlines()),
        ]
        for line in lines:
            if re.search(r"\bmake [a-z]|manage\.py [a-z]", line):
                yield path.name, line.strip()
