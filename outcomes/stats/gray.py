"""Gray's test: do groups differ in the incidence of an event that others compete with?

Own code: the one library in Python, ``comprisk`` 0.8, takes rows and no counts and
brings numba, scikit-learn, pandas and joblib; SciPy, statsmodels and lifelines have no
such test. The tests compare with R's ``cmprsk::cuminc``.

Reference: Gray 1988, Ann Stat 16:1141.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2

from outcomes.stats.arrangements import arranged_p
from outcomes.stats.attainable import if_reachable
from outcomes.stats.checks import (
    CountArray,
    FloatArray,
    as_counts,
    as_floats,
    check_not_empty,
    check_not_negative,
    check_same_length,
)
from outcomes.stats.errors import StatError
from outcomes.stats.event_table import sum_by
from outcomes.stats.result import TestResult

# Days, events of interest, competing events, censored cases.
CompetingCounts = tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike]

GRAY = "Gray"
NO_EVENTS = "no events of interest in {} group"
NEVER_TOGETHER = "no day with an event of interest has two groups under observation"
NO_VARIANCE = "the groups are too small for Gray's variance"
# Beyond it less than half of the digits of a difference would be left.
LARGEST_CONDITION = 1e8
# Of an incidence that is 1 but for rounding.
ROUNDING = 1e-9
# A variance of 0, as where everybody ends on one day, stays next to 0 when scaled.
SMALLEST_VARIANCE = 1e-100


@dataclasses.dataclass(frozen=True, kw_only=True)
class GrayTest(TestResult):
    """Gray's test with the events of interest by group, in the order given.

    ``expected`` are those of equal incidence; ``method`` says how p came about.
    """

    observed: tuple[int, ...]
    expected: tuple[float, ...]
    competing: tuple[int, ...]
    method: str = "chi-squared"


def gray_test_from_counts(groups: Sequence[CompetingCounts]) -> GrayTest:
    """Compare groups of ``(days, events, competing, censored)`` counts.

    Days may repeat, in any order. Observed less expected events, where a case with a
    competing event stays at risk of none (weight 1 - F(t-) over S(t-) of its group),
    and Gray's covariance; R: ``cuminc(days, status, group)$Tests``, rho 0. Degrees of
    freedom are the groups under observation on a day with an event of interest, less
    one. Not estimable without events of interest, or where the groups never meet.

    Raises StatError for fewer than two groups, lengths that differ, no cases, counts
    that are not whole, NaN, infinite or negative days.
    """
    cases = _cases_by_day(groups)
    plain, difference = _observed_and_expected(cases)
    if plain.reason is not None:
        return plain
    # The differences add up to zero, so that the one of the largest says nothing new.
    together = _together(cases)
    sizes = cases.sum(axis=(0, 2))
    kept = [group for group in together if group != max(together, key=sizes.item)]
    covariance = _covariance(cases)[np.ix_(kept, kept)]
    variance = np.diag(covariance)
    scale = 1 / np.sqrt(np.maximum(variance, SMALLEST_VARIANCE))
    scaled = covariance * np.outer(scale, scale)
    if np.linalg.cond(scaled) > LARGEST_CONDITION:
        return dataclasses.replace(plain, reason=NO_VARIANCE)
    shift = difference[kept] * scale
    statistic = float(shift @ np.linalg.solve(scaled, shift))
    return dataclasses.replace(
        plain,
        estimable=True,
        p_value=float(chi2.sf(statistic, len(kept))),
        statistic=statistic,
        df=float(len(kept)),
    )


def permutation_gray_from_counts(
    groups: Sequence[CompetingCounts], seed: int = 0
) -> GrayTest:
    """Gray's differences against those of all arrangements, or sampled with ``seed``.

    ``statistic`` is the sum of (observed - expected)^2 / n over the groups. Not
    estimable for the reasons of Gray's test, and where no arrangement of these cases
    reaches p = 0.05.
    """
    cases = _cases_by_day(groups)
    plain, _difference = _observed_and_expected(cases)
    if plain.reason is not None:
        return plain
    cases = cases[:, _together(cases)]
    kinds, size, days = cases.shape
    table = np.moveaxis(cases, 0, 1).reshape(size, kinds * days)

    def statistic(drawn: CountArray) -> FloatArray:
        return _spread(_unfolded(drawn, kinds, days))

    found = arranged_p(table, statistic, seed)
    test = dataclasses.replace(
        plain,
        estimable=True,
        p_value=found.p_value,
        statistic=float(_spread(cases[:, None])[0]),
        method=f"permutation of Gray's differences: {found.method}",
    )
    return if_reachable(test, found.smallest)


def _cases_by_day(groups: Sequence[CompetingCounts]) -> CountArray:
    """Cases (3, G, D): events of interest, competing, censored; by group and day.

    The days are those with an event, after one before all of them. A case censored
    between two days was at risk on the first of them and is counted there.
    """
    if len(groups) < 2:
        raise StatError("Gray's test needs at least two groups")
    columns = [_checked(group) for group in groups]
    happened = [own[counts[:2].any(axis=0)] for own, counts in columns]
    days = np.unique(np.concatenate([[-1.0], *happened]))
    cases = np.zeros((3, len(groups), len(days)), dtype=np.int64)
    for group, (own, counts) in enumerate(columns):
        place = np.searchsorted(days, own, side="right") - 1
        for kind in range(3):
            cases[kind, group] = sum_by(place, counts[kind], len(days))
    return cases


def _checked(group: CompetingCounts) -> tuple[FloatArray, CountArray]:
    """Days, and counts (3, days); at least one case."""
    days = as_floats(group[0], "days")
    names = ("events", "competing", "censored")
    counts = [
        as_counts(column, name) for name, column in zip(names, group[1:], strict=True)
    ]
    check_same_length(days=days, **dict(zip(names, counts, strict=True)))
    check_not_empty(days, "days")
    check_not_negative(days, "days")
    if not np.any(counts):
        raise StatError("there are no cases: all counts are 0")
    return days, np.array(counts)


@dataclasses.dataclass(frozen=True)
class _Followed:
    """What each group has come to by each day, (..., G, D); before the day unless said.

    ``free`` is the chance of no event at all, ``incidence`` that of interest, ``whole``
    the number at risk divided by ``free``: as many as there would be had nobody left
    but by censoring.
    """

    at_risk: FloatArray
    free: FloatArray
    free_after: FloatArray
    incidence: FloatArray
    whole: FloatArray


def _followed(cases: CountArray) -> _Followed:
    events, leaving = cases[0], cases.sum(axis=0)
    at_risk = np.cumsum(leaving[..., ::-1], axis=-1)[..., ::-1].astype(np.float64)
    somebody = np.maximum(at_risk, 1)
    free_after = np.cumprod(1 - (cases[0] + cases[1]) / somebody, axis=-1)
    free = _before(free_after, 1.0)
    incidence = _before(np.cumsum(free * events / somebody, axis=-1), 0.0)
    whole = np.divide(at_risk, free, out=np.zeros_like(at_risk), where=at_risk > 0)
    return _Followed(at_risk, free, free_after, incidence, whole)


def _before(values: FloatArray, start: float) -> FloatArray:
    """Each day's value as it stood on the day before."""
    return np.concatenate(
        [np.full_like(values[..., :1], start), values[..., :-1]], axis=-1
    )


