"""The test for a variable, chosen from its kind, its pairing and its counts.

The choice never looks at a p value, and no p value stands alone: every comparison
brings the difference with its interval and the reason for the test.

Kinds: "binary" and "nominal" are categories; "ordinal" are grades whose distance means
nothing (McCormick); "score" are sums and skewed measurements (JOA, months); and
"continuous" are measurements whose mean is meaningful (age).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from outcomes.stats.checks import as_flags, as_labels
from outcomes.stats.errors import StatError
from outcomes.stats.means import WELCH, WelchTest, welch
from outcomes.stats.proportions import (
    PairedCounts,
    count_pairs,
    newcombe_difference,
    paired_newcombe_difference,
)
from outcomes.stats.rank_effects import a12, hodges_lehmann, pseudomedian
from outcomes.stats.ranks import (
    FEWEST_CASES,
    KRUSKAL_WALLIS,
    MANN_WHITNEY,
    kruskal_wallis,
    mann_whitney,
    wilcoxon_signed_rank,
)
from outcomes.stats.ratios import chosen_odds_ratio, paired_odds_ratio, risk_ratio
from outcomes.stats.result import Interval, Result, TestResult, not_estimable
from outcomes.stats.samples import Sample, distinct_values, paired_differences, size
from outcomes.stats.tables import (
    SMALLEST_EXPECTED,
    PearsonTest,
    Separation,
    as_table,
    cross_tabulate,
    fisher_exact,
    mcnemar_exact,
    pearson,
    separation,
    sign_test,
)

OrderedKind = Literal["ordinal", "score", "continuous"]
Kind = Literal["binary", "nominal", "ordinal", "score", "continuous"]
EMPTY_GROUP = "a group has no values"
NO_PAIRED_TEST = "no test for pairs of more than two unordered categories"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Effect(Result):
    """A named difference or ratio with its interval."""

    name: str
    interval: Interval


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison(Result):
    """A test, why it was chosen, and how large the difference is."""

    test: TestResult
    reason: str
    paired: bool
    effects: tuple[Effect, ...]
    separation: Separation | None = None


def compare(
    kind: Kind,
    first: Sequence[Any],
    second: Sequence[Any],
    *,
    paired: bool = False,
    level: float = 0.95,
) -> Comparison:
    """Two groups, or two members of each pair in one order, from rows of any kind.

    Binary values are True and False, nominal ones labels, all others numbers.
    """
    if kind == "binary":
        if paired:
            return compare_pairs(count_pairs(first, second), level=level)
        table = [_yes_and_no(first, "first"), _yes_and_no(second, "second")]
        return compare_table(table, categories=("yes", "no"), level=level)
    if kind == "nominal":
        return _compare_labels(first, second, paired=paired, level=level)
    if paired:
        differences = paired_differences(first, second)
        return compare_differences(kind, differences, level=level)
    return compare_groups(kind, [first, second], level=level)


def compare_table(
    table: ArrayLike,
    *,
    groups: Sequence[str] | None = None,
    categories: Sequence[str] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Independent groups (rows) over categories (columns), from counts.

    Fisher where any expected count is below 5, else Pearson. The first of two
    categories is the feature. ``seed`` serves exact tests too large to enumerate.
    """
    counts = as_table(table)
    rows = _labels(groups, counts.shape[0], "group")
    columns = _labels(categories, counts.shape[1], "category")
    test, reason = _test_table(counts, seed)
    effects = _table_differences(counts, rows, columns, level)
    if counts.shape == (2, 2):
        effects.append(_effect("odds ratio", chosen_odds_ratio(counts, level)))
        effects.append(_effect("risk ratio", risk_ratio(counts, level)))
    return Comparison(
        test=test,
        reason=reason,
        paired=False,
        effects=tuple(effects),
        separation=separation(counts),
    )


def compare_pairs(pairs: PairedCounts, *, level: float = 0.95) -> Comparison:
    """A yes/no feature of pairs, such as matched cases or two visits: McNemar."""
    return Comparison(
        test=mcnemar_exact(pairs),
        reason="McNemar exact: a yes/no feature of pairs",
        paired=True,
        effects=(
            _effect(
                "share of first minus share of second",
                paired_newcombe_difference(pairs, level),
            ),
            _effect("paired odds ratio", paired_odds_ratio(pairs, level)),
        ),
    )


