"""What became of operated cases over time: curves, and groups set against each other.

Two endpoints of one course are told apart and never mixed. The event alone, with death
competing: cumulative incidence and Gray's test. Survival free of it, which ends with
the event or with death: Kaplan-Meier and log-rank.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from outcomes.measures.half_years import half_years
from outcomes.stats.choose_curves import ChosenTest, compare_curves, compare_incidence
from outcomes.stats.competing import CumulativeIncidence, aalen_johansen_from_counts
from outcomes.stats.differences import difference
from outcomes.stats.follow_up import reverse_kaplan_meier_median_from_counts
from outcomes.stats.rates import incidence_rate, rate_ratio
from outcomes.stats.result import Interval, Result, jsonable, not_estimable
from outcomes.stats.survival import SurvivalCurve, kaplan_meier_from_counts

DAYS_IN_YEAR = 365.25
TOLD_AT = (365, 730, 1826)
MOST_POINTS = 200  # of a curve in an answer
MOST_RISK_COLUMNS = 12
EVENT, DEATH = 1, 2
# What has no value in a group of which nobody was followed.
NOT_FOLLOWED = (
    "curve",
    "steps",
    "cumulative_incidence",
    "median_follow_up_days",
    "died_first",
)
NO_FOLLOW_UP = "fewer than two groups have follow-up"


@dataclass(frozen=True)
class Course:
    """A group's counts by day: the event, death before it, the end of observation."""

    days: list[int]
    events: list[int]
    deaths: list[int]
    censored: list[int]

    @property
    def ended(self) -> list[int]:
        """Events and deaths on each day."""
        return [sum(both) for both in zip(self.events, self.deaths, strict=True)]

    @property
    def person_years(self) -> float:
        """Years to the event, to death, or to the end of observation."""
        leaving = zip(self.days, self.ended, self.censored, strict=True)
        return sum(day * (ended + left) for day, ended, left in leaving) / DAYS_IN_YEAR


@dataclass(frozen=True)
class Followed:
    """A group under observation."""

    group: dict[str, Any]
    course: Course
    survival: SurvivalCurve
    incidence: CumulativeIncidence


def followed(group: dict[str, Any], course: Course) -> Followed | None:
    """Curves of a group; None where nobody was followed."""
    if not course.days:
        return None
    causes = {EVENT: course.events, DEATH: course.deaths}
    return Followed(
        group=group,
        course=course,
        survival=kaplan_meier_from_counts(course.days, course.ended, course.censored),
        incidence=aalen_johansen_from_counts(course.days, causes, course.censored)[
            EVENT
        ],
    )


def described(found: Followed | None, event: str, survival: str) -> dict[str, Any]:
    """Both curves with numbers at risk, values at fixed times, median follow-up."""
    if found is None:
        return dict.fromkeys(NOT_FOLLOWED)
    course, curve = found.course, found.survival
    ended, censored = half_years(course.days, course.ended, course.censored)
    risk_days = every_few_years(int(curve.days[-1]))
    follow_up = reverse_kaplan_meier_median_from_counts(
        course.days, course.ended, course.censored
    )
    return {
        "curve": thinned(curve) | {"endpoint": survival},
        "steps": {"events": ended, "censored": censored},
        "at_risk": {"days": risk_days, "n": list(curve.at_risk_at(risk_days))},
        "survival_at": told_at(curve.survival_at(TOLD_AT)),
        "survival_rate_per_100_person_years": incidence_rate(
            curve.n_events, course.person_years
        ).to_json()
        | {"endpoint": survival, "person_years": course.person_years},
        "died_first": sum(course.deaths),
        "cumulative_incidence": thinned(found.incidence)
        | {"endpoint": event, "competing": "death"},
        "incidence_at": told_at(found.incidence.incidence_at(TOLD_AT)),
        "median_follow_up_days": follow_up.value,
        "median_follow_up": follow_up.to_json(),
    }


def every_few_years(last: int) -> list[int]:
    """Days for the numbers at risk, :data:`MOST_RISK_COLUMNS` or few more."""
    step = 365 * max(1, -(-last // (365 * MOST_RISK_COLUMNS)))
    return list(range(0, last + 1, step))


def told_at(points: Sequence[Interval]) -> list[dict[str, Any]]:
    """Values at the fixed times."""
    return [
        {"day": day, **point.to_json()}
        for day, point in zip(TOLD_AT, points, strict=True)
    ]


def thinned(curve: SurvivalCurve | CumulativeIncidence) -> dict[str, Any]:
    """The curve with at most :data:`MOST_POINTS` days, each as exact as before.

    Many thousands of cases have an event or a censored case on almost every day; a
    picture needs fewer. ``points`` says how many days there were.
    """
    found: dict[str, Any] = curve.to_json()
    length = len(curve.days)
    kept = np.unique(np.linspace(0, length - 1, min(length, MOST_POINTS)).astype(int))
    for name, values in found.items():
        if isinstance(values, list):
            found[name] = [values[place] for place in kept]
    return found | {"points": length}


def compared_survival(groups: Sequence[Followed], endpoint: str) -> dict[str, Any]:
    """Log-rank test, and each group's survival against that of the first."""
    counts = [(g.course.days, g.course.ended, g.course.censored) for g in groups]
    return {
        "test": tested(compare_curves, counts, "log-rank", endpoint),
        "differences": [
            {
                "group": group.group,
                "reference": groups[0].group,
                "endpoint": endpoint,
                "rate_ratio": rate_ratio(
                    group.survival.n_events,
                    group.course.person_years,
                    groups[0].survival.n_events,
                    groups[0].course.person_years,
                ).to_json(),
                "survival_difference_at": told_at(
                    differences_at(
                        group.survival.survival_at(TOLD_AT),
                        groups[0].survival.survival_at(TOLD_AT),
                    )
                ),
            }
            for group in groups[1:]
        ],
    }


def compared_incidence(groups: Sequence[Followed], endpoint: str) -> dict[str, Any]:
    """Gray's test, and each group's incidence against that of the first."""
    counts = [
        (g.course.days, g.course.events, g.course.deaths, g.course.censored)
        for g in groups
    ]
    return {
        "endpoint": endpoint,
        "competing": "death",
        "test": tested(compare_incidence, counts, "Gray", endpoint),
        "differences": [
            {
                "group": group.group,
                "reference": groups[0].group,
                "endpoint": endpoint,
                "incidence_difference_at": told_at(
                    differences_at(
                        group.incidence.incidence_at(TOLD_AT),
                        groups[0].incidence.incidence_at(TOLD_AT),
                    )
                ),
            }
            for group in groups[1:]
        ],
    }


def differences_at(
    first: Sequence[Interval], reference: Sequence[Interval]
) -> list[Interval]:
    """Of the values of two groups at the fixed times."""
    return [difference(*pair) for pair in zip(first, reference, strict=True)]


def tested(
    compare: Callable[[Sequence[Any]], ChosenTest[Any]],
    counts: Sequence[Any],
    name: str,
    endpoint: str,
) -> dict[str, Any]:
    """The test that suits the counts of the groups, and why it was chosen."""
    if len(counts) < 2:
        told: Result = not_estimable(name, NO_FOLLOW_UP)
        return told.to_json() | {"endpoint": endpoint, "choice": None}
    chosen = compare(counts)
    test: dict[str, Any] = jsonable(chosen.test)
    return test | {"endpoint": endpoint, "choice": chosen.reason}
