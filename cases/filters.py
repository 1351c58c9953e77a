"""The filters of cases: one declaration for pages, API, cohorts and exports.

:data:`PARAMETERS` names each filter once, with the place of its field in the record.
``CaseFilter`` reads it for cases; the filter of the facts reads the same list, so that
an address means the same rows in both.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Case as CaseExpression
from django.db.models import (
    DateTimeField,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)
from django.db.models.functions import Cast, ExtractYear
from django.utils.translation import gettext_lazy as _

from cases import choices
from cases.models import Case, Operation
from registry.api.filters import INSTANT
from registry.fields import EARLIEST_DAY, ISO_DAY
from registry.levels import SEGMENT_ORDINAL, LevelError, parse_level

OLDEST_AGE = 120
WHOLE = re.compile(r"[0-9]{1,3}", re.ASCII)


class DayInput(forms.Field):
    """A calendar day, written year-month-day only."""

    def to_python(self, value: Any) -> date | None:
        if value in self.empty_values:
            return None
        try:
            day = date.fromisoformat(value) if ISO_DAY.fullmatch(value) else None
        except ValueError:
            day = None
        if day is None or not EARLIEST_DAY <= day <= date(2200, 1, 1):
            raise ValidationError(
                _("Write it as year-month-day, 2021-02-28."), "invalid"
            )
        return day


class AgeInput(forms.Field):
    """Whole years."""

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values:
            return None
        if not WHOLE.fullmatch(value) or int(value) > OLDEST_AGE:
            raise ValidationError(_("Give whole years from 0 to 120."), "invalid")
        return int(value)


class LevelInput(forms.Field):
    """A spinal level in any usual spelling, as its place from the top."""

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values:
            return None
        try:
            return SEGMENT_ORDINAL[parse_level(value[:20])]
        except LevelError as error:
            raise ValidationError(str(error), "level") from error


class InstantInput(forms.Field):
    """An instant, or a day, in ISO form."""

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            if INSTANT.fullmatch(value):
                moment = datetime.fromisoformat(value)
                return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        except ValueError:
            pass
        raise ValidationError(
            _("Write it as 2026-01-31 or 2026-01-31T12:00:00Z."), "invalid"
        )


class CodeInput(forms.CharField):
    """A code or the beginning of one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=24, **kwargs)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).upper()


class CodesInput(forms.Field):
    """One or more codes of a closed list, with commas between them."""

    widget = forms.TextInput

    def __init__(
        self, *, choices: Iterable[tuple[str, Any]] = (), **kwargs: Any
    ) -> None:
        self.choices = list(choices)
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> list[str]:
        given = [part.strip() for part in (value or "").split(",") if part.strip()]
        known = {str(code) for code, _label in self.choices}
        unknown = [code for code in given if code not in known]
        if unknown:
            raise ValidationError(
                _("“%(code)s” is not one of the choices."),
                "invalid_choice",
                {"code": unknown[0][:40]},
            )
        return given


class CentresInput(CodesInput):
    """Codes of centres; unknown ones match nothing, so that they tell nothing."""

    def to_python(self, value: Any) -> list[str]:
        return [part.strip()[:12] for part in (value or "").split(",") if part.strip()]


@dataclass(frozen=True)
class Parameter:
    """One filter: its name, the input it takes, and the fields it compares.

    ``table`` is the place of the field in the record: the case itself, its patient, its
    centre or its index operation. ``fact`` is the column of the facts where it has
    another name.
    """

    name: str
    label: Any
    field_class: type[forms.Field]
    table: str
    field: str
    lookup: str = "in"
    fact: str = ""
    choices: tuple[tuple[str, Any], ...] = ()

    @property
    def fact_name(self) -> str:
        return self.fact or self.field


def _codes(name: str, label: Any, table: str, options: Iterable[Any]) -> Parameter:
    return Parameter(name, label, CodesInput, table, name, choices=tuple(options))


PARAMETERS: tuple[Parameter, ...] = (
    Parameter("q", _("code"), CodeInput, "case", "code", "contains", "case_code"),
    _codes("status", _("state"), "case", choices.CaseStatus.choices),
    Parameter(
        "centre", _("centre"), CentresInput, "centre", "code", "in", "centre_code"
    ),
    _codes("compartment", _("compartment"), "case", choices.Compartment.choices),
    _codes(
        "compartment_mri",
        _("compartment on MRI"),
        "case",
        choices.Compartment.choices,
    ),
    _codes("histology_who2021", _("histology"), "case", choices.Histology.choices),
    _codes("who_grade", _("WHO grade"), "case", choices.WHO_GRADES),
    _codes("region", _("region"), "case", choices.Region.choices),
    Parameter("level", _("level"), LevelInput, "case", "level", "touches"),
    _codes("sex", _("sex"), "patient", choices.Sex.choices),
    _codes(
        "nf_status",
        _("neurofibromatosis or schwannomatosis"),
        "patient",
        choices.NfStatus.choices,
    ),
    _codes("eor_mri", _("resection on MRI"), "operation", choices.EorMri.choices),
    _codes(
        "eor_surgeon",
        _("resection, surgeon"),
        "operation",
        choices.EorSurgeon.choices,
    ),
    Parameter(
        "surgery_date_after",
        _("operated on or after"),
        DayInput,
        "operation",
        "surgery_date",
        "gte",
    ),
    Parameter(
        "surgery_date_before",
        _("operated on or before"),
        DayInput,
        "operation",
        "surgery_date",
        "lte",
    ),
    Parameter(
        "age_min", _("age from"), AgeInput, "age", "age", "gte", "age_at_surgery"
    ),
    Parameter("age_max", _("age to"), AgeInput, "age", "age", "lte", "age_at_surgery"),
    Parameter(
        "updated_since",
        _("changed since"),
        InstantInput,
        "case",
        "updated_at",
        "gte",
        "refreshed_at",
    ),
)
EMPTY: tuple[Any, ...] = (None, "", [])


