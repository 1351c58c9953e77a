"""The published cases enter through the actions of everybody else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from cases.models import Case, Operation
from outcomes.importing import published
from outcomes.models import Visit, VitalStatus
from registry.levels import parse_level_range

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def reports(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[dict[str, published.RowReport]]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield {report.source_id: report for report in published.load()}
        transaction.set_rollback(True)


def case_of(report: published.RowReport) -> Case:
    return Case.objects.get(code=report.case_code)


def test_every_row_is_entered_and_reported(
    reports: dict[str, published.RowReport],
) -> None:
    assert len(reports) == 19
    assert all(report.taken for report in reports.values())
    assert Case.objects.count() == 19


def test_second_run_enters_nothing(reports: dict[str, published.RowReport]) -> None:
    again = published.load()
    assert all(report.already_there for report in again)
    assert {r.case_code for r in again} == {r.case_code for r in reports.values()}
    assert Case.objects.count() == 19


def test_a_blank_is_unknown_and_never_no(
    reports: dict[str, published.RowReport],
) -> None:
    case = case_of(reports["IMS05"])
    assert case.patient.sex is None
    assert case.patient.missing["sex"] == "unknown"
    assert case.patient.missing["nf_status"] == "unknown"
    assert case.level_rostral == "C2"


def test_autopsy_case_has_no_operation(
    reports: dict[str, published.RowReport],
) -> None:
    case = case_of(reports["IMS13"])
    assert not Operation.objects.filter(case=case).exists()
    assert VitalStatus.objects.get(patient=case.patient).vital_status == "dead"
    assert Operation.objects.count() == 18
    assert any("no operation" in line for line in reports["IMS13"].not_taken)


def test_d_levels_become_t_levels(reports: dict[str, published.RowReport]) -> None:
    conus = case_of(reports["IMS06"])
    assert (conus.level_rostral, conus.level_caudal) == ("T11", "L2")
    assert conus.region == "conus"
    operation = Operation.objects.get(case=case_of(reports["IMS07"]))
    assert (operation.levels_opened_from, operation.levels_opened_to) == ("T1", "T7")
    assert parse_level_range("D1-D7") == ("T1", "T7")


def test_what_no_field_can_hold_is_reported(
    reports: dict[str, published.RowReport],
) -> None:
    said = " ".join(reports["IMS01"].not_taken)
    assert "approach_as_printed" in said
    operation = Operation.objects.get(case=case_of(reports["IMS01"]))
    assert operation.bone_work is None
    assert operation.missing["bone_work"] == "unknown"
    assert operation.eor_surgeon == "gtr"
    assert operation.eor_mri is None


def test_follow_up_without_dates_keeps_its_days(
    reports: dict[str, published.RowReport],
) -> None:
    visit = Visit.objects.get(case=case_of(reports["IMS01"]), visit_type="last")
    assert visit.reported_day == 1096
    assert visit.visit_date is None
    assert visit.missing["visit_date"] == "unknown"


def test_cases_are_complete_because_every_blank_has_a_reason(
    reports: dict[str, published.RowReport],
) -> None:
    assert set(Case.objects.values_list("status", flat=True)) == {"complete"}
