"""The filters of cases: one declaration for pages, API, cohorts and exports.

:data:`PARAMETERS` names each filter once, with the place of its field in the record.
``CaseFilter`` reads it for cases; the filter of the facts reads the same list, so that
an address means the same rows in both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
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
from cases.filter_inputs import (
    AgeInput,
    CentresInput,
    CodeInput,
    CodesInput,
    DayInput,
    InstantInput,
    LevelInput,
)
from cases.models import Case, Operation
from registry.fields import MissingReason


@dataclass(frozen=True)
class Parameter:
    """One filter: its name, the input it takes, and the fields it compares.

    ``table`` is the place of the field in the record: the case itself, its patient, its
    centre or its index operation. ``fact`` is the column of the facts where it has
    another name, ``words`` its values there where they differ; both are taken.
    """

    name: str
    label: Any
    field_class: type[forms.Field]
    table: str
    field: str
    lookup: str = "in"
    fact: str = ""
    choices: tuple[tuple[str, Any], ...] = ()
    words: Mapping[str, str] = dataclass_field(default_factory=dict)

    @property
    def fact_name(self) -> str:
        return self.fact or self.field

    def in_facts(self, value: Any) -> Any:
        """The value as the facts have it."""
        return [self.words.get(code, code) for code in value] if self.words else value

    def in_record(self, value: Any) -> Any:
        """The value as the record has it."""
        codes = {word: code for code, word in self.words.items()}
        return [codes.get(code, code) for code in value] if self.words else value


def _codes(
    name: str,
    label: Any,
    table: str,
    options: Iterable[Any],
    words: Mapping[str, str] | None = None,
) -> Parameter:
    return Parameter(
        name,
        label,
        CodesInput,
        table,
        name,
        choices=tuple(options),
        words=words or {},
    )


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
    _codes("sex", _("sex"), "patient", choices.Sex.choices, choices.SEX_IN_FACTS),
    _codes(
        "nf_status",
        _("neurofibromatosis or schwannomatosis"),
        "patient",
        choices.NfStatus.choices,
    ),
    _codes(
        "eor_final",
        _("resection on MRI, after all stages"),
        "stages",
        choices.EorMri.choices,
    ),
    _codes(
        "eor_mri",
        _("resection on MRI, index operation"),
        "operation",
        choices.EorMri.choices,
    ),
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
        also = tuple((word, word) for word in parameter.words.values())
        extra = {"choices": parameter.choices + also} if parameter.choices else {}
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
        value = parameter.in_record(value)
        condition = {f"{parameter.field}__{parameter.lookup}": value}
        if parameter.lookup == "touches":
            return qs.filter(touches(value))
        if parameter.name == "q":
            return qs.filter(Q(code__contains=value) | Q(patient__code__contains=value))
        if parameter.table == "age":
            return qs.alias(age=age_at_surgery()).filter(**condition)
        if parameter.table == "stages":
            return qs.alias(eor_final=final_extent()).filter(**condition)
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


def final_extent() -> Subquery:
    """Extent on MRI after the last planned stage, as ``Case.final_extent`` tells it."""
    stages = Operation.objects.filter(
        Q(index_operation=True)
        | Q(relation_to_index=choices.RelationToIndex.PLANNED_STAGE),
        case=OuterRef("pk"),
        voided_at__isnull=True,
    ).exclude(missing__contains={"eor_mri": MissingReason.NOT_APPLICABLE})
    last_first = (F("surgery_date").desc(nulls_first=True), "index_operation", "-pk")
    return Subquery(stages.order_by(*last_first).values("eor_mri")[:1])


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
    """The rows that the parameters select; raises ValidationError by parameter.

    An empty parameter is an error here; in a form of a page it is a field left blank.
    """
    filterset = filterset_class(parameters, queryset=queryset)
    errors = parameter_errors(filterset, also_known)
    for name in (name for name, value in parameters.items() if value == ""):
        message = _("Give a value, or leave the parameter out.")
        errors.setdefault(name, [ValidationError(message, "empty_parameter")])
    if errors:
        raise ValidationError(errors)
    return filterset.qs
