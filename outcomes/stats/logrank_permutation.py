"""Log-rank test by permutation, for groups too small for its chi-squared.

The score of a case is its event less the hazard (Nelson-Aalen, all groups together)
that it has lived through; the scores of a group add up to its observed less expected
events. The test deals the scores to the groups in every way. It supposes that groups
which do not differ are also followed alike.

References: Peto and Peto 1972; Lehmann 2006; Callaert 2003 (tables of the exact test);
R: ``coin::logrank_test(..., ties.method = "Hothorn-Lausen")``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from outcomes.stats.checks import CountArray
from outcomes.stats.event_table import EventTable, table_from_counts, table_from_rows
from outcomes.stats.logrank import Counts, LogRankTest, Rows, logrank_of
from outcomes.stats.permutation import (
    LARGEST_SUM,
    Permuted,
    distinct_scores,
    sampled_p,
    spread,
    two_groups_p,
)


def permutation_logrank(groups: Sequence[Rows], seed: int = 0) -> LogRankTest:
    """Compare groups given as ``(days, events)`` rows."""
    return permuted_logrank_of([table_from_rows(*group) for group in groups], seed)


def permutation_logrank_from_counts(
    groups: Sequence[Counts], seed: int = 0
) -> LogRankTest:
    """The same from ``(days, events, censored)`` counts per group.

    Two groups: exact where the arrangements can be listed (up to some 40 cases, or
    few events), else sampled with ``seed``; more groups: sampled. ``statistic`` is
    (N - 1) / sum(a^2) * sum(T_g^2 / n_g) with the scores a and their sums T_g. Not
    estimable for the reasons of the log-rank test, and where no arrangement of these
    cases reaches p = 0.05.
    """
    return permuted_logrank_of([table_from_counts(*group) for group in groups], seed)


def permuted_logrank_of(tables: Sequence[EventTable], seed: int = 0) -> LogRankTest:
    """The same of event tables."""
    plain = logrank_of(tables)
    if not plain.estimable:
        return plain
    # A group that left before the first event has no part in the differences.
    first = min(table.days[table.events > 0].min(initial=np.inf) for table in tables)
    tables = [table for table in tables if table.days[-1] >= first]
    days = np.unique(np.concatenate([table.days for table in tables]))
    events = np.array([table.events_on(days) for table in tables])
    at_risk = np.array([table.at_risk_on(days) for table in tables])
    censored = at_risk - events - np.pad(at_risk[:, 1:], ((0, 0), (0, 1)))
    scores, slack = whole_scores(events.sum(axis=0), at_risk.sum(axis=0))
    scores, table = distinct_scores(scores, np.concatenate([events, censored], axis=1))
    if len(tables) == 2:
        found = two_groups_p(scores, table, seed, slack)
    else:
        found = sampled_p(table, lambda drawn: spread(scores, drawn), seed)
    return _concluded(plain, found, float(spread(scores, table[None])[0]))


def whole_scores(events: CountArray, at_risk: CountArray) -> tuple[CountArray, int]:
    """Scores of an event and of a censored case by day, and by how much sums may err.

    Multiplied by the common multiple of the numbers at risk they are whole and exact;
    where that is too large they are rounded to steps, and sums that differ by less
    than the rounding count as equal, which can only add to p.
    """
    n_events, happened = int(events.sum()), events > 0
    most = LARGEST_SUM // (2 * n_events)
    multiple = 1
    for n in np.unique(at_risk[happened]).tolist():
        multiple = math.lcm(multiple, n)
        if multiple > most:
            break
    if multiple <= most:
        hazard = np.cumsum(np.where(happened, events * (multiple // at_risk), 0))
        return np.concatenate([multiple - hazard, -hazard]), 0
    steps = np.cumsum(events / at_risk) * most
    scores = np.rint(np.concatenate([most - steps, -steps]))
    return scores.astype(np.int64), int(at_risk[0])


def _concluded(plain: LogRankTest, found: Permuted, statistic: float) -> LogRankTest:
    reason = found.reason
    return dataclasses.replace(
        plain,
        estimable=reason is None,
        p_value=found.p_value if reason is None else None,
        statistic=statistic,
        df=None,
        reason=reason,
        method=f"permutation of log-rank scores: {found.method}",
        smallest_p=found.smallest,
    )
