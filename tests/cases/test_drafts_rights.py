"""Drafts belong to one person: bound to the key, protected as a name is, gone with the right."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases import drafts
from cases.models import Case, Draft
from cases.models.draft import KEPT_FOR
from cases.tasks import clear_drafts
from registry.models import AuditEvent, Centre, Membership, User
from registry.permissions import Role
from tests.factories import (
    make_case,
    make_centre,
    make_patient,
    make_user,
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


def test_another_person_never_gets_it(centre: Centre, page: Client, case: Case) -> None:
    answer = keep(page, new_visit(case), remark=TYPED)
    colleague = signed_in(make_user(Role.COORDINATOR, centre))
    assert not shows(colleague, answer.json()["open_url"])
    assert Draft.objects.count() == 1
    assert colleague.post(answer.json()["discard_url"]).status_code == 404
    assert (
        "New visit" not in colleague.get(reverse("outcomes:worklist")).content.decode()
    )


@pytest.mark.parametrize("part", ["user", "address", "patient", "case", "token"])
def test_a_draft_moved_to_another_place_cannot_be_read(
    surgeon: User, centre: Centre, case: Case, part: str
) -> None:
    """The content is bound to the key: also a row that was moved by hand tells nothing."""
    place = drafts.Place(surgeon, new_visit(case), case.patient, case)
    content = QueryDict(f"remark={TYPED}")
    draft = drafts.keep(place, content, title="", names_person=False, version=0)
    other: dict[str, Callable[[], Any]] = {
        "user": lambda: make_user(Role.SURGEON, centre),
        "address": lambda: new_visit(case, "m24"),
        "patient": lambda: make_patient(centre),
        "case": lambda: make_case(centre),
        "token": lambda: uuid.uuid4().hex,
    }
    moved = drafts.Place(**{**vars(place), part: other[part]()})
    assert drafts.content_of(draft, place) == content
    assert drafts.content_of(draft, moved) is None
    assert drafts.find(moved) is None


# --- a name is protected as identity is


def test_a_new_patient_is_kept_by_the_form_s_own_token(page: Client) -> None:
    address, tokens = reverse("cases:new"), [uuid.uuid4().hex, uuid.uuid4().hex]
    opened = [
        keep(page, address, family_name=f"Name{n}", form_token=token).json()["open_url"]
        for n, token in enumerate(tokens)
    ]
    for n, url in enumerate(opened):
        text = page.get(url).content.decode()
        assert f'value="Name{n}"' in text
        assert tokens[n] in text
        assert f"Name{1 - n}" not in text
    text = page.get(address).content.decode()
    assert "Name0" not in text and "Name1" not in text
    assert "2 patients whom you began to enter" in text


def test_a_name_is_neither_readable_in_the_table_nor_in_a_log(
    page: Client, case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keep(page, reverse("cases:new"), family_name="Zauberberg", form_token="a" * 32)
    keep(page, reverse("cases:edit-identity", args=[case.code]), family_name="Buddenb")
    page.get(reverse("outcomes:worklist"))
    stored = [value for row in Draft.objects.values_list() for value in row]
    for name in ("Zauberberg", "Buddenb"):
        assert not any(name.encode() in bytes(str(v), "utf8") for v in stored)
        assert not any(
            name.encode() in bytes(draft.content) for draft in Draft.objects.all()
        )
        assert name not in caplog.text
        assert not any(
            name in str(event.__dict__) for event in AuditEvent.objects.all()
        )
    assert set(Draft.objects.values_list("names_person", flat=True)) == {True}


def test_typing_an_identity_reads_none(page: Client, case: Case) -> None:
    """Each sending of a draft would else be one "identity.read" in the trail."""
    address = reverse("cases:edit-identity", args=[case.code])
    keep(page, address, family_name="A")
    assert not AuditEvent.objects.filter(action="identity.read").exists()


def test_a_draft_with_a_name_is_gone_with_the_right_to_names(
    surgeon: User, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    for names_person in (True, False):
        place = drafts.Place(surgeon, f"/{names_person}/", case.patient, case)
        drafts.keep(
            place, QueryDict("a=b"), title="", names_person=names_person, version=0
        )
    assert Draft.objects.visible_to(surgeon).count() == 2
    role = surgeon.memberships.get()
    rights = {Role.SURGEON: frozenset({"write_cases", "read_cases"})}
    monkeypatch.setattr("registry.permissions.PERMISSIONS", rights)
    assert [d.names_person for d in Draft.objects.visible_to(role.user)] == [False]


# --- gone


def moved_away(surgeon: User, case: Case) -> None:
    membership = Membership.objects.get(user=surgeon)
    membership.ended_at = timezone.now()
    membership.ended_by = surgeon
    membership.save()


def voided(surgeon: User, case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(
        voided_at=timezone.now(), voided_by=surgeon, void_reason="twice"
    )


def switched_off(surgeon: User, case: Case) -> None:
    User.objects.filter(pk=surgeon.pk).update(is_active=False)


def expired(surgeon: User, case: Case) -> None:
    Draft.objects.update(saved_at=timezone.now() - KEPT_FOR - timedelta(seconds=1))


@pytest.mark.parametrize("end", [moved_away, voided, switched_off, expired])
def test_a_draft_one_may_no_longer_have_is_gone(
    page: Client, surgeon: User, case: Case, end: Callable[[User, Case], None]
) -> None:
    answer = keep(page, new_visit(case), remark=TYPED)
    assert Draft.objects.visible_to(surgeon).exists()
    end(surgeon, case)
    assert not Draft.objects.visible_to(User.objects.get(pk=surgeon.pk)).exists()
    assert not shows(page, answer.json()["open_url"])
    assert page.post(answer.json()["discard_url"]).status_code in {302, 404}
    assert Draft.objects.count() == 1


def test_the_task_deletes_what_is_thirty_days_old(page: Client, case: Case) -> None:
    for number, days in enumerate((29, 31)):
        keep(page, new_visit(case, ("m12", "m24")[number]), remark=TYPED)
        draft = Draft.objects.latest("pk")
        draft.saved_at = timezone.now() - timedelta(days=days)
        draft.save(update_fields=["saved_at"])
    clear_drafts()
    assert [draft.place for draft in Draft.objects.all()] == [new_visit(case, "m12")]


def test_a_reader_keeps_no_draft(case: Case) -> None:
    reader = signed_in(make_user(Role.REGISTRY_COORDINATOR))
    assert keep(reader, new_visit(case), remark=TYPED).status_code == 403
    assert keep(Client(), new_visit(case), remark=TYPED).status_code == 302
    assert not Draft.objects.exists()


def test_a_changed_secret_key_loses_no_draft(
    page: Client, case: Case, settings: Any
) -> None:
    keep(page, new_visit(case), remark=TYPED)
    draft = Draft.objects.get()
    place = drafts.Place(draft.user, draft.place, draft.patient, draft.case)
    settings.SECRET_KEY, old = "n" * 50, settings.SECRET_KEY
    assert drafts.content_of(draft, place) is None
    settings.SECRET_KEY_FALLBACKS = [old]
    assert drafts.content_of(draft, place) == QueryDict(f"remark={TYPED}")
