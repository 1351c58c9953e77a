"""Unknown stays unknown in de-identified rows, whatever is done to a column.

PostgreSQL's least, greatest, concat and coalesce pass over NULL: a pooling function
written with one of them makes a value of what nobody knows. Walked column by column.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import models

from cases.filters import PARAMETERS, Parameter
from outcomes.deidentified import OTHER, deidentified, deidentified_columns
from outcomes.filters import HIDDEN_FROM_ANALYSTS, DeidentifiedFactsFilter
from outcomes.models import CaseFacts, ReleasedFacts
from outcomes.models.fact_columns import COLUMN_BY_NAME
from tests import factories
from tests.outcomes.released_rows import released_rows

pytestmark = pytest.mark.django_db


def may_be_unknown(name: str) -> bool:
    return name in COLUMN_BY_NAME and CaseFacts._meta.get_field(name).null


RELEASED = [c.name for c in deidentified_columns() if may_be_unknown(c.name)]
FILTERED = [
    each
    for each in PARAMETERS
    if each.name not in HIDDEN_FROM_ANALYSTS and may_be_unknown(each.fact_name)
]


@pytest.fixture
def unknown(settings: Any) -> models.QuerySet[ReleasedFacts]:
    """The facts of one case in which nothing is known that can be unknown.

    Beside it stands one of which much is known, and each of its values is shared enough.
    """
    settings.DISCLOSURE_THRESHOLD = settings.RELEASE_K = 1
    factories.make_case(operation=True)
    case = factories.make_case(operation=True)
    facts = CaseFacts.objects.filter(pk=case.pk)
    names = {f.name for f in CaseFacts._meta.fields if may_be_unknown(f.name)}
    facts.update(**dict.fromkeys(names))
    return released_rows(pk=case.pk)


def test_no_column_makes_a_value_of_what_is_unknown(
    unknown: models.QuerySet[ReleasedFacts],
) -> None:
    (row,) = deidentified(unknown).dicts()
    assert len(RELEASED) > 100
    assert {name: row[name] for name in RELEASED if row[name] is not None} == {}


@pytest.mark.parametrize("parameter", FILTERED, ids=lambda each: each.name)
def test_no_filter_finds_what_is_unknown(
    unknown: models.QuerySet[ReleasedFacts], parameter: Parameter
) -> None:
    """With every value that the filter takes; ages are the edges of bands."""
    codes = [code for code, _label in parameter.choices] + [OTHER]
    edges = {"gte": ["0", "5", "90"], "lte": ["4", "89"]}
    tried = 0
    for value in edges.get(parameter.lookup, codes):
        chosen = DeidentifiedFactsFilter({parameter.name: value}, unknown)
        if not chosen.is_valid():
            continue
        try:
            found = chosen.qs.exists()
        except ValidationError:  # no row carries the value by its name
            continue
        assert not found, value
        tried += 1
    assert tried
