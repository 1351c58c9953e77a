"""History of clinical rows by database triggers.

Triggers see bulk and raw SQL as well. One statement-level trigger a table keeps
imports fast; the event tables refuse UPDATE, DELETE and TRUNCATE.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pghistory
import pgtrigger
from django.db import models

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
