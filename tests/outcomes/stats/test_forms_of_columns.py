"""Every estimator on every form a column comes in, and on what is no number.

PostgreSQL gives Decimal, exports are read by pandas and Arrow, cohorts are arrays.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from outcomes.stats.balance import (
    ecdf_difference,
    smd_continuous,
)
from outcomes.stats.choose import compare
from outcomes.stats.competing import aalen_johansen, aalen_johansen_from_counts
from outcomes.stats.cox import cox
from outcomes.stats.cross_validation import cross_validate
from outcomes.stats.discrimination import auc, roc_curve
from outcomes.stats.errors import StatError
from outcomes.stats.firth import firth_logistic
from outcomes.stats.follow_up import (
    clark_completeness,
    reverse_kaplan_meier_median,
)
from outcomes.stats.logrank import logrank
from outcomes.stats.matching import greedy_match, optimal_match
from outcomes.stats.means import quartiles, welch
from outcomes.stats.propensity import fit_propensity
from outcomes.stats.proportions import (
    count_pairs,
)
from outcomes.stats.rank_effects import a12, hodges_lehmann, pseudomedian
from outcomes.stats.ranks import kruskal_wallis, mann_whitney, wilcoxon_signed_rank
from outcomes.stats.restricted_mean import restricted_mean
from outcomes.stats.result import jsonable
from outcomes.stats.survival import (
    kaplan_meier,
    kaplan_meier_from_counts,
)
from outcomes.stats.tables import (
    holm,
)

DAYS = [5.0, 8.5, 12, 12, 20, 31, 40, 44, 60, 71, 80, 95] * 2
EVENTS = [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1] * 2
CAUSES = [1, 2, 0, 1, 2, 0, 1, 1, 0, 2, 0, 1] * 2
AGES = [31.5, 44, 52, 38, 61, 70, 29, 55, 47, 66, 58, 41] * 2
SCORES = [0.5, 1, -0.25, 2, 1.5, 0, 0.75, -1, 0.25, 1.25, -0.5, 0.125] * 2
SEX = ["f", "m", "m", "f", "f", "m", "m", "f", "m", "f", "m", "m"] * 2
KEYS = [f"TUM-{place:02}" for place in range(24)]

Columns = dict[str, list[Any]]
# Estimators of columns of numbers: how they are called, and on what.
NUMBERS: dict[str, tuple[Callable[..., Any], Columns]] = {
    "kaplan_meier": (kaplan_meier, {"days": DAYS, "events": EVENTS}),
    "kaplan_meier weighted": (
        kaplan_meier,
        {"days": DAYS, "events": EVENTS, "weights": [1, 2, 0] * 8},
    ),
    "kaplan_meier_from_counts": (
        kaplan_meier_from_counts,
        {"days": DAYS, "events": EVENTS, "censored": CAUSES},
    ),
    "restricted_mean": (
        lambda days, events: restricted_mean(kaplan_meier(days, events), 50),
        {"days": DAYS, "events": EVENTS},
    ),
    "survival_at": (
        lambda times: kaplan_meier(DAYS, EVENTS).survival_at(times),
        {"times": [0, 12, 365.25]},
    ),
    "reverse_kaplan_meier_median": (
        reverse_kaplan_meier_median,
        {"days": DAYS, "events": EVENTS},
    ),
    "clark_completeness": (
        clark_completeness,
        {"days": DAYS, "events": EVENTS, "potential_days": [100.5] * 24},
    ),
    "logrank": (
        lambda days, events: logrank([(days, events), (AGES, EVENTS)]),
        {"days": DAYS, "events": EVENTS},
    ),
    "aalen_johansen": (aalen_johansen, {"days": DAYS, "causes": CAUSES}),
    "aalen_johansen_from_counts": (
        lambda days, events_of_cause_1, censored: aalen_johansen_from_counts(
            days, {1: events_of_cause_1}, censored
        ),
        {"days": DAYS, "events_of_cause_1": EVENTS, "censored": CAUSES},
    ),
    "cox": (
        lambda days, events, age: cox(days, events, {"age": age}),
        {"days": DAYS, "events": EVENTS, "age": AGES},
    ),
    "mann_whitney": (mann_whitney, {"first": AGES, "second": DAYS}),
    "wilcoxon_signed_rank": (wilcoxon_signed_rank, {"differences": SCORES}),
    "kruskal_wallis": (
        lambda group_1: kruskal_wallis([group_1, AGES, SCORES]),
        {"group_1": DAYS},
    ),
    "hodges_lehmann": (hodges_lehmann, {"first": AGES, "second": DAYS}),
    "pseudomedian": (pseudomedian, {"differences": SCORES}),
    "a12": (a12, {"first": AGES, "second": DAYS}),
    "welch": (welch, {"first": AGES, "second": DAYS}),
    "quartiles": (quartiles, {"sample": SCORES}),
    "holm": (holm, {"p_values": [0.5, 0.25, 0.0625]}),
    "compare paired": (
        lambda first, second: compare("score", first, second, paired=True),
        {"first": AGES, "second": DAYS},
    ),
    "compare binary": (
        lambda first, second: compare("binary", first, second),
        {"first": EVENTS, "second": [1, 0] * 9},
    ),
    "count_pairs": (count_pairs, {"first": EVENTS, "second": [1, 0] * 12}),
    "auc": (auc, {"outcome": EVENTS, "score": SCORES}),
    "roc_curve": (roc_curve, {"outcome": EVENTS, "score": SCORES}),
    "firth_logistic": (
        lambda outcome, age: firth_logistic(outcome, {"age": age}),
        {"outcome": EVENTS, "age": AGES},
    ),
    "fit_propensity": (
        lambda treated, age: fit_propensity(treated, {"age": age}),
        {"treated": EVENTS, "age": AGES},
    ),
    "cross_validate": (
        lambda outcome, age: cross_validate(
            KEYS, outcome, {"age": age}, folds=2, seed=3
        ),
        {"outcome": EVENTS, "age": AGES},
    ),
    "greedy_match": (
        lambda treated, score: greedy_match(keys=KEYS, treated=treated, score=score),
        {"treated": EVENTS, "score": SCORES},
    ),
    "optimal_match": (
        lambda treated, score: optimal_match(keys=KEYS, treated=treated, score=score),
        {"treated": EVENTS, "score": SCORES},
    ),
    "smd_continuous": (smd_continuous, {"treated": AGES, "control": DAYS}),
    "ecdf_difference": (ecdf_difference, {"treated": AGES, "control": DAYS}),
}


def as_decimals(values: list[Any]) -> list[Decimal]:
    return [Decimal(str(value)) for value in values]


FORMS: dict[str, Callable[[list[Any]], Any]] = {
    "tuple": tuple,
    "Decimal": as_decimals,
    "NumPy": np.array,
    "NumPy objects": lambda values: np.array(as_decimals(values), dtype=object),
    "NumPy scalars": lambda values: [np.float32(value) for value in values],
    "pandas": lambda values: pd.Series(values, index=range(100, 100 + len(values))),
    "pandas nullable": lambda values: pd.Series(values, dtype="Float64"),
    "Arrow": pa.array,
    "Arrow decimals": lambda values: pa.array(as_decimals(values)),
    "Arrow chunks": lambda values: pa.chunked_array([values[:1], values[1:]]),
}
COLUMNS = [
    (estimator, column) for estimator in NUMBERS for column in NUMBERS[estimator][1]
]


def exact(columns: Columns) -> Columns:
    """Values that every form holds exactly."""
    return {
        name: [float(np.float32(value)) for value in values]
        for name, values in columns.items()
    }


@pytest.mark.parametrize("estimator", NUMBERS)
def test_the_form_of_a_column_changes_nothing(estimator: str) -> None:
    function, columns = NUMBERS[estimator]
    columns = exact(columns)
    expected = function(**columns)
    json.dumps(jsonable(expected), allow_nan=False)
    for form, made in FORMS.items():
        given = {name: made(values) for name, values in columns.items()}
        assert function(**given) == expected, form


NO_NUMBERS = (
    "5",
    b"5",
    None,
    math.nan,
    -math.inf,
    Decimal("NaN"),
    10**400,
    [1.0],
    datetime.date(2024, 2, 29),
    pd.NA,
    1 + 2j,
)
NO_COLUMNS = (
    np.array(["2024-01-01"] * 24, dtype="datetime64[D]"),
    np.array([5] * 24, dtype="timedelta64[D]"),
    pd.Series(pd.to_datetime(["2024-01-01"] * 24)),
    [[1.0] * 24, [2.0] * 24],
    pd.Series(["5"] * 24, dtype=object),
    np.array(["5"] * 24, dtype=object),
)


@pytest.mark.parametrize(("estimator", "column"), COLUMNS)
def test_what_is_no_number_is_refused_by_name(estimator: str, column: str) -> None:
    function, columns = NUMBERS[estimator]
    spoiled = [[value, *columns[column][1:]] for value in NO_NUMBERS]
    for values in (*spoiled, *NO_COLUMNS):
        if estimator == "holm" and values[0] is None:
            continue  # a p value may be missing
        if column == "age" and isinstance(values[0], str) and len(set(values)) == 1:
            continue  # a covariate may be text
        with pytest.raises(StatError, match=column.replace("_", "[_ ]")):
            function(**(columns | {column: values}))
