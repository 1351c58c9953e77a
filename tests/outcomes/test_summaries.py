"""Stored summaries: noted with the change, refreshed once, found when forgotten."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.utils import timezone

from cases.models import Case
from outcomes import claims, receivers, summaries, tasks
from outcomes.models import CaseChange, CaseFacts, Summary
from registry import celery as registry_celery
from registry.models import Centre
from registry.signals import sweep
from tests import factories
from tests.pages import signed_in
from tests.registry.api_client import Api

ROWS = len(summaries.STORED)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """Scopes of the messages that would have gone to the broker."""
    scopes: list[int | None] = []

    def publish(task: Any, *arguments: Any) -> bool:
        assert task is tasks.refresh_summaries
        scopes.extend(arguments)
        return True

    monkeypatch.setattr(registry_celery, "publish", publish)
    monkeypatch.setattr(receivers, "publish", publish)
    return scopes


def overall(centre: Centre | None, measure: str = "recurrence") -> Summary:
    return Summary.objects.get(centre=centre, released=False, measure=measure, by="")


# --- rows ----------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_centre_comes_with_its_rows() -> None:
    for released in (False, True):
        pool = Summary.objects.filter(centre=None, released=released)
        assert pool.count() == ROWS
    centre = factories.make_centre()
    rows = Summary.objects.filter(centre=centre)
    assert sorted(rows.values_list("measure", "by", "window")) == sorted(
        summaries.STORED
    )


@pytest.mark.django_db
def test_missing_rows_are_made_and_others_kept() -> None:
    centre = factories.make_centre()
    kept = overall(centre)
    Summary.objects.filter(centre=centre).exclude(pk=kept.pk).delete()
    summaries.ensure_rows()
    assert Summary.objects.filter(centre=centre).count() == ROWS
    assert overall(centre).pk == kept.pk


# --- from change to number -----------------------------------------------------------


@pytest.mark.django_db
def test_a_change_asks_for_its_centre_and_the_pool(
    sent: list[int | None], django_capture_on_commit_callbacks: Any
) -> None:
    case = factories.make_case(operation=True)
    sent.clear()
    with django_capture_on_commit_callbacks(execute=True):
        factories.make_visit(case)
    assert sent == [case.centre_id, None]


@pytest.mark.django_db
@pytest.mark.parametrize("news", ["case", "outcome"])
def test_the_whole_chain_from_save_to_number(
    news: str, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """The tasks run as a worker would run them, one after the other."""
    monkeypatch.setattr(
        registry_celery, "publish", lambda task, *arguments: task(*arguments)
    )
    case = factories.make_case(operation=True)
    with django_capture_on_commit_callbacks(execute=True):
        if news == "case":
            factories.make_mri(case, purpose="followup")
        else:
            factories.make_visit(case)
    for centre in (case.centre, None):
        row = overall(centre)
        assert row.n_cases == row.payload["n_cases"] == 1
        assert row.done == summaries.wanted_of(row.centre_id)
    assert summaries.stale_scopes() == []


@pytest.mark.django_db
def test_a_change_that_is_rolled_back_is_not_noted() -> None:
    case = factories.make_case()
    before = summaries.wanted_of(case.centre_id)
    with pytest.raises(RuntimeError), transaction.atomic():
        factories.make_operation(case)
        raise RuntimeError
    assert summaries.wanted_of(case.centre_id) == before


@pytest.mark.django_db
def test_a_fresh_row_is_not_computed_again() -> None:
    case = factories.make_case(operation=True)
    assert summaries.refresh_scope(case.centre_id) == ROWS
    assert summaries.refresh_scope(case.centre_id) == 0
    factories.make_visit(case)
    assert summaries.refresh_scope(case.centre_id) == ROWS


@pytest.mark.django_db
def test_changes_are_counted_when_they_are_folded() -> None:
    case = factories.make_case(operation=True)
    other = factories.make_case()
    wanted = [summaries.wanted_of(s) for s in (case.centre_id, other.centre_id, None)]
    assert wanted[2] == wanted[0] + wanted[1] > 0
    summaries.fold_changes()
    assert CaseChange.objects.count() == 0
    factories.make_visit(case)
    after = [summaries.wanted_of(s) for s in (case.centre_id, other.centre_id, None)]
    assert after == [wanted[0] + 1, wanted[1], wanted[2] + 1]


@pytest.mark.django_db
def test_another_centre_stays_fresh() -> None:
    case, other = factories.make_case(), factories.make_case()
    call_command("refresh_summaries", verbosity=0)
    factories.make_operation(case)
    assert summaries.stale_scopes() == [case.centre_id, None]
    assert other.centre_id not in summaries.stale_scopes()


@pytest.mark.django_db
def test_numbers_of_older_code_are_stale() -> None:
    centre = factories.make_centre()
    call_command("refresh_summaries", verbosity=0)
    assert summaries.stale_scopes() == []
    Summary.objects.filter(centre=centre).update(code_version="older")
    assert summaries.stale_scopes() == [centre.pk]
    summaries.refresh_scope(centre.pk)
    assert summaries.stale_scopes() == []


# --- claims --------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_claimed_row_is_left_to_the_one_who_claimed_it() -> None:
    centre = factories.make_centre()
    row = overall(centre)
    assert claims.claim(row, 0, "code")
    assert not claims.claim(row, 0, "code")


@pytest.mark.django_db
def test_the_claim_of_a_dead_worker_runs_out() -> None:
    row = overall(factories.make_centre())
    long_ago = timezone.now() - timedelta(seconds=claims.CLAIM_SECONDS + 1)
    Summary.objects.filter(pk=row.pk).update(claimed_at=long_ago)
    assert summaries.refresh(row)
    assert overall(row.centre).claimed_at is None


@pytest.mark.django_db
def test_newer_numbers_are_not_overwritten() -> None:
    case = factories.make_case(operation=True)
    row = overall(case.centre)
    Summary.objects.filter(pk=row.pk).update(done=10_000, n_cases=5)
    assert not summaries.write(row, summaries.wanted_of(case.centre_id))
    assert overall(case.centre).n_cases == 5


def computed_ago(row: Summary, seconds: float, duration_ms: int) -> None:
    """As if the row had been computed so long ago and had taken so long."""
    at = timezone.now() - timedelta(seconds=seconds)
    Summary.objects.filter(pk=row.pk).update(as_of=at, duration_ms=duration_ms)
    summaries.mark_all_wanted()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("duration_ms", "rest_seconds"),
    [(600, 10), (3_200, 10), (10_000, 10), (60_000, 60)],
)
def test_a_long_refresh_rests_and_not_for_long(
    duration_ms: int, rest_seconds: int
) -> None:
    """A row of 3.2 s rested for 96 s, so one save was fresh after more than a minute."""
    row = overall(factories.make_centre())
    assert summaries.refresh(row)
    computed_ago(row, rest_seconds - 3, duration_ms)
    assert not summaries.refresh(row)
    assert row.centre_id in summaries.stale_scopes()
    computed_ago(row, rest_seconds + 1, duration_ms)
    assert summaries.refresh(row)


def tried_ago(row: Summary, seconds: float) -> None:
    at = timezone.now() - timedelta(seconds=seconds)
    Summary.objects.filter(pk=row.pk).update(claimed_at=at)


def fails(*given: Any, **named: Any) -> None:
    raise ValueError("negative duration of TUM-7")


@pytest.mark.django_db
def test_a_row_that_fails_is_tried_three_times_and_again_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = overall(factories.make_centre())
    calls = []
    with monkeypatch.context() as patched:
        patched.setattr(
            summaries, "compute", lambda *a, **k: (calls.append(a), fails())
        )
        for _n in range(6):
            assert not summaries.refresh(row)
            tried_ago(row, claims.CLAIM_SECONDS + 1)
        assert len(calls) == claims.MOST_ATTEMPTS
        assert overall(row.centre).error == "ValueError: negative duration of TUM-7"
        tried_ago(row, claims.RETRY_SECONDS + 1)
        assert not summaries.refresh(row)
        assert len(calls) == claims.MOST_ATTEMPTS + 1
    tried_ago(row, claims.CLAIM_SECONDS + 1)
    assert not summaries.refresh(row)  # the cause is gone, the pause is not over
    tried_ago(row, claims.RETRY_SECONDS + 1)
    assert summaries.refresh(row)
    assert overall(row.centre).error == ""


@pytest.mark.django_db
def test_new_changes_let_a_row_that_failed_be_tried_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = overall(factories.make_centre())
    with monkeypatch.context() as patched:
        patched.setattr(summaries, "compute", fails)
        for _n in range(3):
            summaries.refresh(row)
            tried_ago(row, claims.CLAIM_SECONDS + 1)
    assert not summaries.refresh(row)
    summaries.mark_all_wanted()
    assert summaries.refresh(row)


@pytest.mark.django_db
def test_a_failure_is_told_on_page_and_api_without_its_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = factories.make_case(operation=True)
    person = factories.make_user("surgeon", case.centre)
    page, api = signed_in(person), Api(person)
    address = f"/api/v1/summaries/recurrence/?by=compartment&scope={case.centre.code}"
    summaries.refresh_scope(case.centre_id)
    factories.make_visit(case)
    with monkeypatch.context() as patched:
        patched.setattr(summaries, "compute", fails)
        summaries.refresh_scope(case.centre_id)
    told = api.get(address).json()
    assert told["stale"] is True
    assert told["problem"]["reason"] == "ValueError"
    assert told["problem"]["attempts"] == 1
    shown = page.get(f"/dashboard/?scope={case.centre.code}")
    assert (
        "Counting failed (ValueError). It is tried again at" in shown.content.decode()
    )
    assert "TUM-7" not in shown.content.decode() + str(told)


@pytest.mark.django_db
def test_numbers_that_never_were_say_why_there_are_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = factories.make_case(operation=True)
    person = factories.make_user("surgeon", case.centre)
    with monkeypatch.context() as patched:
        patched.setattr(summaries, "compute", fails)
        summaries.refresh_scope(case.centre_id)
    scope = f"scope={case.centre.code}"
    answer = Api(person).get(f"/api/v1/summaries/recurrence/?by=compartment&{scope}")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_computed")
    page = signed_in(person).get(f"/dashboard/?{scope}")
    assert page.status_code == 503
    assert "There are no numbers for now" in page.content.decode()


@pytest.mark.django_db
def test_an_error_of_the_database_leaves_the_connection_usable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*given: Any, **named: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    row = overall(factories.make_centre())
    monkeypatch.setattr(summaries, "compute", broken)
    assert not summaries.refresh(row)
    assert "division by zero" in overall(row.centre).error


# --- the sweep -----------------------------------------------------------------------


@pytest.mark.django_db
def test_the_sweep_asks_again_for_what_was_lost(sent: list[int | None]) -> None:
    """No message was sent: the worker or Redis was away."""
    call_command("refresh_summaries", verbosity=0)
    case = factories.make_case(operation=True)
    call_command("refresh_summaries", verbosity=0)
    factories.make_visit(case)
    sent.clear()
    sweep.send(sender=None)
    assert sent == [case.centre_id, None]
    for scope in sent:
        tasks.refresh_summaries(scope)
    sent.clear()
    sweep.send(sender=None)
    assert sent == []


@pytest.mark.django_db
def test_the_command_computes_everything(capsys: pytest.CaptureFixture[str]) -> None:
    factories.make_case(operation=True)
    call_command("refresh_summaries")
    assert f"{3 * ROWS} summaries computed, 0 failed." in capsys.readouterr().out
    call_command("refresh_summaries", all=True)
    assert f"{3 * ROWS} summaries computed" in capsys.readouterr().out


# --- several at once -----------------------------------------------------------------


def at_once(count: int, work: Any) -> list[BaseException]:
    """Run ``work(n)`` in threads that start together; the errors they raised."""
    barrier, errors = threading.Barrier(count), []

    def run(number: int) -> None:
        try:
            barrier.wait(20)
            work(number)
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return errors


@pytest.fixture
def no_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry_celery, "publish", lambda *given: False)
    yield


@pytest.mark.django_db(transaction=True)
def test_duplicate_delivery_gives_one_right_result(no_broker: None) -> None:
    """F14: the same message five times at once."""
    case = factories.make_case(operation=True)
    factories.make_mri(case, purpose="followup")
    errors = at_once(5, lambda _n: tasks.refresh_summaries(case.centre_id))
    assert errors == []
    rows = Summary.objects.filter(centre=case.centre)
    assert set(rows.values_list("n_cases", flat=True)) == {1}
    assert set(rows.values_list("claimed_at", "error")) == {(None, "")}
    assert set(rows.values_list("done", flat=True)) == {
        summaries.wanted_of(case.centre_id)
    }


@pytest.mark.django_db(transaction=True)
def test_first_saves_at_once_are_all_saved_and_counted(no_broker: None) -> None:
    """C: eight people save the first cases of a new centre at the same moment."""
    centre = factories.make_centre()
    surgeon = factories.surgeon_of(centre)

    def save(_number: int) -> None:
        factories.make_case(centre, by=surgeon, operation=True)
        tasks.refresh_summaries(centre.pk)

    assert at_once(8, save) == []
    assert Case.objects.count() == CaseFacts.objects.count() == 8
    sweep.send(sender=None)
    for scope in summaries.stale_scopes():
        tasks.refresh_summaries(scope)
    assert overall(centre).n_cases == overall(None).n_cases == 8


@pytest.mark.django_db(transaction=True)
def test_two_people_change_one_case_and_the_facts_know_both(no_broker: None) -> None:
    case = factories.make_case(operation=True)
    by = factories.surgeon_of(case.centre)

    def change(number: int) -> None:
        if number == 0:
            factories.make_visit(case, "m12", by=by)
        elif number == 1:
            factories.make_vital_status(case.patient, by=by)
        else:
            factories.make_mri(Case.objects.get(pk=case.pk), by=by, purpose="followup")

    assert at_once(3, change) == []
    row = CaseFacts.objects.get(pk=case.pk)
    assert (row.visit_day_m12, row.last_mri_day, row.followup_days) == (365, 365, 2200)
