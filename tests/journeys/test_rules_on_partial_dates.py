"""Rules between days known in part: refused is what no day of them allows."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from cases.models import Case, Operation
from outcomes.actions import create_vital_status
from outcomes.models import VitalStatus
from registry.days import PartialDay
from registry.permissions import Role
from registry.reading import value_of_text
from tests.factories import make_case, make_mri, make_user
from tests.registry.api_client import Api, codes_of

pytestmark = pytest.mark.django_db
MAY = PartialDay.of(2014, 5)


@pytest.fixture
def case() -> Case:
    return make_case(operation={"surgery_date": MAY, "discharge_date": MAY})


@pytest.fixture
def api(case: Case) -> Api:
    return Api(make_user(Role.SURGEON, case.centre))


def operation_of(case: Case) -> Operation:
    return Operation.objects.get(case=case)


def test_only_a_contradiction_on_every_day_is_refused(case: Case, api: Api) -> None:
    path = f"operations/{operation_of(case).code}/"
    # Discharged on a day before the middle of the month of the operation.
    assert api.patch(path, {"discharge_date": "2014-05-02"}, 1).status_code == 200
    refused = api.patch(path, {"discharge_date": "2014-04"}, 2)
    assert "discharge_date" in codes_of(refused)


def test_an_event_of_a_month_needs_an_mri_that_may_be_of_that_day(
    case: Case, api: Api
) -> None:
    make_mri(case, purpose="followup", mri_date=date(2016, 3, 20))
    event = {"case": case.code, "kind": "recurrence", "size_now_mm": 9}
    seen = api.post("recurrences/", {**event, "detected_on": "2016-03"})
    assert seen.status_code == 201, seen.content
    other = api.post("recurrences/", {**event, "detected_on": "2016-04"})
    assert codes_of(other) == {"detected_on": "R63_no_mri_of_that_day"}


@pytest.mark.parametrize(
    ("mri_date", "purpose", "refused"),
    [
        ("2014-06-15", "followup", True),  # within three months, whatever the day
        ("2014-08-15", "followup", False),  # perhaps
        ("2014-08-15", "postop_3m", True),  # perhaps, and said to be
        ("2014-10", "postop_3m", False),  # later, whatever the day
    ],
)
def test_a_residual_contradicts_gtr_only_if_it_surely_was_read_in_time(
    case: Case, api: Api, mri_date: str, purpose: str, refused: bool
) -> None:
    study = {"case": case.code, "mri_date": mri_date, "purpose": purpose}
    answer = api.post("mri-studies/", {**study, "residual_present": True})
    assert (answer.status_code == 400) == refused, answer.content


@pytest.mark.parametrize(
    ("death", "contact", "refused"),
    [
        ("2015-05", "2015-05-20", False),
        ("2015-05", "2015-06", True),
        ("2015", "2015-12-31", False),
        ("2015", "2016", True),
    ],
)
def test_a_contact_is_refused_only_if_surely_after_the_death(
    case: Case, api: Api, death: str, contact: str, refused: bool
) -> None:
    status = {"vital_status": "dead", "death_cause": "other", "death_date": death}
    values = {
        name: value_of_text(VitalStatus._meta.get_field(name), text)
        for name, text in {**status, "last_contact_date": contact}.items()
    }
    try:
        with transaction.atomic():
            create_vital_status(by=api.user, patient=case.patient, values=values)
    except ValidationError as error:
        assert refused, error
        assert "last_contact_date" in error.message_dict
    else:
        assert not refused


def test_a_complication_may_end_in_the_month_in_which_it_began(
    case: Case, api: Api
) -> None:
    event = {"operation": operation_of(case).code, "ae_code": "CSF_leak"}
    dates = {"ae_onset_date": "2014-05-20", "resolved_date": "2014-05"}
    assert api.post("complications/", {**event, **dates}).status_code == 201
    before = {"ae_onset_date": "2014-06-20", "resolved_date": "2014-05"}
    answer = api.post("complications/", {**event, **before})
    assert "resolved_date" in codes_of(answer)
