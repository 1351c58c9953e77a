"""One set of filters: the same rows of cases and of facts, and nothing ignored."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from cases.filters import PARAMETERS, CaseFilter, parameter_errors, strict_filter
from cases.models import Case
from outcomes.filters import DeidentifiedFactsFilter, FactsFilter
from outcomes.models import CaseFacts, ReleasedFacts
from tests import factories
from tests.outcomes.released_rows import released_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def some_cases() -> list[Case]:
    first, second = factories.make_centre(code="AA"), factories.make_centre(code="BB")
    born = {"birth_date": date(1925, 3, 3), "family_name": "A"}
    old = factories.make_patient(first, identity=born, birth_year=None)
    return [
        factories.make_case(first, operation=True, mri=True),
        factories.make_case(
            second,
            compartment="extradural",
            level_rostral="T3",
            level_caudal="T8",
            operation={"eor_mri": "str", "surgery_date": date(2010, 5, 4)},
            patient_values={"sex": "M", "nf_status": "NF1", "nf_basis": "clinical"},
        ),
        factories.make_case(
            second,
            histology_who2021="meningioma",
            icdo_morphology=None,
            who_grade="2",
            age_reported=33,
            patient_values={"birth_year": None},
            missing={"icdo_morphology": "unknown"},
        ),
        factories.make_case(
            patient=old, operation={"surgery_date": date(2015, 3, 2)}, level_caudal="C5"
        ),
    ]


def codes_of_cases(query: str) -> set[str]:
    rows = strict_filter(CaseFilter, QueryDict(query), Case.objects.current())
    return set(rows.values_list("code", flat=True))


def codes_of_facts(query: str) -> set[str]:
    rows = strict_filter(FactsFilter, QueryDict(query), CaseFacts.objects.all())
    return set(rows.values_list("case_code", flat=True))


EXAMPLES = {
    "q": ["TUM-", "SCT-0", "zzz"],
    "status": ["draft", "complete,verified"],
    "centre": ["AA", "BB,ZZ"],
    "compartment": ["intramedullary", "intramedullary,extradural"],
    "compartment_mri": ["intramedullary"],
    "histology_who2021": ["meningioma"],
    "who_grade": ["1", "2"],
    "region": ["cervical", "thoracic"],
    "level": ["C5", "C6", "Th5", "D4"],
    "sex": ["M", "F,X"],
    "nf_status": ["NF1", "none_known"],
    "eor_final": ["gtr", "str,pr"],
    "eor_mri": ["gtr", "str,pr"],
    "eor_surgeon": ["gtr"],
    "surgery_date_after": ["2015-03-02", "2010-05-05"],
    "surgery_date_before": ["2015-03-02", "2010-05-03"],
    "age_min": ["34", "45", "89", "90"],
    "age_max": ["33", "44", "89", "90"],
    "updated_since": ["2020-01-01", "2020-01-01T00:00:00Z", "2190-01-01"],
}


def test_every_parameter_has_an_example() -> None:
    assert set(EXAMPLES) == {parameter.name for parameter in PARAMETERS}


@pytest.mark.parametrize("name", EXAMPLES)
def test_cases_and_facts_give_the_same_rows(name: str, some_cases: list[Case]) -> None:
    found = [codes_of_cases(f"{name}={value}") for value in EXAMPLES[name]]
    assert found == [codes_of_facts(f"{name}={value}") for value in EXAMPLES[name]]
    assert any(found)


def test_parameters_narrow_together(some_cases: list[Case]) -> None:
    query = "compartment=intramedullary&eor_mri=gtr&age_max=60"
    assert codes_of_cases(query) == codes_of_facts(query) == {some_cases[0].code}


def test_age_is_completed_years(some_cases: list[Case]) -> None:
    """Born on 3 March 1925, operated on 2 March 2015: 89 years."""
    old = some_cases[3]
    assert CaseFacts.objects.get(pk=old.pk).age_at_surgery == 89
    assert codes_of_cases("age_min=89") == codes_of_facts("age_min=89") == {old.code}


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("colour=red", "colour", "unknown_parameter"),
        ("compartment=intramedullary,nose", "compartment", "invalid_choice"),
        ("sex=F&sex=M", "sex", "repeated_parameter"),
        ("level=X9", "level", "level"),
        ("surgery_date_after=20100101", "surgery_date_after", "invalid"),
        ("surgery_date_after=2010-02-30", "surgery_date_after", "invalid"),
        ("surgery_date_before=0001-01-01", "surgery_date_before", "invalid"),
        ("age_min=５０", "age_min", "invalid"),
        ("age_min=-1", "age_min", "invalid"),
        ("age_max=999", "age_max", "invalid"),
        ("updated_since=yesterday", "updated_since", "invalid"),
        ("q=" + "x" * 25, "q", "max_length"),
        ("operations__surgery_date__year=0", "operations__surgery_date__year", None),
    ],
)
@pytest.mark.parametrize("filterset", [CaseFilter, FactsFilter])
def test_a_bad_parameter_is_named(
    filterset: type, query: str, parameter: str, code: str | None
) -> None:
    rows = (Case if filterset is CaseFilter else CaseFacts).objects.all()
    with pytest.raises(ValidationError) as refused:
        strict_filter(filterset, QueryDict(query), rows)
    found = refused.value.error_dict
    assert list(found) == [parameter]
    assert code is None or found[parameter][0].code == code


def test_a_blank_field_of_a_form_selects_all(some_cases: list[Case]) -> None:
    blank = QueryDict("compartment=&q=&age_min=")
    filterset = CaseFilter(blank, queryset=Case.objects.all())
    assert parameter_errors(filterset) == {}
    assert filterset.qs.count() == 4


def test_pages_may_know_parameters_of_their_own() -> None:
    given = MultiValueDict({"page": ["2"], "sex": ["F"]})
    strict_filter(CaseFilter, given, Case.objects.all(), also_known={"page"})
    with pytest.raises(ValidationError):
        strict_filter(CaseFilter, given, Case.objects.all())


@pytest.mark.parametrize(
    "query",
    [
        "surgery_date_after=2010-01-01",
        "surgery_date_before=2010-01-01",
        "level=C5",
        "q=TUM-",
        "centre=AA",
        "updated_since=2020-01-01",
    ],
)
def test_hidden_columns_cannot_be_filtered_by(query: str) -> None:
    with pytest.raises(ValidationError):
        strict_filter(
            DeidentifiedFactsFilter, QueryDict(query), ReleasedFacts.objects.all()
        )


def codes_in(error: ValidationError) -> dict[str, str | None]:
    return {name: found[0].code for name, found in error.error_dict.items()}


@pytest.mark.parametrize(
    "filterset", [CaseFilter, FactsFilter, DeidentifiedFactsFilter]
)
@pytest.mark.parametrize("query", ["sex=", "sex=,", "region=%20,", "age_min="])
def test_an_empty_filter_is_a_mistake_and_not_ignored(
    filterset: Any, query: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        strict_filter(filterset, QueryDict(query), filterset.Meta.model.objects.all())
    assert list(codes_in(refused.value).values()) == ["empty_parameter"]


def test_released_values_are_compared_as_released(
    some_cases: list[Case], settings: Any
) -> None:
    """A rare diagnosis is not found by its name, and 90 pools all that are older."""
    old = CaseFacts.objects.filter(pk=some_cases[3].pk)
    old.update(age_at_surgery=97)
    settings.RELEASE_K = 1
    rows = released_rows()

    def found(query: str) -> int:
        return strict_filter(DeidentifiedFactsFilter, QueryDict(query), rows).count()

    for query in ("nf_status=NF1", "nf_status=22q", "nf_status=other,NF1"):
        with pytest.raises(ValidationError) as refused:  # of few cases, or of none
            found(query)
        assert codes_in(refused.value) == {"nf_status": "pooled_value"}
    assert found("nf_status=other") == 4  # each value is rare among four cases
    assert found("age_min=90") == 1
    assert found("age_min=85") == 1
    assert found("age_max=89") == 3


@pytest.mark.parametrize(
    "query", ["age_min=91", "age_min=62", "age_max=90", "age_max=60", "age_min=95"]
)
def test_a_limit_of_age_does_not_cut_a_band(query: str) -> None:
    """Whoever may cut a band finds the age in it by halving."""
    rows = ReleasedFacts.objects.all()
    with pytest.raises(ValidationError) as refused:
        strict_filter(DeidentifiedFactsFilter, QueryDict(query), rows)
    assert list(codes_in(refused.value).values()) == ["band"]
