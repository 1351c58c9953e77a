"""Measures against the same numbers from the facts, row by row, by other programs."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pandas
import pytest
import scipy.stats
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from lifelines import KaplanMeierFitter

from outcomes.measures import MEASURES
from outcomes.models import CaseFacts
from outcomes.summaries import STORED, compute
from tests import factories
from tests.outcomes.registry_of_cases import fill

# lifelines still calls pandas as version 3 does.
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]
EXACT = 1e-9


@pytest.fixture(scope="module")
def facts(django_db_setup: None, django_db_blocker: Any) -> Any:
    """Sixty cases, and their facts as an analyst reads them."""
    from django.test import TestCase

    with django_db_blocker.unblock():
        atomics = TestCase._enter_atomics()
        fill(factories.make_centre(), 60)
        yield pandas.DataFrame(list(CaseFacts.objects.order_by("pk").values()))
        TestCase._rollback_atomics(atomics)


def groups_of(answer: dict[str, Any]) -> dict[Any, dict[str, Any]]:
    return {tuple(group["group"].values()): group for group in answer["groups"]}


def rows_of(facts: pandas.DataFrame, by: list[str], key: tuple[Any, ...]) -> Any:
    for name, value in zip(by, key, strict=True):
        facts = facts[facts[name].isna() if value is None else facts[name] == value]
    return facts


@pytest.mark.parametrize(
    ("measure", "curve"), [("recurrence", "rfs"), ("progression", "pfs")]
)
@pytest.mark.parametrize("by", ["", "compartment", "eor_mri", "compartment,eor_mri"])
def test_curves_are_those_of_lifelines(
    facts: pandas.DataFrame, measure: str, curve: str, by: str
) -> None:
    answer = compute(measure, by)
    operated = facts[facts.has_operation]
    assert answer["n_cases"] == len(operated)
    for key, group in groups_of(answer).items():
        rows = rows_of(operated, answer["by"], key)
        assert group["n"] == len(rows)
        known = rows[rows[f"{curve}_days"].notna()]
        if known.empty:
            assert group["curve"] is None
            continue
        fitted = KaplanMeierFitter().fit(
            known[f"{curve}_days"].astype(float), known[f"{curve}_event"].astype(bool)
        )
        expected = fitted.survival_function_at_times(group["curve"]["days"])
        assert group["curve"]["survival"] == pytest.approx(list(expected), abs=EXACT)
        assert group["curve"]["n"] == len(known)
        assert group["at_risk"]["n"] == [
            int((known[f"{curve}_days"] >= day).sum())
            for day in group["at_risk"]["days"]
        ]
        reverse = KaplanMeierFitter().fit(
            known[f"{curve}_days"].astype(float), ~known[f"{curve}_event"].astype(bool)
        )
        assert group["median_follow_up_days"] == median_as_in_r(reverse)


def median_as_in_r(fitted: KaplanMeierFitter) -> float | None:
    """The middle of the piece where exactly half remain, else the first day below.

    lifelines takes the first day, and misses one half by rounding.
    """
    curve = fitted.survival_function_.iloc[:, 0]
    reached, below = curve[curve <= 0.5 + EXACT], curve[curve < 0.5 - EXACT]
    if reached.empty:
        return None
    until = reached if below.empty or reached.iloc[0] < 0.5 - EXACT else below
    return float((reached.index[0] + until.index[0]) / 2)


def test_recurrences_are_counted_among_the_assessed(facts: pandas.DataFrame) -> None:
    for key, group in groups_of(compute("recurrence", "compartment")).items():
        rows = rows_of(facts[facts.has_operation], ["compartment"], key)
        assessed = rows[rows.recurrence_event.notna()]
        events = int(assessed.recurrence_event.astype(bool).sum())
        assert (group["assessed"], group["events"]) == (len(assessed), events)
        exact = scipy.stats.binomtest(events, len(assessed)).proportion_ci()
        assert group["proportion"]["lower"] == pytest.approx(exact.low, abs=EXACT)
        assert group["proportion"]["upper"] == pytest.approx(exact.high, abs=EXACT)
        years = assessed.recurrence_days.sum() / 365.25
        assert group["person_years"] == pytest.approx(years, abs=EXACT)
        excluded = Counter(rows.rfs_exclusion.dropna())
        assert group["excluded"] == dict(excluded)
        assert group["n"] == group["curve"]["n"] + sum(excluded.values())


@pytest.mark.parametrize("window", ["m3", "m12", "m24", "last"])
def test_improvement_is_counted_as_in_the_facts(
    facts: pandas.DataFrame, window: str
) -> None:
    answer = compute("improvement", "compartment", window=window)
    operated = facts[facts.has_operation]
    for key, group in groups_of(answer).items():
        changes = Counter(
            rows_of(operated, ["compartment"], key)[f"mmcs_change_{window}"].dropna()
        )
        found = {name: group[name] for name in ("improved", "unchanged", "worse")}
        assert Counter(found) == changes
        assert (
            group["assessed"]
            == changes.total()
            == sum(shift["n"] for shift in group["shift"])
        )


def test_improvement_of_two_groups_is_tested_exactly(facts: pandas.DataFrame) -> None:
    chosen = CaseFacts.objects.exclude(compartment="extradural")
    answer = compute("improvement", "compartment", queryset=chosen)
    first, second = answer["groups"]
    table = [[g["events"], g["assessed"] - g["events"]] for g in (first, second)]
    assert answer["test"]["p_value"] == pytest.approx(
        scipy.stats.fisher_exact(table).pvalue, abs=EXACT
    )
    (difference,) = answer["differences"]
    assert difference["difference"]["value"] == pytest.approx(
        second["proportion"]["value"] - first["proportion"]["value"], abs=EXACT
    )


def test_residual_pain_is_counted_by_visit_and_site(facts: pandas.DataFrame) -> None:
    answer = compute("residual-pain", "compartment", window="m12")
    operated = facts[facts.has_operation]
    for key, group in groups_of(answer).items():
        rows = rows_of(operated, ["compartment"], key)
        for window, visit in group["visits"].items():
            states = Counter(rows[f"residual_pain_{window}"].dropna())
            assert {s: told["n"] for s, told in visit["sites"].items()} == {
                site: states[site] for site in visit["sites"]
            }
            assert visit["any"]["n"] == states.total() - states["none"]
            for site, told in visit["at_site"].items():
                flag = rows[f"residual_{site}_pain_{window}"].fillna(False)
                assert told["n"] == int(flag.astype(bool).sum())
            assert visit["events"] == visit["at_site"]["segmental"]["n"]
        assert group["assessed"] == group["visits"]["m12"]["assessed"]


def test_features_are_counted_and_tested(facts: pandas.DataFrame) -> None:
    answer = compute("mri-features", "compartment")
    groups = groups_of(answer)
    for key, group in groups.items():
        rows = rows_of(facts, ["compartment"], key)
        assert group["n"] == len(rows)
        assert group["assessed"] == int(rows.has_preop_mri.sum())
        border = Counter(rows.border.dropna())
        told = group["features"]["border"]
        assert told["assessed"] == border["smooth"] + border["rough"]
        syrinx = Counter(rows.syrinx.dropna())
        told = group["features"]["syrinx"]["categories"]
        assert {code: cell["n"] for code, cell in told.items()} == dict(syrinx)
    by_feature = {test["feature"]: test for test in answer["tests"]}
    table = [
        [told["n"] for told in group["features"]["syrinx"]["categories"].values()]
        for group in groups.values()
    ]
    expected = scipy.stats.chi2_contingency(table, correction=False)
    assert expected.expected_freq.min() >= 5
    assert by_feature["syrinx"]["name"] == "Pearson chi-squared"
    assert by_feature["syrinx"]["p_value"] == pytest.approx(expected.pvalue, abs=EXACT)
    assert by_feature["border"]["p_holm"] >= by_feature["border"]["p_value"]
    assert by_feature["cyst"]["estimable"] is False


def test_cases_are_counted_by_year_of_operation(facts: pandas.DataFrame) -> None:
    for key, group in groups_of(compute("volume", "compartment")).items():
        rows = rows_of(facts, ["compartment"], key)
        years = {item["year"]: item["n"] for item in group["years"]}
        assert years.get(2015, 0) == int((rows.surgery_year == 2015).sum())
        assert years.get(None, 0) == int(rows.surgery_year.isna().sum())
        assert group["n"] == len(rows)


@pytest.mark.parametrize(("measure", "by", "window"), STORED)
def test_each_measure_asks_the_database_once(
    facts: pandas.DataFrame, measure: str, by: str, window: str
) -> None:
    """One query is one moment: the numbers of an answer cannot contradict."""
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = compute(measure, by, window=window)
    assert len(queries) == 1
    json.dumps(answer, allow_nan=False)


def test_the_hash_tells_the_input(facts: pandas.DataFrame) -> None:
    one, again = compute("recurrence", "eor_mri"), compute("recurrence", "eor_mri")
    fewer = compute(
        "recurrence", "eor_mri", queryset=CaseFacts.objects.filter(sex="female")
    )
    assert one["input_hash"] == again["input_hash"] != fewer["input_hash"]


@pytest.mark.parametrize(
    ("measure", "by", "window", "parameter"),
    [
        ("charm", "", "", "measure"),
        ("recurrence", "centre_code", "", "by"),
        ("recurrence", "case_code", "", "by"),
        ("recurrence", "sex,sex", "", "by"),
        ("recurrence", "sex,region,border,cyst", "", "by"),
        ("recurrence", "", "m12", "window"),
        ("improvement", "", "preop", "window"),
    ],
)
def test_what_cannot_be_asked(
    measure: str, by: str, window: str, parameter: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        compute(measure, by, window=window)
    assert list(refused.value.error_dict) == [parameter]


def test_a_long_curve_is_thinned_without_changing_it() -> None:
    """Many days: at most 200 of them are told, each with its exact value."""
    measure = MEASURES["recurrence"]
    rows = [(day, day % 7 == 0, None, 2, 2, *[0] * 6, 2) for day in range(1, 1500)]
    (group,) = measure.conclude(rows, (), "")["groups"]
    told = group["curve"]
    assert (len(told["days"]), told["points"]) == (200, 1499)
    assert (told["days"][0], told["days"][-1]) == (1, 1499)
    days = [day for day, *_rest in rows for _twice in range(2)]
    events = [event for _day, event, *_rest in rows for _twice in range(2)]
    fitted = KaplanMeierFitter().fit(days, events)
    expected = fitted.survival_function_at_times(told["days"])
    assert told["survival"] == pytest.approx(list(expected), abs=EXACT)
