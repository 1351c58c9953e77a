"""Database constraints made from the description of the fields.

One CHECK a field: the value lies in its range or list, and a field with a value has
no reason for being missing. Bulk loads, shells and races all pass that gate.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import models
from django.db.models import Q

from registry.fields import (
    ChoiceField,
    Described,
    LevelField,
    MultiChoiceField,
    WordsField,
)

ModelClass = TypeVar("ModelClass", bound=type[models.Model])


class FieldCheck(models.CheckConstraint):
    """A rule that the field's own validators state as well.

    ``full_clean`` therefore does not ask the database a second time.
    """

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """Checked by the field."""


def described_fields(model: type[models.Model]) -> list[Any]:
    """The described fields of a model, in the order of declaration."""
    return [field for field in model._meta.local_fields if isinstance(field, Described)]


def _allowed(field: Any) -> Q:
    name, rule = field.name, Q()
    if isinstance(field, ChoiceField) and field.choices:
        rule &= Q(**{f"{name}__in": sorted(code for code, _label in field.flatchoices)})
    if isinstance(field, LevelField):
        rule &= Q(**{f"{name}__in": sorted(field.allowed)})
    if isinstance(field, MultiChoiceField):
        rule &= Q(**{f"{name}__contained_by": field.codes, f"{name}__len__gte": 1})
    if field.least is not None:
        rule &= Q(**{f"{name}__gte": field.least})
    if field.most is not None:
        rule &= Q(**{f"{name}__lte": field.most})
    return rule


def field_check(model: type[models.Model], field: Any, has_missing: bool) -> Any:
    """The CHECK of one field, or None where nothing can be said."""
    rule = _allowed(field)
    if has_missing and field.null:
        rule &= ~Q(missing__has_key=field.name)
    if not rule:
        return None
    if field.null:
        rule = Q(**{f"{field.name}__isnull": True}) | rule
    return FieldCheck(
        condition=rule, name=f"{model._meta.model_name}_{field.name}_ok"[:60]
    )


def constrained(model: ModelClass) -> ModelClass:
    """Class decorator: adds the checks of all described fields to the model."""
    names = {field.name for field in model._meta.local_fields}
    checks = [
        check
        for field in described_fields(model)
        if not isinstance(field, WordsField)
        and (check := field_check(model, field, "missing" in names))
    ]
    constraints = [*model._meta.constraints, *checks]
    model._meta.constraints = constraints
    # The migration autodetector reads what the class body said.
    model._meta.original_attrs["constraints"] = constraints
    return model


def pair(
    model_name: str, first: str, second: str, *, text: tuple[str, ...] = ()
) -> models.CheckConstraint:
    """Both fields are set, or neither."""

    def is_set(name: str) -> Q:
        return ~Q(**{name: ""}) if name in text else Q(**{f"{name}__isnull": False})

    def is_unset(name: str) -> Q:
        return Q(**{name: ""}) if name in text else Q(**{f"{name}__isnull": True})

    return models.CheckConstraint(
        condition=(is_set(first) & is_set(second))
        | (is_unset(first) & is_unset(second)),
        name=f"{model_name}_{first}_{second}_pair",
    )
