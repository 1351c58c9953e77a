"""Balance against MatchIt's summary and base R, and the refusals of nonsense."""

from __future__ import annotations

import csv
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.stats.balance import (
    COMPLETE_SEPARATION,
    ecdf_difference,
    smd_binary,
    smd_continuous,
    smd_from_moments,
    smd_multilevel,
    variance_ratio,
    weighted_moments,
)
from outcomes.stats.errors import StatError
from outcomes.stats.means import moments

FIXTURES = Path(__file__).parent / "fixtures"


def read(name: str) -> list[dict[str, str]]:
    with (FIXTURES / name).open() as file:
        return list(csv.DictReader(file))


ROWS = read("lalonde.csv")


def column(name: str, treated: str) -> list[float]:
    return [float(row[name]) for row in ROWS if row["treat"] == treated]


@pytest.mark.parametrize(
    ("sd", "value"),
    [
        ("treated", -0.309445261997982),
        ("pooled", -0.2419036229261),
        ("all", -0.2240709314994),
        ("control", -0.20526170726935),
    ],
)
def test_smd_of_age_against_r(sd: str, value: float) -> None:
    """MatchIt divides by the treated SD; a is treated, b is control.

    > library(MatchIt); data(lalonde)
    > summary(matchit(treat~age, lalonde))$sum.all["age", "Std. Mean Diff."]
    -0.309445261997982
    > (mean(a$age)-mean(b$age))/sqrt((var(a$age)+var(b$age))/2)
    -0.2419036229261
    > (mean(a$age)-mean(b$age))/sd(lalonde$age)
    -0.2240709314994
    > (mean(a$age)-mean(b$age))/sd(b$age)
    -0.20526170726935
    """
    found = smd_continuous(column("age", "1"), column("age", "0"), sd=sd)  # type: ignore[arg-type]
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.sd == sd
    assert not found.is_separated


@pytest.mark.parametrize(
    ("name", "ratio", "mean", "maximum"),
    [
        ("age", 0.439995463435061, 0.0813390663390664, 0.157726957726958),
        ("re74", 0.518128480856177, 0.2247948890406991, 0.447035847035847),
    ],
)
def test_variance_ratio_and_ecdf_against_matchit(
    name: str, ratio: float, mean: float, maximum: float
) -> None:
    """> summary(m)$sum.all[c("age","re74"), c("Var. Ratio","eCDF Mean","eCDF Max")]
    age  0.439995463435061 0.0813390663390664 0.157726957726958
    re74 0.518128480856177 0.2247948890406991 0.447035847035847
    """
    treated, control = column(name, "1"), column(name, "0")
    assert variance_ratio(moments(treated), moments(control)) == pytest.approx(ratio)
    found = ecdf_difference(treated, control)
    assert found.mean == pytest.approx(mean, abs=1e-12)
    assert found.maximum == pytest.approx(maximum, abs=1e-12)


def test_balance_of_unequal_sets_against_matchit() -> None:
    """1:2 with incomplete sets: a control weighs one over the size of its set.

    > m2 <- matchit(treat~age+educ+race+married+nodegree+re74+re75, lalonde,
    +               distance=lalonde$logit, mahvars=~logit, exact=~race, ratio=2)
    > summary(m2)$sum.matched[c("age","re74"), ]   # SD before matching, treated
           Std. Mean Diff.     Var. Ratio        eCDF Mean         eCDF Max
    age  -0.0909658023227291 0.444208975406406 0.0804956896551724 0.176724137931034
    re74 -0.4529094004020137 0.234683470069137 0.1541128876902331 0.379310344827586
    """
    units = {row["unit"]: row for row in ROWS}
    sets = [
        (row["treated"], [c for c in (row["exact_two_1"], row["exact_two_2"]) if c])
        for row in read("lalonde_matchit_pairs.csv")
        if row["exact_two_1"]
    ]
    assert len(sets) == 116
    weights = [1 / len(members) for _, members in sets for _ in members]
    expected = {
        "age": (-0.0909658023227291, 0.444208975406406, 0.0804956896551724, 0.176724137931034),
        "re74": (-0.4529094004020137, 0.234683470069137, 0.1541128876902331, 0.379310344827586),
    }  # fmt: skip
    for name, (smd, ratio, mean, maximum) in expected.items():
        treated = [float(units[unit][name]) for unit, _ in sets]
        control = [float(units[unit][name]) for _, members in sets for unit in members]
        before = math.sqrt(moments(column(name, "1")).variance)
        found = smd_continuous(
            treated, control, control_weights=weights, before_matching=before
        )
        assert found.value == pytest.approx(smd, abs=1e-12)
        assert found.sd == "before matching"
        after = variance_ratio(moments(treated), weighted_moments(control, weights))
        assert after == pytest.approx(ratio, abs=1e-12)
        everyone = column(name, "1") + column(name, "0")
        apart = ecdf_difference(treated, control, control_weights=weights, at=everyone)
        assert apart.maximum == pytest.approx(maximum, abs=1e-12)
        assert apart.mean == pytest.approx(mean, abs=1e-12)


