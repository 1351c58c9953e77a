"""Curves and their tests once more, from rows: lifelines, and formulas written out."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pandas
from lifelines import KaplanMeierFitter
from scipy.stats import beta
from statsmodels.duration.survfunc import survdiff

from tests.outcomes.recomputed import (
    Facts,
    Z,
    day_of,
    interval,
    is_share,
    near,
    or_unreachable,
    rate,
    ratio_of_rates,
    share,
    whole,
)
from tests.outcomes.recomputed_gray import gray

TOLD_AT = (365, 730, 1826)
YEAR = 365.25
MOST_POINTS = 200
ARRANGEMENTS = 2_000


class Course:
    """Days and what ended them: 1 the event, 2 death before it, 0 neither."""

    def __init__(self, rows: Facts, survival: str, events: tuple[str, ...]) -> None:
        seen = rows[rows[f"{survival}_days"].notna()]
        self.days = seen[f"{survival}_days"].to_numpy(dtype=float)
        ended = seen[f"{survival}_event"].fillna(False).astype(bool).to_numpy()
        first = np.zeros(len(seen), dtype=bool)
        for event in events:
            same = seen[f"{event}_days"].to_numpy(dtype=float) == self.days
            first |= (seen[f"{event}_event"] == True).to_numpy() & same  # noqa: E712
        self.cause = np.where(ended, np.where(first, 1, 2), 0)


def events_of(rows: Facts, survival: str, events: tuple[str, ...]) -> dict[str, Any]:
    """Everything that recurrence or progression says of a group."""
    rows = rows[rows.has_operation]
    flags = rows[[f"{event}_event" for event in events]]
    known, happened = flags.notna().any(axis=1), (flags == True).any(axis=1)  # noqa: E712
    days = rows[[f"{event}_days" for event in events]].astype(float)
    person_days = days.bfill(axis=1).iloc[:, 0]
    dated, years = int((happened & person_days.notna()).sum()), person_days.sum() / YEAR
    assessed, n_events = int(known.sum()), int(happened.sum())
    return {
        "n": len(rows),
        "assessed": assessed,
        "events": n_events,
        "proportion": share(n_events, assessed),
        "person_years": years,
        "dated_events": dated,
        "rate_per_100_person_years": rate(dated, years),
        "deaths": whole(rows.death_event),
        "regrowths": whole(rows.regrowth_event),
        "new_lesions": whole(rows.new_lesion_event),
        "excluded": dict(Counter(rows[f"{survival}_exclusion"].dropna())),
        **curves_of(Course(rows, survival, events)),
    }


def curves_of(course: Course) -> dict[str, Any]:
    if not len(course.days):
        return dict.fromkeys(
            (
                "curve",
                "steps",
                "cumulative_incidence",
                "died_first",
                "median_follow_up_days",
            )
        )
    survival, incidence = kaplan_meier(course), aalen_johansen(course)
    last = int(course.days.max())
    step = 365 * max(1, math.ceil(last / (365 * 12)))
    risk_days = list(range(0, last + 1, step))
    years = course.days.sum() / YEAR
    follow_up = median_of(fitted(course.days, course.cause == 0))
    return {
        "curve": thinned(survival)
        | {"median": median_of(fitted(course.days, course.cause > 0))},
        "steps": {
            "events": by_half_year(course, course.cause > 0),
            "censored": by_half_year(course, course.cause == 0),
        },
        "at_risk": {
            "days": risk_days,
            "n": [int((course.days >= day).sum()) for day in risk_days],
        },
        "survival_at": points(survival, "survival", 1.0),
        "survival_rate_per_100_person_years": rate(int((course.cause > 0).sum()), years)
        | {"person_years": years},
        "died_first": int((course.cause == 2).sum()),
        "cumulative_incidence": thinned(incidence) | {"cause": 1},
        "incidence_at": points(incidence, "incidence", 0.0),
        "median_follow_up_days": follow_up["value"],
        "median_follow_up": follow_up,
    }


def by_half_year(course: Course, chosen: Any) -> list[int]:
    """Cases whose course ended in each half year; its last day still belongs to it."""
    ends = [
        round(n * YEAR / 2) for n in range(1, 2 + int(course.days.max() / YEAR * 2))
    ]
    found = Counter(
        next(n for n, end in enumerate(ends) if day <= end)
        for day in course.days[chosen]
    )
    return [found[n] for n in range(len(ends))]


def fitted(days: Any, events: Any) -> KaplanMeierFitter:
    return KaplanMeierFitter().fit(days, events)


def kaplan_meier(course: Course) -> dict[str, Any]:
    """With log-log limits; none where the curve is at 1 or at 0."""
    found = fitted(course.days, course.cause > 0)
    days = sorted(set(course.days))
    values = found.survival_function_at_times(days).to_numpy()
    limits = found.confidence_interval_.reindex(days).to_numpy()
    inside = (values > 1e-12) & (values < 1)
    return course_by_day(course, days) | {
        "survival": [0.0 if value < 1e-12 else value for value in values],
        "lower": [
            low if ok else None for (low, _h), ok in zip(limits, inside, strict=True)
        ],
        "upper": [
            high if ok else None for (_l, high), ok in zip(limits, inside, strict=True)
        ],
        "events": [int(((course.days == d) & (course.cause > 0)).sum()) for d in days],
        "censored": [
            int(((course.days == d) & (course.cause == 0)).sum()) for d in days
        ],
        "n_events": int((course.cause > 0).sum()),
    }


def course_by_day(course: Course, days: list[float]) -> dict[str, Any]:
    return {
        "days": days,
        "at_risk": [int((course.days >= day).sum()) for day in days],
        "n": len(course.days),
    }


def aalen_johansen(course: Course) -> dict[str, Any]:
    """The incidence of cause 1, its variance as a double sum, log-log limits."""
    days = sorted(set(course.days))
    told = course_by_day(course, days)
    n = np.array(told["at_risk"], dtype=float)
    on = [course.days == day for day in days]
    d = np.array([((course.cause > 0) & here).sum() for here in on], dtype=float)
    e = np.array([((course.cause == 1) & here).sum() for here in on], dtype=float)
    before = np.concatenate([[1.0], np.cumprod(1 - d / n)[:-1]])
    incidence = np.cumsum(before * e / n)
    variance = [variance_at(t, incidence, before, n, d, e) for t in range(len(days))]
    limits = [
        log_log(value, math.sqrt(square))
        for value, square in zip(incidence, variance, strict=True)
    ]
    return told | {
        "incidence": incidence.tolist(),
        "standard_error": [
            near_root(square) if value > 0 else None
            for value, square in zip(incidence, variance, strict=True)
        ],
        "lower": [low for low, _high in limits],
        "upper": [high for _low, high in limits],
        "events": e.astype(int).tolist(),
        "n_events": int(e.sum()),
    }


def near_root(square: float) -> Any:
    """A standard error, which rounding may keep from being 0 exactly."""
    return lambda told: abs(told - math.sqrt(square)) < 1e-7


def variance_at(t: int, f: Any, before: Any, n: Any, d: Any, e: Any) -> float:
    """Marubini and Valsecchi 1995, by its sums."""
    total = 0.0
    for i in range(t + 1):
        ahead = f[t] - f[i]
        if n[i] > d[i]:
            total += ahead**2 * d[i] / (n[i] * (n[i] - d[i]))
        total += before[i] ** 2 * e[i] * (n[i] - e[i]) / n[i] ** 3
        total -= 2 * ahead * before[i] * e[i] / n[i] ** 2
    return max(total, 0.0)


def log_log(value: float, error: float) -> tuple[Any, Any]:
    if not 1e-12 < value < 1 - 1e-12:
        return None, None
    exponent = Z * error / (value * math.log(value))
    limits = value ** math.exp(-exponent), value ** math.exp(exponent)
    return near(min(limits), None) if error < 1e-7 else min(limits), max(limits)


def thinned(found: dict[str, Any]) -> dict[str, Any]:
    length = len(found["days"])
    kept = np.unique(np.linspace(0, length - 1, min(length, MOST_POINTS)).astype(int))
    return {
        name: [told[place] for place in kept] if isinstance(told, list) else told
        for name, told in found.items()
    } | {"points": length}


def points(found: dict[str, Any], name: str, start: float) -> list[dict[str, Any]]:
    return [{"day": day} | point(found, name, start, day) for day in TOLD_AT]


def point(found: dict[str, Any], name: str, start: float, day: int) -> dict[str, Any]:
    days = found["days"]
    if day > days[-1] and not (name == "survival" and found[name][-1] == 0):
        return interval(None)
    place = day_of(day, days)
    value = found[name][place] if place >= 0 else start
    limits = [found[part][place] if place >= 0 else None for part in ("lower", "upper")]
    if name == "survival" and limits[0] is None:
        limits = beta_product(found["at_risk"], found["events"], place + 1)
    return interval(value, *limits)


def beta_product(at_risk: list[int], events: list[int], passed: int) -> list[float]:
    """Limits after so many days: products of beta variables, by their two moments."""
    mean, square = 1.0, 1.0
    for n, d in zip(at_risk[:passed], events[:passed], strict=True):
        mean *= (n - d + 1) / (n + 1)
        square *= (n - d + 1) * (n - d + 2) / ((n + 1) * (n + 2))
    left = at_risk[passed] if passed < len(at_risk) else 0
    upper = beta_quantile(0.975, mean, square) if any(events[:passed]) else 1.0
    if not left:
        return [0.0, upper]
    lower = beta_quantile(0.025, mean * left / (left + 1), square * left / (left + 2))
    return [lower, upper]


def beta_quantile(share: float, mean: float, square: float) -> float:
    size = (mean - square) / (square - mean**2)
    return float(beta.ppf(share, mean * size, (1 - mean) * size))


def median_of(found: KaplanMeierFitter) -> dict[str, Any]:
    """As R finds it: the middle of the piece at one half, else the first day below."""
    curve = found.survival_function_.iloc[:, 0]
    limits = found.confidence_interval_
    inside = (curve > 1e-12) & (curve < 1)
    low, high = (limits.iloc[:, side].where(inside) for side in (0, 1))
    return interval(half_day(curve), half_day(low), half_day(high))


def half_day(curve: pandas.Series) -> float | None:
    reached, below = curve[curve <= 0.5 + 1e-9], curve[curve < 0.5 - 1e-9]
    if reached.empty:
        return None
    until = reached if below.empty or reached.iloc[0] < 0.5 - 1e-9 else below
    return float((reached.index[0] + until.index[0]) / 2)


# --- groups set against each other -------------------------------------------------------


def compared(
    facts: Facts,
    groups: list[dict[str, Any]],
    rows: list[Facts],
    survival: str,
    events: tuple[str, ...],
    told: dict[str, Any],
) -> dict[str, Any]:
    """Both blocks: survival with the log-rank test, incidence with Gray's."""
    used = [
        (group, Course(part[part.has_operation], survival, events))
        for group, part in zip(groups, rows, strict=True)
        if group["known"] and group["curve"] is not None
    ]
    courses = [course for _group, course in used]
    names = [
        {"group": group["group"], "reference": used[0][0]["group"]}
        for group, _course in used[1:]
    ]
    return {
        "test": logrank(courses, told["test"]),
        "differences": [
            name
            | {
                "rate_ratio": ratio_of_rates(*ended(course), *ended(courses[0])),
                "survival_difference_at": differences(
                    group["survival_at"], used[0][0]["survival_at"]
                ),
            }
            for name, (group, course) in zip(names, used[1:], strict=True)
        ],
        "competing_risks": {
            "test": gray(courses, told["competing_risks"]["test"]),
            "differences": [
                name
                | {
                    "rate_ratio": ratio_of_rates(
                        *(group["dated_events"], group["person_years"]),
                        *(used[0][0]["dated_events"], used[0][0]["person_years"]),
                    ),
                    "incidence_difference_at": differences(
                        group["incidence_at"], used[0][0]["incidence_at"]
                    ),
                }
                for name, (group, _course) in zip(names, used[1:], strict=True)
            ],
        },
    }


