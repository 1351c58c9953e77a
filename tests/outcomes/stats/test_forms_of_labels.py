"""Labels on every form a column comes in; a missing label is no category."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from outcomes.stats.agreement import agreement_table
from outcomes.stats.choose import compare
from outcomes.stats.cross_validation import cross_validate
from outcomes.stats.errors import StatError
from outcomes.stats.logrank import logrank_stratified
from outcomes.stats.matching import greedy_match
from outcomes.stats.propensity import fit_propensity
from outcomes.stats.result import jsonable
from outcomes.stats.tables import (
    cross_tabulate,
)

DAYS = [5.0, 8.5, 12, 12, 20, 31, 40, 44, 60, 71, 80, 95] * 2
EVENTS = [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1] * 2
CAUSES = [1, 2, 0, 1, 2, 0, 1, 1, 0, 2, 0, 1] * 2
AGES = [31.5, 44, 52, 38, 61, 70, 29, 55, 47, 66, 58, 41] * 2
SCORES = [0.5, 1, -0.25, 2, 1.5, 0, 0.75, -1, 0.25, 1.25, -0.5, 0.125] * 2
SEX = ["f", "m", "m", "f", "f", "m", "m", "f", "m", "f", "m", "m"] * 2
KEYS = [f"TUM-{place:02}" for place in range(24)]


Columns = dict[str, list[Any]]
LABELS: dict[str, tuple[Callable[..., Any], Columns]] = {
    "cross_tabulate": (cross_tabulate, {"groups": SEX, "categories": KEYS}),
    "agreement_table": (
        lambda first, second: agreement_table(first, second, ["f", "m"]),
        {"first": SEX, "second": SEX[::-1]},
    ),
    "compare nominal": (
        lambda first, second: compare("nominal", first, second),
        {"first": SEX, "second": SEX[:7]},
    ),
    "logrank_stratified": (
        lambda strata: logrank_stratified(
            [(DAYS, EVENTS, strata), (AGES, EVENTS, strata)]
        ),
        {"strata": SEX},
    ),
    "greedy_match": (
        lambda keys, exact: greedy_match(
            keys=keys, treated=EVENTS, score=SCORES, exact=exact
        ),
        {"keys": KEYS, "exact": SEX},
    ),
    "cross_validate": (
        lambda keys, sex: cross_validate(
            keys, EVENTS, {"sex": sex, "age": AGES}, folds=2, seed=3
        ),
        {"keys": KEYS, "sex": SEX},
    ),
    "fit_propensity": (
        lambda sex: fit_propensity(EVENTS, {"sex": sex, "age": AGES}),
        {"sex": SEX},
    ),
}
LABEL_FORMS: dict[str, Callable[[list[Any]], Any]] = {
    "tuple": tuple,
    "NumPy": np.array,
    "NumPy objects": lambda values: np.array(values, dtype=object),
    "pandas": lambda values: pd.Series(values, index=range(100, 100 + len(values))),
    "Arrow": pa.array,
    "Arrow chunks": lambda values: pa.chunked_array([values[:1], values[1:]]),
}


@pytest.mark.parametrize("estimator", LABELS)
def test_the_form_of_labels_changes_nothing(estimator: str) -> None:
    function, columns = LABELS[estimator]
    expected = function(**columns)
    json.dumps(jsonable(expected), allow_nan=False)
    for form, made in LABEL_FORMS.items():
        given = {name: made(values) for name, values in columns.items()}
        assert function(**given) == expected, form


@pytest.mark.parametrize("estimator", LABELS)
def test_a_missing_label_is_no_category(estimator: str) -> None:
    function, columns = LABELS[estimator]
    for column, values in columns.items():
        for missing in (None, math.nan, pd.NA):
            with pytest.raises(StatError, match=f"{column} contains missing values"):
                function(**(columns | {column: [missing, *values[1:]]}))
