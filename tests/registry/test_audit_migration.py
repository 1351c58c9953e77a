"""The chain of events ends with the migration to seals, if it holds."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from registry.models import AuditEvent
from tests.registry.evidence import run, triggers_off

migration = import_module("registry.migrations.0008_seals")
pytestmark = pytest.mark.django_db


@pytest.fixture
def chained(django_db_setup: None) -> Any:
    """Three events as the version before chained them, and its models."""
    for name in ("previous", "mac"):
        run(
            f"ALTER TABLE registry_auditevent ADD COLUMN {name} varchar(64)"
            " NOT NULL DEFAULT ''"
        )
    state = MigrationLoader(connection).project_state(("registry", "0007_partial_days"))
    model = state.apps.get_model("registry", "AuditEvent")
    last = migration.GENESIS
    for number in range(3):
        event = model(action="case.read", target="髙", body={"n": number, "é": None})
        event.previous = last
        event.mac = last = migration.mac_of(event)
        event.save()
    return state.apps


def test_a_chain_that_holds_is_closed_by_an_event(chained: Any) -> None:
    migration.check_chain(chained, None)
    closing = AuditEvent.objects.latest("pk")
    assert closing.action == "audit.chain_closed"
    assert closing.body["events"] == 3
    assert len(closing.body["head"]) == 64


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE registry_auditevent SET target = 'x' WHERE id = {first} + 1",
        "DELETE FROM registry_auditevent WHERE id = {first}",
    ],
)
def test_a_broken_chain_stops_the_migration(chained: Any, attack: str) -> None:
    first = AuditEvent.objects.earliest("pk").pk
    with triggers_off():
        run(attack.format(first=first))
    with pytest.raises(RuntimeError, match=f"broken at event {first + 1}"):
        migration.check_chain(chained, None)
