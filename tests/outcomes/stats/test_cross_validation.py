"""Cross-validation: seeded, and blind to the order of rows."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from statsmodels.discrete.discrete_model import Logit

from outcomes.stats.cross_validation import assign_folds, cross_validate
from outcomes.stats.errors import StatError
from outcomes.stats.firth import firth_coefficients

FIXTURES = Path(__file__).parent / "fixtures"
KEYS = [f"case-{number:02d}" for number in range(20)]
OUTCOME = [1, 0, 0, 1, 0] * 4


def endometrial() -> tuple[list[str], list[int], dict[str, list[float]]]:
    with (FIXTURES / "endometrial.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = {name: [float(row[name]) for row in rows] for name in ("NV", "PI", "EH")}
    keys = [f"{number:03d}" for number in range(len(rows))]
    return keys, [int(row["HG"]) for row in rows], columns


def test_assign_folds_shares_events_evenly() -> None:
    fold_of = assign_folds(KEYS, OUTCOME, 4, seed=3)
    for fold in range(4):
        events = sum(e for e, f in zip(OUTCOME, fold_of, strict=True) if f == fold)
        assert events == 2
        assert fold_of.count(fold) == 5


def test_assign_folds_depends_on_seed_not_on_rows() -> None:
    fold_of = dict(zip(KEYS, assign_folds(KEYS, OUTCOME, 4, seed=3), strict=True))
    backwards = assign_folds(KEYS[::-1], OUTCOME[::-1], 4, seed=3)
    assert dict(zip(KEYS[::-1], backwards, strict=True)) == fold_of
    assert tuple(fold_of.values()) != assign_folds(KEYS, OUTCOME, 4, seed=4)


def test_assign_folds_refuses_too_many_folds_and_doubled_keys() -> None:
    with pytest.raises(StatError, match="folds"):
        assign_folds(KEYS, OUTCOME, 9, seed=1)
    with pytest.raises(StatError, match="folds"):
        assign_folds(KEYS, OUTCOME, 1, seed=1)
    with pytest.raises(StatError, match="duplicates"):
        assign_folds(["a"] * 20, OUTCOME, 2, seed=1)


def test_cross_validate_predicts_each_case_without_its_fold() -> None:
    keys, outcome, covariates = endometrial()
    found = cross_validate(keys, outcome, covariates, folds=5, seed=11)
    matrix = np.column_stack([np.ones(len(keys)), *covariates.values()])
    for fold in range(5):
        inside = [i for i, f in enumerate(found.fold_of) if f == fold]
        outside = [i for i, f in enumerate(found.fold_of) if f != fold]
        slopes = firth_coefficients([outcome[i] for i in outside], matrix[outside])
        for i in inside:
            assert found.predictions[i] == pytest.approx(matrix[i] @ slopes, abs=1e-6)
    assert found.auc.auc.value is not None
    assert len(found.fold_aucs) == 5
    assert all(0 <= area <= 1 for area in found.fold_aucs)


def test_cross_validate_is_equal_to_the_last_digit_for_shuffled_rows() -> None:
    keys, outcome, covariates = endometrial()
    order = np.random.default_rng(5).permutation(len(keys))
    shuffled = cross_validate(
        [keys[i] for i in order],
        [outcome[i] for i in order],
        {name: [column[i] for i in order] for name, column in covariates.items()},
        folds=5,
        seed=11,
    )
    assert shuffled == cross_validate(keys, outcome, covariates, folds=5, seed=11)


def test_cross_validate_takes_another_fit() -> None:
    keys, outcome, covariates = endometrial()
    del covariates["NV"]  # it separates, so plain likelihood has no maximum

    def plain(event: list[int], matrix: np.ndarray) -> np.ndarray:
        return Logit(event, matrix).fit(disp=0).params

    found = cross_validate(keys, outcome, covariates, folds=3, seed=2, fit=plain)
    assert found.auc.auc.value > 0.7
