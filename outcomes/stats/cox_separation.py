"""Monotone likelihood: when a Cox model has no finite maximum.

The partial likelihood rises without end exactly when some combination of the variables
is, at every event, at its highest among those at risk, and not always equal.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, hstack, vstack

from outcomes.stats.checks import FloatArray
from outcomes.stats.cox_likelihood import RiskSets


def one_sided_variables(
    days: FloatArray, events: NDArray[np.bool_], covariates: FloatArray
) -> NDArray[np.bool_]:
    """Which single variables separate: every event at the top, or at the bottom.

    A group without any event among those at risk is the usual case.
    """
    sets = RiskSets.of(days, events, covariates)
    x = sets.covariates
    highest = np.maximum.accumulate(x[::-1])[::-1][sets.first_at_risk]
    lowest = np.minimum.accumulate(x[::-1])[::-1][sets.first_at_risk]
    own = x[sets.deaths]
    informative = (highest > lowest).any(axis=0)
    at_an_end = (own == highest).all(axis=0) | (own == lowest).all(axis=0)
    return np.asarray(informative & at_an_end)


def is_monotone(sets: RiskSets) -> bool:
    """Whether any combination of the variables separates, by linear programming.

    Unknown are the combination b in [-1, 1] and the top M(k) of b'x among those at
    risk on the k-th event day. M(k) >= M(k+1), M(k) >= b'x of those who leave before
    the next event day, and = b'x for the events of the day. Separation exists when
    the tops can exceed some case at risk.
    """
    x = sets.covariates
    size = x.shape[1]
    event_days = np.unique(sets.death_days)
    day = np.searchsorted(event_days, sets.days, side="right") - 1
    at_risk = np.flatnonzero(day >= 0)
    below = hstack([csr_array(x[at_risk]), -_picked(day[at_risk], len(event_days))])
    later = _picked(np.arange(1, len(event_days)), len(event_days))
    earlier = _picked(np.arange(len(event_days) - 1), len(event_days))
    falling = hstack([csr_array((len(event_days) - 1, size)), later - earlier])
    own = hstack(
        [csr_array(x[sets.deaths]), -_picked(sets.day_of_death, len(event_days))]
    )
    constraints = vstack([below, falling]).tocsr()
    gain = np.asarray(constraints.sum(axis=0)).ravel()
    solution = linprog(
        gain,
        A_ub=constraints,
        b_ub=np.zeros(constraints.shape[0]),
        A_eq=own,
        b_eq=np.zeros(own.shape[0]),
        bounds=[(-1, 1)] * size + [(None, None)] * len(event_days),
        method="highs",
    )
    return bool(solution.fun < -1e-6)


def _picked(columns: NDArray[np.intp], width: int) -> csr_array:
    """One row per entry with a single 1 in the given column."""
    rows = np.arange(len(columns))
    return coo_array(
        (np.ones(len(columns)), (rows, columns)), shape=(len(columns), width)
    ).tocsr()
