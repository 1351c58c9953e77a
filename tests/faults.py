"""The test files that docs/reliability.md names, for ``make faults``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "docs" / "reliability.md"
ROW = re.compile(
    r"^\| ([FCASWUXIT]\d+) \| (.*?) \| (pass|not yet|no subject) \| (.*?) ?\|$", re.M
)

# The last column of the promises above the list.
PROMISED = re.compile(r"^\|(?:[^|]*\|){3} ((?:\w+/\w+\.py(?:, )?)+) \|$", re.M)


@dataclass(frozen=True)
class Promise:
    """One row of the acceptance list; ``files`` are relative to ``tests/``."""

    number: str
    state: str
    files: tuple[str, ...]


def promises() -> list[Promise]:
    found = []
    for number, _words, state, tests in ROW.findall(TABLE.read_text()):
        files = tuple(tests.split(", ")) if state == "pass" else ()
        found.append(Promise(number, state, files))
    return found


def promised() -> list[str]:
    """The test files of each promise above the list, as they are written there."""
    above, _list = TABLE.read_text().split("## The acceptance list")
    return PROMISED.findall(above)


def files() -> list[str]:
    named = {name for names in promised() for name in names.split(", ")}
    named |= {name for each in promises() for name in each.files}
    return sorted(f"tests/{name}" for name in named)


if __name__ == "__main__":
    print(*files())
