"""Exact and asymptotic tests on tables of counts, the sign test and Holm's rule.

Tables hold one row per group and one column per category. Rows and columns without
any observation say nothing and are left out; a table with fewer than two of either
is not estimable rather than p = 1.

References: Fisher 1935, J R Stat Soc 98:39; Freeman and Halton 1951, Biometrika
38:141; McNemar 1947, Psychometrika 12:153; Holm 1979, Scand J Stat 6:65.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Literal

from numpy.typing import ArrayLike
from scipy import stats

from outcomes.stats.attainable import (
    if_reachable,
    smallest_of_ends,
    smallest_of_signs,
)
from outcomes.stats.checks import (
    CountArray,
    as_labels,
    as_matrix,
    as_number,
    check_count,
    check_same_length,
    plain_list,
    whole_numbers,
)
from outcomes.stats.errors import StatError
from outcomes.stats.freeman_halton import (
    LARGEST_SAMPLED,
    enumerated_p,
    sampled_p,
    tables_sampled,
)
from outcomes.stats.proportions import PairedCounts
from outcomes.stats.result import (
    SMALLEST_P,
    Result,
    TestResult,
    not_estimable,
)

Separation = Literal["complete", "quasi-complete"]

FISHER = "Fisher exact"
PEARSON = "Pearson chi-squared"
MCNEMAR = "McNemar exact"
SIGN_TEST = "sign test"
# Below it, large-sample tests and limits of a table do not hold (Cochran 1954).
SMALLEST_EXPECTED = 5
NO_COMPARISON = "only one group or one category has observations"


@dataclasses.dataclass(frozen=True, kw_only=True)
class PearsonTest(TestResult):
    """Pearson's test with what it rests on; rows and columns as used."""

    expected: tuple[tuple[float, ...], ...]
    smallest_expected: float
    expected_below_5: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class DirectionTest(TestResult):
    """A test on the pairs that changed, with all pairs counted."""

    forward: int
    backward: int
    unchanged: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Adjusted(Result):
    """p values adjusted for their family; None stays None and is not counted."""

    method: str
    family_size: int
    p_values: tuple[float | None, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CrossTable(Result):
    """Counts of two columns of rows, labels sorted."""

    groups: tuple[Hashable, ...]
    categories: tuple[Hashable, ...]
    counts: tuple[tuple[int, ...], ...]


def cross_tabulate(
    groups: Sequence[Hashable], categories: Sequence[Hashable]
) -> CrossTable:
    """Count rows by group and category; the order of the rows does not matter."""
    rows, columns = as_labels(groups, "groups"), as_labels(categories, "categories")
    check_same_length(groups=rows, categories=columns)
    counted = Counter(zip(rows, columns, strict=True))
    group_labels = tuple(sorted(set(rows), key=repr))
    category_labels = tuple(sorted(set(columns), key=repr))
    return CrossTable(
        groups=group_labels,
        categories=category_labels,
        counts=tuple(
            tuple(counted[group, category] for category in category_labels)
            for group in group_labels
        ),
    )


def as_table(table: ArrayLike) -> CountArray:
    """A two-dimensional table of counts; raises StatError for anything else."""
    return whole_numbers(as_matrix(table, "table"), "table")


def as_2x2(table: ArrayLike) -> tuple[int, int, int, int]:
    """The four cells a, b, c, d of [[a, b], [c, d]]."""
    counts = as_table(table)
    if counts.shape != (2, 2):
        raise StatError(f"a 2x2 table is needed, not {_shape(counts)}")
    a, b, c, d = (int(count) for count in counts.ravel())
    return a, b, c, d


def separation(table: ArrayLike) -> Separation | None:
    """Whether a category tells the groups apart without error.

    "complete" where every category was seen in one group only, as 19 of 19 against 0
    of 19; "quasi-complete" where a group has none of a category that others have.
    """
    counts = _observed(as_table(table))
    if min(counts.shape) < 2:
        return None
    if ((counts > 0).sum(axis=0) == 1).all():
        return "complete"
    return "quasi-complete" if (counts == 0).any() else None


def fisher_exact(table: ArrayLike, seed: int = 0) -> TestResult:
    """Two-sided: all tables with these margins that are at most as probable.

    2x2 by SciPy, larger tables by enumeration; where that would take more than some
    tenths of a second, 1,000 to 10,000 tables are sampled with ``seed`` and the name
    of the test says so. Not estimable where the rarest table with these margins has a
    p above 0.05.
    """
    counts = _observed(as_table(table))
    if min(counts.shape) < 2:
        return not_estimable(FISHER, NO_COMPARISON)
    if counts.shape == (2, 2):
        p_value = float(stats.fisher_exact(counts)[1])
        test = TestResult(name=FISHER, estimable=True, p_value=min(p_value, 1.0))
        return if_reachable(test, _rarest_2x2(counts))
    name, found = f"{FISHER} {_shape(counts)}", enumerated_p(counts)
    if found is None:
        if counts.sum() > LARGEST_SAMPLED:
            return not_estimable(name, "too many observations for an exact test")
        name += f", Monte Carlo with {tables_sampled(counts)} tables, seed {seed}"
        found = sampled_p(counts, seed)
    p_value, smallest = found
    return if_reachable(
        TestResult(name=name, estimable=True, p_value=p_value), smallest
    )


def _rarest_2x2(counts: CountArray) -> float:
    """The p of the table of these margins that is least probable: one of both ends."""
    total, row, column = (int(part.sum()) for part in (counts, counts[0], counts[:, 0]))
    ends = max(0, row + column - total), min(row, column)
    return smallest_of_ends(stats.hypergeom.logpmf(ends, total, column, row).tolist())


def pearson(table: ArrayLike) -> PearsonTest | TestResult:
    """Pearson's chi-squared without Yates' correction, with the expected counts."""
    counts = _observed(as_table(table))
    if min(counts.shape) < 2:
        return not_estimable(PEARSON, NO_COMPARISON)
    found = stats.chi2_contingency(counts, correction=False)
    return PearsonTest(
        name=PEARSON,
        estimable=True,
        p_value=float(found.pvalue),
        statistic=float(found.statistic),
        df=float(found.dof),
        expected=tuple(tuple(map(float, row)) for row in found.expected_freq),
        smallest_expected=float(found.expected_freq.min()),
        expected_below_5=int((found.expected_freq < 5).sum()),
    )


def mcnemar_exact(pairs: PairedCounts) -> DirectionTest | TestResult:
    """Exact binomial test on the discordant pairs.

    Not estimable without any, or with fewer than six, whose p cannot be 0.05 or less.
    """
    return _direction_test(
        MCNEMAR,
        pairs.first_only,
        pairs.second_only,
        pairs.both + pairs.neither,
        "no pair differs",
    )


def sign_test(
    better: int, worse: int, unchanged: int = 0
) -> DirectionTest | TestResult:
    """Exact binomial test of better against worse; unchanged pairs are only counted.

    Not estimable for the reasons of ``mcnemar_exact``.
    """
    better, worse = check_count(better, "better"), check_count(worse, "worse")
    unchanged = check_count(unchanged, "unchanged")
    return _direction_test(SIGN_TEST, better, worse, unchanged, "no change")


def holm(p_values: Sequence[float | None]) -> Adjusted:
    """Holm's step-down adjustment, as R's ``p.adjust``; the order is kept.

    A p of 0, too small for the machine's numbers, counts as 1e-300.
    """
    values = plain_list(p_values)
    known = sorted(
        (max(_probability(p), SMALLEST_P), place)
        for place, p in enumerate(values)
        if p is not None
    )
    adjusted: list[float | None] = [None] * len(values)
    largest = 0.0
    for rank, (p_value, place) in enumerate(known):
        largest = max(largest, min((len(known) - rank) * p_value, 1.0))
        adjusted[place] = largest
    return Adjusted(method="Holm", family_size=len(known), p_values=tuple(adjusted))


def _probability(p_value: float) -> float:
    number = as_number(p_value, "p_values")
    if not 0 <= number <= 1:
        raise StatError(f"a p value must lie between 0 and 1, not {p_value!r}")
    return number


def _direction_test(
    name: str, forward: int, backward: int, unchanged: int, nothing: str
) -> DirectionTest | TestResult:
    changed = forward + backward
    if changed == 0:
        return not_estimable(name, nothing)
    test = DirectionTest(
        name=name,
        estimable=True,
        p_value=float(stats.binomtest(forward, changed).pvalue),
        statistic=float(forward),
        forward=forward,
        backward=backward,
        unchanged=unchanged,
    )
    return if_reachable(test, smallest_of_signs(changed))


def _observed(counts: CountArray) -> CountArray:
    """Without the rows and columns that have no observation."""
    observed: CountArray = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    return observed


def _shape(counts: CountArray) -> str:
    return f"{counts.shape[0]}x{counts.shape[1]}"
