"""A costly question from the API to a real worker and back, also when it died."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.saving import Surgeon
from tests.processes import RunningRegistry, eventually, started_registry

pytestmark = pytest.mark.services

# Many groups, each compared with the first by some thirty categories.
WIDE = "/api/v1/summaries/mri-features/?by=compartment,region,eor_final"
WIDER = "/api/v1/summaries/mri-features/?by=compartment,eor_final,sex"


@pytest.fixture(scope="module")
def analyst(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surgeon]:
    seeded = ["seed_demo", "--cases=150", "--centres=2", "--seed=7"]
    folder = tmp_path_factory.mktemp("costly")
    commands = [seeded, ["create_demo_users"]]
    with started_registry(folder, commands) as registry:
        token = registry.manage("create_token", "analyst@demo.example").split()[-1]
        yield Surgeon(registry, "", token)


def test_the_worker_answers_a_costly_question(analyst: Surgeon) -> None:
    status, told, _seconds = analyst.ask("GET", WIDE)
    assert (status, told["state"] in {"queued", "running"}) == (202, True)
    found = eventually(lambda: answered(analyst, WIDE))
    assert len(found["groups"]) > 12
    assert found["test"]["family_size"] > 0


def test_a_question_outlives_the_death_of_the_worker(analyst: Surgeon) -> None:
    registry: RunningRegistry = analyst.registry
    registry.worker.kill()
    registry.redis.restart()
    assert analyst.ask("GET", WIDER)[0] == 202
    registry.worker.restart_if_ended()
    assert eventually(lambda: answered(analyst, WIDER))["groups"]


def answered(analyst: Surgeon, path: str) -> dict[str, Any] | None:
    status, told, _seconds = analyst.ask("GET", path)
    return told if status == 200 else None
