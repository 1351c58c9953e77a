"""What measures say where little or nothing can be said."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from outcomes.measures import MEASURES
from outcomes.measures.mri_features import CELLS
from outcomes.stats.scores import summarise_changes
from outcomes.summaries import compute
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_feature_of_all_against_none_is_separated() -> None:
    centre = factories.make_centre()
    for compartment, border in (("intramedullary", "rough"), ("extradural", "smooth")):
        for _n in range(5):
            factories.make_case(centre, compartment=compartment, mri={"border": border})
    (border,) = (
        test
        for test in compute("mri-features", "compartment")["tests"]
        if test["feature"] == "border"
    )
    assert border["separation"] == "complete"
    assert border["p_value"] == pytest.approx(2 / 252)
    assert {c["odds_ratio"]["value"] for c in border["contrasts"]} <= {None, 0.0}


def test_recovery_counts_each_row_of_one_rate() -> None:
    """One rate under two grades is several rows of the database: all of them count.

    R: quantile(c(2, 2, 2, 0) * 100 / 7) gives 21.43, 28.57 and 28.57.
    """
    centre = factories.make_centre()
    for grade, gained in ((2, 2), (3, 2), (4, 2), (4, 0)):
        case = factories.make_case(centre, operation=True)
        before = dict.fromkeys(("le_motor", "le_sens", "trunk_sens", "bladder"), 1)
        after = before | {"le_motor": 1 + gained}
        for kind, items in (("preop", before), ("m12", after)):
            factories.make_visit(
                case,
                kind,
                mmcs=grade,
                joa_region="thoracic11",
                **{f"joa_{item}": value for item, value in items.items()},
            )
    (group,) = compute("improvement", window="m12")["groups"]
    told = group["joa_recovery"]
    assert (told["assessed"], told["defined"], told["at_ceiling"]) == (4, 4, 0)
    rates = [100 * gained / 7 for gained in (0, 2, 2, 2)]
    assert told["quartile_1"] == pytest.approx(rates[0] + 0.75 * rates[1])
    assert told["median"] == told["quartile_3"] == pytest.approx(rates[1])


def test_the_odds_ratio_of_a_feature_keeps_its_limit_beside_a_zero() -> None:
    """15 of 19 against 0 of 19.

    > fisher.test(matrix(c(15, 0, 4, 19), 2))$conf.int
    [1] 10.2112818971577              Inf
    """
    features = MEASURES["mri-features"]
    asked: list[Any] = []
    for compartment, present in (("extradural", 0), ("intramedullary", 15)):
        numbers = dict.fromkeys(CELLS, 0)
        numbers["syrinx", "present", "present"] = present
        numbers["syrinx", "none", "none"] = 19 - present
        asked.append((compartment, 19, 19, *numbers.values()))
    answer = features.conclude(asked, ("compartment",), "")
    (test,) = (test for test in answer["tests"] if test["feature"] == "syrinx")
    found = {c["category"]: c["odds_ratio"] for c in test["contrasts"]}
    # The groups stand in the order of the list: intramedullary first.
    assert found["none"]["lower"] == pytest.approx(10.2112818971577, rel=1e-4)
    assert (found["none"]["value"], found["none"]["upper"]) == (None, None)
    assert 1 / found["present"]["upper"] == pytest.approx(found["none"]["lower"])


def test_improvement_has_one_interval_in_every_module() -> None:
    centre = factories.make_centre()
    shifts = [(1, 1), (3, 2), (3, 2), (5, 5), (2, 3), (2, 1)]
    for before, after in shifts:
        case = factories.make_case(centre, operation=True)
        factories.make_visit(case, "preop", mmcs=before)
        factories.make_visit(case, "m12", mmcs=after)
    (group,) = compute("improvement")["groups"]
    said = summarise_changes("mod5", Counter(shifts)).to_json()
    for ours, theirs in (
        ("proportion", "improved_share"),
        ("proportion_worse", "worse_share"),
        ("proportion_of_able", "improved_share_of_able"),
    ):
        limits = [
            (told["lower"], told["upper"]) for told in (group[ours], said[theirs])
        ]
        assert limits[0] == limits[1]
    assert group["able_to_improve"] == said["able_to_improve"] == 5


def test_nothing_came_back_is_said_honestly() -> None:
    """19 cases, no event: exact upper limits, no curve limits, no test."""
    centre = factories.make_centre()
    for n in range(19):
        compartment = "intramedullary" if n < 12 else "extradural"
        case = factories.make_case(centre, operation=True, compartment=compartment)
        factories.make_mri(case, purpose="followup")
    (group,) = compute("recurrence")["groups"]
    assert (group["n"], group["assessed"], group["events"]) == (19, 19, 0)
    assert group["proportion"]["lower"] == 0
    assert group["proportion"]["upper"] == pytest.approx(0.17646, abs=1e-5)
    rate = group["rate_per_100_person_years"]
    years = 19 * 365 / 365.25
    assert rate["upper"] == pytest.approx(100 * 3.68888 / years, rel=1e-5)
    assert set(group["curve"]["lower"] + group["curve"]["upper"]) == {None}
    assert group["curve"]["median"]["reached"] is False
    test = compute("recurrence", "compartment")["test"]
    assert (test["estimable"], test["p_value"]) == (False, None)
    assert test["reason"] == "no events in either group"


def test_a_residual_is_not_counted_as_free_of_recurrence() -> None:
    case = factories.make_case(operation={"eor_mri": "str"})
    factories.make_recurrence(case, kind="regrowth", day=400)
    (recurrence,) = compute("recurrence", "eor_mri")["groups"]
    (progression,) = compute("progression", "eor_mri")["groups"]
    assert (recurrence["n"], recurrence["assessed"]) == (1, 0)
    assert recurrence["proportion"]["value"] is None
    assert "progression" in recurrence["note"]
    assert (progression["assessed"], progression["events"]) == (1, 1)


def test_unoperated_cases_stay_out_of_surgical_measures() -> None:
    factories.make_case(mri=True)
    for name in ("recurrence", "progression", "improvement", "residual-pain"):
        assert compute(name)["n_cases"] == 0
    assert compute("mri-features")["n_cases"] == compute("volume")["n_cases"] == 1


def test_groups_without_a_value_are_told() -> None:
    factories.make_case(compartment=None, missing={"compartment": "unknown"})
    (group,) = compute("volume", "compartment")["groups"]
    assert group["group"] == {"compartment": None}
