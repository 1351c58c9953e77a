"""Each test and each difference names its endpoint, and no two are mixed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from outcomes import disclosure
from outcomes.measures import MEASURES
from outcomes.summaries import compute
from outcomes.views.dashboard import progression_words, recurrence_words
from outcomes.views.figure_words import comparison_words, ratio_words
from outcomes.views.survival_figure import survival_figure
from registry.models import Centre
from tests import factories
from tests.factories import OPERATED_ON
from tests.outcomes.registry_of_cases import fill
from tests.registry.api_cast import make_cast

pytestmark = pytest.mark.django_db
WORDS = {"recurrence": recurrence_words, "progression": progression_words}


def died(case: Any, day: int) -> None:
    factories.make_vital_status(
        case.patient,
        vital_status="dead",
        death_date=OPERATED_ON + timedelta(days=day),
        death_cause="other",
        last_contact_date=None,
    )


@pytest.fixture
def centre() -> Centre:
    return factories.make_centre()


def gtr_case(centre: Centre, **values: Any) -> Any:
    case = factories.make_case(centre, operation=True, **values)
    factories.make_mri(case, purpose="followup")
    return case


def test_a_death_is_not_a_recurrence(centre: Centre) -> None:
    """One patient died without it: the curve falls to 0, and nothing came back."""
    died(gtr_case(centre), 700)
    answer = compute("recurrence")
    (group,) = answer["groups"]
    assert (group["events"], group["assessed"], group["died_first"]) == (0, 1, 1)
    assert group["curve"]["survival"] == [0.0]
    assert group["curve"]["endpoint"] == "recurrence_free_survival"
    assert group["cumulative_incidence"]["incidence"] == [0.0]
    assert group["cumulative_incidence"]["endpoint"] == group["endpoint"]
    figure = survival_figure(answer, recurrence_words())
    assert "0 of 1" in figure["answer"] and "and 1 died without it" in figure["answer"]
    assert figure["chart"]["y_label"] == "Alive without recurrence"


def test_the_first_of_event_and_death_ends_the_course(centre: Centre) -> None:
    """Of four: recurrence then death, death alone, recurrence alone, neither.

    > survfit(Surv(c(500, 700, 800, 365), factor(c(1, 2, 1, 0))) ~ 1)
    gives 0.333 on day 500 and 0.667 on day 800 for cause 1.
    """
    first, second, third = (gtr_case(centre) for _n in range(3))
    gtr_case(centre)
    factories.make_recurrence(first, day=500)
    died(first, 900)
    died(second, 700)
    factories.make_recurrence(third, day=800)
    (group,) = compute("recurrence")["groups"]
    incidence = group["cumulative_incidence"]
    assert incidence["days"] == [365, 500, 700, 800]
    assert incidence["incidence"] == pytest.approx([0, 1 / 3, 1 / 3, 2 / 3])
    assert incidence["n_events"] == group["events"] == 2
    assert (group["died_first"], group["curve"]["n_events"]) == (1, 3)
    years = (365 + 500 + 700 + 800) / 365.25
    assert group["survival_rate_per_100_person_years"]["value"] == pytest.approx(
        300 / years
    )


@pytest.mark.parametrize("measure", MEASURES)
def test_a_test_stands_with_differences_of_its_own_endpoint(
    centre: Centre, measure: str
) -> None:
    fill(centre, 25)
    blocks = list(comparing(compute(measure, "compartment")))
    assert blocks or measure in ("volume", "mri-features")
    for block in blocks:
        named = {found.get("endpoint") for found in block["differences"]}
        assert named == {block["test"]["endpoint"]}


def comparing(told: Any) -> Iterator[dict[str, Any]]:
    """Every object of an answer that holds a test beside differences."""
    if isinstance(told, dict):
        if "differences" in told:
            yield told
        for found in told.values():
            yield from comparing(found)
    elif isinstance(told, list):
        for found in told:
            yield from comparing(found)


def test_features_are_their_own_endpoints(centre: Centre) -> None:
    fill(centre, 10)
    answer = compute("mri-features", "compartment")
    assert "differences" not in answer
    assert len({test["feature"] for test in answer["tests"]}) == len(answer["tests"])


def test_words_tell_both_endpoints_apart(centre: Centre) -> None:
    fill(centre, 25)
    answer = compute("progression", "compartment")
    told = survival_figure(answer, progression_words())["method"]
    survival, event = told.split("Recurrence or regrowth, death competing: ")
    assert "Progression-free survival: " in survival and "Log-rank" in survival
    assert "Gray" in event and "Log-rank" not in event
    ratios = [b["differences"][0]["rate_ratio"]["value"] for b in comparing(answer)]
    assert f"rate ratio {ratios[0]:.2f}" in survival
    assert f"rate ratio {ratios[1]:.2f}" in event


def test_a_permutation_is_called_one() -> None:
    test = {"name": "log-rank", "method": "permutation of log-rank scores: exact"}
    test |= {"estimable": True, "p_value": 0.2, "endpoint": "recurrence_free_survival"}
    assert comparison_words({"test": test}, "rate_ratio", ratio_words) == (
        "Recurrence-free survival: Log-rank by permutation: p = 0.200."
    )


# --- residual pain by site -------------------------------------------------------------


@pytest.fixture
def pains(centre: Centre) -> Centre:
    """Segmental pain in 3 of 4 and 0 of 4; everybody hurts somewhere."""
    for compartment, segmental in (("intramedullary", 3), ("extradural", 0)):
        for number in range(4):
            case = factories.make_case(centre, operation=True, compartment=compartment)
            sites = ["local_axial"] if number else ["local_axial", "below_level"]
            if number < segmental:
                sites = ["segmental_at_level"] if number else [*sites, SEGMENTAL]
            factories.make_visit(case, pain_present=True, pain_distribution=sites)
    return centre


SEGMENTAL = "segmental_at_level"


def test_segmental_pain_is_tested_unless_another_is_asked(pains: Centre) -> None:
    answer = compute("residual-pain", "compartment")
    assert answer["site"] == "segmental"
    assert [group["events"] for group in answer["groups"]] == [3, 0]
    # R: fisher.test(matrix(c(3, 1, 0, 4), 2))$p.value, the smallest of these margins.
    assert answer["test"]["p_value"] is None
    assert answer["test"]["smallest_p"] == pytest.approx(0.142857142857143)
    assert answer["test"]["endpoint"] == "residual_segmental_pain"
    found = compute("residual-pain", "compartment", site="any")
    assert [group["events"] for group in found["groups"]] == [4, 4]
    assert found["test"]["estimable"] is False
    local = compute("residual-pain", "compartment", site="local")
    assert [group["events"] for group in local["groups"]] == [2, 4]
    assert local["test"]["endpoint"] == "residual_local_pain"
    below = compute("residual-pain", "compartment", site="below_level")
    assert [group["events"] for group in below["groups"]] == [1, 1]
    mixed = compute("residual-pain", "compartment", site="mixed")
    assert [group["events"] for group in mixed["groups"]] == [1, 1]


@pytest.mark.parametrize(
    ("measure", "site"), [("residual-pain", "none"), ("recurrence", "segmental")]
)
def test_a_site_that_cannot_be_asked(measure: str, site: str) -> None:
    with pytest.raises(ValidationError) as refused:
        compute(measure, site=site)
    assert list(refused.value.error_dict) == ["site"]


def test_the_api_takes_a_site() -> None:
    analyst = make_cast().analyst
    told = analyst.get("summaries/residual-pain/?site=below_level").json()
    assert (told["site"], told["test"]["endpoint"]) == (
        "below_level",
        "residual_below_level_pain",
    )
    assert analyst.get("summaries/residual-pain/").json()["site"] == "segmental"
    refused = analyst.get("summaries/recurrence/?site=local")
    assert refused.status_code == 400
    assert "site" in str(refused.json())


def test_people_of_one_centre_see_no_curve_of_causes(centre: Centre) -> None:
    """Each event day of it would tell a patient."""
    fill(centre, 40)
    for measure in ("recurrence", "progression"):
        told = disclosure.for_other_centres(compute(measure), None)
        for group in told["groups"]:
            assert not {"cumulative_incidence", "died_first"} & set(group)
        by = disclosure.for_other_centres(compute(measure, "compartment"), None)
        text = str(by)
        assert "survival_difference_at" not in text
        assert "incidence_difference_at" not in text
        if by.get("suppressed"):
            assert by["competing_risks"] == {}
