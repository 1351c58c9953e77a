"""Endpoints: what counts as an event, what ends observation, who is left out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cases.models import Case
from outcomes import facts
from outcomes.models import CaseFacts
from outcomes.summaries import STORED, compute
from tests import factories
from tests.factories import OPERATED_ON

pytestmark = pytest.mark.django_db


def facts_of(case: Case) -> CaseFacts:
    found = facts.facts_of(case)
    assert found is not None
    return found


def operated_case(**operation: Any) -> Case:
    return factories.make_case(operation=operation)


def loaded(case: Case, record: Any, **values: Any) -> None:
    """A row as bulk data may bring it: past the rules between rows, which refuse it."""
    type(record).objects.filter(pk=record.pk).update(**values)
    facts.refresh([case.pk])


def follow_up(case: Case, day: int) -> None:
    factories.make_mri(
        case, purpose="followup", mri_date=OPERATED_ON + timedelta(days=day)
    )


def endpoint(case: Case, name: str) -> tuple[bool | None, int | None]:
    row = facts_of(case)
    return getattr(row, f"{name}_event"), getattr(row, f"{name}_days")


def test_without_the_event_the_last_mri_ends_observation() -> None:
    case = operated_case()
    follow_up(case, 365)
    follow_up(case, 900)
    factories.make_visit(case, "unscheduled", day=1500)
    for name in ("recurrence", "rfs", "pfs", "new_lesion"):
        assert endpoint(case, name) == (False, 900)
    assert facts_of(case).last_mri_day == 900
    assert facts_of(case).followup_days == 1500


def test_recurrence_is_an_event_on_the_day_of_its_mri() -> None:
    case = operated_case()
    factories.make_recurrence(case, day=800)
    follow_up(case, 1200)
    assert endpoint(case, "recurrence") == (True, 800)
    assert endpoint(case, "rfs") == endpoint(case, "pfs") == (True, 800)
    assert endpoint(case, "regrowth") == (None, None)


def test_the_first_of_several_recurrences_counts() -> None:
    case = operated_case()
    factories.make_recurrence(case, day=1400)
    factories.make_recurrence(case, day=700)
    assert endpoint(case, "recurrence") == (True, 700)


def test_regrowth_is_no_recurrence() -> None:
    case = operated_case(eor_mri="str")
    factories.make_recurrence(case, kind="regrowth", day=600)
    assert endpoint(case, "regrowth") == (True, 600)
    assert endpoint(case, "pfs") == (True, 600)
    assert endpoint(case, "recurrence") == endpoint(case, "rfs") == (None, None)
    assert facts_of(case).rfs_exclusion == "residual_tumour"


def test_a_new_lesion_is_neither() -> None:
    case = operated_case()
    factories.make_recurrence(case, kind="new_lesion", day=600)
    follow_up(case, 800)
    assert endpoint(case, "new_lesion") == (True, 600)
    assert endpoint(case, "recurrence") == endpoint(case, "rfs") == (False, 800)


def test_an_event_beyond_the_last_mri_on_file_stands() -> None:
    case = operated_case()
    recurrence = factories.make_recurrence(case, day=800)
    study = case.mri_studies.get(purpose="followup")
    loaded(case, study, purpose="preop", mri_date=OPERATED_ON - timedelta(days=1))
    assert recurrence.kind == "recurrence"
    assert facts_of(case).last_mri_day is None
    assert endpoint(case, "rfs") == (True, 800)


@pytest.mark.parametrize(
    ("died_after", "rfs"), [(700, (True, 700)), (3000, (True, 3000))]
)
def test_death_ends_recurrence_free_survival(
    died_after: int, rfs: tuple[bool, int]
) -> None:
    """Also after the last MRI; recurrence itself is then observed to that MRI."""
    case = operated_case()
    follow_up(case, 600)
    die(case, died_after)
    assert endpoint(case, "rfs") == rfs
    assert endpoint(case, "recurrence") == (False, 600)
    assert endpoint(case, "death") == (True, died_after)
    assert facts_of(case).followup_days == died_after


def die(case: Case, day: int) -> None:
    factories.make_vital_status(
        case.patient,
        vital_status="dead",
        death_date=OPERATED_ON + timedelta(days=day),
        death_cause="other",
        last_contact_date=None,
        missing={"last_contact_date": "unknown"},
    )


def test_an_mri_after_the_death_does_not_lengthen_observation() -> None:
    case = operated_case()
    follow_up(case, 5)
    follow_up(case, 400)
    die(case, 500)
    last = case.mri_studies.latest("mri_date")
    loaded(case, last, mri_date=OPERATED_ON + timedelta(days=600))
    assert endpoint(case, "recurrence") == (False, 500)
    assert endpoint(case, "rfs") == (True, 500)


def test_without_an_mri_nothing_is_known_of_recurrence() -> None:
    case = operated_case()
    factories.make_visit(case, "m12")
    row = facts_of(case)
    assert row.rfs_exclusion == row.pfs_exclusion == "no_postoperative_mri"
    assert endpoint(case, "rfs") == endpoint(case, "recurrence") == (None, None)


@pytest.mark.parametrize("extent", ["not_assessed", None])
def test_without_the_extent_recurrence_is_not_defined(extent: str | None) -> None:
    case = operated_case(
        eor_mri=extent, missing={} if extent else {"eor_mri": "unknown"}
    )
    follow_up(case, 600)
    assert facts_of(case).rfs_exclusion == "extent_unknown"
    assert facts_of(case).pfs_exclusion == "extent_unknown"


def test_death_of_unknown_day_excludes() -> None:
    case = operated_case()
    follow_up(case, 600)
    factories.make_vital_status(
        case.patient,
        vital_status="dead",
        last_contact_date=None,
        missing={"death_date": "unknown", "last_contact_date": "unknown"},
    )
    row = facts_of(case)
    assert row.rfs_exclusion == "death_day_unknown"
    assert (row.death_event, row.death_days, row.followup_days) == (True, None, 600)


def test_an_unoperated_case_has_no_course() -> None:
    case = factories.make_case()
    row = facts_of(case)
    assert (row.has_operation, row.rfs_exclusion) == (False, "not_operated")
    assert endpoint(case, "rfs") == endpoint(case, "death") == (None, None)


def test_a_day_before_the_operation_is_never_a_duration() -> None:
    """The date of the operation was corrected to after the recurrence."""
    case = operated_case()
    factories.make_recurrence(case, day=100)
    operation = case.operations.get()
    late = OPERATED_ON + timedelta(days=150)
    discharged = late + timedelta(days=9)
    loaded(case, operation, surgery_date=late, discharge_date=discharged)
    row = facts_of(case)
    assert row.rfs_exclusion == "event_day_unknown"
    assert (row.recurrence_event, row.recurrence_days) == (True, None)


def test_the_death_of_a_patient_counts_for_each_tumour() -> None:
    patient = factories.make_patient()
    cases = [factories.make_case(patient=patient, operation=True) for _n in range(2)]
    die(cases[0], 400)
    assert [endpoint(case, "death") for case in cases] == [(True, 400)] * 2


def test_a_staged_resection_counts_by_its_end() -> None:
    """STR, then GTR on day 60: GTR in both measures, by whatever ends the survival."""
    case = operated_case(eor_surgeon="str", eor_mri="str")
    factories.make_operation(
        case,
        index_operation=False,
        relation_to_index="planned_stage",
        surgery_date=OPERATED_ON + timedelta(days=60),
        discharge_date=None,
        missing={"discharge_date": "unknown"},
    )
    factories.make_mri(
        case, purpose="followup", mri_date=OPERATED_ON + timedelta(days=900)
    )
    for measure in ("recurrence", "progression"):
        (group,) = compute(measure, "eor_final")["groups"]
        assert group["group"] == {"eor_final": "gtr"}
        assert (group["assessed"], group["curve"]["n"]) == (1, 1)
        assert group["curve"]["days"][-1] == 900
        (group,) = compute(measure, "eor_mri")["groups"]
        assert group["group"] == {"eor_mri": "str"}
    assert {by for name, by, _w in STORED if "eor" in by} == {
        "eor_final",
        "compartment,eor_final",
    }
