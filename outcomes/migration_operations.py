"""Operations of migrations that Django has only one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.migrations.operations.base import Operation
from django.db.models import Field


class AddFields(Operation):
    """Add many nullable columns to a model without relations.

    Django makes the classes of a model anew after each AddField: for the hundreds of
    columns of the facts that takes a minute, here it happens once.
    """

    def __init__(
        self, model_name: str, fields: Sequence[tuple[str, Field[Any, Any]]]
    ) -> None:
        self.model_name, self.fields = model_name, fields

    def state_forwards(self, app_label: str, state: Any) -> None:
        key = (app_label, self.model_name)
        state.models[key].fields.update(self.fields)
        state.reload_model(*key, delay=True)

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        for name, _field in self.fields:
            schema_editor.add_field(model, model._meta.get_field(name))

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        for name, _field in self.fields:
            schema_editor.remove_field(model, model._meta.get_field(name))

    def describe(self) -> str:
        return f"Add {len(self.fields)} fields to {self.model_name}"
