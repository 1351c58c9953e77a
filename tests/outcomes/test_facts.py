"""The derived facts: windows, changes, pain, endpoints, and when they are derived."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from cases import actions as case_actions
from cases.models import Case
from outcomes import actions, facts
from outcomes.models import CaseFacts
from outcomes.stats.scores import joa_recovery_rate
from tests import factories
from tests.factories import OPERATED_ON

pytestmark = pytest.mark.django_db


def facts_of(case: Case) -> CaseFacts:
    found = facts.facts_of(case)
    assert found is not None
    return found


def operated_case(**operation: Any) -> Case:
    return factories.make_case(operation=operation)


# --- windows -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "window", "chosen"),
    [
        ([305], "m12", 305),
        ([304], "m12", None),
        ([425], "m12", 425),
        ([426], "m12", None),
        ([350, 366], "m12", 366),
        ([355, 375], "m12", 375),  # equally near: the later
        ([61, 121], "m3", 121),
        ([137, 228], "m6", 228),
        ([640], "m24", 640),
        ([1643, 2009], "m60", 2009),
        ([5, 14, 29], "discharge", 14),  # nearest to the day of discharge, 12
        ([31], "discharge", None),
        ([-90], "preop", -90),
        ([-91], "preop", None),
        ([-40, -3], "preop", -3),
        ([100, 2500, 3000], "last", 3000),
        ([-10], "last", None),
    ],
)
def test_a_window_takes_its_nearest_visit(
    days: list[int], window: str, chosen: int | None
) -> None:
    case = operated_case()
    for day in days:
        factories.make_visit(case, "preop" if day < 0 else "unscheduled", day=day)
    assert getattr(facts_of(case), f"visit_day_{window}") == chosen


def test_the_visit_on_the_day_of_surgery_is_before_it_only_if_it_says_so() -> None:
    case = operated_case()
    factories.make_visit(case, "unscheduled", day=0)
    assert facts_of(case).visit_day_preop is None
    factories.make_visit(case, "preop", day=0)
    assert facts_of(case).visit_day_preop == 0


def test_days_as_reported_stand_in_for_dates() -> None:
    case = operated_case()
    factories.make_visit(case, "m12", day=370, visit_date=None, mmcs=1)
    assert (facts_of(case).visit_day_m12, facts_of(case).mmcs_m12) == (370, 1)


def test_a_visit_without_a_day_fills_the_window_it_was_entered_for() -> None:
    case = operated_case()
    factories.make_visit(
        case,
        "m12",
        visit_date=None,
        reported_day=None,
        mmcs=4,
        missing={"visit_date": "unknown"},
    )
    row = facts_of(case)
    assert (row.visit_day_m12, row.mmcs_m12, row.mmcs_last) == (None, 4, 4)
    assert row.residual_pain_m12 == "none"
    factories.make_visit(case, "m12", day=400, mmcs=2)
    assert facts_of(case).mmcs_m12 == 2


def test_the_last_visit_is_the_last_scored_by_an_examiner() -> None:
    case = operated_case()
    factories.make_visit(case, "m24", day=730, mmcs=1)
    factories.make_visit(
        case, "unscheduled", day=2500, mmcs=None, mode="phone", assessor="patient"
    )
    assert facts_of(case).visit_day_last == 730
    assert facts_of(case).followup_days == 2500


# --- scores --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [(3, 2, "improved"), (2, 2, "unchanged"), (1, 3, "worse")],
)
def test_change_of_grade(before: int, after: int, change: str) -> None:
    case = operated_case()
    factories.make_visit(case, "preop", mmcs=before)
    factories.make_visit(case, "m12", mmcs=after)
    assert facts_of(case).mmcs_change_m12 == change


def test_grades_of_different_versions_are_not_compared() -> None:
    case = operated_case()
    factories.make_visit(case, "preop", mmcs=3, mmcs_version="mccormick4")
    factories.make_visit(case, "m12", mmcs=2, mmcs_version="mod5")
    row = facts_of(case)
    assert (row.mmcs_preop, row.mmcs_m12, row.mmcs_change_m12) == (3, 2, None)


def joa(**values: Any) -> dict[str, Any]:
    full = {
        "joa_region": "thoracic11",
        "joa_le_motor": 4,
        "joa_le_sens": 2,
        "joa_trunk_sens": 2,
        "joa_bladder": 3,
    }
    return full | values


@pytest.mark.parametrize(
    ("before", "after"), [(2, 6), (5, 10), (2, 8), (4, 8), (8, 4), (11, 9), (3, 3)]
)
def test_recovery_rate_is_that_of_the_statistics(before: int, after: int) -> None:
    case = operated_case()
    factories.make_visit(case, "preop", **joa(**thoracic(before)))
    factories.make_visit(case, "m12", **joa(**thoracic(after)))
    expected = joa_recovery_rate("joa_thoracic", before, after)
    row = facts_of(case)
    assert (row.joa_total_preop, row.joa_total_m12) == (before, after)
    assert row.joa_recovery_rate_m12 == expected.percent


def thoracic(total: int) -> dict[str, int]:
    """Sub-scores of the thoracic form with this sum."""
    items = {"joa_le_motor": 4, "joa_bladder": 3, "joa_le_sens": 2, "joa_trunk_sens": 2}
    found = {}
    for name, most in items.items():
        found[name] = min(most, total)
        total -= found[name]
    return found


def test_recovery_rate_is_not_defined_between_forms() -> None:
    case = operated_case()
    cervical = {"joa_ue_motor": 4, "joa_ue_sens": 2}
    factories.make_visit(case, "preop", **joa(**thoracic(5)))
    factories.make_visit(case, "m12", **joa(joa_region="cervical17", **cervical))
    row = facts_of(case)
    assert (row.joa_total_m12, row.joa_recovery_rate_m12) == (17, None)


# --- pain ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sites", "state", "segmental"),
    [
        (None, "none", False),
        (["local_axial"], "local", False),
        (["radicular"], "local", False),
        (["mechanical_surgical_site"], "local", False),
        (["segmental_at_level"], "segmental", True),
        (["below_level"], "below_level", False),
        (["funicular"], "below_level", False),
        (["segmental_at_level", "below_level"], "mixed", True),
        (["local_axial", "segmental_at_level"], "mixed", True),
        (["other"], "none", False),
    ],
)
def test_residual_pain_by_site(
    sites: list[str] | None, state: str, segmental: bool
) -> None:
    case = operated_case()
    factories.make_visit(
        case, "m12", pain_present=sites is not None, pain_distribution=sites
    )
    row = facts_of(case)
    assert (row.residual_pain_m12, row.residual_segmental_pain_m12) == (
        state,
        segmental,
    )


def test_pain_of_unknown_site_has_no_class() -> None:
    case = operated_case()
    factories.make_visit(
        case, "m12", pain_present=True, missing={"pain_distribution": "unknown"}
    )
    row = facts_of(case)
    assert (row.pain_present_m12, row.residual_pain_m12) == (True, None)
    assert row.residual_segmental_pain_m12 is None


def test_pain_of_the_first_weeks_is_not_residual() -> None:
    case = operated_case()
    factories.make_visit(
        case,
        "unscheduled",
        day=40,
        pain_present=True,
        pain_distribution=["segmental_at_level"],
        pain_segmental_nrs=6,
        pain_nrs_kind="worst",
    )
    row = facts_of(case)
    assert (row.pain_segmental_nrs_last, row.residual_pain_last) == (6, None)


def test_intensity_is_zero_where_no_pain_was_found() -> None:
    case = operated_case()
    factories.make_visit(case, "m3", pain_present=False)
    factories.make_visit(
        case,
        "m12",
        pain_present=True,
        pain_distribution=["local_axial"],
        pain_local_nrs=3,
        pain_nrs_kind="worst",
    )
    row = facts_of(case)
    assert (row.pain_segmental_nrs_m3, row.pain_worst_nrs_m3) == (0, 0)
    assert (row.pain_segmental_nrs_m12, row.pain_worst_nrs_m12) == (0, 3)


# --- endpoints -----------------------------------------------------------------------


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
    by = factories.surgeon_of(case.centre)
    case_actions.void_record(by=by, record=study, version=1, reason="Wrong patient")
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
    follow_up(case, 600)
    follow_up(case, 5)
    die(case, 500)
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
    case_actions.update_record(
        by=factories.surgeon_of(case.centre),
        record=operation,
        values={"surgery_date": late, "discharge_date": late + timedelta(days=9)},
        version=operation.version,
    )
    row = facts_of(case)
    assert row.rfs_exclusion == "event_day_unknown"
    assert (row.recurrence_event, row.recurrence_days) == (True, None)


def test_the_death_of_a_patient_counts_for_each_tumour() -> None:
    patient = factories.make_patient()
    cases = [factories.make_case(patient=patient, operation=True) for _n in range(2)]
    die(cases[0], 400)
    assert [endpoint(case, "death") for case in cases] == [(True, 400)] * 2


# --- record --------------------------------------------------------------------------


def test_the_latest_study_before_the_operation_gives_the_features() -> None:
    case = operated_case()
    for day, border in ((-200, "smooth"), (-5, "rough")):
        seen_on = OPERATED_ON + timedelta(days=day)
        factories.make_mri(case, mri_date=seen_on, border=border)
    row = facts_of(case)
    assert (row.preop_mri_day, row.border, row.oedema_total_seg) == (-5, "rough", 0)


def test_complications_of_the_index_operation() -> None:
    case = operated_case()
    operation = case.operations.get()
    for grade in ("II", "IIIa", "I"):
        factories.make_complication(operation, clavien_dindo=grade)
    row = facts_of(case)
    assert (row.n_complications, row.clavien_dindo_max) == (3, "IIIa")


@pytest.mark.parametrize(
    ("born", "operated", "age"),
    [
        (date(1960, 3, 2), date(2015, 3, 2), 55),
        (date(1960, 3, 3), date(2015, 3, 2), 54),
        (date(2004, 2, 29), date(2021, 2, 28), 16),
        (date(2004, 2, 29), date(2021, 3, 1), 17),
    ],
)
def test_age_in_completed_years(born: date, operated: date, age: int) -> None:
    patient = factories.make_patient(birth_year=None, identity={"birth_date": born})
    case = factories.make_case(patient=patient, operation={"surgery_date": operated})
    assert (facts_of(case).age_at_surgery, facts_of(case).age_source) == (
        age,
        "birth_date",
    )


def test_age_by_year_or_as_reported() -> None:
    by_year = operated_case()
    reported = factories.make_case(
        patient=factories.make_patient(
            birth_year=None, missing={"birth_year": "unknown"}
        ),
        age_reported=41,
        operation=True,
    )
    assert (facts_of(by_year).age_at_surgery, facts_of(by_year).age_source) == (
        45,
        "birth_year",
    )
    assert (facts_of(reported).age_at_surgery, facts_of(reported).age_source) == (
        41,
        "reported",
    )


# --- when ----------------------------------------------------------------------------


def test_a_voided_visit_leaves_the_facts() -> None:
    case = operated_case()
    visit = factories.make_visit(case, "m12")
    actions.void_record(
        by=factories.surgeon_of(case.centre), record=visit, version=1, reason="Doubled"
    )
    assert facts_of(case).visit_day_m12 is None


def test_a_voided_case_has_no_facts() -> None:
    case = factories.make_case()
    by = factories.surgeon_of(case.centre)
    case_actions.void_record(by=by, record=case, version=1, reason="Entered twice")
    assert facts.facts_of(case) is None
    facts.rebuild()
    assert facts.facts_of(case) is None


def test_the_rebuild_finds_what_came_past_the_actions() -> None:
    case = operated_case()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_case SET size_cc_mm = 77 WHERE id = %s", [case.pk])
    call_command("rebuild_facts", verbosity=0)
    assert facts_of(case).size_cc_mm == 77


def test_only_outdated_facts_are_rebuilt_if_asked() -> None:
    old, fresh = operated_case(), operated_case()
    CaseFacts.objects.filter(pk=old.pk).update(definition="0", border="rough")
    CaseFacts.objects.filter(pk=fresh.pk).update(border="rough")
    assert facts.rebuild(outdated_only=True, batch=1) == 1
    assert (facts_of(old).border, facts_of(fresh).border) == (None, "rough")


def test_nothing_is_written_where_nothing_changed() -> None:
    case = operated_case()
    before = facts_of(case).refreshed_at
    facts.rebuild()
    assert facts_of(case).refreshed_at == before


def test_many_and_one_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The prepared statement for few cases and the plain one for many."""
    case = operated_case()
    factories.make_visit(case, "m12")
    one = CaseFacts.objects.filter(pk=case.pk).values().get()
    CaseFacts.objects.filter(pk=case.pk).delete()
    monkeypatch.setattr(facts, "PREPARED_UP_TO", 0)
    facts.refresh([case.pk])
    many = CaseFacts.objects.filter(pk=case.pk).values().get()
    assert one | {"refreshed_at": None} == many | {"refreshed_at": None}
