"""What every measure offers, and what several share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self

from django.db.models import Aggregate, Count, Q, QuerySet

from outcomes.measures.grouping import MOST_GROUPS, By, is_known
from outcomes.stats.choose import compare_table
from outcomes.stats.proportions import clopper_pearson, newcombe_difference
from outcomes.stats.result import jsonable, not_estimable
from outcomes.stats.tables import FISHER

Row = Sequence[Any]
Group = dict[str, Any]
# A part of a group that is hidden as one, with the counts that decide about it.
Cells = Mapping[str, list[int]]
WHOLE = ""


class Measure(Protocol):
    """One question to the registry.

    ``windows`` are the visit windows it can be asked for, ``sites`` the sites of pain
    that it can test; empty where it has none. More groups than ``groups_at_once`` take
    longer to conclude from than somebody waits for a page.
    """

    @property
    def name(self) -> str: ...

    @property
    def windows(self) -> tuple[str, ...]: ...

    @property
    def default_window(self) -> str: ...

    @property
    def sites(self) -> tuple[str, ...]: ...

    @property
    def groups_at_once(self) -> int: ...

    def at(self, site: str) -> Measure:
        """The same measure for one of its sites."""

    def reduce(self, facts: QuerySet[Any], by: By, window: str) -> list[Row]:
        """Counts in one query: group columns first, in a fixed order of the rows."""

    def conclude(self, rows: Sequence[Row], by: By, window: str) -> dict[str, Any]:
        """``n_cases``, ``groups`` and ``test`` from the counts."""

    def cells(self, group: Group) -> Cells:
        """Counts of patients in a group, by part, for the disclosure rule."""

    def hide(self, group: Group, part: str) -> None:
        """Take a part of a group out of the answer."""

    def limit(self, group: Group) -> None:
        """Take out what ``cells`` does not cover."""

    def limit_comparisons(self, answer: dict[str, Any]) -> None:
        """The same of the differences between groups."""


def count(**condition: Any) -> Count:
    """Number of cases that satisfy a condition."""
    return Count("pk", filter=Q(**condition))


def one_row_a_group(facts: QuerySet[Any], by: By, **aggregates: Aggregate) -> list[Row]:
    """Group columns and aggregates; without grouping one row, be it of zeros."""
    if not by:
        return [tuple(facts.aggregate(**aggregates).values())]
    return ordered(facts.order_by().values_list(*by).annotate(**aggregates))


def ordered(rows: Any) -> list[Row]:
    """Rows in an order that does not depend on the database."""
    return sorted(rows, key=lambda row: [(value is None, value) for value in row])


def proportion(events: int, total: int) -> dict[str, Any]:
    """The share with its exact limits; nothing without observations."""
    found: dict[str, Any] = clopper_pearson(events, total).to_json()
    found["method"] = "clopper-pearson"
    return found


def started(name: dict[str, Any]) -> Group:
    """The beginning of every group: its name, and whether it is known."""
    return {"group": name, "known": is_known(name)}


def known_groups(groups: Sequence[Group]) -> list[Group]:
    """Groups that tests and differences may compare."""
    return [group for group in groups if group["known"]]


def compare_shares(groups: Sequence[Group], endpoint: str) -> dict[str, Any]:
    """Test of events among the assessed, and each difference to the first group.

    Fisher's exact test where a count below 5 is expected, else Pearson's. Unknown
    groups, and those in which nobody was assessed, are left out.
    """
    usable = [group for group in known_groups(groups) if group["assessed"]]
    if len(usable) < 2:
        untested = not_estimable(FISHER, "fewer than two groups were assessed")
        test = untested.to_json() | {"endpoint": endpoint}
        return {"test": test, "differences": []}
    table = [[g["events"], g["assessed"] - g["events"]] for g in usable]
    first = usable[0]
    differences = [
        {
            "group": group["group"],
            "reference": first["group"],
            "endpoint": endpoint,
            "difference": newcombe_difference(
                group["events"], group["assessed"], first["events"], first["assessed"]
            ).to_json(),
        }
        for group in usable[1:]
    ]
    test = chosen_test(table) | {"endpoint": endpoint}
    return {"test": test, "differences": differences}


def chosen_test(table: Sequence[Sequence[int]]) -> dict[str, Any]:
    """The test that suits a table of groups by categories, and why it was taken."""
    chosen = compare_table(table)
    test: dict[str, Any] = jsonable(chosen.test)
    for name in ("expected", "smallest_expected", "expected_below_5"):
        test.pop(name, None)
    return test | {"choice": chosen.reason, "separation": chosen.separation}


class WithoutSites:
    """Mixin: a measure that is not asked by site."""

    sites: ClassVar[tuple[str, ...]] = ()
    groups_at_once: ClassVar[int] = MOST_GROUPS

    def at(self, site: str) -> Self:
        return self


class ComparedByCells(WithoutSites):
    """Mixin: differences say nothing that the groups' cells do not cover."""

    def limit_comparisons(self, answer: dict[str, Any]) -> None:
        """Everything is covered by the cells."""


class WholeGroups(ComparedByCells):
    """Mixin: a group is shown whole or not at all, and never with its details."""

    details: ClassVar[tuple[str, ...]] = ()

    def cells(self, group: Group) -> Cells:
        events, assessed = group["events"], group["assessed"]
        return {WHOLE: [events, assessed - events, group["n"] - assessed]}

    def hide(self, group: Group, part: str) -> None:
        hide_group(group)

    def limit(self, group: Group) -> None:
        for name in self.details:
            group.pop(name, None)


def hide_group(group: Group) -> None:
    """Leave nothing but the name of the group."""
    for name in [name for name in group if name != "group"]:
        del group[name]
    group["suppressed"] = True
