"""The simulations run, and say of the rule what the documentation says."""

from __future__ import annotations

import importlib

import pytest

from tests.simulations import type_one_error_values
from tests.simulations.__main__ import names
from tests.simulations.alarms import alarms
from tests.simulations.type_one_error import curves
from tests.simulations.type_one_error_values import means, pairs


@pytest.mark.parametrize("name", names())
def test_every_simulation_can_be_run(name) -> None:
    module = importlib.import_module(f"tests.simulations.{name}")
    assert callable(module.run)


def test_every_row_of_the_table_is_filled() -> None:
    lines = type_one_error_values.run(4, 3).splitlines()
    rows = [line.split(" | ") for line in lines if line.startswith("| ")]
    assert {len(row) for row in rows} == {6}
    assert len({tuple(row[:2]) for row in rows}) == len(rows) > 30


def test_few_pairs_have_no_p() -> None:
    found = alarms(pairs(8, 0.4), 200, seed=1)
    assert found.without > 150
    assert found.before > found.after


def test_two_against_forty_before_and_after_the_rule() -> None:
    """600 times: 5 % expected, standard error 0.9 %; before the rule some 10 %."""
    found = alarms(curves((2, 40), (5.0, 5.0)), 600, seed=1)
    assert found.before / found.total > 0.075
    assert found.after / found.total < 0.075
    found = alarms(means((2, 40), "exponential"), 600, seed=1)
    assert found.before / found.total > 0.14
    assert found.after / found.total < 0.075


def test_one_against_four_never_has_a_p() -> None:
    found = alarms(curves((1, 4), (5.0, 5.0)), 100, seed=1)
    assert (found.without, found.after) == (100, 0)
    assert found.before > 5
