"""Coarsening until nobody is alone: by hand, and on thousands of random tables."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.stats.errors import StatError
from outcomes.stats.k_anonymity import Levels, Tuple, coarsened, smallest_class


@dataclass(frozen=True)
class Steps:
    """A number in bands of each step, then nothing."""

    costs: tuple[float, ...]
    steps: tuple[int, ...]

    def at(self, value: object, level: int) -> object:
        if level == len(self.steps):
            return "*"
        assert isinstance(value, int)
        return value - value % self.steps[level]


AGE = Steps((0, 0.3, 1, 4), (5, 10, 20))
YEAR = Steps((0, 0.5, 2), (3, 9))
SEX = Steps((0, 3), (1,))
LADDERS = (SEX, AGE, YEAR)
ROWS = st.dictionaries(
    st.tuples(st.integers(0, 1), st.integers(0, 17).map(lambda n: 5 * n), st.integers(0, 6).map(lambda n: 3 * n)),
    st.integers(1, 9),
    max_size=25,
)  # fmt: skip


def classes(counts: dict[Tuple, int], told: dict[Tuple, Levels]) -> Counter[object]:
    found: Counter[object] = Counter()
    for values, n in counts.items():
        found[shown(values, told[values])] += n
    return found


def shown(values: Tuple, levels: Levels) -> object:
    return levels, tuple(
        ladder.at(value, level)
        for ladder, value, level in zip(LADDERS, values, levels, strict=True)
    )


def test_by_hand() -> None:
    """Three women of one age are told exactly, one of another age by the wider band."""
    told = coarsened({(0, 40, 0): 3, (0, 45, 0): 1, (0, 55, 0): 2}, LADDERS, 3)
    assert told == {
        (0, 40, 0): (0, 0, 0),
        (0, 45, 0): (0, 2, 0),
        (0, 55, 0): (0, 2, 0),
    }


def test_enough_alike_lose_nothing() -> None:
    counts: dict[Tuple, int] = {(0, 40, 0): 5, (1, 80, 9): 5}
    assert coarsened(counts, LADDERS, 5) == dict.fromkeys(counts, (0, 0, 0))


@pytest.mark.parametrize("n", [1, 4])
def test_of_fewer_than_k_rows_nothing_is_told(n: int) -> None:
    assert coarsened({(0, 40, 0): n}, LADDERS, 5) == {(0, 40, 0): (1, 3, 2)}


def test_without_rows_there_is_no_class() -> None:
    assert coarsened({(0, 40, 0): 0}, LADDERS, 5) == {}
    assert smallest_class({}, LADDERS, {}) is None


@given(ROWS, st.integers(1, 12))
def test_every_class_has_k_rows(counts: dict[Tuple, int], k: int) -> None:
    told = coarsened(counts, LADDERS, k)
    assert set(told) == set(counts)
    sizes = classes(counts, told)
    total = sum(counts.values())
    assert all(n >= min(k, total) for n in sizes.values())
    assert smallest_class(counts, LADDERS, told) == min(sizes.values(), default=None)


@given(ROWS, st.integers(2, 6), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(
    counts: dict[Tuple, int], k: int, draw: random.Random
) -> None:
    mixed = list(counts.items())
    draw.shuffle(mixed)
    assert coarsened(dict(mixed), LADDERS, k) == coarsened(counts, LADDERS, k)


@given(st.lists(ROWS, min_size=2, max_size=5), st.integers(2, 6))
def test_tables_of_a_growing_registry_cannot_be_intersected(
    arrivals: list[dict[Tuple, int]], k: int
) -> None:
    """Rows that were told one way and then another are k or none.

    A row keeps its pseudonym, so what was told of it at each time is known together.
    """
    counts: Counter[Tuple] = Counter()
    told: dict[Tuple, Levels] = {}
    for arrived in arrivals:
        before = {values: (levels, counts[values]) for values, levels in told.items()}
        old = Counter(counts)
        counts.update(arrived)
        after = coarsened(counts, LADDERS, k, before)
        together: dict[object, int] = defaultdict(int)
        for values, n in old.items():
            together[shown(values, told[values]), shown(values, after[values])] += n
        assert all(n >= min(k, sum(old.values())) for n in together.values())
        assert all(
            n >= min(k, sum(counts.values())) for n in classes(counts, after).values()
        )
        told = after


@given(ROWS, st.integers(2, 6), st.data())
def test_when_rows_leave_the_rest_has_k_again(
    counts: dict[Tuple, int], k: int, data: st.DataObject
) -> None:
    told = coarsened(counts, LADDERS, k)
    left = {v: data.draw(st.integers(0, n)) for v, n in counts.items()}
    before = {values: (levels, counts[values]) for values, levels in told.items()}
    after = coarsened(left, LADDERS, k, before)
    present = {values: n for values, n in left.items() if n}
    assert set(after) == set(present)
    total = sum(present.values())
    assert all(n >= min(k, total) for n in classes(present, after).values())


def test_what_can_stay_stays() -> None:
    counts: dict[Tuple, int] = {(0, 40, 0): 5, (1, 40, 0): 5}
    coarse = {values: ((1, 0, 0), n) for values, n in counts.items()}
    assert coarsened(counts, LADDERS, 6, coarse) == dict.fromkeys(counts, (1, 0, 0))
    # With k rows in each part they are split, and stay so.
    assert coarsened(counts, LADDERS, 5, coarse) == dict.fromkeys(counts, (0, 0, 0))


def test_a_new_row_joins_a_class_that_is_there() -> None:
    before = {(0, 40, 0): ((0, 1, 0), 3), (0, 45, 0): ((0, 1, 0), 2)}
    told = coarsened({(0, 40, 0): 3, (0, 45, 0): 3}, LADDERS, 5, before)
    assert told == {(0, 40, 0): (0, 1, 0), (0, 45, 0): (0, 1, 0)}


def test_questions_that_make_no_sense_are_refused() -> None:
    with pytest.raises(StatError):
        coarsened({}, LADDERS, 0)
    with pytest.raises(StatError):
        coarsened({(0, 40, 0): 1}, LADDERS, 1, {(0, 40, 0): ((0, 9, 0), 1)})
