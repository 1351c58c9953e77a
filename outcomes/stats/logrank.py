"""Log-rank test for two or more groups, also stratified.

Own code: lifelines gives p = 1 without a word when nothing happened, SciPy's
``logrank`` knows two groups only and no strata, and neither takes counts.

References: Mantel 1966; Peto and Peto 1972; R: ``survdiff``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2

from outcomes.stats.checks import FloatArray, as_labels, check_same_length
from outcomes.stats.errors import StatError
from outcomes.stats.event_table import EventTable, table_from_counts, table_from_rows
from outcomes.stats.result import TestResult

Rows = tuple[ArrayLike, ArrayLike]
Counts = tuple[ArrayLike, ArrayLike, ArrayLike]
StratifiedRows = tuple[ArrayLike, ArrayLike, Sequence[Hashable]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class LogRankTest(TestResult):
    """The test with observed and expected events per group, in the order given."""

    observed: tuple[int, ...]
    expected: tuple[float, ...]


def logrank(groups: Sequence[Rows]) -> LogRankTest:
    """Compare groups given as ``(days, events)`` rows.

    Chi-squared of observed less expected events with the hypergeometric covariance,
    which is exact for ties; R: ``survdiff(Surv(days, events) ~ group)``. Not estimable
    without events, or when no event day has two groups under observation.
    """
    _check_groups(groups)
    return _compare([[table_from_rows(*group) for group in groups]], "log-rank")


def logrank_from_counts(groups: Sequence[Counts]) -> LogRankTest:
    """The same test from ``(days, events, censored)`` counts per group."""
    _check_groups(groups)
    return _compare([[table_from_counts(*group) for group in groups]], "log-rank")


def logrank_stratified(groups: Sequence[StratifiedRows]) -> LogRankTest:
    """Compare groups given as ``(days, events, strata)`` rows within strata.

    Observed, expected and covariance are summed over the strata; R:
    ``survdiff(Surv(days, events) ~ group + strata(stratum))``. A group may be missing
    from a stratum, but not altogether.
    """
    _check_groups(groups)
    by_stratum: dict[str, list[EventTable | None]] = {}
    for place, (days, events, labels) in enumerate(groups):
        times, flags = np.asarray(days), np.asarray(events)
        strata = as_labels(labels, "strata")
        check_same_length(days=times, events=flags, strata=strata)
        table_from_rows(times, flags)
        keys = np.asarray([str(label) for label in strata])
        for stratum in np.unique(keys):
            tables = by_stratum.setdefault(str(stratum), [None] * len(groups))
            inside = keys == stratum
            tables[place] = table_from_rows(times[inside], flags[inside])
    ordered = [by_stratum[stratum] for stratum in sorted(by_stratum)]
    return _compare(ordered, "stratified log-rank")


def logrank_stratified_from_counts(
    strata: Sequence[Sequence[Counts | None]],
) -> LogRankTest:
    """The stratified test from counts: per stratum the groups in one order.

    None stands for a group that has no case in the stratum.
    """
    for groups in strata:
        _check_groups(groups)
        check_same_length(first_stratum=strata[0], stratum=groups)
    tables = [
        [None if counts is None else table_from_counts(*counts) for counts in groups]
        for groups in strata
    ]
    present = [any(group) for group in zip(*tables, strict=True)]
    if not present or not all(present):
        raise StatError("a group has no case in any stratum")
    return _compare(tables, "stratified log-rank")


def _check_groups(groups: Sequence[object]) -> None:
    if len(groups) < 2:
        raise StatError("a log-rank test needs at least two groups")


def _compare(strata: Sequence[Sequence[EventTable | None]], name: str) -> LogRankTest:
    size = len(strata[0])
    observed, expected = np.zeros(size, dtype=np.int64), np.zeros(size)
    covariance = np.zeros((size, size))
    for tables in strata:
        parts = _observed_expected_covariance(tables)
        observed, expected = observed + parts[0], expected + parts[1]
        covariance = covariance + parts[2]
    rank = int(np.linalg.matrix_rank(covariance))
    compared = LogRankTest(
        name=name,
        estimable=False,
        observed=tuple(observed.tolist()),
        expected=tuple(expected.tolist()),
    )
    reason = _reason_against(int(observed.sum()), rank, size)
    if reason is not None:
        return dataclasses.replace(compared, reason=reason)
    # The covariance has no inverse, since the differences add up to zero; the
    # pseudo-inverse equals leaving one group out, and also leaves out a group that
    # was never at risk on an event day.
    difference = observed - expected
    inverse = np.linalg.pinv(covariance, hermitian=True)
    statistic = float(difference @ inverse @ difference)
    return dataclasses.replace(
        compared,
        estimable=True,
        p_value=float(chi2.sf(statistic, rank)),
        statistic=statistic,
        df=float(rank),
    )


def _reason_against(n_events: int, rank: int, size: int) -> str | None:
    if n_events == 0:
        return f"no events in {'either' if size == 2 else 'any'} group"
    if rank == 0:
        return "no day with an event has two groups under observation"
    return None


def _observed_expected_covariance(
    tables: Sequence[EventTable | None],
) -> tuple[np.ndarray, FloatArray, FloatArray]:
    """Sums over the event days of one stratum; a missing group counts nothing."""
    days = np.unique(
        np.concatenate([table.days[table.events > 0] for table in tables if table])
    )
    nothing = np.zeros(len(days), dtype=np.int64)
    events = np.array([t.events_on(days) if t else nothing for t in tables])
    at_risk = np.array([t.at_risk_on(days) if t else nothing for t in tables])
    # As floats, because products of large counts leave the whole numbers.
    all_events = events.sum(axis=0).astype(np.float64)
    all_at_risk = at_risk.sum(axis=0).astype(np.float64)
    share = at_risk / all_at_risk
    factor = np.zeros(len(days))
    several = all_at_risk > 1
    factor[several] = (
        all_events[several]
        * (all_at_risk - all_events)[several]
        / (all_at_risk[several] - 1)
    )
    expected = (share * all_events).sum(axis=1)
    covariance = np.diag((share * factor).sum(axis=1)) - (share * factor) @ share.T
    return events.sum(axis=1), expected, covariance