def compare_groups(
    kind: OrderedKind,
    groups: Sequence[Sample],
    *,
    names: Sequence[str] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Ordered values of independent groups, from rows or counts of values.

    Two groups: Welch for continuous values of at least 20 each, else Mann-Whitney.
    More groups: Kruskal-Wallis, with every group set against the first. Both deal the
    ranks of small groups in every way. ``seed`` serves ways too many to list.
    """
    _check_kind(kind)
    if len(groups) < 2:
        raise StatError("at least two groups are needed")
    labels = _labels(names, len(groups), "group")
    sizes = [size(group, f"group {n}") for n, group in enumerate(groups, 1)]
    test_name = _group_test_name(kind, sizes)
    reason = f"{test_name}: {_SAID[kind]} of {_number(len(groups))} independent groups"
    if kind == "continuous" and len(groups) == 2 and test_name != WELCH:
        reason += f", one of them below {FEWEST_CASES}"
    if 0 in sizes:
        return Comparison(
            test=not_estimable(test_name, EMPTY_GROUP),
            reason=reason,
            paired=False,
            effects=(),
        )
    test = _test_groups(test_name, groups, level, seed)
    effects = [
        _effect(f"{what}: {labels[0]} against {label}", interval)
        for label, other in zip(labels[1:], groups[1:], strict=True)
        for what, interval in _group_effects(kind, test, groups[0], other, level)
    ]
    return Comparison(
        test=test,
        reason=reason,
        paired=False,
        effects=tuple(effects),
        separation="complete" if _fully_apart(groups) else None,
    )


def compare_differences(
    kind: OrderedKind, differences: Sample, *, level: float = 0.95
) -> Comparison:
    """Paired ordered values as differences second - first, from rows or counts.

    The sign test for grades, whose differences have no size, else the signed-rank
    test with zeros dropped. Zero differences stay in the estimates.
    """
    _check_kind(kind)
    if size(differences, "differences") == 0:
        return Comparison(
            test=not_estimable("paired test", "no pair has both values"),
            reason="paired values",
            paired=True,
            effects=(),
        )
    values, counts = distinct_values(differences, "differences")
    higher = int(counts[values > 0].sum())
    lower = int(counts[values < 0].sum())
    same = int(counts[values == 0].sum())
    if kind != "ordinal":
        return Comparison(
            test=wilcoxon_signed_rank(differences),
            reason=f"Wilcoxon signed-rank: {_SAID[kind]} of pairs",
            paired=True,
            effects=(_effect("second minus first", pseudomedian(differences, level)),),
        )
    changed = PairedCounts(both=0, first_only=higher, second_only=lower, neither=same)
    return Comparison(
        test=sign_test(higher, lower, same),
        reason="sign test: grades of pairs, whose differences have no size",
        paired=True,
        effects=(
            _effect(
                "share higher minus share lower",
                paired_newcombe_difference(changed, level),
            ),
            _effect("odds of higher against lower", paired_odds_ratio(changed, level)),
        ),
    )


def _compare_labels(
    first: Sequence[Any], second: Sequence[Any], *, paired: bool, level: float
) -> Comparison:
    one, other = as_labels(first, "first"), as_labels(second, "second")
    if paired or not (one and other):
        reason = NO_PAIRED_TEST if paired else EMPTY_GROUP
        return Comparison(
            test=not_estimable("test of a table", reason),
            reason="unordered categories",
            paired=paired,
            effects=(),
        )
    members = [1] * len(one) + [2] * len(other)
    table = cross_tabulate(members, [*one, *other])
    names = [str(category) for category in table.categories]
    return compare_table(table.counts, categories=names, level=level)


def _yes_and_no(group: Sequence[Any], name: str) -> list[int]:
    flags = as_flags(group, name)
    return [int(flags.sum()), int((~flags).sum())]


def _test_table(counts: np.ndarray, seed: int) -> tuple[TestResult, str]:
    asymptotic = pearson(counts)
    if not isinstance(asymptotic, PearsonTest):
        return asymptotic, "no test: nothing to compare"
    smallest = asymptotic.smallest_expected
    if smallest < SMALLEST_EXPECTED:
        said = f"Fisher exact: the smallest expected count is {smallest:.1f}, below 5"
        return fisher_exact(counts, seed), said
    said = f"Pearson chi-squared: every expected count is at least {smallest:.1f}"
    return asymptotic, said


def _table_differences(
    counts: np.ndarray, rows: Sequence[str], columns: Sequence[str], level: float
) -> list[Effect]:
    """Shares of the first group minus those of each other; one of two categories."""
    shown = range(1 if len(columns) == 2 else len(columns))
    totals = counts.sum(axis=1).tolist()
    cells = counts.tolist()
    return [
        _effect(
            f"share of {columns[column]}: {rows[0]} minus {rows[row]}",
            newcombe_difference(
                cells[0][column], totals[0], cells[row][column], totals[row], level
            ),
        )
        for row in range(1, len(rows))
        for column in shown
    ]


def _test_groups(
    name: str, groups: Sequence[Sample], level: float, seed: int
) -> TestResult:
    if name == KRUSKAL_WALLIS:
        return kruskal_wallis(groups, seed=seed)
    if name == WELCH:
        return welch(groups[0], groups[1], level)
    return mann_whitney(groups[0], groups[1], seed=seed)


def _group_effects(
    kind: OrderedKind, test: TestResult, first: Sample, other: Sample, level: float
) -> list[tuple[str, Interval]]:
    if isinstance(test, WelchTest):
        return [("difference of means", test.difference)]
    effects = [("A12", a12(first, other, level))]
    if kind != "ordinal":
        shift = hodges_lehmann(first, other, level)
        effects.insert(0, ("Hodges-Lehmann shift", shift))
    return effects


def _fully_apart(groups: Sequence[Sample]) -> bool:
    """Whether two groups share no part of the range, each on its own side."""
    if len(groups) != 2:
        return False
    first, second = (distinct_values(group, "group")[0] for group in groups)
    return bool(first[-1] < second[0] or second[-1] < first[0])


def _group_test_name(kind: OrderedKind, sizes: Sequence[int]) -> str:
    if len(sizes) > 2:
        return KRUSKAL_WALLIS
    # Welch's t finds a difference in 11 to 19 % of equal groups of 2 against 40.
    plain = kind == "continuous" and min(sizes) >= FEWEST_CASES
    return WELCH if plain else MANN_WHITNEY


_SAID = {"ordinal": "grades", "score": "scores", "continuous": "measurements"}


def _check_kind(kind: str) -> None:
    if kind not in _SAID:
        raise StatError(f"kind {kind!r} is not ordinal, score or continuous")


def _number(groups: int) -> str:
    return "two" if groups == 2 else str(groups)


def _labels(given: Sequence[str] | None, count: int, word: str) -> list[str]:
    if given is None:
        return [f"{word} {number}" for number in range(1, count + 1)]
    if len(given) != count:
        raise StatError(f"{len(given)} names for {count} of {word}")
    return list(given)


def _effect(name: str, interval: Interval) -> Effect:
    return Effect(name=name, interval=interval)
