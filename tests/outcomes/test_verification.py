"""What a verification covers stays as it was; follow-up goes on and is verified again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from cases import actions as case_actions
from cases import completeness, verification
from cases.models import Case
from outcomes import actions
from outcomes.models import CaseFacts
from registry.models import Centre, User
from registry.permissions import Role
from registry.records import RecordLocked
from tests.factories import (
    OPERATED_ON,
    answer_everything,
    make_case,
    make_centre,
    make_complication,
    make_mri,
    make_operation,
    make_recurrence,
    make_user,
    make_visit,
    make_vital_status,
)
from tests.pages import signed_in
from tests.registry.api_client import Api

pytestmark = pytest.mark.django_db


def day(number: int) -> date:
    return OPERATED_ON + timedelta(days=number)


@pytest.fixture
def centre() -> Centre:
    return make_centre()


@pytest.fixture
def surgeon(centre: Centre) -> User:
    return make_user(Role.SURGEON, centre, password=None)


@pytest.fixture
def coordinator(centre: Centre) -> User:
    return make_user(Role.COORDINATOR, centre, password=None)


@pytest.fixture
def case(centre: Centre, surgeon: User, coordinator: User) -> Case:
    """Verified with visits until day 365, an MRI of day 400, alive on day 420."""
    case = make_case(centre, by=surgeon, operation=True, mri=True)
    make_complication(case.operations.get(), by=surgeon)
    for kind in ("preop", "discharge", "m12"):
        make_visit(case, kind, by=surgeon)
    make_mri(case, by=surgeon, purpose="followup", mri_date=day(400))
    make_vital_status(case.patient, by=surgeon, last_contact_date=day(420))
    case = case_actions.complete_case(by=surgeon, case=case, version=case.version)
    return verify(case, coordinator)


def verify(case: Case, by: User) -> Case:
    case = Case.objects.get(pk=case.pk)
    return case_actions.verify_case(by=by, case=case, version=case.version)


def covered_rows(case: Case) -> list[Any]:
    case = completeness.loaded(case.pk)
    rows = [row for rows in completeness.SECTIONS.values() for row in rows(case)]
    return [row for row in rows if row._meta.model_name != "vitalstatus"]


def test_no_covered_row_is_edited_or_voided_at_any_door(
    case: Case, surgeon: User
) -> None:
    rows = covered_rows(case)
    assert {row._meta.model_name for row in rows} == {
        "patient",
        "case",
        "mristudy",
        "operation",
        "complication",
        "visit",
    }
    api, page = Api(surgeon), signed_in(surgeon)
    routes = {
        "patient": "patients",
        "case": "cases",
        "mristudy": "mri-studies",
        "operation": "operations",
        "complication": "complications",
        "visit": "visits",
    }
    for row in rows:
        path = f"{routes[row._meta.model_name]}/{row.code}/"
        version = f'"{row.version}"'
        words = "remark" if hasattr(row, "remark") else "nf_as_recorded"
        changed = api.patch(path, {words: "changed"}, row.version)
        voided = api.post(f"{path}void/", {"reason": "x"}, if_match=version)
        assert (changed.status_code, changed.json()["code"]) == (409, "locked")
        assert (voided.status_code, voided.json()["code"]) == (409, "locked")
        stored = type(row).objects.get(pk=row.pk)
        assert (stored.version, stored.is_void) == (row.version, False)
    visit = case.visits.filter(visit_type="m12").get()
    address = reverse("outcomes:visit-edit", args=[case.code, visit.code])
    assert page.get(address).status_code == 302


def test_a_covered_visit_is_edited_once_the_case_is_opened(
    case: Case, surgeon: User, coordinator: User
) -> None:
    visit = case.visits.get(visit_type="m12")
    with pytest.raises(RecordLocked):
        actions.update_record(by=surgeon, record=visit, values={"mmcs": 3}, version=1)
    case_actions.amend_case(
        by=surgeon, case=case, version=case.version, reason="typing error"
    )
    actions.update_record(by=surgeon, record=visit, values={"mmcs": 3}, version=1)
    assert verify(case, coordinator).status == "verified"


ADDED: dict[str, Callable[[Case, User], Any]] = {
    "later visit": lambda case, by: make_visit(case, "m24", by=by),
    "later MRI": lambda case, by: make_mri(
        case, by=by, purpose="followup", mri_date=day(800)
    ),
    "later recurrence": lambda case, by: make_recurrence(case, by=by, day=800),
    "later operation": lambda case, by: make_operation(
        case, by=by, index_operation=False, surgery_date=day(900)
    ),
    "complication of a later operation": lambda case, by: make_complication(
        make_operation(case, by=by, index_operation=False, surgery_date=day(900)),
        by=by,
    ),
    "later contact": lambda case, by: vital(case, by, last_contact_date=day(900)),
    "death": lambda case, by: vital(
        case,
        by,
        vital_status="dead",
        death_date=day(900),
        death_cause="other",
    ),
}
REFUSED: dict[str, Callable[[Case, User], Any]] = {
    "baseline visit": lambda case, by: make_visit(case, "preop", by=by, day=-30),
    "visit before the last one verified": lambda case, by: make_visit(
        case, "m6", by=by
    ),
    "visit in a window that is verified": lambda case, by: make_visit(
        case, "unscheduled", by=by, day=366
    ),
    "visit without a day": lambda case, by: make_visit(
        case, "m24", by=by, visit_date=None, reported_day=None
    ),
    "pre-operative MRI": lambda case, by: make_mri(case, by=by),
    "MRI before the last one verified": lambda case, by: make_mri(
        case, by=by, purpose="followup", mri_date=day(200)
    ),
    "MRI without a day": lambda case, by: make_mri(
        case, by=by, purpose="followup", mri_date=None
    ),
    "recurrence on an MRI that was verified": lambda case, by: make_recurrence(
        case, by=by, day=400
    ),
    "operation on the day of the first": lambda case, by: make_operation(
        case, by=by, index_operation=False
    ),
    "complication of the index operation": lambda case, by: make_complication(
        case.operations.get(), by=by
    ),
    "contact taken back": lambda case, by: vital(case, by, last_contact_date=day(410)),
    "death before the last contact": lambda case, by: vital(
        case, by, vital_status="dead", death_date=day(410), death_cause="other"
    ),
    "contact forgotten": lambda case, by: vital(case, by, last_contact_date=None),
}
# Columns of the facts that grow with follow-up by their nature.
GROWING = (
    *("_last", "last_", "followup", "rfs_", "pfs_", "ttr_", "ttp_", "death", "lost_"),
    *("recurrence", "regrowth", "n_", "_missing", "visit_status"),
)
BOOKKEEPING = ("case_id", "refreshed_at", "updated", "version")


def vital(case: Case, by: User, **values: Any) -> Any:
    status: Any = type(case.patient).objects.get(pk=case.patient_id)
    status = status.vital_status_record
    if values.get("vital_status") == "dead":
        values.setdefault("last_contact_date", None)
    return actions.update_record(
        by=by, record=status, values=values, version=status.version
    )


def verified_numbers(case: Case) -> dict[str, Any]:
    row = CaseFacts.objects.filter(pk=case.pk).values().get()
    return {
        name: value
        for name, value in row.items()
        if not any(part in name for part in (*GROWING, *BOOKKEEPING))
    }


@pytest.mark.parametrize("what", ADDED)
def test_what_is_added_changes_no_verified_number_and_is_told(
    what: str, case: Case, surgeon: User, coordinator: User
) -> None:
    before = verified_numbers(case)
    assert before["mmcs_m12"] == 2
    ADDED[what](case, surgeon)
    assert Case.objects.get(pk=case.pk).status == "verified"
    after = verified_numbers(case)
    changed = {
        name
        for name, value in before.items()
        if value is not None and after[name] != value
    }
    assert changed <= {"vital_status"}

    page = signed_in(coordinator).get(reverse("cases:detail", args=[case.code]))
    assert page.context["added_since"]
    assert "since the verification" in page.content.decode()
    assert "Verify again" in page.content.decode()


@pytest.mark.parametrize("what", REFUSED)
def test_what_would_change_verified_numbers_takes_opening_the_case(
    what: str, case: Case, surgeon: User
) -> None:
    before = CaseFacts.objects.filter(pk=case.pk).values().get()
    with pytest.raises(RecordLocked, match=case.code):
        REFUSED[what](case, surgeon)
    assert CaseFacts.objects.filter(pk=case.pk).values().get() == before


def test_a_row_added_since_may_be_corrected_until_it_is_verified_again(
    case: Case, surgeon: User, coordinator: User
) -> None:
    with pytest.raises(RecordLocked, match="nothing was added"):
        verify(case, coordinator)
    visit = make_visit(case, "m24", by=surgeon)
    visit = actions.update_record(
        by=surgeon, record=visit, values={"mmcs": 3}, version=1
    )
    with pytest.raises(RecordLocked):
        actions.update_record(
            by=surgeon, record=visit, values={"visit_date": day(100)}, version=2
        )
    loaded = completeness.loaded(case.pk)
    assert verification.added_since(loaded) == [visit]
    again = verify(case, coordinator)
    assert again.verified_at is not None
    assert verification.added_since(completeness.loaded(case.pk)) == []
    with pytest.raises(RecordLocked):
        actions.update_record(by=surgeon, record=visit, values={"mmcs": 2}, version=2)


def test_an_unanswered_addition_is_not_verified_again(
    case: Case, surgeon: User, coordinator: User
) -> None:
    make_visit(case, "m24", by=surgeon, gait=None)
    with pytest.raises(ValidationError) as refused:
        verify(case, coordinator)
    assert refused.value.error_dict["status"][0].code == "incomplete"


def test_only_a_coordinator_verifies_again(case: Case, surgeon: User) -> None:
    make_visit(case, "m24", by=surgeon)
    case = Case.objects.get(pk=case.pk)
    answer = Api(surgeon).post(
        f"cases/{case.code}/verify/", {}, if_match=f'"{case.version}"'
    )
    assert answer.status_code == 403


def test_a_row_voided_before_verification_does_not_come_back(
    centre: Centre, surgeon: User, coordinator: User
) -> None:
    case = make_case(centre, by=surgeon, operation=True, mri=True)
    visit = make_visit(case, "m12", by=surgeon)
    actions.void_record(by=surgeon, record=visit, version=1, reason="a test")
    case = answer_everything(case, by=surgeon)
    case = case_actions.complete_case(by=surgeon, case=case, version=case.version)
    verify(case, coordinator)
    with pytest.raises(RecordLocked):
        actions.restore_record(
            by=surgeon, record=visit, version=2, reason="it was right"
        )


def test_a_window_before_verified_follow_up_is_not_offered(
    case: Case, surgeon: User
) -> None:
    """The page says why; what it offers is accepted."""
    page = signed_in(surgeon)
    context = page.get(reverse("cases:detail", args=[case.code])).context
    lines = {line["type"]: line for line in context["timeline"] if "type" in line}
    assert {"m3", "m6", "m24"} <= set(lines)
    new = reverse("outcomes:visit-new", args=[case.code])
    html = page.get(reverse("cases:detail", args=[case.code])).content.decode()
    for kind in ("m3", "m6"):
        assert "is verified" in lines[kind]["right"].reason
        assert f'href="{new}?type={kind}"' not in html
        with pytest.raises(RecordLocked):
            at = lines[kind]["expected"].until
            values = {"visit_type": kind, "visit_date": at}
            actions.create_visit(by=surgeon, case=case, values=values)
    assert lines["m24"]["right"].allowed
    assert f'href="{new}?type=m24"' in html
    sent = {"visit_type": "m24", "visit_date": str(lines["m24"]["expected"].on)}
    assert page.post(new, sent).status_code == 302