def test_smd_binary_against_r() -> None:
    """> p1 <- mean(a$married); p0 <- mean(b$married)
    > (p1-p0)/sqrt((p1*(1-p1)+p0*(1-p0))/2)
    -0.720755399603216
    and MatchIt's own, with the treated SD: -0.826309272340716
    """
    assert smd_binary(35, 185, 220, 429).value == pytest.approx(-0.720755399603216)
    treated = smd_binary(35, 185, 220, 429, sd="treated")
    assert treated.value == pytest.approx(-0.826309272340716)
    everyone = smd_binary(35, 185, 220, 429, sd="all").value
    share = 255 / 614
    assert everyone == pytest.approx(
        (35 / 185 - 220 / 429) / math.sqrt(share * (1 - share))
    )


def test_smd_multilevel_against_r() -> None:
    """Yang and Dalton's formula in base R; tableone prints 1.701.

    > P1 <- as.numeric(prop.table(table(a$race)))[-1]
    > P0 <- as.numeric(prop.table(table(b$race)))[-1]
    > S <- (diag(P1)-P1%o%P1+diag(P0)-P0%o%P0)/2
    > sqrt(t(P1-P0) %*% solve(S, P1-P0))
    1.70107819444762
    """
    treated = Counter(row["race"] for row in ROWS if row["treat"] == "1")
    control = Counter(row["race"] for row in ROWS if row["treat"] == "0")
    found = smd_multilevel(treated, control)
    assert found.value == pytest.approx(1.70107819444762, abs=1e-12)
    assert found.to_json()["reason"] is None


def test_nineteen_of_nineteen_against_none_is_complete_separation() -> None:
    """tableone says NaN, R 0.03; with any SD there is no number."""
    for sd in ("pooled", "treated", "control", "all"):
        found = smd_binary(19, 19, 0, 19, sd=sd)  # type: ignore[arg-type]
        assert found.value is None
        assert found.standard_error is None
        assert found.reason == COMPLETE_SEPARATION
        assert found.is_separated
    assert smd_multilevel({"rough": 19}, {"smooth": 19}).is_separated
    assert smd_continuous([1.0] * 19, [0.0] * 19).is_separated
    assert smd_continuous([0.1] * 19, [0.3] * 19, sd="all").is_separated


def test_same_constant_in_both_groups_is_no_difference() -> None:
    assert smd_binary(19, 19, 19, 19).value == 0
    assert smd_continuous([0.1, 0.1, 0.1], [0.1, 0.1]).value == 0
    assert smd_multilevel({"rough": 19}, {"rough": 7}).value == 0


def test_named_sd_of_zero_is_refused_though_groups_overlap() -> None:
    found = smd_binary(19, 19, 10, 19, sd="treated")
    assert found.value is None
    assert found.reason == "the standard deviation (treated) is zero"
    assert not found.is_separated


def test_sd_before_matching_gives_a_number_for_constant_matched_groups() -> None:
    assert smd_continuous([1, 1], [0, 0], before_matching=0.5).value == 2
    found = smd_continuous([1, 1], [0, 0], before_matching=0)
    assert found.reason == "the standard deviation (before matching) is zero"


def test_standard_error_of_nineteen_against_nineteen_is_a_third() -> None:
    found = smd_binary(10, 19, 9, 19)
    assert found.standard_error == pytest.approx(0.325, abs=5e-4)


