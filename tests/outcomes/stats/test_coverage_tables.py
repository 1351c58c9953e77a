"""The tables of coverage: what is counted, and that every row is printed."""

from __future__ import annotations

import numpy as np
import pytest

from outcomes.stats.result import Interval
from tests.simulations import coverage, coverage_models


@pytest.mark.parametrize("module", [coverage, coverage_models])
def test_every_row_of_the_table_is_filled(module) -> None:
    lines = module.run(4, 3).splitlines()
    rows = [line.split(" | ") for line in lines if line.startswith("| ")][1:]
    assert len(rows) > 30
    assert {len(row) for row in rows} == {7}
    assert len({tuple(row[:3]) for row in rows}) == len(rows)
    assert module.run(4, 3).splitlines() == lines


def test_misses_are_counted_on_their_side() -> None:
    given = iter([(1.0, 3.0), (2.5, 3.0), (0.0, 1.0), (None, None), (None, 5.0)])

    def drawn(_: np.random.Generator) -> Interval:
        lower, upper = next(given)
        return Interval(value=2.0, lower=lower, upper=upper, method="made up")

    scenario = coverage.Scenario("made up", 2.0, "none", drawn)
    found = coverage.cover(scenario, 5, np.random.default_rng(1))
    assert (found.held, found.too_high, found.too_low, found.none) == (2, 1, 1, 1)
    assert found.cells() == "50.0 % | 25.0 % | 25.0 % | 20.0 %"
