"""Groups of cases: by which columns, and in which order they are told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from outcomes.models.fact_columns import COLUMN_BY_NAME
from registry.fields import MissingReason

By = tuple[str, ...]
Key = tuple[Any, ...]

GROUPABLE = (
    "compartment",
    "compartment_mri",
    "eor_final",
    "eor_mri",
    "eor_surgeon",
    "region",
    "histology_who2021",
    "who_grade",
    "sex",
    "nf_status",
    "myelotomy",
    "dissection_plane",
    "status",
    "border",
    "enhancement",
    "syrinx",
    "cyst",
)
MOST_GROUPINGS = 3
# Each is compared with the first, so that the work of an answer grows with them. More
# than a page can show are worked on in the background, and still more are hardly meant.
MOST_GROUPS = 64
MOST_GROUPS_IN_BACKGROUND = 400
# Codes by which a list says that nothing is known, as a missing value does; small
# groups that are told as one may hold such cases.
MERGED = "other_groups"
UNKNOWN = frozenset(
    {*MissingReason.values, "not_assessed", "not_assessable", "not_graded", MERGED}
)
ORDER = {
    name: {str(code): place for place, (code, _l) in enumerate(column.values)}
    for name, column in COLUMN_BY_NAME.items()
    if name in GROUPABLE
}


def parse_by(text: str | Iterable[str]) -> By:
    """Columns to group by from ``compartment,eor_final``; raises ValidationError."""
    parts = text.split(",") if isinstance(text, str) else list(text)
    by = tuple(part.strip() for part in parts if part.strip())
    unknown = [name for name in by if name not in GROUPABLE]
    if unknown:
        message = _("Cannot group by “%(name)s”.") % {"name": unknown[0][:40]}
    elif len(set(by)) < len(by):
        message = _("Name each column once.")
    elif len(by) > MOST_GROUPINGS:
        message = _("Group by %(most)s columns at most.") % {"most": MOST_GROUPINGS}
    else:
        return by
    raise ValidationError({"by": ValidationError(message, "invalid_choice")})


def count_groups(rows: Iterable[Sequence[Any]], by: By) -> int:
    return len({tuple(row[: len(by)]) for row in rows})


def check_few_groups(
    rows: Iterable[Sequence[Any]], by: By, most: int = MOST_GROUPS
) -> None:
    """Refuse a question whose answer has too many groups; raises ValidationError."""
    found = count_groups(rows, by)
    if found > most:
        message = _(
            "There are %(found)s such groups, more than %(most)s. Group by fewer "
            "columns, or choose cases by a filter."
        ) % {"found": found, "most": most}
        raise ValidationError({"by": ValidationError(message, "too_many_groups")})


def split_by_group(
    rows: Iterable[Sequence[Any]], by: By
) -> list[tuple[Key, list[Sequence[Any]]]]:
    """Rows by their leading group columns; groups in the order of the choice lists.

    Without grouping there is always one group, be it empty.
    """
    width = len(by)
    groups: dict[Key, list[Sequence[Any]]] = {} if by else {(): []}
    for row in rows:
        groups.setdefault(tuple(row[:width]), []).append(row[width:])
    return sorted(groups.items(), key=lambda item: place(item[0], by))


def place(key: Key, by: By) -> tuple[Any, ...]:
    """Where a group stands; groups without a value come last."""
    return tuple(
        (value is None, ORDER[name].get(str(value), len(ORDER[name])), str(value))
        for name, value in zip(by, key, strict=True)
    )


def is_known(name: Mapping[str, Any]) -> bool:
    """Whether a group says what its cases have in common.

    Cases of an unknown group are shown and counted. They belong to one of the others,
    nobody knows to which, so they are part of no test and of no difference.
    """
    return all(code is not None and code not in UNKNOWN for code in name.values())


def named(key: Key, by: By) -> dict[str, Any]:
    """The group as it stands in an answer."""
    return dict(zip(by, key, strict=True))
