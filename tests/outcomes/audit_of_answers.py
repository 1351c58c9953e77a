"""What somebody of one centre can compute from many answers about the pool at once.

The cases of other centres are unknowns: how many there are of each combination of
groups, and of those how many in each state of each measure. Every number that was shown
is an equation, the own cases are known and subtracted, and counts are not negative. The
least and the most of a count under all of this is what the person knows of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from outcomes import disclosure
from outcomes.measures.residual_pain import FLAGS
from outcomes.models import PoolFacts

Atom = tuple[Any, ...]
# Of each family every case has exactly one state.
STATES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "course": lambda row: (row["recurrence_event"], row["regrowth_event"]),
    "change": lambda row: row["mmcs_change_m12"],
    "pain": lambda row: (
        row["residual_pain_m12"],
        *(row[f"residual_{site}_pain_m12"] for site in FLAGS),
    ),
    "border": lambda row: (row["has_preop_mri"], row["border"]),
}
NAMES = (
    "recurrence_event",
    "regrowth_event",
    "mmcs_change_m12",
    "residual_pain_m12",
    *(f"residual_{site}_pain_m12" for site in FLAGS),
    "has_preop_mri",
    "border",
)


@dataclass
class Audit:
    """The unknowns of the other centres, and what was told of them."""

    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    own_centre: int
    equations: list[tuple[np.ndarray[Any, Any], float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        kinds = {name: {self.place(row, name) for row in self.rows} for name in STATES}
        cells = sorted({self.cell(row) for row in self.rows}, key=repr)
        self.unknowns = [
            (cell, name, state)
            for cell in cells
            for name in STATES
            for state in sorted(kinds[name], key=repr)
        ]
        self.index = {unknown: n for n, unknown in enumerate(self.unknowns)}
        self.cells = cells
        for cell, name in itertools.product(cells, list(STATES)[1:]):
            first = next(iter(STATES))
            self.equations.append(
                (self.vector(cell=cell, name=first) - self.vector(cell, name), 0.0)
            )

    def place(self, row: dict[str, Any], name: str) -> Any:
        return STATES[name](row)

    def cell(self, row: dict[str, Any]) -> Atom:
        return tuple(row[name] for name in self.columns)

    def vector(self, cell: Atom, name: str) -> np.ndarray[Any, Any]:
        return self.where(name, lambda c, _s: c == cell)

    def where(
        self, name: str, holds: Callable[[Atom, Any], bool]
    ) -> np.ndarray[Any, Any]:
        """One for each unknown of a family that is counted."""
        return np.array([float(n == name and holds(c, s)) for c, n, s in self.unknowns])

    def count(self, name: str, holds: Callable[[Atom, Any], bool], own: bool) -> int:
        """How many cases there are: of the own centre, or of the others."""
        return sum(
            holds(self.cell(row), self.place(row, name))
            for row in self.rows
            if (row["centre_id"] == self.own_centre) == own
        )

    def told(self, name: str, holds: Callable[[Atom, Any], bool], n: Any) -> None:
        """A number that was shown; None was hidden."""
        if n is not None:
            rest = n - self.count(name, holds, own=True)
            self.equations.append((self.where(name, holds), float(rest)))

    def limits(
        self, name: str, holds: Callable[[Atom, Any], bool]
    ) -> tuple[float, float]:
        """The least and the most that a count of the other centres can be."""
        matrix = csr_matrix(np.array([row for row, _n in self.equations]))
        target = self.where(name, holds)
        found = []
        for sign in (1, -1):
            solved = linprog(
                sign * target,
                A_eq=matrix,
                b_eq=[n for _row, n in self.equations],
                bounds=(0, None),
                method="highs",
            )
            if solved.status == 3:  # no limit
                found.append(float("inf"))
            else:
                assert solved.status == 0, solved.message
                found.append(sign * solved.fun)
        return found[0], found[1]


def audit_of(columns: Sequence[str], own_centre: int) -> Audit:
    """The audit of the copy as it is."""
    names = [*columns, *NAMES, "centre_id"]
    found = PoolFacts.objects.for_research().filter(has_operation=True).values(*names)
    return Audit(tuple(columns), list(found), own_centre)


def hear(audit: Audit, answer: dict[str, Any]) -> None:
    """Take in every count of an answer."""
    by = answer["by"]
    named = {tuple(group["group"][name] for name in by) for group in answer["groups"]}
    audit.told("course", lambda _c, _s: True, answer["n_cases"])
    for group in answer["groups"]:
        if group.get("suppressed"):
            continue
        key = tuple(group["group"][name] for name in by)
        for name, holds, n in counts_of(answer, group):
            audit.told(name, in_group(audit, by, key, named, holds), n)


def in_group(
    audit: Audit, by: Sequence[str], key: Atom, named: set[Atom], holds: Any
) -> Callable[[Atom, Any], bool]:
    """Cases of a group; those told together are of no group that was named."""
    places = [audit.columns.index(name) for name in by]

    def counted(cell: Atom, state: Any) -> bool:
        own = tuple(cell[place] for place in places)
        inside = own not in named if disclosure.MERGED in key else own == key
        return bool(inside and holds(state))

    return counted


def counts_of(
    answer: dict[str, Any], group: dict[str, Any]
) -> Iterator[tuple[str, Callable[[Any], bool], Any]]:
    """Family, states and number of what a group says."""
    measure = answer["measure"]
    yield "course", lambda _s: True, group["n"]
    if measure == "recurrence":
        yield "course", lambda s: s[0] is not None, group["assessed"]
        yield "course", lambda s: s[0] is True, group["events"]
    elif measure == "progression":
        yield "course", lambda s: s != (None, None), group["assessed"]
        yield "course", lambda s: True in s, group["events"]
    elif measure == "improvement":
        yield "change", lambda s: s is not None, group["assessed"]
        for change in ("improved", "unchanged", "worse"):
            yield "change", lambda s, change=change: s == change, group[change]
    elif measure == "residual-pain":
        yield from pain_of(answer["site"], group)
    elif measure == "mri-features":
        yield "border", lambda s: s[0] is True, group["assessed"]
        border = group["features"]["border"]
        for code, told in border.get("categories", {}).items():
            yield "border", lambda s, code=code: s[1] == code, told["n"]


def pain_of(
    asked: str, group: dict[str, Any]
) -> Iterator[tuple[str, Callable[[Any], bool], Any]]:
    events = {
        **{
            site: lambda s, place=place: s[place] is True
            for place, site in enumerate(FLAGS, start=1)
        },
        "any": lambda s: s[0] not in (None, "none"),
    }
    holds = events.get(asked, lambda s: s[0] == asked)
    yield "pain", lambda s: s[0] is not None, group["assessed"]
    yield "pain", holds, group["events"]
    if group.get("any"):
        yield "pain", events["any"], group["any"]["n"]
    for site, told in (group["sites"] or {}).items():
        yield "pain", lambda s, site=site: s[0] == site, told["n"]
