"""What a case must have: fields and rows, operated or not, at every write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from cases import actions, completeness
from cases.models import Case
from outcomes import actions as outcome_actions
from outcomes.views.case_lacking import NEW
from outcomes.views.case_list import with_parts
from registry.models import Centre, User
from registry.permissions import Role
from tests.factories import (
    answer_everything,
    make_case,
    make_centre,
    make_complete_case,
    make_mri,
    make_operation,
    make_patient,
    make_user,
    make_visit,
    make_vital_status,
)
from tests.pages import form_data, signed_in
from tests.registry.api_client import Api, codes_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def centre() -> Centre:
    return make_centre()


@pytest.fixture
def surgeon(centre: Centre) -> User:
    return make_user(Role.SURGEON, centre, password=None)


def lacking(case: Case) -> set[str]:
    """Names of the required rows that are missing."""
    gaps = completeness.of_case(completeness.loaded(case.pk)).gaps
    return {gap.row.name for gap in gaps if gap.row}


def whole_case(centre: Centre, by: User) -> Case:
    """An operated case with every row that it must have."""
    case = make_case(centre, by=by, operation=True, mri=True)
    make_mri(case, by=by, purpose="postop_3m")
    make_visit(case, "preop", by=by)
    make_visit(case, "discharge", by=by)
    make_vital_status(case.patient, by=by)
    return case


def test_every_required_row_has_a_place_to_be_entered_and_a_reason() -> None:
    names = {required.name for required in completeness.REQUIRED_ROWS}
    assert names == set(Case.ROWS_WITH_REASON) == set(NEW)


def test_a_tumour_alone_is_far_from_complete(centre: Centre, surgeon: User) -> None:
    case = make_case(centre, by=surgeon)
    found = completeness.of_case(completeness.loaded(case.pk))
    assert lacking(case) == {
        "preop_mri",
        "index_operation",
        "preop_visit",
        "discharge_visit",
        "vital_status",
    }
    assert found.percent < 50
    with pytest.raises(ValidationError) as refused:
        actions.complete_case(by=surgeon, case=case, version=1)
    assert refused.value.error_dict["status"][0].code == "incomplete"


def test_an_operated_case_is_complete_with_its_rows(
    centre: Centre, surgeon: User
) -> None:
    case = whole_case(centre, surgeon)
    found = completeness.of_case(completeness.loaded(case.pk))
    assert (found.gaps, found.percent) == ((), 100)
    done = actions.complete_case(by=surgeon, case=case, version=case.version)
    assert done.status == "complete"


def test_the_extent_asks_for_the_mri_it_was_read_on(
    centre: Centre, surgeon: User
) -> None:
    case = make_case(centre, by=surgeon)
    make_operation(case, by=surgeon, eor_mri="not_assessed")
    assert "postop_mri" not in lacking(case)
    operation = case.operations.get()
    actions.update_record(
        by=surgeon, record=operation, values={"eor_mri": "gtr"}, version=1
    )
    assert "postop_mri" in lacking(case)


def test_a_case_that_was_not_operated_on_says_so(centre: Centre, surgeon: User) -> None:
    case = make_case(centre, by=surgeon)
    actions.update_record(
        by=surgeon,
        record=case,
        values={},
        missing={"index_operation": "not_done"},
        version=1,
    )
    assert lacking(case) == {"preop_mri", "preop_visit", "vital_status"}


def test_a_row_that_is_entered_takes_its_reason_away(
    centre: Centre, surgeon: User
) -> None:
    case = make_case(centre, by=surgeon)
    actions.update_record(
        by=surgeon,
        record=case,
        values={},
        missing={"index_operation": "pending", "preop_mri": "unknown"},
        version=1,
    )
    make_operation(case, by=surgeon)
    case.refresh_from_db()
    assert case.missing == {"preop_mri": "unknown"}


@pytest.mark.parametrize("name", Case.ROWS_WITH_REASON)
def test_a_reason_for_a_row_that_exists_is_refused(
    name: str, centre: Centre, surgeon: User
) -> None:
    case = whole_case(centre, surgeon)
    answer = Api(surgeon).patch(
        f"cases/{case.code}/", {"missing": {name: "not_done"}}, case.version
    )
    assert answer.status_code == 400
    assert codes_of(answer) == {name: "value_and_reason"}


def test_the_page_says_what_is_missing_and_takes_a_reason(
    centre: Centre, surgeon: User
) -> None:
    case = make_case(centre, by=surgeon)
    page = signed_in(surgeon)
    address = reverse("cases:detail", args=[case.code])
    shown = page.get(address)
    rows = {line["row"] for line in shown.context["lacking"] if line["row"]}
    assert rows == lacking(case)
    for line in shown.context["lacking"]:
        assert page.get(line["url"]).status_code == 200
    page.post(
        reverse("cases:say-none", args=[case.code]),
        {"version": case.version, "row": "preop_mri", "why": "not_done"},
    )
    shown = page.get(address)
    assert [line["row"] for line in shown.context["stated"]] == ["preop_mri"]
    case.refresh_from_db()
    page.post(
        reverse("cases:say-none", args=[case.code]),
        {"version": case.version, "row": "preop_mri", "why": ""},
    )
    case.refresh_from_db()
    assert case.missing == {}


def test_page_and_worklist_tell_the_same(centre: Centre, surgeon: User) -> None:
    case = make_case(centre, by=surgeon, operation=True)
    make_visit(case, by=surgeon, gait=None)
    page = signed_in(surgeon)
    whole = page.get(reverse("cases:detail", args=[case.code])).context["whole"]
    worklist = page.get(reverse("outcomes:worklist")).content.decode()
    assert f"{len(whole.gaps)} answers missing" in worklist


def test_the_list_counts_the_same_answers(centre: Centre, surgeon: User) -> None:
    """The column may be left out of the list; what it shows is the page's number."""
    case = make_case(centre, by=surgeon, operation=True)
    page = signed_in(surgeon)
    whole = page.get(reverse("cases:detail", args=[case.code])).context["whole"]
    (listed,) = with_parts(Case.objects.filter(pk=case.pk))
    assert completeness.of_case(listed).percent == whole.percent


