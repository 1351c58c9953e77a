"""Whether kept numbers may still be shown, be they of a measure or of a question.

Late numbers are bearable, numbers with a patient who withdrew are not. Neither are those
of other code, whose answer may have another shape.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from outcomes.changes import wanted_of, withdrawn_of
from outcomes.models import AskedSummary, Summary

# What computes and limits the numbers, besides the measures and the statistics.
ALSO = (
    "windows.py",
    "disclosure.py",
    "disclosed_curves.py",
    "quasi_identifiers.py",
    "reading.py",
    "released_sql.py",
)


@cache
def code_version() -> str:
    """A mark of the code that computes; numbers of other code are stale."""
    here = Path(__file__).parent
    folders = (here / "stats", here / "measures")
    paths = sorted(path for folder in folders for path in folder.glob("*.py"))
    mark = hashlib.sha256()
    for path in [*paths, *(here / name for name in ALSO)]:
        mark.update(path.read_bytes())
    return mark.hexdigest()[:12]


def is_shown(row: Summary | AskedSummary) -> bool:
    """Whether a row has numbers, of this code and without anybody who withdrew."""
    return (
        bool(row.payload)
        and row.code_version == code_version()
        and row.withdrawn == withdrawn_of(row.centre_id)
    )


def lags_behind(row: Summary | AskedSummary) -> bool:
    """Whether a case changed since."""
    return row.done < wanted_of(row.centre_id)
