"""The life of a case: every state × every step, at the action and at the button."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from cases import actions, states
from cases.models import Case, MriStudy
from cases.states import COMPLETE, DRAFT, OPENED, STATES, VERIFIED, VOID, Step
from outcomes import actions as outcome_actions
from outcomes.models import Recurrence
from registry.models import Centre, User
from registry.permissions import Role
from registry.records import RecordLocked
from tests.factories import (
    OPERATED_ON,
    answer_everything,
    make_case,
    make_centre,
    make_complete_case,
    make_complication,
    make_mri,
    make_operation,
    make_user,
    make_verified_case,
    make_visit,
)
from tests.pages import signed_in
from tests.registry.api_client import Api

pytestmark = pytest.mark.django_db
LATE = OPERATED_ON + timedelta(days=900)


@pytest.fixture
def centre() -> Centre:
    return make_centre()


@pytest.fixture
def coordinator(centre: Centre) -> User:
    return make_user(Role.COORDINATOR, centre, password=None)


def case_in(state: str, centre: Centre, by: User) -> Case:
    """A whole case in a state, with a void visit."""
    makers: dict[str, Callable[..., Case]] = {
        DRAFT: make_case,
        COMPLETE: make_complete_case,
        VERIFIED: make_verified_case,
        OPENED: make_verified_case,
        VOID: make_case,
    }
    bare = state == VOID
    case = makers[state](
        centre, by=by, **({} if bare else {"operation": True, "mri": True})
    )
    if state == OPENED:
        case = actions.amend_case(
            by=by, case=case, version=case.version, reason="a test"
        )
    if state == VOID:
        actions.void_record(by=by, record=case, version=case.version, reason="a test")
    return Case.objects.get(pk=case.pk)


def edit(case: Case, by: User) -> None:
    actions.update_record(
        by=by, record=case, values={"remark": "changed"}, version=case.version
    )


def add(case: Case, by: User) -> None:
    make_mri(case, by=by, mri_date=OPERATED_ON - timedelta(days=9))


def void_row(case: Case, by: User) -> None:
    study = case.mri_studies.first() or make_mri_of(case)
    actions.void_record(by=by, record=study, version=study.version, reason="a test")


def restore_row(case: Case, by: User) -> None:
    study = case.mri_studies.first() or make_mri_of(case)
    MriStudy.objects.filter(pk=study.pk).update(
        voided_at=study.created_at, voided_by=by, void_reason="a test"
    )
    study.refresh_from_db()
    actions.restore_record(by=by, record=study, version=study.version, reason="a test")


def make_mri_of(case: Case) -> Any:
    """A study of a case that takes none any more."""
    study = make_mri(make_case(case.centre))
    MriStudy.objects.filter(pk=study.pk).update(case=case)
    study.refresh_from_db()
    return study


def add_follow_up(case: Case, by: User) -> None:
    make_visit(case, "m24", by=by)


def edit_follow_up(case: Case, by: User) -> None:
    visit = make_visit(case, "m24", by=by)
    outcome_actions.update_record(
        by=by, record=visit, values={"mmcs": 3}, version=visit.version
    )


def void(case: Case, by: User) -> None:
    for rows in (case.mri_studies, case.operations, case.visits):
        rows.update(voided_at=case.created_at, voided_by=by, void_reason="a test")
    actions.void_record(by=by, record=case, version=case.version, reason="a test")


def restore(case: Case, by: User) -> None:
    actions.restore_record(by=by, record=case, version=case.version, reason="a test")


def complete(case: Case, by: User) -> None:
    if case.status == DRAFT and not case.is_void:
        case = answer_everything(case, by=by)
    actions.complete_case(by=by, case=case, version=case.version)


def verify(case: Case, by: User) -> None:
    actions.verify_case(by=by, case=case, version=case.version)


def amend(case: Case, by: User) -> None:
    actions.amend_case(by=by, case=case, version=case.version, reason="a test")


STEPS: dict[Step, Callable[[Case, User], None]] = {
    Step.EDIT: edit,
    Step.ADD: add,
    Step.VOID_ROW: void_row,
    Step.RESTORE_ROW: restore_row,
    Step.ADD_FOLLOW_UP: add_follow_up,
    Step.EDIT_FOLLOW_UP: edit_follow_up,
    Step.VOID: void,
    Step.RESTORE: restore,
    Step.COMPLETE: complete,
    Step.VERIFY: verify,
    Step.AMEND: amend,
}

# What the state is afterwards; None where the step is refused. A complete case goes back
# to draft by what takes its only pre-operative MRI away or adds an unanswered row.
TABLE: dict[Step, dict[str, str | None]] = {
    #                     draft            complete            verified            opened          void
    Step.EDIT: {DRAFT: DRAFT, COMPLETE: COMPLETE, VERIFIED: None, OPENED: OPENED, VOID: None},
    Step.ADD: {DRAFT: DRAFT, COMPLETE: COMPLETE, VERIFIED: None, OPENED: OPENED, VOID: None},
    Step.VOID_ROW: {DRAFT: DRAFT, COMPLETE: DRAFT, VERIFIED: None, OPENED: DRAFT, VOID: None},
    Step.RESTORE_ROW: {DRAFT: DRAFT, COMPLETE: COMPLETE, VERIFIED: None, OPENED: OPENED, VOID: None},
    Step.ADD_FOLLOW_UP: {DRAFT: DRAFT, COMPLETE: COMPLETE, VERIFIED: VERIFIED, OPENED: OPENED, VOID: None},
    Step.EDIT_FOLLOW_UP: {DRAFT: DRAFT, COMPLETE: COMPLETE, VERIFIED: VERIFIED, OPENED: OPENED, VOID: None},
    Step.VOID: {DRAFT: VOID, COMPLETE: VOID, VERIFIED: None, OPENED: VOID, VOID: None},
    Step.RESTORE: {DRAFT: None, COMPLETE: None, VERIFIED: None, OPENED: None, VOID: DRAFT},
    Step.COMPLETE: {DRAFT: COMPLETE, COMPLETE: None, VERIFIED: None, OPENED: None, VOID: None},
    Step.VERIFY: {DRAFT: None, COMPLETE: VERIFIED, VERIFIED: None, OPENED: VERIFIED, VOID: None},
    Step.AMEND: {DRAFT: None, COMPLETE: None, VERIFIED: OPENED, OPENED: None, VOID: None},
}  # fmt: skip


def test_the_table_names_every_state_and_step() -> None:
    assert set(TABLE) == set(STEPS) == set(Step) == set(states.REFUSED)
    assert all(set(row) == set(STATES) for row in TABLE.values())


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("step", Step)
def test_every_state_and_step(
    step: Step, state: str, centre: Centre, coordinator: User
) -> None:
    case = case_in(state, centre, coordinator)
    assert states.state_of(case) == state
    expected = TABLE[step][state]
    assert bool(states.refusal(case, step)) == (expected is None)
    if expected is None:
        with pytest.raises(RecordLocked) as refused:
            STEPS[step](case, coordinator)
        assert states.refusal(case, step) in str(refused.value) or step in ROW_STEPS
        return
    STEPS[step](case, coordinator)
    assert states.state_of(Case.objects.get(pk=case.pk)) == expected


# The action that meets these may speak of the row rather than of the case.
ROW_STEPS = {Step.ADD, Step.RESTORE, Step.RESTORE_ROW}


# --- the doors


def test_a_void_case_is_verified_at_no_door(centre: Centre, coordinator: User) -> None:
    case = make_complete_case(centre, by=coordinator)
    void(case, coordinator)
    case = Case.objects.get(pk=case.pk)
    assert (case.status, case.is_void) == (COMPLETE, True)
    answer = Api(coordinator).post(
        f"cases/{case.code}/verify/", {}, if_match=f'"{case.version}"'
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "locked")
    page = signed_in(coordinator)
    page.post(reverse("cases:verify", args=[case.code]), {"version": case.version})
    assert Case.objects.get(pk=case.pk).status == COMPLETE


@pytest.mark.parametrize("state", STATES)
def test_buttons_that_do_not_work_say_why(
    state: str, centre: Centre, coordinator: User
) -> None:
    case = case_in(state, centre, coordinator)
    response = signed_in(coordinator).get(reverse("cases:detail", args=[case.code]))
    rights = response.context["rights"]
    for right in rights.values():
        assert right.allowed != bool(right.reason)
    assert rights["verify"].allowed == (TABLE[Step.VERIFY][state] is not None)
    assert not rights["void"].allowed
    if TABLE[Step.VOID][state] is not None:
        assert rights["void"].reason == "Void its operations first."
    if state != VOID:
        assert rights["void"].reason in response.content.decode()


def test_a_case_without_rows_has_a_button_to_void_it(
    centre: Centre, coordinator: User
) -> None:
    case = make_case(centre, by=coordinator)
    response = signed_in(coordinator).get(reverse("cases:detail", args=[case.code]))
    assert response.context["rights"]["void"].allowed


def test_a_case_with_a_recurrence_is_not_voided(
    centre: Centre, coordinator: User
) -> None:
    """Each kind of row holds its case, alone."""
    case = make_case(centre, by=coordinator)
    Recurrence.objects.create(
        case=case,
        code="REC-00000001",
        kind="new_lesion",
        created_by=coordinator,
        updated_by=coordinator,
    )
    with pytest.raises(ValidationError) as refused:
        actions.void_record(
            by=coordinator, record=case, version=case.version, reason="twice"
        )
    assert refused.value.error_dict["reason"][0].code == "has_parts"
    assert not Case.objects.get(pk=case.pk).is_void


# --- restore


def test_a_void_row_comes_back_with_a_reason(centre: Centre, coordinator: User) -> None:
    case = make_case(centre, by=coordinator, operation=True)
    visit = make_visit(case, by=coordinator)
    api = Api(coordinator)
    void_visit = api.post(
        f"visits/{visit.code}/void/", {"reason": "wrong patient"}, if_match='"1"'
    )
    assert void_visit.status_code == 200
    silent = api.post(f"visits/{visit.code}/restore/", {}, if_match='"2"')
    blank = api.post(f"visits/{visit.code}/restore/", {"reason": " "}, if_match='"2"')
    old = api.post(f"visits/{visit.code}/restore/", {"reason": "x"}, if_match='"1"')
    back = api.post(
        f"visits/{visit.code}/restore/", {"reason": "it was right"}, if_match='"2"'
    )
    again = api.post(f"visits/{visit.code}/restore/", {"reason": "x"}, if_match='"3"')
    assert [each.status_code for each in (silent, blank, old)] == [400, 400, 412]
    assert (back.status_code, back.json()["voided_at"]) == (200, None)
    assert again.status_code == 409
    history = signed_in(coordinator).get(reverse("cases:history", args=[case.code]))
    text = history.content.decode()
    for told in ("Voided:", "wrong patient", "Restored:", "Reason: it was right"):
        assert told in text


def test_history_tells_of_a_voiding(centre: Centre, coordinator: User) -> None:
    case = make_case(centre, by=coordinator)
    study = make_mri(case, by=coordinator)
    actions.void_record(
        by=coordinator, record=study, version=1, reason="another patient's"
    )
    history = signed_in(coordinator).get(reverse("cases:history", args=[case.code]))
    told = [
        (change["label"], change["new"])
        for entry in history.context["entries"]
        if entry["code"] == study.code
        for change in entry["changes"]
    ]
    assert told == [("Voided", "another patient's")]
    study.refresh_from_db()
    actions.restore_record(
        by=coordinator, record=study, version=2, reason="it was ours"
    )
    page = signed_in(coordinator).get(reverse("cases:history", args=[case.code]))
    entries = [each for each in page.context["entries"] if each["code"] == study.code]
    assert [each["step"] for each in entries] == ["restored", "voided", "entered"]
    assert entries[0]["changes"] == [
        {
            "label": "Restored",
            "old": None,
            "new": "counts again; it was void: another patient's",
        }
    ]


def test_void_rows_are_found_and_restored_on_the_page(
    centre: Centre, coordinator: User
) -> None:
    case = make_case(centre, by=coordinator, mri=True, operation=True)
    study = case.mri_studies.get()
    actions.void_record(by=coordinator, record=study, version=1, reason="twice")
    page = signed_in(coordinator)
    address = reverse("cases:detail", args=[case.code])
    (line,) = page.get(address).context["void_lines"]
    assert (line["record"], line["right"].allowed) == (study, True)
    restore_url = reverse("cases:restore", args=[case.code, study.code])
    page.post(restore_url, {"version": 2})
    study.refresh_from_db()
    assert study.is_void
    page.post(restore_url, {"version": 2, "reason": "it was right"})
    study.refresh_from_db()
    assert not study.is_void
    assert page.get(address).context["void_lines"] == []


def test_what_hangs_on_a_void_row_waits_for_it(
    centre: Centre, coordinator: User
) -> None:
    case = make_case(centre, by=coordinator)
    operation = make_operation(case, by=coordinator)
    complication = make_complication(operation, by=coordinator)
    hanging: tuple[Any, ...] = (complication, operation)
    for record in hanging:
        actions.void_record(by=coordinator, record=record, version=1, reason="a test")
    complication.refresh_from_db()
    with pytest.raises(RecordLocked, match=operation.code):
        actions.restore_record(
            by=coordinator, record=complication, version=2, reason="a test"
        )


def test_void_records_are_listed_for_those_who_write_or_verify(
    centre: Centre, coordinator: User
) -> None:
    case = make_case(centre, by=coordinator)
    kept = make_case(centre, by=coordinator)
    actions.void_record(by=coordinator, record=case, version=1, reason="twice")
    people = {
        "surgeon": make_user(Role.SURGEON, centre, password=None),
        "coordinator": coordinator,
        "overseer": make_user(Role.REGISTRY_COORDINATOR, password=None),
        "stranger": make_user(Role.SURGEON, password=None),
    }
    found = {}
    for name, person in people.items():
        api = Api(person)
        void_ones = api.get("cases/?voided=true").json()["results"]
        others = api.get("cases/?voided=false").json()["results"]
        found[name] = [[each["code"] for each in rows] for rows in (void_ones, others)]
    both = [[case.code], [kept.code]]
    assert found == {
        "surgeon": both,
        "coordinator": both,
        "overseer": both,
        "stranger": [[], []],
    }
    analyst = Api(make_user(Role.ANALYST, password=None))
    assert analyst.get("cases/?voided=true").status_code == 403
    for wrong in ("voided=maybe", "voided=true&updated_since=2020-01-01"):
        assert Api(coordinator).get(f"cases/?{wrong}").status_code == 400


def test_void_cases_are_found_in_the_list(centre: Centre, coordinator: User) -> None:
    case = make_case(centre, by=coordinator)
    kept = make_case(centre, by=coordinator)
    actions.void_record(by=coordinator, record=case, version=1, reason="twice")
    page, address = signed_in(coordinator), reverse("cases:list")

    def shown(query: str) -> list[str]:
        return [row["url"] for row in page.get(address + query).context["rows"]]

    assert shown("") == [reverse("cases:detail", args=[kept.code])]
    assert shown("?voided=true") == [reverse("cases:detail", args=[case.code])]
    assert page.get(address + "?voided=maybe").status_code == 400
