"""Agreement of readers: kappa for categories, ICC(2,1) for measurements.

Kappa depends on how common the finding is, so the prevalence and bias indices are
part of the answer. References: Cohen J. Educ Psychol Meas 1960;20:37-46; Fleiss JL,
Cohen J, Everitt BS. Psychol Bull 1969;72:323-327 (standard error); Byrt T, Bishop J,
Carlin JB. J Clin Epidemiol 1993;46:423-429 (indices); Shrout PE, Fleiss JL. Psychol
Bull 1979;86:420-428 and McGraw KO, Wong SP. Psychol Methods 1996;1:30-46 (ICC); Tian
L, Cappelleri JC. Stat Med 2004;23:2125-2135 (generalised limits).
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Hashable, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2, qmc
from scipy.stats import f as f_distribution

from outcomes.stats.checks import (
    CountArray,
    FloatArray,
    as_cases,
    as_labels,
    as_matrix,
    check_level,
    check_same_length,
)
from outcomes.stats.errors import StatError
from outcomes.stats.kappa_limits import (
    disagreement_weights,
    kappa_and_variance,
    kappa_limits,
)
from outcomes.stats.proportions import clopper_pearson, standard_normal_limit
from outcomes.stats.result import Interval, Result
from outcomes.stats.tables import as_table

Weights = Literal["none", "linear", "quadratic"]
KappaInterval = Literal["score", "wald"]
KAPPA_METHODS = {
    "score": "score, variance at the limit",
    "wald": "normal, Fleiss-Cohen-Everitt standard error",
}
IccInterval = Literal["generalised", "mcgraw-wong"]
ICC_METHODS = {
    "generalised": "generalised pivots (Tian and Cappelleri)",
    "mcgraw-wong": "McGraw and Wong",
}
# Points of the pivots, evenly spread and always the same: limits settle to 0.001.
LOG_POINTS = 14
ROUNDING = 1e-12  # of variances that are zero but for rounding
NO_DISAGREEMENT = "no disagreement between readers; limits are not estimable"
NO_LIMITS = "the limits are not defined in this sample"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kappa(Result):
    """Chance-corrected agreement of two readers.

    ``kappa.value`` is None where chance alone would agree in every case; ``reason``
    then says so. Where the standard error is zero, as with perfect agreement, it is
    None, and so are symmetric limits; those by score exist. The indices
    are those of a 2x2 table: ``prevalence_index`` (a-d)/n, ``bias_index`` (b-c)/n,
    ``adjusted_kappa`` the prevalence- and bias-adjusted kappa 2·po-1; None for more
    categories. With weights ``observed`` and ``expected`` stay unweighted.
    """

    method: str
    kappa: Interval
    standard_error: float | None
    observed: Interval
    expected: float
    readings: int
    prevalence_index: float | None = None
    bias_index: float | None = None
    adjusted_kappa: float | None = None
    reason: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class IntraclassCorrelation(Result):
    """ICC(2,1): two-way random effects, absolute agreement, a single reader."""

    method: str
    icc: Interval
    subjects: int
    readers: int
    mean_square_subjects: float
    mean_square_readers: float
    mean_square_error: float
    reason: str | None = None


def agreement_table(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    categories: Sequence[Hashable],
) -> list[list[int]]:
    """Counts by the first reader's (rows) and the second's category (columns)."""
    one_reader, other_reader = as_labels(first, "first"), as_labels(second, "second")
    check_same_length(first=one_reader, second=other_reader)
    place = {category: index for index, category in enumerate(categories)}
    if len(place) != len(categories):
        raise StatError("categories contain duplicates")
    table = [[0] * len(categories) for _ in categories]
    for one, other in zip(one_reader, other_reader, strict=True):
        if one not in place or other not in place:
            raise StatError(f"a reading is none of the categories: {one!r}, {other!r}")
        table[place[one]][place[other]] += 1
    return table


def cohen_kappa(
    table: ArrayLike,
    weights: Weights = "none",
    level: float = 0.95,
    interval: KappaInterval = "score",
) -> Kappa:
    """Kappa of a square table of counts, in the order of the scale for weights.

    Linear weights are 1-|i-j|/(k-1), quadratic 1-((i-j)/(k-1))². The limits by score
    cover 92 to 97 % with 19 readings and exist for perfect agreement too; "wald" gives
    the symmetric ones of R's ``vcd``, which cover 76 to 92 % there or do not exist.
    """
    level = check_level(level)
    counts = _square(table)
    # Whole numbers of any size: floats of large counts may add up to less than a part.
    readings, agreed = sum(counts.ravel().tolist()), sum(np.diag(counts).tolist())
    if weights not in get_args(Weights):
        raise StatError(f"weights are none, linear or quadratic, not {weights!r}")
    if interval not in get_args(KappaInterval):
        raise StatError(f"interval must be score or wald, not {interval!r}")
    shares = counts / readings
    cost = disagreement_weights(len(counts), weights)
    kappa, error, reason = _kappa_and_error(counts, cost)
    limits: tuple[float | None, float | None] = (None, None)
    if kappa is not None and interval == "score":
        limits, reason = kappa_limits(counts, cost, level), None
    elif kappa is not None and error is not None:
        half = standard_normal_limit(level) * error
        limits = max(-1.0, kappa - half), min(1.0, kappa + half)
    return Kappa(
        method=f"Cohen's kappa, weights {weights}",
        kappa=Interval(
            value=kappa,
            lower=limits[0],
            upper=limits[1],
            method=KAPPA_METHODS[interval],
            level=level,
        ),
        standard_error=error,
        observed=clopper_pearson(agreed, readings, level),
        expected=float(shares.sum(axis=1) @ shares.sum(axis=0)),
        readings=readings,
        reason=reason,
        **(_indices(counts) if len(counts) == 2 else {}),
    )


def icc_2_1(
    ratings: ArrayLike,
    weights: ArrayLike | None = None,
    level: float = 0.95,
    interval: IccInterval = "generalised",
) -> IntraclassCorrelation:
    """ICC(2,1) of a complete table, one row per subject and one column per reader.

    ``weights`` are whole numbers of subjects that a row stands for. The generalised
    limits cover 94 to 98 % with few readers; "mcgraw-wong" gives those of R's ``psych``
    with Satterthwaite's degrees of freedom, which cover down to 86 % where readers
    differ. Not estimable when all readings are the same; where readers never disagree
    the limits are None.
    """
    level = check_level(level)
    if interval not in get_args(IccInterval):
        raise StatError(
            f"interval must be generalised or mcgraw-wong, not {interval!r}"
        )
    rows = _complete(ratings, weights)
    n, k = rows.shape
    subjects, readers, error = _mean_squares(rows)
    scale = subjects + (k - 1) * error + k * (readers - error) / n
    total = float(np.square(rows - rows.mean()).sum())
    reason, value = None, None
    limits: tuple[float, float] | None = None
    if total == 0 or abs(scale) <= ROUNDING * total:
        reason = "the readings do not vary, or only within subjects"
    else:
        value = (subjects - error) / scale
        if (rows != rows[:, :1]).any():
            find = _generalised_limits if interval == "generalised" else _icc_limits
            limits = find(value, subjects, readers, error, (n, k), level)
            reason = None if limits else NO_LIMITS
        else:
            reason = NO_DISAGREEMENT
    return IntraclassCorrelation(
        method="ICC(2,1), two-way random effects, absolute agreement, single reader",
        icc=Interval(
            value=value,
            lower=limits[0] if limits else None,
            upper=limits[1] if limits else None,
            method=ICC_METHODS[interval],
            level=level,
        ),
        subjects=n,
        readers=k,
        mean_square_subjects=subjects,
        mean_square_readers=readers,
        mean_square_error=error,
        reason=reason,
    )


def _square(table: ArrayLike) -> CountArray:
    counts = as_table(table)
    check_same_length(rows=counts, columns=counts[0])
    if len(counts) < 2 or counts.sum() == 0:
        raise StatError("table needs two categories and one reading at least")
    return counts


def _kappa_and_error(
    counts: CountArray, cost: FloatArray
) -> tuple[float | None, float | None, str | None]:
    """Kappa, its standard error, and the reason why one of them is missing."""
    n = float(counts.sum())
    if np.count_nonzero(counts) == np.count_nonzero(np.diag(counts)) == 1:
        return None, None, "both readers used one and the same category throughout"
    if np.count_nonzero(counts) == np.count_nonzero(np.diag(counts)):
        return 1.0, None, "no disagreement in this sample; limits are not estimable"
    kappa, variance = kappa_and_variance(counts / n, cost)
    if variance <= ROUNDING:
        return kappa, None, "the standard error is zero in this sample"
    return kappa, math.sqrt(variance / n), None


def _indices(counts: CountArray) -> dict[str, float]:
    (a, b), (c, d) = counts
    n = counts.sum()
    return {
        "prevalence_index": float((a - d) / n),
        "bias_index": float((b - c) / n),
        "adjusted_kappa": float(2 * (a + d) / n - 1),
    }


def _complete(ratings: ArrayLike, weights: ArrayLike | None) -> FloatArray:
    rows = as_matrix(ratings, "ratings")
    table = rows[as_cases(weights, rows, "ratings")]
    if table.shape[0] < 2 or table.shape[1] < 2:
        raise StatError("ratings need two subjects and two readers at least")
    return table


def _mean_squares(rows: FloatArray) -> tuple[float, float, float]:
    """Between subjects, between readers, residual."""
    n, k = rows.shape
    subjects, readers = rows.mean(axis=1), rows.mean(axis=0)
    residual = rows - subjects[:, None] - readers + rows.mean()
    return (
        float(k * np.var(subjects, ddof=1)),
        float(n * np.var(readers, ddof=1)),
        float(np.square(residual).sum() / ((n - 1) * (k - 1))),
    )


def _icc_limits(
    icc: float,
    subjects: float,
    readers: float,
    error: float,
    shape: tuple[int, int],
    level: float,
) -> tuple[float, float] | None:
    """None where the degrees of freedom vanish, as for a correlation of zero."""
    n, k = shape
    # Both parts times the error, which may be zero while the readers differ.
    between = k * icc * readers
    within = (n * (1 + (k - 1) * icc) - k * icc) * error
    together = (k - 1) * (n - 1) * (between + within) ** 2
    parts = (n - 1) * between**2 + within**2
    if min(together, parts) <= ROUNDING * (subjects + readers + error) ** 2:
        return None
    df = together / parts
    tail = (1 + level) / 2
    low = float(f_distribution.ppf(tail, n - 1, df))
    high = float(f_distribution.ppf(tail, df, n - 1))
    rest = k * readers + (k * n - k - n) * error
    return (
        n * (subjects - low * error) / (low * rest + n * subjects),
        n * (high * subjects - error) / (rest + n * high * subjects),
    )


def _generalised_limits(
    icc: float,
    subjects: float,
    readers: float,
    error: float,
    shape: tuple[int, int],
    level: float,
) -> tuple[float, float] | None:
    """Quantiles of the correlation over what the mean squares leave possible.

    Each mean square times its degrees of freedom over a chi-squared variable stands for
    the square that is expected; parts of the variance below 0 are 0. An estimate below
    0, which no correlation of this kind can be, is its own lower limit; None where the
    subjects do not differ at all.
    """
    n, k = shape
    possible = np.array([subjects, readers, error]) * _pivots(n, k)
    between = np.maximum(possible[:, 0] - possible[:, 2], 0) / k
    among = np.maximum(possible[:, 1] - possible[:, 2], 0) / n
    share = between / (between + among + possible[:, 2])
    low, high = np.quantile(share, [(1 - level) / 2, (1 + level) / 2]).tolist()
    return (min(low, icc), max(high, icc)) if high > 0 else None


@functools.cache
def _pivots(n: int, k: int) -> FloatArray:
    """Degrees of freedom over chi-squared variables of three mean squares, (2^14, 3)."""
    df = np.array([n - 1, k - 1, (n - 1) * (k - 1)])
    points = qmc.Sobol(3, scramble=False).random_base2(LOG_POINTS)
    found: FloatArray = df / chi2.ppf(points + 0.5 / 2**LOG_POINTS, df)
    return found