def _expected(cases: CountArray, followed: _Followed) -> FloatArray:
    """Events of interest expected by group and day, (..., G, D)."""
    weight = followed.whole * (1 - followed.incidence)
    total = weight.sum(axis=-2, keepdims=True)
    share = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    return np.asarray(share * cases[0].sum(axis=-2, keepdims=True))


def _spread(cases: CountArray) -> FloatArray:
    """The sum of (observed - expected)^2 / n over the groups, of (3, B, G, D)."""
    difference = (cases[0] - _expected(cases, _followed(cases))).sum(axis=-1)
    return np.asarray((difference**2 / cases.sum(axis=(0, 3))).sum(axis=-1))


def _observed_and_expected(cases: CountArray) -> tuple[GrayTest, FloatArray]:
    """The test as far as it needs no variance, with observed less expected events."""
    expected = _expected(cases, _followed(cases))
    reason = None
    if not cases[0].any():
        reason = NO_EVENTS.format("either" if cases.shape[1] == 2 else "any")
    elif len(_together(cases)) < 2:
        reason = NEVER_TOGETHER
    test = GrayTest(
        name=GRAY,
        estimable=False,
        reason=reason,
        observed=tuple(cases[0].sum(axis=1).tolist()),
        expected=tuple(expected.sum(axis=1).tolist()),
        competing=tuple(cases[1].sum(axis=1).tolist()),
    )
    return test, (cases[0] - expected).sum(axis=1)


