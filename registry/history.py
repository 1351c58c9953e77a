"""History of clinical rows by database triggers.

Triggers see bulk and raw SQL as well. One statement-level trigger a table keeps
imports fast; the event tables refuse UPDATE, DELETE and TRUNCATE.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar
from uuid import uuid4

import pghistory
import pgtrigger
from django.db import connection, models

ModelClass = TypeVar("ModelClass", bound=type[models.Model])


def tracked() -> Callable[[ModelClass], ModelClass]:
    """Class decorator: every insert, update and delete leaves an event row."""

    def decorate(model: ModelClass) -> ModelClass:
        generated = [
            field.name
            for field in model._meta.local_fields
            if isinstance(field, models.GeneratedField)
        ]
        track = pghistory.track(
            pghistory.InsertEvent(),
            pghistory.UpdateEvent(),
            pghistory.DeleteEvent(),
            exclude=generated,
            append_only=True,
            meta={
                "triggers": [
                    pgtrigger.Trigger(
                        name="truncate_refused",
                        operation=pgtrigger.Truncate,
                        when=pgtrigger.Before,
                        level=pgtrigger.Statement,
                        func="RAISE EXCEPTION 'history is append-only';",
                    )
                ]
            },
        )
        return track(model)

    return decorate


def sign_history(by: int) -> None:
    """The person of the rows that follow; pghistory's own context does not reach COPY.

    Whoever wrote before in the same transaction would stand in the history otherwise.
    """
    told = {"context_id": str(uuid4()), "context_metadata": json.dumps({"user": by})}
    with connection.cursor() as cursor:
        for name, value in told.items():
            cursor.execute(
                "SELECT set_config(%s, %s, true)", [f"pghistory.{name}", value]
            )
