"""The one write path: create, correct, void, once; versions, reasons, locks."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from cases import actions as case_actions
from cases.models import Case, Operation
from registry import records
from registry.models import Submission, User
from registry.models.clinical import CODE_ALPHABET
from registry.permissions import Role
from tests.factories import make_case, make_centre, make_patient, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Case:
    return make_case()


def change(case: Case, version: int | None = None, **values: Any) -> Case:
    return records.update(
        case, by=case.created_by, values=values, version=version or case.version
    )


def codes_of(error: ValidationError) -> dict[str, str]:
    return {name: errors[0].code for name, errors in error.error_dict.items()}


# --- codes


def test_codes_are_opaque_and_readable_aloud(case: Case) -> None:
    prefix, _, rest = case.code.partition("-")
    assert (prefix, len(rest)) == ("TUM", 8)
    assert set(rest) <= set(CODE_ALPHABET)
    assert not set("ILOU") & set(CODE_ALPHABET)


def test_a_code_that_somebody_has_is_not_given_again(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = iter([case.code, case.code, "TUM-00000000"])
    monkeypatch.setattr(Case, "random_code", classmethod(lambda model: next(codes)))
    assert records.new_code(Case) == "TUM-00000000"


# --- create and correct


def test_a_new_row_has_version_1_and_its_maker(case: Case) -> None:
    assert case.version == 1
    assert case.created_by == case.updated_by
    assert case.level_span == 3  # read back from the database
    assert case.region == "cervical"


def test_a_change_counts_the_version_and_names_its_maker(case: Case) -> None:
    other = make_user(Role.SURGEON, case.centre, password=None)
    changed = records.update(case, by=other, values={"side": "L"}, version=1)
    stored = Case.objects.get(pk=case.pk)
    assert (changed.version, stored.version, stored.side) == (2, 2, "L")
    assert stored.updated_by == other
    assert stored.created_by == case.created_by
    assert stored.updated_at > case.updated_at


def test_what_derives_from_a_change_is_read_back(case: Case) -> None:
    changed = change(case, level_rostral="T5", level_caudal="T6")
    assert (changed.level_span, changed.region) == (2, "thoracic")


def test_a_change_without_difference_is_none(case: Case) -> None:
    assert change(case, side=case.side).version == 1
    assert Case.objects.get(pk=case.pk).updated_at == case.updated_at


def test_only_changed_columns_are_written(case: Case) -> None:
    stale = Case.objects.get(pk=case.pk)
    Case.objects.filter(pk=case.pk).update(remark="written meanwhile")
    change(stale, side="L")
    assert Case.objects.get(pk=case.pk).remark == "written meanwhile"


@pytest.mark.parametrize(
    "name", ["version", "code", "status", "centre", "created_by", "missing", "nonsense"]
)
def test_A10_bookkeeping_is_not_set_by_values(case: Case, name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        records.update(case, by=case.created_by, values={name: "x"}, version=1)
    assert codes_of(refused.value) == {name: "unknown_field"}


def test_the_database_is_as_before_when_validation_refuses(case: Case) -> None:
    with pytest.raises(ValidationError) as refused:
        change(case, side="nowhere", size_cc_mm=9999)
    assert codes_of(refused.value) == {
        "side": "invalid_choice",
        "size_cc_mm": "max_value",
    }
    assert Case.objects.get(pk=case.pk).version == 1


# --- unknown is data


def test_a_reason_stands_for_a_value() -> None:
    case = make_case(size_tr_mm=None, missing={"size_tr_mm": "not_done"})
    assert case.missing == {"size_tr_mm": "not_done"}
    assert "size_tr_mm" not in {field.name for field in case.incomplete_fields()}


def test_a_value_takes_its_reason_away() -> None:
    case = make_case(size_tr_mm=None, missing={"size_tr_mm": "pending"})
    changed = change(case, size_tr_mm=12)
    assert (changed.size_tr_mm, changed.missing) == (12, {})


def test_a_reason_is_withdrawn() -> None:
    case = make_case(size_tr_mm=None, missing={"size_tr_mm": "pending"})
    changed = records.update(
        case, by=case.created_by, values={}, missing={"size_tr_mm": None}, version=1
    )
    assert changed.missing == {}
    assert "size_tr_mm" in {field.name for field in changed.incomplete_fields()}


@pytest.mark.parametrize(
    ("missing", "place", "code"),
    [
        ({"size_tr_mm": "unknown"}, "size_tr_mm", "value_and_reason"),
        ({"ki67_pct": "because"}, "ki67_pct", "missing_reason"),
        ({"remark": "unknown"}, "missing", "missing_field"),
        ({"nonsense": "unknown"}, "nonsense", "unknown_field"),
    ],
)
def test_reasons_are_checked(
    case: Case, missing: dict[str, str], place: str, code: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        records.update(case, by=case.created_by, values={}, missing=missing, version=1)
    assert codes_of(refused.value) == {place: code}


# --- nobody's edit is overwritten silently


def test_C1_the_second_save_of_the_same_version_is_refused(case: Case) -> None:
    change(case, side="L", remark="first")
    with pytest.raises(records.StaleVersion) as stale:
        change(case, version=1, side="R", remark="first", ki67_pct=3)
    assert stale.value.current.side == "L"
    assert stale.value.current.version == 2
    assert set(stale.value.differing) == {"side", "ki67_pct"}
    assert Case.objects.get(pk=case.pk).side == "L"


def test_C1_a_reason_given_meanwhile_differs_as_well(case: Case) -> None:
    records.update(
        case, by=case.created_by, values={}, missing={"ki67_pct": "pending"}, version=1
    )
    with pytest.raises(records.StaleVersion) as stale:
        records.update(
            case,
            by=case.created_by,
            values={"ki67_pct": None},
            missing={"ki67_pct": "not_done"},
            version=1,
        )
    assert stale.value.differing == ["ki67_pct"]


def test_a_version_from_the_future_is_refused(case: Case) -> None:
    with pytest.raises(records.StaleVersion):
        change(case, version=2, side="L")


# --- void, never delete


def test_void_takes_a_row_out_of_every_count_and_keeps_it(case: Case) -> None:
    voided = records.void(case, by=case.created_by, version=1, reason=" entered twice ")
    assert voided.is_void
    assert (voided.version, voided.void_reason) == (2, "entered twice")
    assert not Case.objects.current().filter(pk=case.pk).exists()
    assert Case.objects.filter(pk=case.pk).exists()


@pytest.mark.parametrize("reason", ["", "   "])
def test_void_needs_a_reason(case: Case, reason: str) -> None:
    with pytest.raises(ValidationError) as refused:
        records.void(case, by=case.created_by, version=1, reason=reason)
    assert codes_of(refused.value) == {"reason": "required"}


def test_a_voided_row_does_not_change_and_does_not_rise(case: Case) -> None:
    voided = records.void(case, by=case.created_by, version=1, reason="twice")
    with pytest.raises(records.RecordLocked):
        change(voided, side="L")
    with pytest.raises(records.RecordLocked):
        records.void(voided, by=case.created_by, version=2, reason="again")


def test_void_of_an_old_version_is_refused(case: Case) -> None:
    change(case, side="L")
    with pytest.raises(records.StaleVersion):
        records.void(case, by=case.created_by, version=1, reason="twice")
    assert not Case.objects.get(pk=case.pk).is_void


def test_a_patient_with_cases_is_not_voided(case: Case) -> None:
    with pytest.raises(ValidationError) as refused:
        case_actions.void_record(
            by=case.created_by, record=case.patient, version=1, reason="twice"
        )
    assert codes_of(refused.value) == {"reason": "has_parts"}


# --- once


@pytest.fixture
def person() -> User:
    return make_user(Role.SURGEON, make_centre(), password=None)


def test_C4_the_same_key_gives_the_first_record(person: User) -> None:
    with transaction.atomic():
        submission, first = records.once(by=person, key="form:1", content={"a": 1})
        submission.record_code = "TUM-00000000"
        submission.save()
    again, second = records.once(by=person, key="form:1", content={"a": 1})
    assert (first, second) == (True, False)
    assert again.record_code == "TUM-00000000"
    assert Submission.objects.count() == 1


def test_C4_the_same_key_with_other_content_is_refused(person: User) -> None:
    records.once(by=person, key="form:1", content={"a": 1, "b": 2})
    records.once(by=person, key="form:1", content={"b": 2, "a": 1})
    with pytest.raises(records.SubmissionMismatch):
        records.once(by=person, key="form:1", content={"a": 2})


def test_C4_a_key_is_of_one_person(person: User) -> None:
    other = make_user(None, password=None)
    records.once(by=person, key="form:1", content={"a": 1})
    _submission, first = records.once(by=other, key="form:1", content={"a": 2})
    assert first


@pytest.mark.parametrize("key", ["", "x" * 81, "a\x00b", "schlüssel", "a\nb"])
def test_a_key_that_no_form_sends_is_refused(person: User, key: str) -> None:
    with pytest.raises(ValidationError):
        records.once(by=person, key=key, content={})


def test_a_key_is_free_again_when_the_save_failed(person: User) -> None:
    with pytest.raises(ValidationError), transaction.atomic():
        records.once(by=person, key="form:1", content={})
        raise ValidationError("refused")
    _submission, first = records.once(by=person, key="form:1", content={})
    assert first


# --- reading


def test_rows_are_visible_in_the_own_centre_only(case: Case) -> None:
    stranger = make_user(Role.SURGEON, password=None)
    overseer = make_user(Role.REGISTRY_COORDINATOR, password=None)
    analyst = make_user(Role.ANALYST, password=None)
    assert list(Case.objects.visible_to(case.created_by)) == [case]
    assert list(Case.objects.visible_to(overseer)) == [case]
    assert not Case.objects.visible_to(stranger).exists()
    assert not Case.objects.visible_to(analyst).exists()


def test_every_part_finds_its_centre() -> None:
    case = make_case(operation=True)
    stranger = make_user(Role.SURGEON, password=None)
    assert Operation.objects.visible_to(case.created_by).exists()
    assert not Operation.objects.visible_to(stranger).exists()


def test_nothing_is_hung_on_a_voided_patient(person: User) -> None:
    patient = make_patient(person.memberships.get().centre, by=person)
    records.void(patient, by=person, version=1, reason="entered twice")
    patient.refresh_from_db()
    with pytest.raises(records.RecordLocked):
        make_case(patient=patient, by=person)
