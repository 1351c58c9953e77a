"""Log-rank test by permutation, for groups too small for its chi-squared.

The score of a case is its event less the hazard (Nelson-Aalen, all groups together)
that it has lived through; the scores of a group add up to its observed less expected
events. The test deals the scores to the groups in every way; with strata, those of a
stratum among its own cases only. It supposes that groups which do not differ are also
followed alike.

References: Peto and Peto 1972; Lehmann 2006; Callaert 2003 (tables of the exact test);
R: ``coin::logrank_test(..., ties.method = "Hothorn-Lausen")``; with strata
``coin::independence_test(... | block)`` of scores found within the blocks.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np

from outcomes.stats.arrangements import (
    ALL_ARRANGEMENTS,
    MOST_TABLES,
    Permuted,
    affordable,
    concluded,
    generator,
    listed_tables,
    sampled_tables,
)
from outcomes.stats.attainable import if_reachable
from outcomes.stats.checks import CountArray, FloatArray
from outcomes.stats.event_table import EventTable, table_from_counts, table_from_rows
from outcomes.stats.logrank import (
    Counts,
    LogRankTest,
    Rows,
    StratifiedRows,
    Stratum,
    all_but_one_of_each_set,
    logrank_in_strata,
    logrank_of,
    strata_of_counts,
    strata_of_rows,
)
from outcomes.stats.permutation import (
    LARGEST_SUM,
    distinct_scores,
    smallest_p,
    strata_tail,
    two_groups_p,
)

# Distinct scores of a stratum, and its cases (G, K) by group and score.
Scored = tuple[CountArray, CountArray]
# Squared distances (B,) of sums of scores (B, G).
Distance = Callable[[CountArray], FloatArray]


def permutation_logrank(groups: Sequence[Rows], seed: int = 0) -> LogRankTest:
    """Compare groups given as ``(days, events)`` rows."""
    return permuted_logrank_of([table_from_rows(*group) for group in groups], seed)


def permutation_logrank_from_counts(
    groups: Sequence[Counts], seed: int = 0
) -> LogRankTest:
    """The same from ``(days, events, censored)`` counts per group.

    Exact where the arrangements can be listed (two groups of up to some 40 cases, or
    few events; of three, some ten cases), else sampled with ``seed``. ``statistic`` is
    (N - 1) / sum(a^2) * sum(T_g^2 / n_g) with the scores a and their sums T_g. Not
    estimable for the reasons of the log-rank test, and where no arrangement of these
    cases reaches p = 0.05.
    """
    return permuted_logrank_of([table_from_counts(*group) for group in groups], seed)


def permuted_logrank_of(tables: Sequence[EventTable], seed: int = 0) -> LogRankTest:
    """The same of event tables."""
    return _permuted(logrank_of(tables), [list(tables)], seed)


def permutation_logrank_stratified(
    groups: Sequence[StratifiedRows], seed: int = 0
) -> LogRankTest:
    """Compare groups given as ``(days, events, strata)`` rows within strata.

    Cases are dealt within their strata only. ``statistic`` is T' V^-1 T of the sums of
    scores T and their covariance V over these arrangements, each the sum of those of
    the strata. Else as ``permutation_logrank_from_counts``.
    """
    return permuted_logrank_in_strata(strata_of_rows(groups), seed)


def permutation_logrank_stratified_from_counts(
    strata: Sequence[Sequence[Counts | None]], seed: int = 0
) -> LogRankTest:
    """The same from counts: per stratum the groups in one order, None for no case."""
    return permuted_logrank_in_strata(strata_of_counts(strata), seed)


def permuted_logrank_in_strata(strata: Sequence[Stratum], seed: int = 0) -> LogRankTest:
    """The same of event tables."""
    return _permuted(logrank_in_strata(strata), strata, seed)


def _permuted(plain: LogRankTest, strata: Sequence[Stratum], seed: int) -> LogRankTest:
    if not plain.estimable:
        return plain
    scored, slack = scored_strata(strata)
    scored = _in_one_order(scored)
    distance = _distance(scored)
    if len(scored[0][1]) > 2:
        found = _groups_p(scored, distance, seed)
    elif len(scored) > 1:
        found = _two_groups_in_strata_p(scored, distance, seed, slack)
    else:
        found = two_groups_p(*scored[0], seed, slack)
    test = dataclasses.replace(
        plain,
        p_value=found.p_value,
        statistic=float(distance(_sums(scored)[None])[0]),
        df=None,
        method=f"permutation of log-rank scores: {found.method}",
    )
    return if_reachable(test, found.smallest)


def scored_strata(strata: Sequence[Stratum]) -> tuple[list[Scored], int]:
    """Strata that can tell groups apart, with their scores on one scale.

    Sums of scores that differ by less than the second number, the rounding, are equal.
    A group that left every stratum before its first event is not compared; of the
    others all cases are dealt, also where they left one stratum early: by chance
    another group could have.
    """
    compared = np.any([_still_there(tables) for tables in strata], axis=0)
    kept = [
        [
            table if stays else None
            for table, stays in zip(tables, compared, strict=True)
        ]
        for tables in strata
    ]
    counted = [found for tables in kept if (found := _counted(tables)) is not None]
    at_risk = [cases.sum(axis=0) for cases, _events in counted]
    happened = [events.sum(axis=0) for _cases, events in counted]
    risk_sets = np.concatenate(
        [n[d > 0] for n, d in zip(at_risk, happened, strict=True)]
    )
    unit, exact = scale_of(risk_sets, int(sum(map(np.sum, happened))))
    scored = [
        distinct_scores(
            whole_scores(d, n, unit, exact),
            np.concatenate(
                [events, cases - events - np.pad(cases[:, 1:], ((0, 0), (0, 1)))],
                axis=1,
            ),
        )
        for (cases, events), n, d in zip(counted, at_risk, happened, strict=True)
    ]
    slack = 0 if exact else int(sum(n[0] for n in at_risk))
    return scored, slack


def _in_one_order(scored: Sequence[Scored]) -> list[Scored]:
    """Groups and strata sorted by their cases, so that no name of them matters.

    A group that left before the first event has no part in the differences.
    """

    def cases(group: int) -> list[list[list[int]]]:
        return sorted(
            [scores.tolist(), table[group].tolist()] for scores, table in scored
        )

    dealt = np.flatnonzero(sum(table.sum(axis=1) for _scores, table in scored))
    order = sorted(dealt.tolist(), key=cases)
    turned = [(scores, table[order]) for scores, table in scored]
    return sorted(turned, key=lambda part: (part[0].tolist(), part[1].tolist()))


def _still_there(tables: Stratum) -> list[bool]:
    """Of each group, whether a case is followed to the first event of the stratum."""
    first = min(
        (t.days[t.events > 0].min(initial=np.inf) for t in tables if t), default=np.inf
    )
    return [bool(t and t.days[-1] >= first) for t in tables]


def _counted(tables: Stratum) -> tuple[CountArray, CountArray] | None:
    """At risk and events (G, D) of a stratum; None where it cannot tell groups apart."""
    present = [table for table in tables if table]
    if len(present) < 2 or not any(table.events.any() for table in present):
        return None
    days = np.unique(np.concatenate([table.days for table in present]))
    nothing = np.zeros(len(days), dtype=np.int64)
    at_risk = [table.at_risk_on(days) if table else nothing for table in tables]
    events = [table.events_on(days) if table else nothing for table in tables]
    return np.array(at_risk), np.array(events)


def scale_of(risk_sets: CountArray, n_events: int) -> tuple[int, bool]:
    """What scores are multiplied by, and whether that makes them whole.

    The common multiple of the numbers at risk does; where it is too large, scores are
    rounded to steps, and sums that differ by less than the rounding count as equal,
    which can only add to p.
    """
    most = LARGEST_SUM // (2 * n_events)
    multiple = 1
    for n in np.unique(risk_sets).tolist():
        multiple = math.lcm(multiple, n)
        if multiple > most:
            return most, False
    return multiple, True


def whole_scores(
    events: CountArray, at_risk: CountArray, unit: int, exact: bool
) -> CountArray:
    """Scores of an event and of a censored case by day, in steps of 1 / ``unit``."""
    if exact:
        whole = np.where(events > 0, events * (unit // at_risk), 0)
        hazard = np.cumsum(whole)
        return np.concatenate([unit - hazard, -hazard])
    lived = np.cumsum(events / at_risk) * unit
    steps: FloatArray = np.rint(np.concatenate([unit - lived, -lived]))
    return steps.astype(np.int64)


def _sums(scored: Sequence[Scored]) -> CountArray:
    """Scores added up by group, (G,)."""
    parts = [table @ scores for scores, table in scored]
    return np.asarray(np.sum(parts, axis=0), dtype=np.int64)


def _distance(scored: Sequence[Scored]) -> Distance:
    """T' V^-1 T with the covariance of the arrangements within strata.

    One group of each connected set is left out, as in the log-rank test itself.
    """
    parts = [_covariances(*stratum) for stratum in scored]
    weights = np.sum(parts, axis=0)
    # All scores of a stratum being equal, it tells nothing: its part is exactly 0.
    kept = all_but_one_of_each_set(weights > 0, weights)
    variance = weights.sum(axis=1)[kept]
    scale = 1 / np.sqrt(variance)
    covariance = np.diag(variance) - weights[np.ix_(kept, kept)]
    inverse = np.linalg.inv(covariance * np.outer(scale, scale))

    def distance(sums: CountArray) -> FloatArray:
        scaled = sums[:, kept] * scale
        return np.asarray(((scaled @ inverse) * scaled).sum(axis=1), dtype=np.float64)

    return distance


def _covariances(scores: CountArray, table: CountArray) -> FloatArray:
    """Negative covariances of the sums of two different groups, 0 on the diagonal."""
    sizes = table.sum(axis=1).astype(np.float64)
    total = sizes.sum()
    squares = float(table.sum(axis=0) @ scores.astype(np.float64) ** 2)
    scale = squares / (total * (total - 1))
    weights: FloatArray = np.outer(sizes, sizes) * scale
    np.fill_diagonal(weights, 0)
    return weights


def _two_groups_in_strata_p(
    scored: Sequence[Scored], distance: Distance, seed: int, slack: int
) -> Permuted:
    drawings = [
        (scores, table.sum(axis=0), int(table[0].sum())) for scores, table in scored
    ]
    smallest = smallest_p(drawings, slack)
    tail = strata_tail(drawings, abs(int(_sums(scored)[0])) - slack)
    if tail is None:
        sampled = _groups_p(scored, distance, seed)
        return dataclasses.replace(sampled, smallest=smallest)
    return Permuted(p_value=min(tail, 1.0), smallest=smallest, method=ALL_ARRANGEMENTS)


def _groups_p(scored: Sequence[Scored], distance: Distance, seed: int) -> Permuted:
    observed = float(distance(_sums(scored)[None])[0])
    listed = _listed_sums(scored)
    if listed is None:
        return concluded(observed, distance(_sampled_sums(scored, seed)), None, seed)
    sums, chances = listed
    return concluded(observed, distance(sums), chances)


def _listed_sums(scored: Sequence[Scored]) -> tuple[CountArray, FloatArray] | None:
    """All sums of scores (B, G) over the strata, with their chances (B,)."""
    groups = len(scored[0][1])
    sums, chances = np.zeros((1, groups), dtype=np.int64), np.ones(1)
    for scores, table in scored:
        listed = listed_tables(table)
        if listed is None or len(listed[1]) * len(chances) > MOST_TABLES:
            return None
        sums = (sums[:, None] + listed[0] @ scores).reshape(-1, groups)
        chances = np.outer(chances, listed[1]).ravel()
    return sums, chances


def _sampled_sums(scored: Sequence[Scored], seed: int) -> CountArray:
    """The same of sampled arrangements."""
    tables = [table for _scores, table in scored]
    random, times = generator(seed), affordable(tables)
    sums = np.zeros((times, len(tables[0])), dtype=np.int64)
    for scores, table in scored:
        drawn = sampled_tables(table, times, random)
        sums += np.concatenate([dealt @ scores for dealt in drawn])
    return sums
