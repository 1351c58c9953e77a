"""Facts of days that are known to the month or year: counted by the middle, and said."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cases.models import Case
from outcomes.actions import create_vital_status
from outcomes.facts import facts_of, rebuild
from outcomes.models import CaseFacts
from outcomes.schedule import schedules_of
from registry.days import PartialDay, precision_of
from tests.factories import (
    make_case,
    make_mri,
    make_recurrence,
    make_visit,
    surgeon_of,
)

pytestmark = pytest.mark.django_db
IN_2014 = PartialDay.of(2014)
IN_MAY = PartialDay.of(2014, 5)


def operated(day: date, **values: Any) -> Case:
    return make_case(operation={"surgery_date": day, "discharge_date": None, **values})


def facts(case: Case) -> Any:
    found = facts_of(case)
    assert found is not None
    return found


def test_the_precision_of_the_operation_is_a_fact() -> None:
    assert facts(operated(IN_MAY)).surgery_date_precision == "month"
    assert facts(operated(IN_2014)).surgery_date_precision == "year"
    assert facts(operated(date(2014, 5, 15))).surgery_date_precision == "day"
    assert facts(make_case()).surgery_date_precision is None


def test_a_discharge_before_the_middle_is_no_negative_stay() -> None:
    case = operated(IN_MAY, discharge_date=date(2014, 5, 5))
    assert facts(case).los_days == 2  # operated on from the 1st to the 5th


def test_days_of_a_visit_are_the_middle_of_what_is_possible() -> None:
    case = operated(date(2014, 9, 1))
    make_visit(case, "m3", visit_date=IN_2014)  # from 1 September to 31 December
    found = facts(case)
    assert (found.visit_day_m3, found.visit_day_m3_precision) == (61, "year")
    visit = case.visits.get()
    assert visit.visit_day == 61


def test_a_visit_before_the_operation_stays_before_it() -> None:
    case = operated(IN_MAY)
    visit = make_visit(case, "preop", visit_date=PartialDay.of(2014, 5))
    assert visit.visit_day == -15
    assert facts(case).visit_day_preop == -15
    assert facts(case).visit_day_preop_precision == "month"


def test_a_recurrence_of_the_same_year_follows_the_operation() -> None:
    case = operated(IN_2014)
    make_recurrence(case, detected_on=PartialDay.of(2014))
    found = facts(case)
    assert found.recurrence_days == 182  # between 0 and 364
    assert found.recurrence_days_precision == "year"
    assert found.rfs_days == 182


def test_a_death_known_to_its_year_follows_the_last_contact() -> None:
    case = operated(date(2014, 1, 1))
    make_visit(case, "m12", visit_date=date(2015, 12, 1))
    by = surgeon_of(case.centre)
    died = {
        "vital_status": "dead",
        "death_date": PartialDay.of(2015),
        "death_cause": "other",
    }
    create_vital_status(by=by, patient=case.patient, values=died)
    found = facts(case)
    assert found.death_days == (date(2015, 12, 16) - date(2014, 1, 1)).days
    assert (found.death_days_precision, found.followup_days_precision) == (
        "year",
        "year",
    )


def test_each_number_of_days_says_how_well_it_is_known() -> None:
    case = operated(date(2014, 9, 1))
    make_mri(case, mri_date=PartialDay.of(2014, 8))
    make_mri(case, purpose="followup", mri_date=PartialDay.of(2016))
    found = facts(case)
    assert (found.preop_mri_day, found.preop_mri_day_precision) == (-16, "month")
    assert found.last_mri_day_precision == "year"
    assert found.followup_days_precision == "year"
    make_visit(case, "last", visit_date=date(2019, 3, 1))
    assert facts(case).followup_days_precision == "day"
    assert facts(case).last_mri_day_precision == "year"


def test_a_rebuild_tells_the_same() -> None:
    case = operated(IN_2014)
    make_recurrence(case, detected_on=PartialDay.of(2015, 3))
    make_visit(case, "m3", visit_date=PartialDay.of(2014))
    before = CaseFacts.objects.values().get(pk=case.pk)
    CaseFacts.objects.filter(pk=case.pk).delete()
    rebuild()
    after = CaseFacts.objects.values().get(pk=case.pk)
    del before["refreshed_at"], after["refreshed_at"]
    assert after == before


def test_the_schedule_goes_on_from_the_middle() -> None:
    case = operated(IN_MAY)
    make_visit(case, "m12", visit_date=PartialDay.of(2015))
    schedule = schedules_of([case.pk], date(2016, 1, 1))[case.pk]
    states = {each.window.name: each.state for each in schedule.windows}
    assert states["m12"] == "done"
    assert states["m24"] == "later"
    assert schedule.contact_on == date(2015, 7, 1)
    assert precision_of(schedule.contact_on) == "year"
