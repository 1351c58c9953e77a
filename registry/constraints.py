"""Database constraints made from the description of the fields.

One CHECK a field: the value lies in its range or list, and a field with a value has
no reason for being missing. Bulk loads, shells and races all pass that gate.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models import Q, Value

from registry.days import MIDDLE_DAY, MIDDLE_MONTH
from registry.fields import (
    ChoiceField,
    DayField,
    Described,
    LevelField,
    MultiChoiceField,
    WordsField,
)
from registry.sql import OnlyKeys

ModelClass = TypeVar("ModelClass", bound=type[models.Model])


class FieldCheck(models.CheckConstraint):
    """A rule that the field's own validators state as well.

    ``full_clean`` therefore does not ask the database a second time.
    """

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """Checked by the field."""


class Rule(models.CheckConstraint):
    """A CHECK over several fields, with a message for the clinician.

    Validation hands the database only the fields that the rule speaks of, and asks
    nothing when all of them are empty; Django's own hands it the whole wide row.
    """

    def validate(
        self,
        model: type[models.Model],
        instance: models.Model,
        exclude: Any = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        names = self.condition.referenced_base_fields  # type: ignore[union-attr]
        values = instance._get_field_expression_map(model._meta, exclude)  # type: ignore[attr-defined]
        against = {name: values[name] for name in names if name in values}
        if len(against) < len(names) or self.all_empty(instance, names):
            return
        if not Q(self.condition).check(against, using=using):
            raise ValidationError(
                self.get_violation_error_message(), code=self.violation_error_code
            )

    def all_empty(self, instance: models.Model, names: set[str]) -> bool:
        """Whether no field has a value; a CHECK over NULLs alone never refuses."""
        fields = [instance._meta.get_field(name) for name in names]
        return all(
            not isinstance(field, models.GeneratedField)
            and getattr(instance, field.attname) is None  # type: ignore[union-attr]
            for field in fields
        )


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


def _middle_of_period(name: str) -> Q:
    """A day of which the month or year is known stands in the middle of it."""
    part, day, month = f"precision__{name}", f"{name}__day", f"{name}__month"
    whole = ~Q(precision__has_key=name)
    of_month = Q(**{part: "month", day: MIDDLE_DAY})
    return whole | of_month | Q(**{part: "year", month: MIDDLE_MONTH, day: 1})


def days_check(model: type[models.Model]) -> Any:
    """The CHECK that ``precision`` speaks of days of the row, and of nothing else."""
    days = [each.name for each in described_fields(model) if isinstance(each, DayField)]
    only = Q(OnlyKeys("precision", *map(Value, days))) if days else Q(precision={})
    return FieldCheck(
        condition=only, name=f"{model._meta.model_name}_precision_of_days"[:60]
    )


def field_check(model: type[models.Model], field: Any, has_missing: bool) -> Any:
    """The CHECK of one field, or None where nothing can be said."""
    rule = _allowed(field)
    empty = Q(**{f"{field.name}__isnull": True})
    if has_missing and field.null:
        rule &= ~Q(missing__has_key=field.name)
    if isinstance(field, DayField):
        rule &= ~empty & _middle_of_period(field.name)
        empty &= ~Q(precision__has_key=field.name)
    if not rule:
        return None
    if field.null:
        rule = empty | rule
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
    if "precision" in names:
        checks.append(days_check(model))
    constraints = [*model._meta.constraints, *checks]
    model._meta.constraints = constraints
    # The migration autodetector reads what the class body said.
    model._meta.original_attrs["constraints"] = constraints
    return model
