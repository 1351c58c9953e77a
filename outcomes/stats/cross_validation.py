"""Cross-validation whose folds depend on keys and a seed, never on the order of rows.

Folds are drawn within the outcome's two groups, so that each has its share of events.
Reference: Kohavi R. Proc IJCAI 1995:1137-1143 (stratified folds).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from outcomes.stats.checks import (
    FloatArray,
    as_labels,
    check_count,
    check_same_length,
)
from outcomes.stats.design import Covariates, as_binary, design_matrix
from outcomes.stats.discrimination import Auc, auc
from outcomes.stats.errors import StatError
from outcomes.stats.firth import firth_coefficients
from outcomes.stats.propensity import linear_predictor
from outcomes.stats.result import Result

Fit = Callable[[Sequence[int], FloatArray], FloatArray]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CrossValidation(Result):
    """Out-of-fold linear predictors by sorted key, and the AUC of these.

    ``fold_aucs`` has one area per fold; the interval of ``auc`` takes the predictions
    as given and does not know that they come from ``folds`` models.
    """

    method: str
    folds: int
    seed: int
    keys: tuple[str | int, ...]
    fold_of: tuple[int, ...]
    predictions: tuple[float, ...]
    auc: Auc
    fold_aucs: tuple[float, ...]


def assign_folds(
    keys: Sequence[str | int], outcome: Sequence[int], folds: int, seed: int
) -> tuple[int, ...]:
    """The fold of every case, 0 to folds-1, in the order given.

    Raises StatError when an outcome group has fewer cases than there are folds.
    """
    labels, event = as_labels(keys, "keys"), as_binary(outcome, "outcome")
    check_same_length(keys=labels, outcome=event)
    if len(set(labels)) < len(labels):
        raise StatError("keys contain duplicates")
    if check_count(folds, "folds") < 2 or min(event.sum(), (1 - event).sum()) < folds:
        raise StatError("folds must be 2 at least, and each outcome as frequent")
    draw = np.random.default_rng(check_count(seed, "seed"))
    order = np.array(sorted(range(len(labels)), key=lambda row: labels[row]))
    fold_of = np.zeros(len(labels), dtype=np.int64)
    for group in (1, 0):
        members = draw.permutation(order[event[order] == group])
        fold_of[members] = np.arange(len(members)) % folds
    return tuple(fold_of.tolist())


def cross_validate(
    keys: Sequence[str | int],
    outcome: Sequence[int],
    covariates: Covariates,
    *,
    folds: int,
    seed: int,
    fit: Fit = firth_coefficients,
) -> CrossValidation:
    """Predict each case by a model fitted without its fold.

    ``fit`` takes an outcome and a matrix with intercept and returns coefficients;
    by default Firth's regression, which has an answer under separation too.
    """
    labels = as_labels(keys, "keys")
    fold_of = np.array(assign_folds(labels, outcome, folds, seed))
    matrix = design_matrix(covariates, len(labels)).matrix
    order = np.array(sorted(range(len(labels)), key=lambda row: labels[row]))
    event, matrix = as_binary(outcome, "outcome")[order], matrix[order]
    fold_of = fold_of[order]
    predictions = np.zeros(len(labels))
    for fold in range(folds):
        inside = fold_of == fold
        coefficients = fit(event[~inside].tolist(), matrix[~inside])
        predictions[inside] = linear_predictor(matrix[inside], coefficients)
    return CrossValidation(
        method=f"{folds}-fold cross-validation, stratified by outcome",
        folds=folds,
        seed=seed,
        keys=tuple(labels[row] for row in order),
        fold_of=tuple(fold_of.tolist()),
        predictions=tuple(predictions.tolist()),
        auc=auc(event.tolist(), predictions.tolist()),
        fold_aucs=tuple(
            _area(event, predictions, fold_of == fold) for fold in range(folds)
        ),
    )


def _area(
    event: FloatArray, predictions: FloatArray, inside: NDArray[np.bool_]
) -> float:
    found = auc(event[inside].tolist(), predictions[inside].tolist()).auc.value
    assert found is not None  # noqa: S101 - each fold has both outcomes
    return found
