"""The factories make valid rows."""

from __future__ import annotations

import pytest

from outcomes.models import Visit
from tests import factories

pytestmark = pytest.mark.django_db


def test_factories_make_a_whole_case() -> None:
    case = factories.make_case(operation=True, mri=True)
    operation = case.operations.get()
    factories.make_complication(operation)
    for visit_type in factories.VISIT_TARGETS:
        factories.make_visit(case, visit_type)
    factories.make_visit(case, "m12", day=400, visit_date=None)
    factories.make_recurrence(case)
    factories.make_vital_status(case.patient)

    assert Visit.objects.filter(case=case).count() == len(factories.VISIT_TARGETS) + 1
    assert case.recurrences.get().kind == "recurrence"
    assert case.centre.patients.count() == 1
