"""Curves for people of one centre: nobody's day can be computed from them."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import numpy as np
import pytest

from outcomes import summaries
from outcomes.disclosed_curves import between, common_cuts, described, in_steps
from outcomes.measures.half_years import half_years, last_day
from outcomes.reading import summary_for
from outcomes.stats.survival import kaplan_meier_from_counts
from registry.permissions import Role
from tests import factories
from tests.outcomes.registry_of_cases import fill

LEAST = 10


@pytest.mark.parametrize(
    ("day", "step"), [(0, 0), (1, 0), (183, 0), (184, 1), (365, 1), (366, 2), (1826, 9)]
)
def test_the_half_year_of_a_day(day: int, step: int) -> None:
    (counts,) = half_years([day], [1])
    assert counts.index(1) == step
    assert last_day(step + 1) >= day


def test_half_years_lose_nobody() -> None:
    events, censored = half_years([5, 5, 800, 4000], [1, 2, 3, 0], [0, 1, 0, 7])
    assert (sum(events), sum(censored), len(events)) == (6, 8, len(censored))


def drawn(seed: int, cases: int, width: int = 24) -> np.ndarray[Any, Any]:
    """Events and ended follow-up by half year of a group."""
    draw = random.Random(seed)
    table = np.zeros((2, width), dtype=np.int64)
    for _n in range(cases):
        place = min(int(draw.expovariate(0.12)), width - 1)
        table[int(draw.random() < 0.7), place] += 1
    return table


@pytest.mark.parametrize("seed", range(30))
def test_no_step_describes_few(seed: int) -> None:
    """Of every group, of the rest of the pool, of what the groups leave over."""
    tables = [drawn(seed * 7 + n, 20 + 60 * n) for n in range(4)]
    cuts = common_cuts(tables, 24, LEAST)
    for table in tables:
        sums = between(table, [*cuts, 24]) if cuts else table[:, :0]
        assert ((sums == 0) | (sums >= LEAST)).all()
    # Every further step would describe few of somebody: no more is hidden than needed.
    for step in set(range(1, 25)) - set(cuts):
        longer = [*sorted({*cuts, step}), 24]
        few = [between(table, longer) for table in tables]
        assert any(((0 < sums) & (sums < LEAST)).any() for sums in few)


def test_many_cases_get_many_steps() -> None:
    assert len(common_cuts([drawn(1, 20_000)], 24, LEAST)) == 24


def group_of(table: np.ndarray[Any, Any]) -> dict[str, Any]:
    n, events = int(table.sum()), int(table[0].sum())
    return {
        "steps": {"events": table[0].tolist(), "censored": table[1].tolist()},
        "curve": {"n": n, "n_events": events},
        "person_years": 1234.567,
        "dated_events": events,
    }


@pytest.mark.parametrize("seed", range(8))
def test_two_registries_with_other_days_cannot_be_told_apart(seed: int) -> None:
    """All days moved within their steps: the answer stays the same to the last digit.

    So neither survival × at risk, nor the median, nor the person-years hold a day.
    """
    table = drawn(seed, 300)
    cuts = common_cuts([table], 24, LEAST)
    draw = np.random.default_rng(seed)
    moved = np.zeros_like(table)
    for first, last in itertools.pairwise([0, *cuts, 24]):
        for row in (0, 1):
            places = draw.integers(
                first, max(last, first + 1), table[row, first:last].sum()
            )
            np.add.at(moved[row], places, 1)
    one, other = [group_of(table)], [group_of(moved)]
    in_steps(one, [None], set(), LEAST)
    assert cuts
    known = one[0]["curve"]["n"], one[0]["curve"]["n_events"]
    again = described(between(moved, cuts), cuts, *known, LEAST)
    assert other and one[0]["curve"] == again["curve"] | {"endpoint": None}
    assert one[0]["survival_at"] == again["survival_at"]
    assert one[0]["median_follow_up_days"] == again["median_follow_up_days"]


def test_the_steps_are_the_actuarial_estimate() -> None:
    """Half of those whose follow-up ended are taken out of the number at risk.

    1 - 20/(200 - 20/2), then 1 - 30/(160 - 40/2), by hand.
    """
    told = described(np.array([[20, 30], [20, 40]]), [2, 4], 200, 60, LEAST)
    first = 1 - 20 / 190
    assert told["curve"]["survival"] == pytest.approx([first, first * (1 - 30 / 140)])
    assert told["curve"]["at_risk"] == [160, 90]
    assert told["curve"]["days"] == [365, 730]


def test_the_steps_come_near_the_curve() -> None:
    draw = np.random.default_rng(3)
    days = np.sort(draw.exponential(1500, 4000).astype(int) + 1)
    dead = draw.random(4000) < 0.3
    exact = kaplan_meier_from_counts(
        days.tolist(), dead.astype(int).tolist(), (~dead).astype(int).tolist()
    )
    events, ended = half_years(days.tolist(), dead.astype(int), (~dead).astype(int))
    table = np.array([events, ended])
    cuts = common_cuts([table], table.shape[1], LEAST)
    told = described(between(table, cuts), cuts, 4000, int(dead.sum()), LEAST)
    true = exact.survival_at(told["curve"]["days"][:8])
    for value, point in zip(told["curve"]["survival"], true, strict=False):
        assert value == pytest.approx(point.value, abs=0.01)


def test_groups_that_are_hidden_are_protected_together() -> None:
    """Total less the shown groups would tell the hidden ones by half year."""
    shown, small = drawn(1, 4000), drawn(2, 14)
    groups = [group_of(shown), group_of(small)]
    in_steps(groups, [None, None], {1}, LEAST)
    cuts = [
        round(day / 182.625) for day in (groups[0]["curve"] or {"days": []})["days"]
    ]
    if cuts:
        sums = between(small, [*cuts, 24])
        assert ((sums == 0) | (sums >= LEAST)).all()
    assert groups[1]["curve"] is None


@pytest.mark.django_db
def test_an_answer_holds_no_day_of_anybody(settings: Any) -> None:
    settings.DISCLOSURE_THRESHOLD = 4
    own, other = factories.make_centre(), factories.make_centre()
    fill(own, 3, seed=4)
    fill(other, 50, seed=3)
    whole = summaries.compute("progression")["groups"][0]
    answer = summary_for(factories.make_user(Role.SURGEON, own), "progression")
    (group,) = answer["groups"]
    half_years_ends = {last_day(step) for step in range(1, 40)}
    assert group["curve"]["days"]
    assert set(group["curve"]["days"]) <= half_years_ends
    assert group["person_years"] == round(group["person_years"])
    assert not {"steps", "median_follow_up"} & set(group)
    assert not {"statistic", "observed", "expected"} & set(answer["test"])
    told = json.dumps(answer)
    single = {
        day
        for day, n in zip(whole["curve"]["days"], whole["curve"]["events"], strict=True)
        if n and day not in half_years_ends
    }
    assert single and not [day for day in single if f" {day}" in told]
