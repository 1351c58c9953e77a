"""Moments, Welch's test with its difference, median and quartiles by a named type.

References: Welch 1947, Biometrika 34:28; Hyndman and Fan 1996, Am Stat 50:361 (types).
"""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

import numpy as np
from scipy import stats

from outcomes.stats.checks import as_number, check_count, check_level
from outcomes.stats.errors import StatError
from outcomes.stats.result import Interval, Result, TestResult, not_estimable
from outcomes.stats.samples import Sample, distinct_values, size, sorted_rows

WELCH = "Welch t"
# Hyndman and Fan's number, as in R: the name of the same type in NumPy.
NumpyMethod = Literal["averaged_inverted_cdf", "weibull", "linear", "median_unbiased"]
QUANTILE_TYPES: dict[int, NumpyMethod] = {
    2: "averaged_inverted_cdf",  # SAS, Stata
    6: "weibull",  # SPSS, Minitab
    7: "linear",  # R, Excel, PostgreSQL's percentile_cont
    8: "median_unbiased",  # recommended by Hyndman and Fan
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Moments(Result):
    """Size (number of cases or sum of weights), mean and variance of one group.

    The variance is that of a sample (n - 1), PostgreSQL's ``var_samp``.
    """

    size: float
    mean: float
    variance: float

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            number = as_number(getattr(self, field.name), field.name)
            object.__setattr__(self, field.name, number)
        if self.size <= 0 or self.variance < 0:
            raise StatError("moments need a size above 0 and a variance of at least 0")

    @property
    def sd(self) -> float:
        """Standard deviation."""
        return math.sqrt(self.variance)


@dataclasses.dataclass(frozen=True, kw_only=True)
class WelchTest(TestResult):
    """Welch's test; ``difference`` is first mean minus second mean."""

    difference: Interval


@dataclasses.dataclass(frozen=True, kw_only=True)
class Quartiles(Result):
    """Median and quartiles; None of an empty group."""

    n: int
    median: float | None
    quartile_1: float | None
    quartile_3: float | None
    method: str


def moments(sample: Sample, *, name: str = "sample") -> Moments:
    """Moments of rows or counts; raises StatError below two values."""
    values, counts = distinct_values(sample, name)
    n = int(counts.sum())
    if n < 2:
        raise StatError(f"{name} needs at least 2 values for a variance")
    # From one value on, so that a constant column has variance 0 exactly.
    mean = float(values[0] + counts @ (values - values[0]) / n)
    variance = float(counts @ np.square(values - mean)) / (n - 1)
    return Moments(size=n, mean=mean, variance=variance)


def welch(first: Sample, second: Sample, level: float = 0.95) -> WelchTest | TestResult:
    """Difference of means without assuming equal variances, from rows or counts."""
    for name, sample in (("first", first), ("second", second)):
        if distinct_values(sample, name)[1].sum() < 2:
            return not_estimable(WELCH, "a group has fewer than 2 values")
    return welch_from_moments(moments(first), moments(second), level)


def welch_from_moments(
    first: Moments, second: Moments, level: float = 0.95
) -> WelchTest | TestResult:
    """As ``welch``, from sizes, means and variances."""
    level = check_level(level)
    n, m = (check_count(group.size, "size") for group in (first, second))
    if min(n, m) < 2:
        raise StatError("size must be at least 2")
    if first.variance == 0 and second.variance == 0:
        return not_estimable(WELCH, "the values do not vary within the groups")
    found = stats.ttest_ind_from_stats(
        first.mean, first.sd, n, second.mean, second.sd, m, equal_var=False
    )
    parts = first.variance / n, second.variance / m
    df = sum(parts) ** 2 / (parts[0] ** 2 / (n - 1) + parts[1] ** 2 / (m - 1))
    difference = first.mean - second.mean
    reach = float(stats.t.ppf((1 + level) / 2, df)) * math.sqrt(sum(parts))
    return WelchTest(
        name=WELCH,
        estimable=True,
        p_value=float(found.pvalue),
        statistic=float(found.statistic),
        df=df,
        difference=Interval(
            value=difference,
            lower=difference - reach,
            upper=difference + reach,
            method="difference of means, Welch",
            level=level,
        ),
    )


def quartiles(sample: Sample, quantile_type: int = 7) -> Quartiles:
    """Median and quartiles by Hyndman and Fan's type 2, 6, 7 or 8; 7 is R's default."""
    if quantile_type not in QUANTILE_TYPES:
        raise StatError(f"quantile type {quantile_type!r} is not 2, 6, 7 or 8")
    method = f"quantile type {quantile_type}"
    if size(sample, "sample") == 0:
        return Quartiles(
            n=0, median=None, quartile_1=None, quartile_3=None, method=method
        )
    rows = sorted_rows(sample, "sample")
    low, middle, high = np.quantile(
        rows, [0.25, 0.5, 0.75], method=QUANTILE_TYPES[quantile_type]
    )
    return Quartiles(
        n=len(rows),
        median=float(middle),
        quartile_1=float(low),
        quartile_3=float(high),
        method=method,
    )
