"""Degrees of freedom and p of thousands of uneven groups, as R's survdiff.

``fixtures/logrank.R`` writes ``logrank.csv``; both it and ``cases_of`` draw the cases
from one generator, so that the answers belong to the same groups.
"""

from __future__ import annotations

import math
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.duration.survfunc import survdiff

from outcomes.stats.logrank import (
    LogRankTest,
    logrank,
    logrank_from_counts,
    logrank_stratified,
    logrank_stratified_from_counts,
)
from tests.outcomes.stats.conftest import FIXTURES

Cases = list[tuple[int, int, int, int]]
ANSWERS = pd.read_csv(FIXTURES / "logrank.csv").set_index("number")


def cases_of(number: int) -> Cases:
    """Group, day, event and stratum of each case, as in ``logrank.R``."""
    state = number

    def draw(below: int) -> int:
        nonlocal state
        state = state * 16807 % 2147483647
        return state % below

    for _ in range(5):
        draw(2)
    groups = 2 + draw(4)
    n = 400 if draw(10) == 0 else 5 + draw(56)
    uneven = 1 + draw(12)
    last = (5, 30, 365)[draw(3)]
    percent, strata = 5 + draw(70), 1 + draw(3)
    return [
        (
            draw(groups) if draw(uneven) == 0 else 0,
            1 + draw(last),
            int(draw(100) < percent),
            draw(strata),
        )
        for _ in range(n)
    ]


def arms(cases: Cases) -> list[Cases]:
    return [
        [case for case in cases if case[0] == group]
        for group in sorted({case[0] for case in cases})
    ]


def plain(groups: list[Cases]) -> LogRankTest:
    return logrank([([c[1] for c in g], [c[2] for c in g]) for g in groups])


def within(groups: list[Cases]) -> LogRankTest:
    return logrank_stratified(
        [([c[1] for c in g], [c[2] for c in g], [c[3] for c in g]) for g in groups]
    )


def check(found: LogRankTest, chisq: float, df: float, p_value: float) -> None:
    assert found.df == df
    assert found.statistic == pytest.approx(chisq, rel=1e-8, abs=1e-12)
    assert found.p_value == pytest.approx(p_value, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("start", range(1, 3001, 250))
def test_every_answer_is_that_of_r(start) -> None:
    compared = 0
    for number in range(start, start + 250):
        groups = arms(cases_of(number))
        if len(groups) < 2:
            continue
        answers = ANSWERS.loc[number]
        for test, kind in ((plain, ""), (within, "_strata")):
            expected = [answers[name + kind] for name in ("chisq", "df", "p")]
            if not math.isnan(expected[0]):
                check(test(groups), *expected)
                compared += 1
                if number % 5 == 0:
                    check(test(groups[::-1]), *expected)
    assert compared > 250


@pytest.mark.skipif(not shutil.which("Rscript"), reason="R is not installed")
def test_the_answers_are_those_of_the_r_at_hand() -> None:
    try:
        said = subprocess.run(
            ["Rscript", FIXTURES / "logrank.R", "200"],
            check=True, capture_output=True, text=True,
        ).stdout.splitlines()  # fmt: skip
    except subprocess.CalledProcessError as error:
        pytest.skip(f"R without survival: {error.stderr[-200:]}")
    kept = (FIXTURES / "logrank.csv").read_text().splitlines()
    assert len(said) == 201
    assert said == kept[:201]


def test_one_case_that_fails_first_takes_one_degree_of_freedom() -> None:
    """R: survdiff(Surv(1:5, c(1, 1, 0, 1, 0)) ~ c(1, 2, 2, 2, 2))
    Chisq= 4  on 1 degrees of freedom, p= 0.0455
    """
    groups = [([1], [1]), ([2, 3, 4, 5], [1, 0, 1, 0])]
    for given_groups in (groups, groups[::-1]):
        check(logrank(given_groups), 4, 1, 0.0455002638963584)


@pytest.mark.parametrize("number", range(1, 41))
def test_as_statsmodels(number) -> None:
    cases = cases_of(number)
    found = plain(arms(cases)) if len(arms(cases)) > 1 else None
    if found and found.estimable and found.df == len(arms(cases)) - 1:
        group, days, events, _stratum = (
            np.array(column) for column in zip(*cases, strict=True)
        )
        chisq, p_value = survdiff(days, events, group)
        check(found, chisq, len(arms(cases)) - 1, p_value)


def test_groups_of_two_strata_that_never_meet_are_two_comparisons() -> None:
    """R's survdiff fails here: its covariance is singular."""
    first = [([1, 3, 5], [1, 0, 1], [0, 1, 0]), ([2, 4], [1, 1], [0, 0]), None, None]
    other = [None, None, ([1, 2, 6], [1, 1, 1], [0, 0, 0]), ([3, 4], [1, 0], [0, 1])]
    both = logrank_stratified_from_counts([first, other])
    alone = [logrank_from_counts([c for c in part if c]) for part in (first, other)]
    assert both.df == 2
    assert both.statistic == pytest.approx(sum(test.statistic for test in alone))


def test_strata_1_and_1_0_are_one() -> None:
    whole = [([2, 4, 6], [1, 1, 0], [1, 1, 2]), ([3, 5, 7], [1, 0, 1], [1, 1, 2])]
    mixed = [([2, 4, 6], [1, 1, 0], [1, 1.0, 2]), ([3, 5, 7], [1, 0, 1], [1.0, 1, 2.0])]
    assert logrank_stratified(mixed) == logrank_stratified(whole)
    named = [(days, events, [f"s{label}" for label in strata])
             for days, events, strata in whole]  # fmt: skip
    assert logrank_stratified(named) == logrank_stratified(whole)


@given(st.integers(1, 10**6), st.integers(2, 9))
def test_a_count_is_so_many_cases(number, times) -> None:
    groups = [g for g in arms(cases_of(number)) if g]
    if len(groups) < 2:
        return
    repeated = plain([group * times for group in groups])
    counted = logrank_from_counts(
        [
            (
                [c[1] for c in group],
                [c[2] * times for c in group],
                [(1 - c[2]) * times for c in group],
            )
            for group in groups
        ]
    )
    assert counted == repeated


@given(st.integers(1, 10**6), st.randoms(use_true_random=False))
def test_the_names_of_the_groups_change_nothing(number, random) -> None:
    groups = arms(cases_of(number))
    if len(groups) < 2:
        return
    one, other = within(groups), within(random.sample(groups, len(groups)))
    assert (one.df, one.reason) == (other.df, other.reason)
    if one.estimable:
        check(other, one.statistic, one.df, one.p_value)