# --- held at every write


def blank(case: Case, by: User, name: str) -> None:
    actions.update_record(by=by, record=case, values={name: None}, version=case.version)


def void_mri(case: Case, by: User) -> None:
    study = case.mri_studies.get(purpose="preop")
    actions.void_record(by=by, record=study, version=study.version, reason="a test")


def void_baseline(case: Case, by: User) -> None:
    visit = case.visits.get(visit_type="preop")
    outcome_actions.void_record(
        by=by, record=visit, version=visit.version, reason="a test"
    )


def lose_extent(case: Case, by: User) -> None:
    operation = case.operations.get()
    actions.update_record(
        by=by, record=operation, values={"eor_mri": None}, version=operation.version
    )


def lose_sex(case: Case, by: User) -> None:
    patient = case.patient
    actions.update_record(
        by=by, record=patient, values={"sex": None}, version=patient.version
    )


def forget_vital(case: Case, by: User) -> None:
    status: Any = case.patient.vital_status_record
    outcome_actions.void_record(
        by=by, record=status, version=status.version, reason="a test"
    )


BREAKING: dict[str, Callable[[Case, User], Any]] = {
    "compartment lost": lambda case, by: blank(case, by, "compartment"),
    "histology lost": lambda case, by: blank(case, by, "histology_who2021"),
    "sex lost": lose_sex,
    "extent lost": lose_extent,
    "operation without extent": lambda case, by: make_operation(
        case,
        by=by,
        index_operation=False,
        eor_mri=None,
        surgery_date=None,
        discharge_date=None,
    ),
    "MRI without a reading": lambda case, by: make_mri(case, by=by, border=None),
    "visit without a gait": lambda case, by: make_visit(case, "m24", by=by, gait=None),
    "only MRI voided": void_mri,
    "baseline visit voided": void_baseline,
    "vital status voided": forget_vital,
}


@pytest.mark.parametrize("change", BREAKING)
def test_a_change_that_breaks_completeness_returns_the_case_to_draft(
    change: str, centre: Centre, surgeon: User
) -> None:
    case = whole_case(centre, surgeon)
    case = actions.complete_case(by=surgeon, case=case, version=case.version)
    BREAKING[change](case, surgeon)
    case = Case.objects.get(pk=case.pk)
    assert case.status == "draft"
    history = signed_in(surgeon).get(reverse("cases:history", args=[case.code]))
    assert "Incomplete since this change" in history.content.decode()
    coordinator = Api(make_user(Role.COORDINATOR, centre, password=None))
    asked = coordinator.post(
        f"cases/{case.code}/verify/", {}, if_match=f'"{case.version}"'
    )
    assert asked.status_code == 409


def test_a_change_that_breaks_nothing_leaves_it_complete(
    centre: Centre, surgeon: User
) -> None:
    case = make_complete_case(centre, by=surgeon)
    actions.update_record(
        by=surgeon, record=case, values={"remark": "seen"}, version=case.version
    )
    assert Case.objects.get(pk=case.pk).status == "complete"


def test_the_person_is_told_at_the_form(centre: Centre, surgeon: User) -> None:
    case = make_complete_case(centre, by=surgeon)
    page = signed_in(surgeon)
    address = reverse("cases:edit-tumour", args=[case.code])
    sent = form_data(page.get(address)) | {"side": ""}
    text = page.post(address, sent, follow=True).content.decode()
    assert "is a draft again" in text
    assert "Side" in text


def test_verification_asks_again(centre: Centre, surgeon: User) -> None:
    """Whatever way the rows came to be, verifying looks at them itself."""
    case = make_complete_case(centre, by=surgeon)
    Case.objects.filter(pk=case.pk).update(side=None)
    coordinator = make_user(Role.COORDINATOR, centre, password=None)
    with pytest.raises(ValidationError) as refused:
        actions.verify_case(by=coordinator, case=case, version=case.version)
    assert refused.value.error_dict["status"][0].code == "incomplete"


def test_rows_that_contradict_each_other_are_not_complete(
    centre: Centre, surgeon: User
) -> None:
    """What came in past the actions is found on the page and before completing."""
    case = answer_everything(make_case(centre, by=surgeon, operation=True), by=surgeon)
    case.operations.update(surgery_date="1950-01-01", discharge_date=None)
    page = signed_in(surgeon).get(reverse("cases:detail", args=[case.code]))
    assert "R02" in {line["rule"] for line in page.context["findings"]}
    assert not page.context["rights"]["complete"].allowed
    with pytest.raises(ValidationError) as refused:
        actions.complete_case(by=surgeon, case=case, version=case.version)
    assert refused.value.error_dict["status"][0].code in {"contradiction", "incomplete"}


def test_an_old_contradiction_does_not_stop_other_work(
    centre: Centre, surgeon: User
) -> None:
    case = make_case(centre, by=surgeon, operation=True)
    case.operations.update(surgery_date="1950-01-01", discharge_date=None)
    patient = case.patient
    actions.update_record(
        by=surgeon, record=patient, values={"smoking": "never"}, version=1
    )
    with pytest.raises(ValidationError) as refused:
        actions.update_record(
            by=surgeon, record=patient, values={"birth_year": 1975}, version=2
        )
    assert (
        refused.value.error_dict["birth_year"][0].code == "R02_operation_before_birth"
    )
    other = make_patient(centre, by=surgeon)
    assert other.pk
