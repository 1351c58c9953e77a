"""The synthetic registry obeys the record's rules and its own stated truth."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from django.db import transaction
from django.db.models import F
from pytest_django.plugin import DjangoDbBlocker

from cases import completeness, writing
from cases.models import (
    Case,
    Complication,
    MriStudy,
    Operation,
    Patient,
    PatientIdentity,
)
from outcomes.models import Recurrence, Visit, VitalStatus
from outcomes.synthetic import parameters
from outcomes.synthetic.draw import draw_course
from outcomes.synthetic.load import load, unique_codes
from outcomes.synthetic.parameters import Size
from registry.models import Centre, User

pytestmark = pytest.mark.django_db
TABLES = (
    Patient,
    PatientIdentity,
    Case,
    MriStudy,
    Operation,
    Complication,
    Visit,
    Recurrence,
    VitalStatus,
)


@pytest.fixture(scope="module", autouse=True)
def registry(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    with django_db_blocker.unblock(), transaction.atomic():
        by = User.objects.create_user("seeder@x.example", None, name="Seeder")
        centres = [Centre.objects.create(code=f"X{n}", name=f"X {n}") for n in range(3)]
        load(Size(400, 3, 7), [centre.pk for centre in centres], by.pk)
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("model", TABLES)
def test_rows_pass_the_rules_of_every_door(model: type[Patient]) -> None:
    rows = list(model.objects.order_by("?")[:40])
    assert rows
    for row in rows:
        row.full_clean()


@pytest.mark.parametrize("model", [m for m in TABLES if m is not PatientIdentity])
def test_needed_fields_have_a_value_or_a_reason(model: type[Patient]) -> None:
    for row in model.objects.order_by("?")[:40]:
        assert [field.name for field in row.incomplete_fields()] == []


def test_the_stated_schwannomas_are_there() -> None:
    ims = Case.objects.filter(
        compartment="intramedullary",
        histology_who2021="schwannoma",
        operations__eor_mri="gtr",
    )
    assert ims.count() >= 19
    assert not Recurrence.objects.filter(case__in=ims).exists()


def test_cases_are_whole_and_agree_with_every_rule() -> None:
    for case in Case.objects.all()[:60]:
        assert completeness.of_case(completeness.loaded(case.pk)).labels == []
        assert [each.text for each in writing.findings(case) if each.is_error] == []


def test_old_operations_known_by_their_month_agree_with_every_rule() -> None:
    vague = Operation.objects.filter(precision__surgery_date="month")
    assert 1 <= vague.count() < 20
    for operation in vague:
        assert operation.surgery_date.text < parameters.EXACT_FROM
        operation.full_clean()
        found = writing.findings(operation.case)
        assert [each.text for each in found if each.is_error] == []


def test_every_row_left_its_history() -> None:
    for model in TABLES:
        events = model._meta.apps.get_model(
            model._meta.app_label, f"{model.__name__}Event"
        )
        assert events.objects.count() >= model.objects.count(), model


def test_history_names_the_person_who_loaded_the_rows() -> None:
    """Not nobody, and not whoever wrote before in the same transaction."""
    seeder = User.objects.get(email="seeder@x.example")
    contexts = Case.pgh_event_model.objects.values_list("pgh_context__metadata__user")
    assert set(contexts) == {(seeder.pk,)}


def test_centre_of_case_is_the_patients() -> None:
    assert not Case.objects.exclude(centre=F("patient__centre")).exists()


def test_names_cannot_be_taken_for_a_persons() -> None:
    assert set(PatientIdentity.objects.values_list("family_name", flat=True)) == {
        "Synthetic"
    }


def test_same_seed_same_cases() -> None:
    first = draw_course(np.random.default_rng([7, 0]), 500, 19)
    second = draw_course(np.random.default_rng([7, 0]), 500, 19)
    other = draw_course(np.random.default_rng([8, 0]), 500, 19)
    assert (first.operated == second.operated).all()
    assert (first.last_day == second.last_day).all()
    assert (first.operated != other.operated).any()


def test_shares_of_tumours_are_the_stated_ones() -> None:
    course = draw_course(np.random.default_rng(3), 200_000, 0)
    found = np.bincount(course.kind, minlength=len(parameters.KINDS)) / 200_000
    shares = np.array([kind.share for kind in parameters.KINDS])
    assert found == pytest.approx(shares / shares.sum(), abs=0.005)


def test_codes_never_repeat() -> None:
    codes = unique_codes(Patient, 0, 300_000)
    assert len(set(codes)) == 300_000