def _together(cases: CountArray) -> list[int]:
    """The groups under observation on the first day with an event of interest.

    Whoever is at risk on a later day was so on that day.
    """
    first = int(np.flatnonzero(cases[0].any(axis=0))[0])
    present: list[int] = np.flatnonzero(cases[:, :, first:].any(axis=(0, 2))).tolist()
    return present


def _covariance(cases: CountArray) -> FloatArray:
    """Gray's covariance of observed less expected events, (G, G).

    Each group's estimates of incidence err by its events of both kinds; an error moves
    the difference of its day and, through the incidence, those of all later days.
    """
    followed = _followed(cases)
    whole, at_risk = followed.whole, followed.at_risk
    total = whole.sum(axis=0)
    events = cases[0].sum(axis=0)
    # The incidence of all groups together.
    step = np.divide(events, total, out=np.zeros_like(total), where=total > 0)
    after = np.cumsum(step)
    before = _before(after, 0.0)
    share = np.divide(whole, total, out=np.zeros_like(whole), where=total > 0)
    direct = whole[:, None] * (np.eye(len(whole))[:, :, None] - share[None])
    # The incidence of all groups together, unlike that of each, may pass 1.
    open_days = np.abs(1 - before) > ROUNDING
    hazard = np.divide(step, 1 - before, out=np.zeros_like(step), where=open_days)
    carried = np.cumsum(direct * hazard, axis=2)
    later = carried[:, :, -1:] - carried
    free, free_after = followed.free, followed.free_after
    left = np.divide(
        1 - after, free_after, out=np.zeros_like(free_after), where=free_after > 0
    )
    own = direct + (1 - left) * later
    variance = _tied(events, total * free - 1) * free * step
    variance = np.divide(variance, at_risk, out=np.zeros_like(free), where=at_risk > 0)
    competing = _tied(cases[1], at_risk - 1) * free**2 * cases[1]
    competing = np.divide(
        competing, at_risk**2, out=np.zeros_like(free), where=at_risk > 0
    )
    through = left * later
    return np.asarray(
        np.einsum("ikd,jkd,kd->ij", own, own, variance)
        + np.einsum("ikd,jkd,kd->ij", through, through, competing)
    )


def _tied(events: CountArray, others: FloatArray) -> FloatArray:
    """Gray's factor for events on one day; 1 for a single one."""
    events = np.broadcast_to(events, others.shape)
    factor = np.ones(others.shape)
    np.divide(
        others - (events - 1), others, out=factor, where=(events > 1) & (others > 0)
    )
    return factor


def _unfolded(table: CountArray, kinds: int, days: int) -> CountArray:
    """Cases (kinds, B, G, D) of tables (B, G, kinds * D)."""
    return np.moveaxis(table.reshape(*table.shape[:2], kinds, days), 2, 0)
