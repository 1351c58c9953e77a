"""The test for curves of an event over time, chosen from the counts.

A page, the API and a study ask here, so that they cannot differ. The choice never
looks at a p value: the large-sample test where every group has at least 20 cases and
10 expected events, else the distribution over all ways to deal the same cases to the
groups; and no p at all where none of these ways could reach 0.05. The simulation behind
the limits stands in docs/statistics.md.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np

from outcomes.stats.event_table import table_from_counts
from outcomes.stats.gray import (
    NO_VARIANCE,
    CompetingCounts,
    GrayTest,
    gray_test_from_counts,
    permutation_gray_from_counts,
)
from outcomes.stats.logrank import (
    Counts,
    LogRankTest,
    logrank_in_strata,
    logrank_of,
    strata_of_counts,
)
from outcomes.stats.logrank_permutation import (
    permuted_logrank_in_strata,
    permuted_logrank_of,
)
from outcomes.stats.result import Result, TestResult

FEWEST_CASES = 20
FEWEST_EXPECTED = 10

SomeTest = TypeVar("SomeTest", bound=TestResult)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChosenTest(Result, Generic[SomeTest]):
    """A test and why it was chosen."""

    test: SomeTest
    reason: str


def compare_curves(groups: Sequence[Counts], seed: int = 0) -> ChosenTest[LogRankTest]:
    """Survival of groups given as ``(days, events, censored)`` counts: log-rank.

    ``seed`` serves arrangements too many to list. Groups of unknown membership do not
    belong here. Raises StatError for fewer than two groups or a group without cases.
    """
    tables = [table_from_counts(*group) for group in groups]
    test = logrank_of(tables)
    small = _why_small([table.n for table in tables], test.expected)
    if test.estimable and small is not None:
        test = permuted_logrank_of(tables, seed)
    return ChosenTest(test=test, reason=_said("log-rank", test, small))


def compare_curves_in_strata(
    strata: Sequence[Sequence[Counts | None]], seed: int = 0
) -> ChosenTest[LogRankTest]:
    """The same within strata, such as centres: per stratum the groups in one order.

    None stands for a group that has no case in the stratum. A group is as large as it
    is in all strata together, whatever it is in each.
    """
    tables = strata_of_counts(strata)
    test = logrank_in_strata(tables)
    sizes = [
        sum(table.n for table in group if table) for group in zip(*tables, strict=True)
    ]
    small = _why_small(sizes, test.expected)
    if test.estimable and small is not None:
        test = permuted_logrank_in_strata(tables, seed)
    return ChosenTest(test=test, reason=_said(test.name, test, small))


def compare_incidence(
    groups: Sequence[CompetingCounts], seed: int = 0
) -> ChosenTest[GrayTest]:
    """Incidence of an event that others compete with: Gray's test.

    Groups are ``(days, events of interest, competing, censored)`` counts; else as
    ``compare_curves``.
    """
    test = gray_test_from_counts(groups)
    sizes = [sum(int(np.sum(column)) for column in group[1:]) for group in groups]
    small = _why_small(sizes, test.expected)
    if small is not None and test.reason in (None, NO_VARIANCE):
        test = permutation_gray_from_counts(groups, seed)
    return ChosenTest(test=test, reason=_said("Gray", test, small))


def _why_small(sizes: Sequence[int], expected: Sequence[float]) -> str | None:
    """Why the large-sample test does not hold; None where it does.

    A group that was not under observation on any day of an event is not compared.
    """
    compared = [place for place, events in enumerate(expected) if events > 0]
    cases = min((sizes[place] for place in compared), default=0)
    events = min((expected[place] for place in compared), default=0.0)
    if cases < FEWEST_CASES:
        return f"the smallest group has {cases} cases, fewer than {FEWEST_CASES}"
    if events < FEWEST_EXPECTED:
        return f"a group has {events:.1f} expected events, fewer than {FEWEST_EXPECTED}"
    return None


def _said(name: str, test: LogRankTest | GrayTest, small: str | None) -> str:
    if test.p_value is None:
        return f"no {name} test: {test.reason}"
    if small is None:
        return (
            f"{name}, chi-squared: every group has at least {FEWEST_CASES} cases and "
            f"{FEWEST_EXPECTED} expected events"
        )
    return f"{name} by permutation: {small}"
