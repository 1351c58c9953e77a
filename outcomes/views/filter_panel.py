"""The filters of the case list as a panel and as removable chips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from cases.filters import EMPTY, PARAMETERS, Parameter, parameter_errors
from outcomes.filters import APPOINTMENT, GROUP, OUTCOME, ListFilter
from outcomes.models.fact_column import Release
from outcomes.models.fact_columns import COLUMN_BY_NAME
from outcomes.released import common_values
from outcomes.views.paging import address

# Asked for in the panel, in this order; an address may use the others as well.
ASKED = (
    "q",
    "status",
    "appointment",
    "compartment",
    "histology_who2021",
    "region",
    "level",
    "eor_final",
    "surgery_date_after",
    "surgery_date_before",
    "nf_status",
    "sex",
    "age_min",
    "age_max",
    "outcome",
)
# Parameters of the page itself.
OF_PAGE = ("sort", "after", "before", "voided")
BY_NAME = {each.name: each for each in (*PARAMETERS, APPOINTMENT, OUTCOME, GROUP)}


class FilterPanel(forms.Form):
    """Shows the parameters of the address; what they mean is decided by ListFilter."""

    def __init__(
        self,
        asked: QueryDict,
        errors: dict[str, list[ValidationError]],
        names: Sequence[str] = ASKED,
    ) -> None:
        super().__init__(asked, auto_id="filter_%s")
        for name in names:
            self.fields[name] = panel_field(BY_NAME[name], asked.get(name, ""))
        self.full_clean()
        for name, found in errors.items():
            for error in found:
                if name in self.fields:
                    self.add_error(name, error)
                else:
                    self.add_error(None, f"{name}: {' '.join(error.messages)}")


def panel_field(parameter: Parameter, present: str) -> forms.Field:
    """A list of the choices; several codes at once stay as one entry of it."""
    label = str(capfirst(str(parameter.label)))
    if not parameter.choices:
        return forms.CharField(label=label, required=False)
    options = [("", _("Any")), *parameter.choices]
    if "," in present:
        options.append((present, value_words(parameter, present)))
    widget = forms.Select(choices=options)
    return forms.CharField(label=label, required=False, widget=widget)


def leave_out_pooled(panel: FilterPanel) -> None:
    """Offer only values that de-identified rows are told apart by."""
    for name, field in panel.fields.items():
        column = COLUMN_BY_NAME[BY_NAME[name].fact_name]
        if column.release == Release.GROUP_RARE:
            widget: Any = field.widget
            told_apart = {"", *common_values(column.name)}
            widget.choices = [each for each in widget.choices if each[0] in told_apart]


def value_words(parameter: Parameter, value: str) -> str:
    """The value of a parameter in words."""
    labels = {str(code): str(label) for code, label in parameter.choices}
    codes = [part.strip() for part in value.split(",")] if labels else [value]
    return _(" or ").join(labels.get(code, code) for code in codes)


def chips(asked: QueryDict) -> list[dict[str, str]]:
    """The filters in force, each with the address without it."""
    return [
        {
            "label": f"{capfirst(str(BY_NAME[name].label))}: "
            f"{value_words(BY_NAME[name], str(asked[name]))}",
            "remove_url": address(asked, **{name: None}),
        }
        for name in BY_NAME
        if asked.get(name, "") not in EMPTY
    ]


def filtered(
    request: HttpRequest, cases: QuerySet[Any]
) -> tuple[QuerySet[Any], dict[str, list[ValidationError]]]:
    """The cases that the address asks for, and what is wrong with the address."""
    filterset = ListFilter(request.GET, queryset=cases)
    errors = parameter_errors(filterset, OF_PAGE)
    return (cases.none() if errors else filterset.qs), errors


def panel_context(
    request: HttpRequest,
    errors: dict[str, list[ValidationError]],
    names: Sequence[str] = ASKED,
) -> dict[str, Any]:
    """What the template needs of the filters."""
    in_force = chips(request.GET)
    panel = FilterPanel(request.GET, errors, names)
    return {
        "filter_form": panel,
        "filter_chips": in_force,
        "filter_open": bool(errors),
        "filter_problems": panel.non_field_errors(),
        "filtered": bool(in_force) or bool(errors),
        "clear_url": request.path,
    }
