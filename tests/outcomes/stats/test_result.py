"""Every result becomes strict JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest

from outcomes.stats.rates import rate_ratio
from outcomes.stats.result import Interval, Result, jsonable, not_estimable
from outcomes.stats.tables import holm, pearson


@dataclasses.dataclass(frozen=True, kw_only=True)
class Summary(Result):
    parts: Any


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        (-math.inf, None),
        (np.float64(0.25), 0.25),
        (np.int64(19), 19),
        (np.array([1.5, np.inf]), [1.5, None]),
        ((1, [2, None]), [1, [2, None]]),
        ({1: np.True_, "two": math.inf}, {"1": True, "two": None}),
        ("text", "text"),
    ],
)
def test_values_become_strict_json(value, expected) -> None:
    plain = jsonable(value)
    assert plain == expected
    assert json.loads(json.dumps(plain, allow_nan=False)) == expected


def test_results_hold_results() -> None:
    interval = Interval(value=0.0, lower=0.0, upper=0.176, method="clopper-pearson")
    refused = not_estimable("log-rank", "no events in either group")
    plain = Summary(parts=(interval, {"test": refused})).to_json()
    assert plain["parts"][0]["upper"] == 0.176
    assert plain["parts"][1]["test"]["estimable"] is False
    assert plain["parts"][1]["test"]["p_value"] is None


def test_results_are_frozen_and_comparable() -> None:
    one, same = (
        not_estimable("sign test", "no change"),
        not_estimable("sign test", "no change"),
    )
    assert one == same
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.p_value = 0.05


def test_no_p_value_is_zero_in_json() -> None:
    """chi-squared 4e8 on 1 df: p is some 10^-86,000,000."""
    table = pearson([[10**8, 3 * 10**8], [2 * 10**8, 10**8]])
    assert table.p_value == 0
    told = table.to_json()
    assert (told["p_value"], told["p_is_bound"]) == (1e-300, True)
    ordinary = pearson([[10, 30], [20, 10]]).to_json()
    assert "p_is_bound" not in ordinary
    assert ordinary["p_value"] == pytest.approx(0.0014, abs=1e-3)
    ratio = rate_ratio(10**5, 1.0, 1, 10.0).to_json()
    assert (ratio["p_value"], ratio["p_is_bound"]) == (1e-300, True)
    assert holm([0.0, 0.5]).p_values == (2e-300, 0.5)
