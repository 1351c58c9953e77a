"""Asking for background work: after commit, at once, and never in the way of a save."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from celery import shared_task
from django.db import transaction
from django.utils import timezone

from registry import celery, tasks
from registry.celery import Breaker, app, enqueue, publish
from registry.embedded.redis import port_command
from registry.models.heartbeat import WorkerHeartbeat
from registry.signals import sweep
from tests.processes import Program, eventually, free_port


@shared_task(name="tests.note")
def note(word: str) -> str:
    return word


@pytest.fixture
def breaker(monkeypatch: pytest.MonkeyPatch) -> Breaker:
    fresh = Breaker()
    monkeypatch.setattr(celery, "breaker", fresh)
    return fresh


@pytest.fixture
def broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, breaker: Breaker
) -> Iterator[Program]:
    """A Redis of its own, to which the application publishes."""
    port = free_port()
    use_broker(monkeypatch, f"redis://127.0.0.1:{port}/0")
    program = Program("Redis", port_command(tmp_path / "redis", port), tmp_path / "log")
    program.start()
    eventually(lambda: accepts(port))
    yield program
    program.stop()
    app.pool.force_close_all()


def use_broker(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(app.conf, "broker_url", url)
    monkeypatch.setattr(app.conf, "broker_write_url", url)
    app._pool = None
    app.amqp._producer_pool = None


def accepts(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def port_of(broker: Program) -> int:
    return int(broker.command[broker.command.index("--port") + 1])


def queued(broker: Program) -> int:
    with redis.Redis(port=port_of(broker)) as client:
        return client.llen("celery")


@pytest.mark.django_db(transaction=True)
def test_message_is_sent_after_commit_only(broker: Program) -> None:
    with transaction.atomic():
        enqueue(note, "saved")
        assert queued(broker) == 0
    assert queued(broker) == 1


@pytest.mark.django_db(transaction=True)
def test_rolled_back_save_asks_for_nothing(broker: Program) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        enqueue(note, "lost")
        raise ZeroDivisionError
    assert queued(broker) == 0


@pytest.mark.django_db(transaction=True)
def test_save_survives_a_stopped_redis(broker: Program, breaker: Breaker) -> None:
    broker.stop()
    with transaction.atomic():
        WorkerHeartbeat.objects.create(worker="kept", seen_at=timezone.now())
        enqueue(note, "unheard")
    assert WorkerHeartbeat.objects.filter(worker="kept").exists()
    assert breaker.open


@pytest.mark.django_db(transaction=True)
def test_save_survives_an_unexpected_fault(
    monkeypatch: pytest.MonkeyPatch, breaker: Breaker
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise KeyError("a fault of the library")

    monkeypatch.setattr(note, "apply_async", broken)
    called: list[str] = []
    with transaction.atomic():
        enqueue(note, "first")
        transaction.on_commit(lambda: called.append("second"))
    assert called == ["second"]


def test_frozen_redis_holds_one_caller_only(
    broker: Program, breaker: Breaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.freeze()
    assert publish(note, "first") is False
    assert breaker.open
    sent = []
    monkeypatch.setattr(note, "apply_async", lambda *a, **k: sent.append(a))
    assert [publish(note, "next") for _ in range(200)] == [False] * 200
    assert sent == []
    broker.thaw()


def test_publishing_resumes_after_the_pause(broker: Program, breaker: Breaker) -> None:
    broker.stop()
    assert publish(note, "lost") is False
    broker.start()
    eventually(lambda: accepts(port_of(broker)))
    breaker.closed_until = 0
    assert publish(note, "heard") is True
    assert not breaker.open


def test_one_caller_tries_for_all_after_the_pause() -> None:
    breaker = Breaker(pause_seconds=60)
    assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()
    breaker.closed_until = 0
    assert [breaker.allows() for _ in range(3)] == [True, False, False]
    breaker.succeeded()
    assert [breaker.allows() for _ in range(3)] == [True, True, True]


@pytest.mark.django_db
def test_sweep_calls_every_receiver_though_one_fails() -> None:
    called: list[str] = []

    def failing(**kwargs: object) -> None:
        raise RuntimeError("this app has a fault")

    def working(**kwargs: object) -> None:
        called.append("working")

    sweep.connect(failing)
    sweep.connect(working)
    try:
        tasks.run_sweep()
    finally:
        sweep.disconnect(failing)
        sweep.disconnect(working)
    assert called == ["working"]
    assert WorkerHeartbeat.objects.get().worker == "called directly"


@pytest.mark.django_db
def test_heartbeat_keeps_one_row_a_worker_and_forgets_the_gone() -> None:
    long_ago = timezone.now() - timedelta(days=2)
    WorkerHeartbeat.objects.create(worker="gone", seen_at=long_ago)
    WorkerHeartbeat.beat("worker@a")
    WorkerHeartbeat.beat("worker@a")
    assert [row.worker for row in WorkerHeartbeat.objects.all()] == ["worker@a"]


def test_settings_of_the_measured_recovery_are_in_force() -> None:
    assert app.conf.task_acks_late is True
    assert app.conf.task_reject_on_worker_lost is True
    assert app.conf.task_ignore_result is True
    assert app.conf.result_backend is None
    options = app.conf.broker_transport_options
    assert options["visibility_timeout"] > app.conf.task_time_limit
    assert options["socket_timeout"] <= 2
    assert app.conf.beat_schedule["sweep"]["task"] == tasks.run_sweep.name
