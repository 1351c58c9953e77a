"""Log-rank test for two or more groups, also stratified.

Own code, since counts per day are what the database sends: statsmodels' ``survdiff``
takes rows only, is singular once a group has left before the first event, and rounds p
below 1e-16 to 0; SciPy's ``logrank`` knows two groups; lifelines gives p = 1 without
events. The tests compare with ``survdiff`` of R and of statsmodels.

References: Mantel 1966; Peto and Peto 1972; R: ``survdiff``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import connected_components
from scipy.stats import chi2

from outcomes.stats.checks import (
    CountArray,
    FloatArray,
    as_labels,
    check_same_length,
)
from outcomes.stats.errors import StatError
from outcomes.stats.event_table import EventTable, table_from_counts, table_from_rows
from outcomes.stats.result import TestResult

Rows = tuple[ArrayLike, ArrayLike]
Counts = tuple[ArrayLike, ArrayLike, ArrayLike]
FlagArray = NDArray[np.bool_]
# Event tables of the groups, None where a group has no case.
Stratum = list[EventTable | None]
StratifiedRows = tuple[ArrayLike, ArrayLike, Sequence[Hashable]]

LOG_RANK = "log-rank"
STRATIFIED = "stratified log-rank"


@dataclasses.dataclass(frozen=True, kw_only=True)
class LogRankTest(TestResult):
    """The test with observed and expected events per group, in the order given.

    ``method`` says how p came about.
    """

    observed: tuple[int, ...]
    expected: tuple[float, ...]
    method: str = "chi-squared"


def logrank(groups: Sequence[Rows]) -> LogRankTest:
    """Compare groups given as ``(days, events)`` rows.

    Chi-squared of observed less expected events with the hypergeometric covariance,
    which is exact for ties; R: ``survdiff(Surv(days, events) ~ group)``. Not estimable
    without events, or when no event day has two groups under observation.
    """
    return logrank_of([table_from_rows(*group) for group in groups])


def logrank_from_counts(groups: Sequence[Counts]) -> LogRankTest:
    """The same test from ``(days, events, censored)`` counts per group."""
    return logrank_of([table_from_counts(*group) for group in groups])


def logrank_of(tables: Sequence[EventTable]) -> LogRankTest:
    """The same test of event tables."""
    _check_groups(tables)
    return _compare([tables], LOG_RANK)


def logrank_stratified(groups: Sequence[StratifiedRows]) -> LogRankTest:
    """Compare groups given as ``(days, events, strata)`` rows within strata.

    Observed, expected and covariance are summed over the strata; R:
    ``survdiff(Surv(days, events) ~ group + strata(stratum))``. A group may be missing
    from a stratum, but not altogether.
    """
    return logrank_in_strata(strata_of_rows(groups))


def logrank_stratified_from_counts(
    strata: Sequence[Sequence[Counts | None]],
) -> LogRankTest:
    """The stratified test from counts: per stratum the groups in one order.

    None stands for a group that has no case in the stratum.
    """
    return logrank_in_strata(strata_of_counts(strata))


def logrank_in_strata(strata: Sequence[Stratum]) -> LogRankTest:
    """The same test of event tables."""
    return _compare(strata, STRATIFIED)


def strata_of_rows(groups: Sequence[StratifiedRows]) -> list[Stratum]:
    """Event tables by stratum and group, the strata in one order."""
    _check_groups(groups)
    by_stratum: dict[Hashable, list[EventTable | None]] = {}
    for place, (days, events, labels) in enumerate(groups):
        times, flags = np.asarray(days), np.asarray(events)
        strata = as_labels(labels, "strata")
        check_same_length(days=times, events=flags, strata=strata)
        table_from_rows(times, flags)
        # As a key 1 is 1.0, as everywhere in Python.
        rows: dict[Hashable, list[int]] = {}
        for row, stratum in enumerate(strata):
            rows.setdefault(stratum, []).append(row)
        for stratum, inside in rows.items():
            tables = by_stratum.setdefault(stratum, [None] * len(groups))
            tables[place] = table_from_rows(times[inside], flags[inside])
    return [by_stratum[stratum] for stratum in sorted(by_stratum, key=_in_order)]


def strata_of_counts(strata: Sequence[Sequence[Counts | None]]) -> list[Stratum]:
    """The same from counts; raises StatError for a group without any case."""
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
    return tables


def _check_groups(groups: Sequence[object]) -> None:
    if len(groups) < 2:
        raise StatError("a log-rank test needs at least two groups")


def _in_order(label: Hashable) -> tuple[bool, float, str]:
    """Numbers by value and before all else, so that 1 and 1.0 have one place."""
    if isinstance(label, int | float):
        return False, float(label), ""
    return True, 0.0, repr(label)


def _compare(strata: Sequence[Sequence[EventTable | None]], name: str) -> LogRankTest:
    size = len(strata[0])
    parts = [_compared_in_stratum(tables) for tables in strata]
    observed = np.sum([part.observed for part in parts], axis=0)
    expected = np.sum([part.expected for part in parts], axis=0)
    difference = np.sum([part.difference for part in parts], axis=0)
    weights = np.sum([part.weights for part in parts], axis=0)
    kept = all_but_one_of_each_set(
        np.any([part.together for part in parts], axis=0), weights
    )
    compared = LogRankTest(
        name=name,
        estimable=False,
        observed=tuple(observed.tolist()),
        expected=tuple(expected.tolist()),
    )
    reason = _reason_against(int(observed.sum()), len(kept), size)
    if reason is not None:
        return dataclasses.replace(compared, reason=reason)
    statistic = quadratic_form(difference[kept], weights, kept)
    return dataclasses.replace(
        compared,
        estimable=True,
        p_value=float(chi2.sf(statistic, len(kept))),
        statistic=statistic,
        df=float(len(kept)),
    )


def all_but_one_of_each_set(together: FlagArray, weights: FloatArray) -> list[int]:
    """The groups of each connected set but the one of the largest variance.

    Groups are connected when they were at risk on one event day, or through others.
    The differences of a set add up to zero, so one of them says nothing new: as many
    degrees of freedom as groups kept, counted and not read off a matrix of floats.
    """
    sets, member_of = connected_components(together, directed=False)
    variance = weights.sum(axis=1)
    left_out = set()
    for number in range(sets):
        members = np.flatnonzero(member_of == number)
        left_out.add(int(members[np.argmax(variance[members])]))
    return [group for group in range(len(together)) if group not in left_out]


def quadratic_form(
    difference: FloatArray, weights: FloatArray, kept: list[int]
) -> float:
    """(O - E)' C^-1 (O - E) over the groups kept, scaled to a diagonal of ones.

    ``weights`` are the negative covariances; a variance is their sum over the other
    groups, which loses no digits where one group is nearly all that is at risk.
    """
    variance = weights.sum(axis=1)[kept]
    scale = 1 / np.sqrt(variance)
    covariance = np.diag(variance) - weights[np.ix_(kept, kept)]
    scaled = difference * scale
    solved = np.linalg.solve(covariance * np.outer(scale, scale), scaled)
    return float(scaled @ solved)


def _reason_against(n_events: int, df: int, size: int) -> str | None:
    if n_events == 0:
        return f"no events in {'either' if size == 2 else 'any'} group"
    if df == 0:
        return "no day with an event has two groups under observation"
    return None


@dataclasses.dataclass(frozen=True)
class _Stratum:
    """Sums over the event days of one stratum, by group.

    ``weights`` are the covariances of two different groups with their sign turned, 0
    on the diagonal; ``together`` says which groups were at risk on one event day that
    not everybody ended on.
    """

    observed: CountArray
    expected: FloatArray
    difference: FloatArray
    weights: FloatArray
    together: FlagArray


def _compared_in_stratum(tables: Sequence[EventTable | None]) -> _Stratum:
    """Compare the groups within a stratum; a missing group counts nothing."""
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
    open_days = all_events < all_at_risk
    factor = np.zeros(len(days))
    factor[open_days] = (
        all_events[open_days]
        * (all_at_risk - all_events)[open_days]
        / (all_at_risk[open_days] - 1)
    )
    weights = (share * factor) @ share.T
    np.fill_diagonal(weights, 0)
    present = (at_risk[:, open_days] > 0).astype(np.int64)
    return _Stratum(
        observed=events.sum(axis=1),
        expected=(share * all_events).sum(axis=1),
        difference=(events - share * all_events).sum(axis=1),
        weights=weights,
        together=present @ present.T > 0,
    )
