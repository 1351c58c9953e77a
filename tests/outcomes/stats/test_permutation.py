"""Exact distributions against listing every arrangement; sampled ones near them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from outcomes.stats import permutation
from outcomes.stats.arrangements import (
    arranged_p,
    listed_tables,
    sampled_p,
    sampled_tables,
    spread,
)
from outcomes.stats.errors import StatError
from outcomes.stats.permutation import LARGEST_SUM, distinct_scores, two_groups_p

cases = st.lists(st.integers(-6, 6), min_size=1, max_size=5)


def centred(first: list[int], second: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Scores that add up to 0, and the table of the two groups."""
    pooled = [*first, *second]
    values = np.array(pooled) * len(pooled) - sum(pooled)
    groups = np.repeat([0, 1], [len(first), len(second)])
    return distinct_scores(values, np.array([groups == 0, groups == 1], dtype=int))


def listed(first: list[int], second: list[int]) -> tuple[float, float]:
    """p and the smallest p, arrangement by arrangement."""
    pooled = [*first, *second]
    values = [value * len(pooled) - sum(pooled) for value in pooled]
    sums = np.array(
        [abs(sum(drawn)) for drawn in itertools.combinations(values, len(first))]
    )
    observed = abs(sum(values[: len(first)]))
    return float(np.mean(sums >= observed)), float(np.mean(sums >= sums.max()))


@given(cases, cases)
def test_both_exact_ways_are_the_listing(first, second) -> None:
    scores, table = centred(first, second)
    p_value, smallest = listed(first, second)
    drawn = table[np.argmin(table.sum(axis=1))]
    given_case = (scores, table.sum(axis=0), int(drawn.sum()), abs(int(drawn @ scores)))
    assert permutation._shifted_tail(*given_case) == pytest.approx(p_value)
    assert permutation._halved_tail(*given_case) == pytest.approx(p_value)
    found = two_groups_p(scores, table, seed=0)
    assert found.p_value == pytest.approx(p_value)
    assert found.smallest == pytest.approx(smallest)
    assert found.method == "exact, all arrangements"


@settings(max_examples=8)
@given(cases, cases)
def test_sampled_arrangements_come_near(first, second) -> None:
    scores, table = centred(first, second)
    found = sampled_p(table, lambda drawn: np.abs(drawn[:, 0] @ scores), seed=3)
    p_value, smallest = listed(first, second)
    assert found.p_value == pytest.approx(p_value, abs=0.025)
    assert found.smallest == pytest.approx(smallest, abs=0.025)


@settings(max_examples=8)
@given(cases, cases, cases, st.randoms(use_true_random=False))
def test_names_of_groups_and_classes_change_nothing(a, b, c, random) -> None:
    pooled = [*a, *b, *c]
    assume(len(set(pooled)) > 1)
    groups = np.repeat([0, 1, 2], [len(a), len(b), len(c)])
    scores = np.array(pooled) * len(pooled) - sum(pooled)
    scores, table = distinct_scores(
        scores, np.array([groups == g for g in range(3)], int)
    )
    one = arranged_p(table, lambda drawn: spread(scores, drawn), seed=0)
    order = random.sample(range(3), 3)
    assert arranged_p(table[order], lambda drawn: spread(scores, drawn), seed=0) == one


@given(cases, cases, st.lists(st.integers(-6, 6), max_size=3))
def test_three_groups_are_listed_whole(first, second, third) -> None:
    """Every permutation of the labels, one by one; an empty group is no group."""
    pooled = [*first, *second, *third][:9]
    labels = [0] * len(first) + [1] * len(second) + [2] * len(third)
    labels = labels[: len(pooled)]
    assume(len(set(pooled)) > 1 and len(set(labels)) > 1)
    groups = sorted(set(labels))
    values = np.array(pooled) * len(pooled) - sum(pooled)
    sizes = [labels.count(group) for group in groups]

    def apart(order) -> float:
        sums = [values[np.array(order) == group].sum() for group in groups]
        return sum(total**2 / n for total, n in zip(sums, sizes, strict=True))

    found = [apart(order) for order in deals(labels)]
    scores, table = distinct_scores(
        values, np.array([np.array(labels) == group for group in groups], dtype=int)
    )
    result = arranged_p(table, lambda drawn: spread(scores, drawn), seed=0)
    assert result.method == "exact, all arrangements"
    assert result.p_value == pytest.approx(
        np.mean(np.array(found) >= apart(labels) - 1e-9)
    )
    assert result.smallest == pytest.approx(
        np.mean(np.array(found) >= max(found) - 1e-9)
    )


def deals(labels: list[int]) -> set[tuple[int, ...]]:
    """All different orders of some labels."""
    if not labels:
        return {()}
    return {
        (label, *rest)
        for label in set(labels)
        for rest in deals(
            [*labels[: labels.index(label)], *labels[labels.index(label) + 1 :]]
        )
    }


