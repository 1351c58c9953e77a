"""Many at once, on a real database: nothing is lost, nothing is doubled."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction

from cases import actions as case_actions
from cases.models import Case
from registry import actions, audit, records
from registry.audit import heads, sealing
from registry.audit.verifying import problems
from registry.models import AuditEvent, Membership, Submission, User
from registry.permissions import Role
from tests.factories import add_role, make_case, make_centre, make_patient, make_user

pytestmark = pytest.mark.django_db(transaction=True)
THREADS, EDITS = 8, 25
# The last administrator stays, or the later one is none any more when asking.
REFUSALS = (ValidationError, PermissionDenied)


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Run each work in a thread of its own, all starting together; what each returned,
    or the exception that it raised."""
    answers: list[Any] = [None] * len(works)
    barrier = threading.Barrier(len(works))

    def run(place: int) -> None:
        barrier.wait()
        try:
            answers[place] = works[place]()
        except Exception as error:
            answers[place] = error
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=(place,)) for place in range(len(works))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_C2_no_edit_is_lost() -> None:
    case = make_case()

    def edit(mark: str) -> Counter[str]:
        """Append marks to the remark, as people who opened the page before."""
        ended: Counter[str] = Counter()
        for number in range(EDITS):
            seen = Case.objects.get(pk=case.pk)
            try:
                case_actions.update_record(
                    by=seen.created_by,
                    record=seen,
                    values={"remark": f"{seen.remark}{mark}{number};"},
                    version=seen.version,
                )
            except records.StaleVersion:
                ended["conflict"] += 1
            else:
                ended["saved"] += 1
        return ended

    answers = at_once(*(lambda mark=mark: edit(mark) for mark in "abcdefgh"))
    ended = sum(answers, Counter())
    stored = Case.objects.get(pk=case.pk)
    lost = ended["saved"] - stored.remark.count(";")
    assert lost == 0
    assert ended["saved"] + ended["conflict"] == THREADS * EDITS
    assert stored.version == 1 + ended["saved"]
    assert Case.pgh_event_model.objects.filter(pgh_obj=case).count() == stored.version


def test_C1_of_two_who_save_the_same_version_one_is_told() -> None:
    case = make_case()

    def save(side: str) -> Case:
        return case_actions.update_record(
            by=case.created_by, record=case, values={"side": side}, version=1
        )

    answers = at_once(lambda: save("L"), lambda: save("R"))
    refused = [each for each in answers if isinstance(each, records.StaleVersion)]
    saved = [each for each in answers if isinstance(each, Case)]
    assert (len(saved), len(refused)) == (1, 1)
    assert refused[0].differing == ["side"]
    assert Case.objects.get(pk=case.pk).side == saved[0].side


def test_C9_void_against_edit_leaves_no_risen_row() -> None:
    case = make_case()
    by = case.created_by
    answers = at_once(
        lambda: case_actions.update_record(
            by=by, record=case, values={"side": "L"}, version=1
        ),
        lambda: case_actions.void_record(
            by=by, record=case, version=1, reason="entered twice"
        ),
    )
    stored = Case.objects.get(pk=case.pk)
    failed = [each for each in answers if isinstance(each, Exception)]
    assert len(failed) == 1
    assert isinstance(failed[0], records.StaleVersion | records.RecordLocked)
    assert stored.version == 2
    assert stored.is_void == isinstance(answers[0], Exception)


def test_C4_one_form_sent_eight_times_makes_one_patient() -> None:
    centre = make_centre()
    by = make_user(Role.SURGEON, centre, password=None)

    def send() -> str:
        with transaction.atomic():
            submission, first = records.once(by=by, key="form:x", content={"sex": "F"})
            if first:
                submission.record_code = make_patient(centre, by=by).code
                submission.save()
        return submission.record_code

    answers = at_once(*[send] * THREADS)
    assert len(set(answers)) == 1
    assert Submission.objects.get().record_code == answers[0]
    assert centre.patients.count() == 1


def test_many_writers_and_sealers_at_once_leave_one_chain() -> None:
    """No event is lost, doubled or out of order within its transaction."""

    def report(name: str) -> None:
        for number in range(20):
            with transaction.atomic():
                for step in "123":
                    audit.record("identity.read", target=f"{name}-{number}-{step}")

    def seal() -> int:
        return sum(sealing.seal_all() for _round in range(10))

    works = [lambda name=name: report(name) for name in "abcdef"]
    answers = at_once(*works, seal, seal)
    sealing.seal_all()
    assert [each for each in answers if isinstance(each, Exception)] == []
    assert AuditEvent.objects.count() == 360
    assert heads.sealed_rows() == 360
    assert list(problems()) == []
    targets = list(AuditEvent.objects.order_by("pk").values_list("target", flat=True))
    for name in "abcdef":
        own = [target for target in targets if target.startswith(name)]
        assert own == [f"{name}-{n}-{step}" for n in range(20) for step in "123"]


def two_administrators() -> tuple[User, User]:
    one, other = make_user(None, password=None), make_user(None, password=None)
    for person in (one, other):
        add_role(person, Role.ADMINISTRATOR)
    return one, other


def test_A18_two_administrators_do_not_remove_each_other() -> None:
    one, other = two_administrators()
    answers = at_once(
        lambda: actions.end_role(by=one, membership=other.memberships.get()),
        lambda: actions.end_role(by=other, membership=one.memberships.get()),
    )
    assert sum(isinstance(each, Membership) for each in answers) == 1
    assert sum(isinstance(each, REFUSALS) for each in answers) == 1
    assert Membership.objects.filter(ended_at=None).count() == 1


def test_A18_two_administrators_do_not_stop_each_other() -> None:
    one, other = two_administrators()
    answers = at_once(
        lambda: actions.set_active(by=one, person=other, is_active=False),
        lambda: actions.set_active(by=other, person=one, is_active=False),
    )
    assert sum(isinstance(each, User) for each in answers) == 1
    assert sum(isinstance(each, REFUSALS) for each in answers) == 1
    assert User.objects.filter(is_active=True).count() == 1


def test_the_same_person_added_twice_at_once_is_refused_plainly() -> None:
    administrator = two_administrators()[0]

    def add() -> User:
        return actions.create_person(
            by=administrator, email="new@registry.example", name="New"
        )

    answers = at_once(add, add)
    assert sum(isinstance(each, User) for each in answers) == 1
    assert sum(isinstance(each, ValidationError) for each in answers) == 1
