"""The registry's numbers over the API: their shape, their filters, their limits."""

from __future__ import annotations

import pytest

from registry.models import AuditEvent
from tests.factories import make_case, make_visit
from tests.registry.api_cast import Cast, make_cast
from tests.registry.api_client import Api, codes_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def some_cases(cast: Cast) -> Cast:
    for number in range(4):
        case = make_case(cast.centre_b, by=cast.people["surgeon_b"], operation=True)
        make_visit(case, "preop", mmcs=number + 1, by=cast.people["surgeon_b"])
        make_visit(case, "m12", mmcs=2, by=cast.people["surgeon_b"])
    return cast


def test_summaries_have_the_shape_of_a_statistic(some_cases: Cast) -> None:
    answer = some_cases.analyst.get("summaries/recurrence/?by=compartment,eor_mri")

    numbers = answer.json()
    assert answer.status_code == 200
    assert (numbers["measure"], numbers["scope"]) == ("recurrence", "pool")
    assert numbers["by"] == ["compartment", "eor_mri"]
    assert numbers["n_cases"] == sum(group["n"] for group in numbers["groups"]) == 5
    assert {"as_of", "stale", "input_hash", "code_version"} <= set(numbers)


def test_summaries_take_case_filters(some_cases: Cast) -> None:
    whole = some_cases.analyst.get("summaries/improvement/?window=m12").json()
    part = some_cases.analyst.get("summaries/improvement/?window=m12&sex=M").json()

    assert (whole["n_cases"], part["n_cases"]) == (5, 0)
    assert part["filters"] == {"sex": "M"}


@pytest.mark.parametrize(
    ("measure", "query", "field"),
    [
        ("recurrence", "by=colour", "by"),
        ("recurrence", "by=sex,sex", "by"),
        ("recurrence", "window=m12", "window"),
        ("improvement", "window=m7", "window"),
        ("recurrence", "sex=Q", "sex"),
        ("recurrence", "colour=blue", "colour"),
        ("recurrence", "surgery_date_after=2015-01-01", "surgery_date_after"),
    ],
)
def test_odd_questions_to_the_summaries_are_refused(
    cast: Cast, measure: str, query: str, field: str
) -> None:
    answer = cast.analyst.get(f"summaries/{measure}/?{query}")

    assert answer.status_code == 400
    assert field in codes_of(answer)


def test_A6_summaries_of_a_foreign_centre_are_not_found(some_cases: Cast) -> None:
    own = some_cases.surgeon_a.get("summaries/recurrence/?scope=AAA")
    foreign = some_cases.surgeon_a.get("summaries/recurrence/?scope=BBB")
    unknown = some_cases.surgeon_a.get("summaries/recurrence/?scope=ZZZ")

    assert (own.status_code, own.json()["n_cases"]) == (200, 1)
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content
    assert some_cases.analyst.get("summaries/nothing/").status_code == 404


def test_X9_small_cells_of_the_pool_are_hidden_from_one_centre(
    some_cases: Cast,
) -> None:
    numbers = some_cases.surgeon_a.get("summaries/recurrence/").json()

    assert numbers["suppressed"] is True
    assert numbers["n_cases"] is None
    assert numbers["groups"] == [{"group": {}, "suppressed": True}]


def test_T3_questions_to_the_summaries_are_audited(cast: Cast) -> None:
    Api(cast.people["analyst"]).get("summaries/recurrence/?sex=F&by=region")

    event = AuditEvent.objects.get(action="summary.read")
    assert event.target == "recurrence"
    assert (event.body["by"], event.body["filters"]) == ("region", {"sex": "F"})