class ParameterFilter(django_filters.Filter):
    """A filter made from a :class:`Parameter`; subclasses say where the field is."""

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter
        self.field_class = parameter.field_class
        extra = {"choices": parameter.choices} if parameter.choices else {}
        super().__init__(
            field_name=parameter.field, label=parameter.label, required=False, **extra
        )

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs if value in EMPTY else self.narrow(qs, value)

    def narrow(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        raise NotImplementedError


def touches(ordinal: int) -> Q:
    """The extent from rostral to caudal includes the level at this place."""
    return Q(level_rostral_ordinal__lte=ordinal, level_caudal_ordinal__gte=ordinal)


class OfCase(ParameterFilter):
    """Compares fields of the record, through patient and index operation."""

    def narrow(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        parameter = self.parameter
        condition = {f"{parameter.field}__{parameter.lookup}": value}
        if parameter.lookup == "touches":
            return qs.filter(touches(value))
        if parameter.name == "q":
            return qs.filter(Q(code__contains=value) | Q(patient__code__contains=value))
        if parameter.table == "age":
            return qs.alias(age=age_at_surgery()).filter(**condition)
        if parameter.table == "operation":
            return qs.filter(Exists(index_operation().filter(**condition)))
        if parameter.table == "case":
            return qs.filter(**condition)
        (name, value), *_rest = condition.items()
        return qs.filter(**{f"{parameter.table}__{name}": value})


def index_operation() -> QuerySet[Operation]:
    """The index operation of the outer case."""
    return Operation.objects.filter(
        case=OuterRef("pk"), index_operation=True, voided_at__isnull=True
    )


class CompletedYears(Func):
    """Whole years between two dates; arguments later, earlier."""

    function = "age"
    template = "extract(year FROM %(function)s(%(expressions)s))::int"
    output_field = IntegerField()


def age_at_surgery() -> CaseExpression:
    """Age as the facts derive it: by birth date, by year of birth, as reported."""
    operated = Subquery(index_operation().values("surgery_date")[:1])
    year = ExtractYear(operated)
    return CaseExpression(
        When(
            patient__identity__birth_date__lte=operated,
            then=CompletedYears(
                PlainInstant(operated), PlainInstant("patient__identity__birth_date")
            ),
        ),
        When(patient__birth_year__lte=year, then=year - F("patient__birth_year")),
        default=F("age_reported"),
        output_field=IntegerField(),
    )


class PlainInstant(Cast):
    """A date as an instant without a time zone."""

    def __init__(self, expression: Any) -> None:
        super().__init__(expression, output_field=PlainInstantField())


class PlainInstantField(DateTimeField):
    def db_type(self, connection: Any) -> str:
        return "timestamp"


def filters_of(
    filter_class: type[ParameterFilter], leave_out: Collection[str] = ()
) -> dict[str, ParameterFilter]:
    """One filter for each parameter, by name."""
    return {
        parameter.name: filter_class(parameter)
        for parameter in PARAMETERS
        if parameter.name not in leave_out
    }


class CaseFilter(django_filters.FilterSet):
    """Filters of cases. Start from ``Case.objects.visible_to(user)``."""

    class Meta:
        model = Case
        fields: list[str] = []

    vars().update(filters_of(OfCase))


def parameter_errors(
    filterset: django_filters.FilterSet, also_known: Collection[str] = ()
) -> dict[str, list[ValidationError]]:
    """What is wrong with the parameters given, by name; empty if nothing is.

    Unknown and repeated parameters are errors, not ignored.
    """
    errors: dict[str, list[ValidationError]] = {}
    given: Any = filterset.data or {}
    known = set(filterset.filters) | set(also_known)
    for name in given:
        if name not in known:
            errors[str(name)[:80]] = [
                ValidationError(_("Unknown parameter."), "unknown_parameter")
            ]
        elif len(getattr(given, "getlist", lambda _name: [None])(name)) > 1:
            errors[name] = [ValidationError(_("Give it once."), "repeated_parameter")]
    for name, found in filterset.form.errors.as_data().items():
        errors.setdefault(name, found)
    return errors


def strict_filter(
    filterset_class: type[django_filters.FilterSet],
    parameters: Mapping[str, Any],
    queryset: QuerySet[Any],
    also_known: Collection[str] = (),
) -> QuerySet[Any]:
    """The rows that the parameters select; raises ValidationError by parameter."""
    filterset = filterset_class(parameters, queryset=queryset)
    errors = parameter_errors(filterset, also_known)
    if errors:
        raise ValidationError(errors)
    return filterset.qs
