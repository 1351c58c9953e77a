"""Drafts: kept for one person and one form, bound to the patient, gone with the right."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cases import drafts
from cases.models import Case, Draft, Patient
from outcomes.models import Visit
from registry.models import Centre, User
from registry.permissions import Role
from tests.factories import (
    make_case,
    make_centre,
    make_complication,
    make_mri,
    make_recurrence,
    make_user,
    make_visit,
)
from tests.pages import signed_in

pytestmark = pytest.mark.django_db
TYPED = "typed and nowhere else"


@pytest.fixture
def centre() -> Centre:
    return make_centre()


@pytest.fixture
def surgeon(centre: Centre) -> User:
    return make_user(Role.SURGEON, centre)


@pytest.fixture
def page(surgeon: User) -> Client:
    return signed_in(surgeon)


@pytest.fixture
def case(centre: Centre) -> Case:
    return make_case(centre, operation=True, mri=True)


def keep(client: Client, address: str, version: Any = 0, **typed: Any) -> Any:
    sent = {"keep_draft": "1", "draft_version": version} | typed
    return client.post(address, sent)


def new_visit(case: Case, kind: str = "") -> str:
    address = reverse("outcomes:visit-new", args=[case.code])
    return f"{address}?type={kind}" if kind else address


def shows(client: Client, address: str) -> bool:
    return TYPED in client.get(address).content.decode()


# --- back where it was typed


def forms_of(case: Case) -> dict[str, tuple[str, str]]:
    """Every form about a case, with a free text of it: name to (address, control)."""
    operation = case.operations.get()
    rows = {
        "mri": make_mri(case, purpose="followup").code,
        "operation": operation.code,
        "complication": make_complication(operation).code,
        "visit": make_visit(case).code,
        "recurrence": make_recurrence(case).code,
    }
    code = case.code
    under = [code, operation.code]
    return {
        "tumour": (reverse("cases:edit-tumour", args=[code]), "remark"),
        "patient": (reverse("cases:edit-patient", args=[code]), "nf_as_recorded"),
        "identity": (reverse("cases:edit-identity", args=[code]), "family_name"),
        "new mri": (reverse("cases:mri-new", args=[code]), "remark"),
        "mri": (reverse("cases:mri-edit", args=[code, rows["mri"]]), "remark"),
        "new operation": (reverse("cases:operation-new", args=[code]), "remark"),
        "operation": (reverse("cases:operation-edit", args=under), "remark"),
        "new complication": (reverse("cases:complication-new", args=under), "remark"),
        "complication": (
            reverse("cases:complication-edit", args=[*under, rows["complication"]]),
            "remark",
        ),
        "new visit": (new_visit(case), "remark"),
        "visit at 2 years": (new_visit(case, "m24"), "remark"),
        "visit at 5 years": (new_visit(case, "m60"), "remark"),
        "visit": (reverse("outcomes:visit-edit", args=[code, rows["visit"]]), "remark"),
        "new recurrence": (reverse("outcomes:recurrence-new", args=[code]), "remark"),
        "recurrence": (
            reverse("outcomes:recurrence-edit", args=[code, rows["recurrence"]]),
            "remark",
        ),
        "vital": (reverse("outcomes:vital", args=[code]), "death_date"),
        "further tumour": (
            f"{reverse('cases:new')}?patient={case.patient.code}",
            "remark",
        ),
        "new case": (reverse("cases:new"), "remark"),
    }


def test_a_draft_stands_in_its_own_form_and_in_no_other(
    page: Client, centre: Centre, case: Case
) -> None:
    """Form, row, kind of visit, what it hangs on, tumour and patient: all at once.

    Another text is kept in every form there is of three tumours, two of one patient;
    each page shows its own and none of the others.
    """
    other = make_case(centre, operation=True, mri=True)
    second = make_case(patient=case.patient, operation=True)
    addresses = dict(
        form for each in (case, other, second) for form in forms_of(each).values()
    )
    texts = {address: f"text{n:03}" for n, address in enumerate(addresses)}
    opened = {
        address: keep(page, address, **{control: texts[address]}).json()["open_url"]
        for address, control in addresses.items()
    }
    assert len(addresses) == 3 * 17  # the further tumour of one patient is one form
    for address, text in texts.items():
        shown = set(re.findall(r"text\d{3}", page.get(address).content.decode()))
        by_code = page.get(opened[address]).content.decode()
        assert shown == (set() if address == reverse("cases:new") else {text}), address
        assert set(re.findall(r"text\d{3}", by_code)) == {text}


def test_everything_typed_comes_back_as_it_was_typed(page: Client, case: Case) -> None:
    typed = {
        "visit_date": "2016-03-",
        "mmcs": "x",
        "pain_distribution": ["", "radicular", "phantom"],
        "missing__gait": "not_done",
        "pain_present": ["", "true"],
    }
    keep(page, new_visit(case), **typed)
    response = page.get(new_visit(case))
    form = response.context["forms"][0]
    for name in ("visit_date", "mmcs", "missing__gait"):
        assert form[name].value() == typed[name]
    assert form["pain_distribution"].value() == ["radicular", "phantom"]
    assert form["pain_present"].value() == "true"
    assert not form.errors
    assert "is back" in response.content.decode()


# --- two windows


def test_two_windows_do_not_overwrite_each_other(page: Client, case: Case) -> None:
    address = new_visit(case)
    first = keep(page, address, 0, remark="first window")
    second = keep(page, address, 0, remark="second window")
    assert (first.status_code, second.status_code) == (200, 409)
    assert second.json()["version"] == 1
    assert "first window" in page.get(address).content.decode()
    chosen = keep(page, address, second.json()["version"], remark="second window")
    assert chosen.json()["version"] == 2
    assert keep(page, address, 1, remark="first window").status_code == 409
    assert "second window" in page.get(address).content.decode()


def test_a_draft_saved_elsewhere_does_not_rise_again(page: Client, case: Case) -> None:
    address = new_visit(case)
    kept = keep(page, address, 0, remark=TYPED).json()
    page.post(kept["discard_url"])
    late = keep(page, address, kept["version"], remark=TYPED)
    assert (late.status_code, late.json()) == (409, {"version": 0})
    assert not Draft.objects.exists()


# --- saving, refusing, throwing away

VISIT = {
    "visit_type": "m12",
    "visit_date": "2016-03-01",
    "mode": "in_person",
    "mmcs": "2",
    "mmcs_version": "mod5",
}


def test_saving_ends_the_draft_that_was_saved_and_no_other(
    page: Client, case: Case
) -> None:
    keep(page, new_visit(case, "m60"), remark=TYPED)
    address = new_visit(case, "m12")
    keep(page, address, remark="half")
    saved = page.post(
        address, VISIT | {"draft_version": "1", "form_token": uuid.uuid4().hex}
    )
    assert saved.status_code == 302
    assert [draft.place for draft in Draft.objects.all()] == [new_visit(case, "m60")]


def test_a_refused_form_is_kept_as_it_was_sent(page: Client, case: Case) -> None:
    address = new_visit(case)
    refused = page.post(address, VISIT | {"mmcs": "12", "form_token": "b" * 32})
    assert refused.status_code == 422
    assert 'name="draft_version" value="1"' in refused.content.decode()
    assert page.get(address).context["forms"][0]["mmcs"].value() == "12"


def test_a_draft_older_than_the_row_ends_in_the_two_versions(
    page: Client, case: Case
) -> None:
    visit = make_visit(case, mmcs=2)
    address = reverse("outcomes:visit-edit", args=[case.code, visit.code])
    opened = {"version": str(visit.version), "draft_version": "1"}
    keep(page, address, mmcs="4", version=0, **{"visit_type": "m12"})
    Draft.objects.all().delete()
    page.post(address, {"keep_draft": "1", "mmcs": "4", **opened, "draft_version": "0"})
    page.post(address, {"gait": "aid", "version": visit.version, "visit_type": "m12"})
    shown = page.get(address)
    assert "This record was saved since" in shown.content.decode()
    assert shown.context["record_version"] == str(visit.version)
    answer = page.post(address, opened | {"mmcs": "4", "visit_type": "m12"})
    assert answer.status_code == 409
    assert [each["name"] for each in answer.context["differences"]] == ["mmcs"]
    visit.refresh_from_db()
    assert (visit.mmcs, visit.gait) == (2, "aid")


def test_a_draft_that_became_another_visit_is_offered_only(
    page: Client, case: Case
) -> None:
    address = new_visit(case, "m24")
    keep(page, address, remark=TYPED, visit_type="m60")
    text = page.get(address).content.decode()
    assert TYPED not in text
    assert "now about another visit" in text
    assert shows(page, f"{address}&draft={Draft.objects.get().code}")


def test_the_worklist_opens_and_throws_away(page: Client, case: Case) -> None:
    keep(page, new_visit(case, "m24"), remark=TYPED)
    keep(page, reverse("cases:new"), family_name="Zauberberg", form_token="c" * 32)
    worklist = reverse("outcomes:worklist")
    text = page.get(worklist).content.decode()
    for row in page.get(worklist).context["typed_drafts"]:
        assert row["open_url"].replace("&", "&amp;") in text
        assert page.get(row["open_url"]).status_code == 200
    assert case.code in text
    assert "Zauberberg" not in text
    draft = Draft.objects.get(case=case)
    discard = reverse("cases:discard-draft", args=[draft.code])
    assert page.post(discard)["Location"] == worklist
    assert not Draft.objects.filter(pk=draft.pk).exists()


def test_keeping_a_draft_saves_no_record(page: Client, case: Case) -> None:
    keep(page, new_visit(case), **VISIT)
    assert not Visit.objects.exists()
    assert Patient.objects.count() == 1


def test_no_form_holds_as_much(page: Client, case: Case) -> None:
    answer = keep(page, new_visit(case), remark="x" * drafts.LARGEST_CONTENT)
    assert answer.status_code == 413
    assert not Draft.objects.exists()
