"""The facts say "not applicable" exactly where the record does not ask."""

from __future__ import annotations

import pytest

from cases.choices import Compartment
from outcomes.facts import refresh
from outcomes.models import CaseFacts
from tests.factories import make_case

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("compartment", Compartment.values)
@pytest.mark.parametrize("name", ["eden_type", "myelotomy"])
def test_a_field_that_the_compartment_does_not_ask_for(
    compartment: str, name: str
) -> None:
    case = make_case(operation=True, compartment=compartment)
    record = case if name == "eden_type" else case.operations.get()
    field = record._meta.get_field(name)
    record.missing.pop(name, None)
    type(record).objects.filter(pk=record.pk).update(
        **{name: None, "missing": record.missing}
    )
    refresh([case.pk])

    why = getattr(CaseFacts.objects.get(case=case), f"{name}_missing")

    assert why == ("not_recorded" if record.applicable(field) else "not_applicable")
