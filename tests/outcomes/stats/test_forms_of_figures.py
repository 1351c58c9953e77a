"""Single figures as a database reduces them: Decimal, NumPy, and what is none."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from outcomes.stats.agreement import cohen_kappa, icc_2_1
from outcomes.stats.balance import (
    smd_binary,
    smd_from_moments,
    smd_multilevel,
)
from outcomes.stats.choose import compare_table
from outcomes.stats.discrimination import diagnostic_accuracy
from outcomes.stats.errors import StatError
from outcomes.stats.follow_up import (
    clark_completeness_from_sums,
)
from outcomes.stats.matched import Caliper
from outcomes.stats.matching import greedy_match, mahalanobis_match
from outcomes.stats.means import Moments, welch_from_moments
from outcomes.stats.proportions import (
    PairedCounts,
    clopper_pearson,
    newcombe_difference,
    wilson,
)
from outcomes.stats.rates import incidence_rate, rate_ratio
from outcomes.stats.ratios import conditional_odds_ratio, odds_ratio, risk_ratio
from outcomes.stats.result import jsonable
from outcomes.stats.scores import (
    Score,
    assess_change,
    joa_recovery_rate,
    joa_total,
    summarise_changes,
)
from outcomes.stats.suppression import protect_table, suppress_counts, suppress_table
from outcomes.stats.tables import (
    fisher_exact,
    mcnemar_exact,
    pearson,
    sign_test,
)
from outcomes.stats.tumour_extent import ellipsoid_volume_cm3, half_box_volume_cm3

DAYS = [5.0, 8.5, 12, 12, 20, 31, 40, 44, 60, 71, 80, 95] * 2
EVENTS = [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1] * 2
CAUSES = [1, 2, 0, 1, 2, 0, 1, 1, 0, 2, 0, 1] * 2
AGES = [31.5, 44, 52, 38, 61, 70, 29, 55, 47, 66, 58, 41] * 2
SCORES = [0.5, 1, -0.25, 2, 1.5, 0, 0.75, -1, 0.25, 1.25, -0.5, 0.125] * 2
SEX = ["f", "m", "m", "f", "f", "m", "m", "f", "m", "f", "m", "m"] * 2
KEYS = [f"TUM-{place:02}" for place in range(24)]


def moments_of(size: float, mean: float, variance: float) -> Moments:
    return Moments(size=size, mean=mean, variance=variance)


# Estimators of single figures, as a database reduces them.
FIGURES: dict[str, tuple[Callable[..., Any], list[float]]] = {
    "wilson": (wilson, [3, 19]),
    "clopper_pearson": (clopper_pearson, [3, 19]),
    "newcombe_difference": (newcombe_difference, [3, 19, 12, 19]),
    "paired counts": (
        lambda a, b, c, d: mcnemar_exact(
            PairedCounts(both=a, first_only=b, second_only=c, neither=d)
        ),
        [4, 9, 2, 4],
    ),
    "sign_test": (sign_test, [7, 0, 4]),
    "incidence_rate": (incidence_rate, [3, 81.25]),
    "rate_ratio": (rate_ratio, [3, 81.25, 5, 70.5]),
    "diagnostic_accuracy": (
        lambda tp, fp, fn, tn: diagnostic_accuracy(
            true_positive=tp, false_positive=fp, false_negative=fn, true_negative=tn
        ),
        [15, 4, 3, 16],
    ),
    "clark_completeness_from_sums": (clark_completeness_from_sums, [1825.5, 2000]),
    "welch_from_moments": (
        lambda *six: welch_from_moments(moments_of(*six[:3]), moments_of(*six[3:])),
        [19, 48.25, 130.5, 19, 59.75, 101],
    ),
    "smd_from_moments": (
        lambda *six: smd_from_moments(moments_of(*six[:3]), moments_of(*six[3:])),
        [19, 48.25, 130.5, 19, 59.75, 101],
    ),
    "smd_binary": (smd_binary, [3, 19, 12, 19]),
    "smd_multilevel": (
        lambda a, b, c, d: smd_multilevel({"T": a, "L": b}, {"T": c, "L": d}),
        [3, 16, 12, 7],
    ),
    "tables": (
        lambda a, b, c, d: tuple(
            function([[a, b], [c, d]])
            for function in (
                fisher_exact,
                pearson,
                odds_ratio,
                conditional_odds_ratio,
                risk_ratio,
                cohen_kappa,
                compare_table,
                icc_2_1,
            )
        ),
        [3, 16, 12, 7],
    ),
    "suppression": (
        lambda a, b, c, d: (
            protect_table([[a, b], [c, d]], 5),
            suppress_table([[a, b], [c, d]], 5),
            suppress_counts([a, b, c, d], 5),
        ),
        [3, 16, 12, 7],
    ),
    "volumes": (
        lambda *sides: (ellipsoid_volume_cm3(*sides), half_box_volume_cm3(*sides)),
        [51, 14.5, 15],
    ),
    "caliper": (
        lambda multiple: greedy_match(
            keys=KEYS,
            treated=EVENTS,
            score=SCORES,
            caliper=Caliper(multiple=multiple, sd="all"),
        ),
        [0.25],
    ),
    "mahalanobis_match": (
        lambda *four: mahalanobis_match(
            keys=[1, 2, 3, 4],
            treated=[1, 0, 1, 0],
            covariates=[[four[0], 1], [four[1], 5], [four[2], 1], [four[3], 2]],
        ),
        [1.5, 2, 4, 8],
    ),
    "level": (lambda level: wilson(3, 19, level), [0.875]),
    "changes": (
        lambda before, after: (
            assess_change(
                Score(scale="odi", value=before), Score(scale="odi", value=after)
            ),
            summarise_changes("odi", {(before, after): 3}),
            joa_recovery_rate("joa_cervical_1994_rev", after, before),
        ),
        [12.5, 8.5],
    ),
    "joa_total": (
        lambda ue, sens: joa_total(
            "joa_cervical_1994_rev",
            {"ue_motor": ue, "shoulder": 0, "le_motor": 4, "ue_sens": sens,
             "le_sens": 1.5, "trunk_sens": 2, "bladder": 3},
        ),
        [4, 0.5],
    ),
}  # fmt: skip


@pytest.mark.parametrize("estimator", FIGURES)
def test_the_form_of_a_figure_changes_nothing(estimator: str) -> None:
    function, figures = FIGURES[estimator]
    expected = function(*figures)
    json.dumps(jsonable(expected), allow_nan=False)
    for made in (lambda figure: Decimal(str(figure)), np.float64, np.float32):
        assert function(*map(made, figures)) == expected, made


MAY_BE_BLANK = ("changes", "joa_total")


@pytest.mark.parametrize("estimator", FIGURES)
def test_what_is_no_figure_is_refused(estimator: str) -> None:
    function, figures = FIGURES[estimator]
    for place in range(len(figures)):
        for value in ("5", None, math.nan, math.inf, Decimal("NaN"), pd.NA, [1]):
            if value is None and estimator in MAY_BE_BLANK:
                continue
            spoiled = [*figures[:place], value, *figures[place + 1 :]]
            with pytest.raises(StatError):
                function(*spoiled)
