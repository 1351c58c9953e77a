"""The derived facts: windows, changes of score, pain, age, the record."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from cases.models import Case
from outcomes import facts
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


def test_the_last_grade_is_the_last_that_was_given() -> None:
    case = operated_case()
    factories.make_visit(case, "m24", day=730, mmcs=1)
    factories.make_visit(
        case, "unscheduled", day=2500, mmcs=None, mode="phone", assessor="patient"
    )
    row = facts_of(case)
    assert (row.mmcs_last, row.mmcs_last_day, row.visit_day_last) == (1, 730, 2500)
    assert row.followup_days == 2500


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