def test_variance_ratio_of_constant_controls_is_none() -> None:
    assert variance_ratio(moments([1, 2]), moments([3, 3])) is None


def test_smd_from_moments_equals_rows() -> None:
    treated, control = column("age", "1"), column("age", "0")
    reduced = smd_from_moments(moments(treated), moments(control))
    assert reduced == smd_continuous(treated, control)
    assert reduced == smd_continuous(Counter(treated), Counter(control))
    with pytest.raises(StatError, match="'all'"):
        smd_from_moments(moments(treated), moments(control), sd="all")


def test_unknown_sd_and_bad_inputs_are_refused() -> None:
    with pytest.raises(StatError, match="'median'"):
        smd_continuous([1, 2], [2, 3], sd="median")  # type: ignore[arg-type]
    with pytest.raises(StatError, match="at least 2 values"):
        moments([1])
    with pytest.raises(StatError, match="at least 2 cases"):
        weighted_moments([1], [2])
    with pytest.raises(StatError, match="counts already"):
        weighted_moments({1: 2}, [1])
    with pytest.raises(StatError, match="above zero"):
        weighted_moments([1, 2], [1, 0])
    with pytest.raises(StatError, match="lengths differ"):
        weighted_moments([1, 2], [1])
    with pytest.raises(StatError, match="before_matching"):
        smd_continuous([1, 2], [2, 3], before_matching=-1)
    with pytest.raises(StatError, match="control events"):
        smd_binary(1, 2, 3, 2)
    with pytest.raises(StatError, match="treated events"):
        smd_binary(0, 0, 1, 2)
    with pytest.raises(StatError, match="control is empty"):
        smd_multilevel({"a": 1}, {})
    with pytest.raises(StatError, match="negative"):
        smd_multilevel({"a": -1}, {"a": 1})
    with pytest.raises(StatError, match="treated is empty"):
        ecdf_difference([], [1])


values = st.lists(st.integers(-50, 50), min_size=2, max_size=20)


@given(values, values, st.integers(1, 9), st.integers(-9, 9))
def test_smd_swaps_sign_and_ignores_units_and_order(
    treated: list[int], control: list[int], unit: int, shift: int
) -> None:
    found = smd_continuous(treated, control)
    swapped = smd_continuous(control, treated)
    turned = smd_continuous(treated[::-1], control[::-1])
    rescaled = smd_continuous(
        [value * unit + shift for value in treated],
        [value * unit + shift for value in control],
    )
    if found.value is None:
        assert {swapped.reason, turned.reason, rescaled.reason} == {COMPLETE_SEPARATION}
    else:
        assert swapped.value == pytest.approx(-found.value, abs=1e-9)
        assert turned.value == pytest.approx(found.value, abs=1e-9)
        assert rescaled.value == pytest.approx(found.value, abs=1e-9)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 30), st.integers(1, 30))
def test_smd_multilevel_of_two_levels_is_the_binary_one(
    events1: int, events0: int, others1: int, others0: int
) -> None:
    levels = smd_multilevel(
        {"yes": events1, "no": others1}, {"yes": events0, "no": others0}
    )
    binary = smd_binary(events1, events1 + others1, events0, events0 + others0)
    assert levels.value == pytest.approx(abs(binary.value or 0), abs=1e-7)


@given(values, values, st.integers(1, 3))
def test_weights_are_repetition_for_ecdf(
    treated: list[int], control: list[int], times: int
) -> None:
    weights = [float(1 + index % times) for index in range(len(control))]
    repeated = [v for v, w in zip(control, weights, strict=True) for _ in range(int(w))]
    weighted = ecdf_difference(treated, control, control_weights=weights)
    by_rows = ecdf_difference(treated, repeated)
    assert weighted.maximum == pytest.approx(by_rows.maximum)
    assert weighted.mean == pytest.approx(by_rows.mean)
    grid = sorted(set(treated) | set(control))
    apart = [
        abs(np.mean([v <= x for v in treated]) - np.mean([v <= x for v in repeated]))
        for x in grid
    ]
    assert by_rows.maximum == pytest.approx(max(apart))
    assert by_rows.mean == pytest.approx(np.mean(apart))
