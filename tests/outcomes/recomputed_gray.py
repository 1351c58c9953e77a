"""Gray's test once more: a loop over the days, written from the article.

Counts of each day and group are followed as Gray (Ann Stat 1988;16:1141) defines them:
estimates before and after the day, observed less expected events, and the covariance
carried from day to day. The registry computes with arrays of all days instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from scipy.stats import chi2

from tests.outcomes.recomputed import is_share, near, or_unreachable

ARRANGEMENTS = 1_000
FEWEST_CASES, FEWEST_EXPECTED = 20, 10


class Followed(Protocol):
    """Days and what ended them: 1 the event, 2 death before it, 0 neither."""

    days: Any
    cause: Any


def gray(courses: Sequence[Followed], told: dict[str, Any]) -> dict[str, Any]:
    """The whole block of the test; p by chi-squared, or by rearranging the labels."""
    if len(courses) < 2:
        return {"p_value": None}
    days = np.concatenate([course.days for course in courses])
    causes = np.concatenate([course.cause for course in courses])
    labels = np.repeat(range(len(courses)), [len(course.days) for course in courses])
    expected = expected_events(days, causes, labels)
    observed = np.bincount(labels[causes == 1], minlength=len(courses))
    found = {
        "observed": observed.tolist(),
        "competing": np.bincount(labels[causes == 2], minlength=len(courses)).tolist(),
        "expected": expected.tolist(),
    }
    together = np.flatnonzero(expected)
    if len(together) < 2:
        return found | {"p_value": None}
    part = np.isin(labels, together)
    days, causes = days[part], causes[part]
    labels = np.unique(labels[part], return_inverse=True)[1]
    sizes = np.bincount(labels)
    if sizes.min() >= FEWEST_CASES and expected[together].min() >= FEWEST_EXPECTED:
        shift, covariance = differences_and_covariance(days, causes, labels)
        kept = np.arange(len(sizes)) != sizes.argmax()
        solved = np.linalg.solve(covariance[np.ix_(kept, kept)], shift[kept])
        statistic, df = float(shift[kept] @ solved), int(kept.sum())
        p_value = float(chi2.sf(statistic, df))
        return found | {"statistic": statistic, "df": df, "p_value": p_value}
    return found | rearranged(days, causes, labels)


def rearranged(days: Any, causes: Any, labels: Any) -> dict[str, Any]:
    statistic, random = apart(days, causes, labels), np.random.default_rng(5)
    others = [
        apart(days, causes, random.permutation(labels)) for _n in range(ARRANGEMENTS)
    ]
    as_far = float(np.mean(np.array(others) >= statistic - 1e-9))
    return {
        "statistic": statistic,
        "p_value": or_unreachable(near(as_far, ARRANGEMENTS)),
        "smallest_p": is_share,
    }


def apart(days: Any, causes: Any, labels: Any) -> float:
    sizes = np.bincount(labels)
    observed = np.bincount(labels[causes == 1], minlength=len(sizes))
    return float(
        ((observed - expected_events(days, causes, labels)) ** 2 / sizes).sum()
    )


class Day:
    """One day: at risk, both kinds of events, and the estimates just before it."""

    def __init__(self, at_risk: Any, one: Any, two: Any, free: Any, event: Any) -> None:
        self.at_risk, self.one, self.two = at_risk, one, two
        self.free, self.incidence = free, event
        self.left = np.where(at_risk > 0, at_risk, 1)
        self.free_after = free * (self.left - one - two) / self.left
        self.incidence_after = event + free * one / self.left
        self.whole = np.where(at_risk > 0, at_risk / np.where(free > 0, free, 1), 0)


def each_day(days: Any, causes: Any, labels: Any) -> list[Day]:
    groups = labels.max() + 1
    free, incidence, found = np.ones(groups), np.zeros(groups), []
    for day in np.unique(days[causes > 0]):
        counts = [
            np.bincount(labels[chosen], minlength=groups)
            for chosen in (
                days >= day,
                (days == day) & (causes == 1),
                (days == day) & (causes == 2),
            )
        ]
        found.append(Day(*counts, free, incidence))
        free, incidence = found[-1].free_after, found[-1].incidence_after
    return found


def expected_events(days: Any, causes: Any, labels: Any) -> Any:
    total = np.zeros(labels.max() + 1)
    for day in each_day(days, causes, labels):
        weight = day.whole * (1 - day.incidence)
        if day.one.any():
            total += day.one.sum() * weight / weight.sum()
    return total


def differences_and_covariance(days: Any, causes: Any, labels: Any) -> tuple[Any, Any]:
    """Observed less expected, and its covariance, carried on from day to day.

    An error in the estimates of group k moves the difference of its own day and, through
    what is carried, those of all later days; the second part is known at the end only.
    """
    groups = labels.max() + 1
    carried, variance, mixed = (np.zeros((groups, groups)) for _n in range(3))
    later, shift, before = np.zeros(groups), np.zeros(groups), 0.0
    for day in each_day(days, causes, labels):
        events, whole = day.one.sum(), day.whole
        after = before + events / whole.sum()
        weight = whole * (1 - day.incidence)
        shift = shift + day.one - events * weight / weight.sum()
        direct = np.diag(whole) - np.outer(whole, whole) / whole.sum()
        carried = carried + direct * events / (whole.sum() * (1 - before))
        for k in np.flatnonzero(day.at_risk):
            for own, factor, size in errors(day, k, before, after):
                moved = own * direct[:, k] - factor * carried[:, k]
                variance += np.outer(moved, moved) * size
                mixed[:, k] += moved * factor * size
                later[k] += factor**2 * size
        before = after
    for k in range(groups):
        both = np.outer(carried[:, k], mixed[:, k])
        variance += both + both.T + np.outer(carried[:, k], carried[:, k]) * later[k]
    return shift, variance


def errors(day: Day, k: int, before: float, after: float) -> list[tuple[float, ...]]:
    """Of the events of interest and of the others in group k on one day.

    Share of the error that falls on the day itself, on all later days, and its variance.
    """
    found = []
    events, free, free_after = day.one.sum(), day.free[k], day.free_after[k]
    total = day.whole.sum()
    if events:
        factor = 1 - (1 - after) / free_after if free_after > 0 else 1.0
        tied = 1 - (events - 1) / (total * free - 1) if events > 1 else 1.0
        found.append((1.0, factor, tied * free * events / (total * day.at_risk[k])))
    others = day.two[k]
    if others and free_after > 0:
        tied = 1 - (others - 1) / (day.at_risk[k] - 1) if others > 1 else 1.0
        size = tied * free**2 * others / day.at_risk[k] ** 2
        found.append((0.0, -(1 - after) / free_after, size))
    return found
