"""Rank tests with their handling of ties and zeros named.

References: Mann and Whitney 1947, Ann Math Stat 18:50; Wilcoxon 1945, Biometrics 1:80;
Pratt 1959, J Am Stat Assoc 54:655; Kruskal and Wallis 1952, J Am Stat Assoc 47:583;
Lehmann 2006, Nonparametrics, for the corrections.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import stats

from outcomes.stats.arrangements import Permuted, arranged_p, spread
from outcomes.stats.attainable import if_reachable, smallest_of_signs
from outcomes.stats.checks import CountArray, FloatArray
from outcomes.stats.errors import StatError
from outcomes.stats.permutation import smallest_p, two_groups_p
from outcomes.stats.result import TestResult, not_estimable
from outcomes.stats.samples import Sample, distinct_values, sorted_rows

ZeroHandling = Literal["wilcox", "pratt"]
NullDistribution = Literal["auto", "exact", "normal"]

MANN_WHITNEY = "Mann-Whitney"
SIGNED_RANK = "Wilcoxon signed-rank"
KRUSKAL_WALLIS = "Kruskal-Wallis"
ALL_EQUAL = "all values are equal"
NO_CHANGE = "no change"
NORMAL = "normal approximation, tie and continuity correction"
# As R: groups below this size get the exact distribution.
EXACT_BELOW = 50
# Whatever the others are, a group below this size is not left to an approximation.
FEWEST_CASES = 20
# Nor one in which fewer values than these are expected beside the commonest value.
FEWEST_EXPECTED = 5
# The sign flips of more differences would take minutes and change nothing.
MOST_FLIPPED = 1_000
_ZEROS_SAID = {"wilcox": "zeros dropped", "pratt": "zeros ranked (Pratt)"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class RankTest(TestResult):
    """A rank test that says how its p value came about."""

    method: str
    tied: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class SignedRankTest(RankTest):
    """``statistic`` is the rank sum of the positive differences."""

    positive: int
    negative: int
    zero: int


def mann_whitney(
    first: Sample,
    second: Sample,
    distribution: Literal["auto", "normal"] = "auto",
    seed: int = 0,
) -> RankTest | TestResult:
    """Two-sided; ``statistic`` is U of the first group, R's W.

    "auto" deals the midranks to the groups in every way where both are below 50, one
    below 20 or nearly all values equal, exactly where that can be listed and else
    sampled with ``seed``; R:
    ``coin::wilcox_test(..., distribution = "exact")``, without ties ``wilcox.test``.
    "normal", and larger groups: tie and continuity correction, as ``wilcox.test``.
    Own code for the first: SciPy's exact distribution ignores ties. Not estimable
    where all values are equal or, unless "normal" is asked, no arrangement reaches
    p = 0.05.
    """
    if distribution not in ("auto", "normal"):
        raise StatError(f"unknown handling: {distribution!r}")
    x, y = sorted_rows(first, "first"), sorted_rows(second, "second")
    pooled = np.concatenate([x, y])
    distinct = len(np.unique(pooled))
    if distinct == 1:
        return not_estimable(MANN_WHITNEY, ALL_EQUAL)
    found = stats.mannwhitneyu(x, y, method="asymptotic")
    test = RankTest(
        name=MANN_WHITNEY,
        estimable=True,
        p_value=float(found.pvalue),
        statistic=float(found.statistic),
        method=NORMAL,
        tied=distinct < len(pooled),
    )
    if distribution == "normal":
        return test
    scores, table = _scores_by_group([first, second])
    if max(len(x), len(y)) < EXACT_BELOW or _is_small(table):
        return _dealt(test, two_groups_p(scores, table, seed))
    drawing = scores, table.sum(axis=0), len(x)
    return if_reachable(test, smallest_p([drawing], slack=0))


def _is_small(table: CountArray) -> bool:
    """Whether the groups, or what is not tied in them, are too few for a limit law.

    ``table`` has the cases by group and distinct value. Where nearly all values are one
    and the same, the others decide alone, as in a table of two categories.
    """
    sizes, counts = table.sum(axis=1), table.sum(axis=0)
    others = counts.sum() - counts.max()
    expected = others * sizes.min() / counts.sum()
    return bool(sizes.min() < FEWEST_CASES or expected < FEWEST_EXPECTED)


def _scores_by_group(groups: Sequence[Sample]) -> tuple[CountArray, CountArray]:
    """Twice the midranks of the distinct values about their mean, and the counts."""
    parts = [distinct_values(group, "group") for group in groups]
    values, place = np.unique(
        np.concatenate([own for own, _counts in parts]), return_inverse=True
    )
    table = np.zeros((len(groups), len(values)), dtype=np.int64)
    owner = np.repeat(np.arange(len(parts)), [len(own) for own, _counts in parts])
    table[owner, place] = np.concatenate([counts for _own, counts in parts])
    counts = table.sum(axis=0)
    below = np.cumsum(counts) - counts
    return 2 * below + counts - counts.sum(), table


def _dealt(test: RankTest, found: Permuted) -> RankTest:
    """The test with its p over all arrangements instead of an approximate one."""
    dealt = dataclasses.replace(
        test,
        p_value=found.p_value,
        df=None,
        method=f"permutation of midranks: {found.method}",
    )
    return if_reachable(dealt, found.smallest)


def wilcoxon_signed_rank(
    differences: Sample,
    zeros: ZeroHandling = "wilcox",
    distribution: NullDistribution = "auto",
) -> SignedRankTest | TestResult:
    """Two-sided test of paired differences (second - first).

    ``zeros`` "wilcox" drops them before ranking, "pratt" ranks them and drops their
    ranks. "exact" flips the signs of the observed ranks and so holds under ties and
    zeros; "normal" corrects for ties and continuity, as R's ``wilcox.test`` does;
    "auto" is exact below 50 non-zero differences. Below six of them there is no p,
    unless "normal" is asked. Own code: SciPy's exact p ignores ties and zeros, and its
    automatic choice moves p from 0.008 to 0.042 on one set.
    """
    if zeros not in _ZEROS_SAID or distribution not in ("auto", "exact", "normal"):
        raise StatError(f"unknown handling: {zeros!r}, {distribution!r}")
    values = sorted_rows(differences, "differences")
    ranked = values[values != 0] if zeros == "wilcox" else values
    ranks = stats.rankdata(np.abs(ranked))[ranked != 0]
    signs = ranked[ranked != 0] > 0
    if len(ranks) == 0:
        return not_estimable(SIGNED_RANK, NO_CHANGE)
    if distribution == "exact" and len(ranks) > MOST_FLIPPED:
        raise StatError(f"exact signed ranks take at most {MOST_FLIPPED} differences")
    positive_sum = float(ranks[signs].sum())
    exact = distribution == "exact" or (
        distribution == "auto" and len(ranks) < EXACT_BELOW
    )
    test = SignedRankTest(
        name=SIGNED_RANK,
        estimable=True,
        p_value=(_sign_flip_p if exact else _normal_p)(ranks, positive_sum),
        statistic=positive_sum,
        method=_ZEROS_SAID[zeros]
        + (", exact by sign flips" if exact else f", {NORMAL}"),
        tied=len(np.unique(ranks)) < len(ranks),
        positive=int(signs.sum()),
        negative=int((~signs).sum()),
        zero=int((values == 0).sum()),
    )
    if distribution == "normal":
        return test
    return if_reachable(test, smallest_of_signs(len(ranks)))


def kruskal_wallis(
    groups: Sequence[Sample],
    distribution: Literal["auto", "chi-squared"] = "auto",
    seed: int = 0,
) -> RankTest | TestResult:
    """Tie-corrected H of two or more groups.

    "auto" deals the midranks to the groups where a group is below 20 or nearly all
    values are equal: in every way where these are few, else sampled with ``seed``.
    "chi-squared", and larger groups: with k - 1 degrees of freedom, as R.
    """
    if distribution not in ("auto", "chi-squared"):
        raise StatError(f"unknown handling: {distribution!r}")
    if len(groups) < 2:
        raise StatError("at least two groups are needed")
    rows = [sorted_rows(group, f"group {n}") for n, group in enumerate(groups, 1)]
    pooled = np.concatenate(rows)
    distinct = len(np.unique(pooled))
    if distinct == 1:
        return not_estimable(KRUSKAL_WALLIS, ALL_EQUAL)
    found = stats.kruskal(*rows)
    test = RankTest(
        name=KRUSKAL_WALLIS,
        estimable=True,
        p_value=float(found.pvalue),
        statistic=float(found.statistic),
        df=float(len(rows) - 1),
        method="chi-squared approximation, tie correction",
        tied=distinct < len(pooled),
    )
    scores, table = _scores_by_group(groups)
    if distribution == "chi-squared" or not _is_small(table):
        return test
    return _dealt(test, arranged_p(table, lambda drawn: spread(scores, drawn), seed))


def _sign_flip_p(ranks: FloatArray, positive_sum: float) -> float:
    """Twice the smaller tail over all 2^n assignments of signs to these ranks."""
    # Midranks are halves, so doubled ranks are whole and index the distribution.
    doubled = np.rint(2 * ranks).astype(np.int64)
    chance = np.zeros(int(doubled.sum()) + 1)
    chance[0] = 1.0
    for rank in doubled:
        flipped = np.zeros_like(chance)
        flipped[rank:] = chance[:-rank]
        chance = (chance + flipped) / 2
    observed = round(2 * positive_sum)
    tails = chance[: observed + 1].sum(), chance[observed:].sum()
    return float(min(2 * min(tails), 1.0))


def _normal_p(ranks: FloatArray, positive_sum: float) -> float:
    """The exact mean and variance of the sign flips, one half towards the mean."""
    distance = abs(positive_sum - ranks.sum() / 2)
    deviation = math.sqrt(float((ranks**2).sum()) / 4)
    return float(min(2 * stats.norm.sf((distance - 0.5) / deviation), 1.0))
