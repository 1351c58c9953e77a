"""The cases of a Cox model, checked, and what speaks against fitting it.

Every fact here is one of order and equality among the cases at risk, not of a fit.
References: Peduzzi P et al. J Clin Epidemiol 1995;48:1503-1510 (ten events per
variable); Vittinghoff E, McCulloch CE. Am J Epidemiol 2007;165:710-718 (five to nine
are often enough); van Smeden M et al. BMC Med Res Methodol 2016;16:163 (no such number
holds everywhere); Bryson MC, Johnson ME. Technometrics 1981;23:381-383 (monotone
likelihood).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outcomes.stats.checks import (
    CountArray,
    FloatArray,
    as_flags,
    as_floats,
    as_repetition,
    check_same_length,
)
from outcomes.stats.cox_likelihood import RiskSets
from outcomes.stats.cox_separation import one_sided_variables
from outcomes.stats.errors import StatError
from outcomes.stats.event_table import EventTable, table_from_rows
from outcomes.stats.result import Result

EVENTS_PER_VARIABLE = 10
MOST_EVENTS = 5_000_000  # each keeps a matrix of variables by variables
SEPARATION, NO_EVENTS, NO_CONTRAST = "separation", "no-events", "no-contrast"
CONSTANT, COMBINATION, FEW_EVENTS = "constant", "combination", "few-events"
WITHOUT_CONTRAST = (
    "on the days of the events the cases still at risk do not differ enough "
    "in the variables"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding(Result):
    """Why a model was refused, or what to be wary of: a code and a sentence."""

    code: str
    text: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class CoxCases:
    """Rows with at least one case, their variables and how many cases they are."""

    names: tuple[str, ...]
    matrix: FloatArray
    days: FloatArray
    events: NDArray[np.bool_]
    counts: CountArray
    table: EventTable

    @property
    def scale(self) -> FloatArray:
        """Standard deviation of each variable over all cases (divided by n)."""
        share = self.counts / self.counts.sum()
        apart = self.matrix - share @ self.matrix
        return np.asarray(np.sqrt(share @ np.square(apart)))

    def risk_sets(self) -> RiskSets:
        """With standardised variables; only for variables that vary."""
        centre = self.counts / self.counts.sum() @ self.matrix
        standard = (self.matrix - centre) / self.scale
        return RiskSets.of(self.days, self.events, standard, self.counts)


def cox_cases(
    days: ArrayLike,
    events: ArrayLike,
    variables: Mapping[str, ArrayLike],
    weights: ArrayLike | None,
) -> CoxCases:
    """Checked input; raises StatError naming what is malformed."""
    table = table_from_rows(days, events, weights)
    times, flags = as_floats(days, "days"), as_flags(events, "events")
    if not variables:
        raise StatError("variables is empty")
    columns = {name: as_floats(values, name) for name, values in variables.items()}
    check_same_length(days=times, **columns)
    counts = as_repetition(weights, times, "days")
    if counts[flags].sum() > MOST_EVENTS:
        raise StatError(f"weights are more than {MOST_EVENTS} events")
    kept = counts > 0
    return CoxCases(
        names=tuple(columns),
        matrix=np.column_stack(list(columns.values()))[kept],
        days=times[kept],
        events=flags[kept],
        counts=counts[kept],
        table=table,
    )


def warnings_about(cases: CoxCases) -> tuple[Finding, ...]:
    """Few events for the number of variables: a warning, because no number is a wall."""
    needed = EVENTS_PER_VARIABLE * len(cases.names)
    if not 0 < cases.table.n_events < needed:
        return ()
    text = (
        f"{cases.table.n_events} events for {len(cases.names)} variable(s): below "
        f"{EVENTS_PER_VARIABLE} events per variable estimates lean away from 1 and "
        "Wald limits miss more often than they say; compare Firth's estimate"
    )
    return (Finding(code=FEW_EVENTS, text=text),)


def reasons_against(cases: CoxCases) -> tuple[Finding, ...]:
    """Everything that speaks against a fit, each in a sentence."""
    if cases.table.n_events == 0:
        return (Finding(code=NO_EVENTS, text="no events"),)
    constant = (np.ptp(cases.matrix, axis=0) == 0) | (cases.scale == 0)
    reasons = [
        Finding(code=CONSTANT, text=f"{name} is the same for every case")
        for name, same in zip(cases.names, constant, strict=True)
        if same
    ]
    if not _is_full_rank(cases.matrix[:, ~constant]):
        text = "a variable is a combination of the others"
        reasons.append(Finding(code=COMBINATION, text=text))
    one_sided = one_sided_variables(cases.days, cases.events, cases.matrix) & ~constant
    reasons += [
        Finding(code=SEPARATION, text=_separation_by(cases, int(place)))
        for place in np.flatnonzero(one_sided)
    ]
    varied = not constant.any() and _is_full_rank(cases.matrix)
    if varied and not _has_contrast(cases):
        reasons.append(Finding(code=NO_CONTRAST, text=WITHOUT_CONTRAST))
    return tuple(reasons)


def _has_contrast(cases: CoxCases) -> bool:
    """Whether the variables are independent among those at risk on the first event day.

    Later risk sets are parts of this one and cannot add a direction.
    """
    at_risk = cases.matrix[cases.days >= cases.days[cases.events].min()]
    return not (np.ptp(at_risk, axis=0) == 0).any() and _is_full_rank(at_risk)


def _is_full_rank(matrix: FloatArray) -> bool:
    """Of the data themselves: their products would square what rounding hides."""
    apart = matrix - matrix.mean(axis=0)
    spread = np.abs(apart).max(axis=0, initial=0.0)
    standard = apart / np.where(spread > 0, spread, 1)
    return not standard.size or bool(
        np.linalg.matrix_rank(standard) == standard.shape[1]
    )


def _separation_by(cases: CoxCases, place: int) -> str:
    name, column = cases.names[place], cases.matrix[:, place]
    values = np.unique(column)
    without = np.setdiff1d(values, column[cases.events])
    if len(values) == 2 and len(without) == 1:
        return f"separation: no events where {name} is {without[0]:g}"
    return (
        f"separation: every event has the highest or the lowest {name} "
        "of the cases at risk"
    )