def ended(course: Course) -> tuple[int, float]:
    return int((course.cause > 0).sum()), course.days.sum() / YEAR


def differences(
    first: list[dict[str, Any]], reference: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    return [
        {"day": one["day"]} | difference(one, other)
        for one, other in zip(first, reference, strict=True)
    ]


def difference(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Zou and Donner 2008."""
    if one["value"] is None or other["value"] is None:
        return interval(None)
    value = one["value"] - other["value"]

    def reach(limit: Any, other_limit: Any) -> float | None:
        if limit is None or other_limit is None:
            return None
        return math.hypot(one["value"] - limit, other["value"] - other_limit)

    below = reach(one["lower"], other["upper"])
    above = reach(one["upper"], other["lower"])
    return interval(
        value,
        None if below is None else value - below,
        None if above is None else value + above,
    )


def logrank(courses: list[Course], told: dict[str, Any]) -> dict[str, Any]:
    """The statistic from scores; chi-squared by statsmodels, else by rearranging."""
    if len(courses) < 2:
        return {"p_value": None}
    days = np.concatenate([course.days for course in courses])
    events = np.concatenate([course.cause > 0 for course in courses])
    labels = np.repeat(range(len(courses)), [len(course.days) for course in courses])
    scores = events - hazard_lived(days, events)
    sums = np.bincount(labels, scores)
    observed = np.bincount(labels, events)
    found: dict[str, Any] = {
        "observed": observed.astype(int).tolist(),
        "expected": (observed - sums).tolist(),
        "smallest_p": is_share,
    }
    if told["p_value"] is None:
        return found | {"p_value": None, "statistic": lambda _told: True}
    if told["df"] is not None:
        statistic, p_value = survdiff(days, events, labels)
        found |= {"statistic": statistic, "p_value": p_value, "df": len(courses) - 1}
        return found
    # A group that left before the first event had no part in any.
    part = np.isin(labels, labels[days >= days[events].min()])
    scores, labels = scores[part], np.unique(labels[part], return_inverse=True)[1]
    statistic = spread(scores, labels)
    random = np.random.default_rng(5)
    as_far = sum(
        spread(scores, random.permutation(labels)) >= statistic - 1e-9
        for _n in range(ARRANGEMENTS)
    )
    return found | {
        "statistic": statistic,
        "p_value": or_unreachable(near(as_far / ARRANGEMENTS, ARRANGEMENTS)),
    }


def hazard_lived(days: Any, events: Any) -> Any:
    """Nelson-Aalen up to each case's own day, all groups together."""
    return np.array(
        [
            sum(
                ((days == day) & events).sum() / (days >= day).sum()
                for day in np.unique(days[events & (days <= own)])
            )
            for own in days
        ]
    )


def spread(scores: Any, labels: Any) -> float:
    sums, sizes = np.bincount(labels, scores), np.bincount(labels)
    return float((len(scores) - 1) / (scores**2).sum() * (sums**2 / sizes).sum())