@pytest.mark.parametrize(
    "table",
    [
        np.array([[3, 1, 0, 4], [3, 0, 2, 1]]),
        np.array([[2, 0, 1], [0, 3, 0], [1, 1, 1]]),
        np.array([[5, 5], [0, 0]]),
    ],
)
def test_listed_tables_have_the_chances_of_sampled_ones(table) -> None:
    tables, chances = listed_tables(table)
    assert len({found.tobytes() for found in tables}) == len(tables)
    assert (tables.sum(axis=2) == table.sum(axis=1)).all()
    assert (tables.sum(axis=1) == table.sum(axis=0)).all()
    assert chances.sum() == pytest.approx(1)
    share = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    assert np.einsum("b,bgk->gk", chances, tables) == pytest.approx(share)


@pytest.mark.parametrize(
    "table",
    [
        np.full((2, 2), 10**6),  # one class alone has too many ways
        np.eye(2, 40, dtype=int) + np.ones((2, 40), dtype=int),  # all together
        np.ones((30, 30), dtype=int),  # too many cells
    ],
)
def test_too_many_tables_are_not_listed(table) -> None:
    assert listed_tables(table) is None


def test_thirty_eight_different_cases_are_listed_whole() -> None:
    """19 against 19: C(38, 19) is 35 thousand million arrangements."""
    days = np.cumsum(np.arange(1, 39) ** 5)
    scores = days * 38 - days.sum()
    table = np.array([[1, 0] * 19, [0, 1] * 19])
    found = two_groups_p(scores, table, seed=0)
    assert found.method == "exact, all arrangements"
    near = sampled_p(table, lambda drawn: np.abs(drawn[:, 0] @ scores), seed=0)
    assert found.p_value == pytest.approx(near.p_value, abs=0.015)


def test_where_too_many_are_to_be_listed_they_are_sampled() -> None:
    scores = np.arange(-150, 151) ** 3 * 10**5
    table = np.array([np.arange(301) % 2, 1 - np.arange(301) % 2])
    found = two_groups_p(scores, table, seed=5)
    assert found.method == "10,000 sampled arrangements, seed 5"
    assert found == two_groups_p(scores, table[::-1], seed=5)
    assert found != two_groups_p(scores, table, seed=6)
    assert two_groups_p(scores, table * 1001, seed=5).method.endswith("seed 5")


def test_a_smallest_p_beyond_the_numbers_is_not_zero() -> None:
    table = np.full((2, 2), 2000)
    assert two_groups_p(np.array([-1, 1]), table, seed=0).smallest == 1e-300


def test_sums_within_the_slack_are_equal() -> None:
    scores = np.array([-1001, -1000, 1000, 1001])
    table = np.array([[0, 0, 1, 0], [1, 1, 0, 1]])
    assert two_groups_p(scores, table, seed=0).p_value == 1
    scores = np.array([-1002, -1001, 1000, 1003])
    assert two_groups_p(scores, table, seed=0).p_value == 1
    table = np.array([[0, 1, 0, 0], [1, 0, 1, 1]])
    assert two_groups_p(scores, table, seed=0).p_value == 0.75
    assert two_groups_p(scores, table, seed=0, slack=1).p_value == 1
    lowest = np.array([[1, 0, 0, 0], [0, 1, 1, 1]])
    assert two_groups_p(scores, lowest, seed=0).smallest == pytest.approx(0.25)
    assert two_groups_p(scores, lowest, seed=0, slack=1).smallest == pytest.approx(0.5)


@pytest.mark.parametrize(
    "table",
    [
        np.array([[3, 1, 0, 4], [30, 20, 50, 10]]),
        np.array([[3000, 1000], [2500, 500], [100, 900]]),
    ],
)
def test_sampled_tables_keep_their_margins_and_means(table) -> None:
    drawn = np.concatenate(list(sampled_tables(table, 4000, seed=2)))
    assert drawn.shape == (4000, *table.shape)
    assert (drawn.sum(axis=2) == table.sum(axis=1)).all()
    assert (drawn.sum(axis=1) == table.sum(axis=0)).all()
    share = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    assert drawn.mean(axis=0) == pytest.approx(share, rel=0.02, abs=0.06)
    # The hypergeometric variance of one cell.
    n, m, k = table.sum(), table[0].sum(), table[:, 0].sum()
    variance = m * k * (n - m) * (n - k) / (n**2 * (n - 1))
    assert drawn[:, 0, 0].var() == pytest.approx(variance, rel=0.1)


def test_a_large_registry_gets_fewer_samples() -> None:
    table = np.ones((2, 10_000), dtype=int)
    found = sampled_p(table, lambda drawn: drawn[:, 0, 0].astype(float), seed=0)
    assert found.method == "1,000 sampled arrangements, seed 0"


def test_more_cases_than_urns_hold_are_refused() -> None:
    table = np.full((2, 2), 10**9)
    with pytest.raises(StatError, match="cannot be dealt at random"):
        list(sampled_tables(table, 1, seed=0))


def test_a_seed_must_be_whole() -> None:
    with pytest.raises(StatError, match="seed must be a whole number"):
        list(sampled_tables(np.ones((2, 2), dtype=int), 1, seed=0.5))


def test_sizes_and_sums_share_one_whole_number() -> None:
    assert permutation.MOST_LISTED * 2 * LARGEST_SUM + LARGEST_SUM < 2**63
