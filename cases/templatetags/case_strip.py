"""The strip above every page and form of a case: whom and what it is about."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import RequestContext

from cases.labels import labels_of, labels_of_patients
from cases.models import Case, Patient
from registry.days import text_of_day
from registry.display import levels_shown

register = template.Library()


@register.inclusion_tag("components/case_strip.html", takes_context=True)
def case_strip(context: RequestContext) -> dict[str, Any]:
    """The strip of the page's case, or patient; nothing on a page without one."""
    case, patient = context.get("case"), context.get("patient")
    if not isinstance(case, Case) or case.pk is None:
        return of_patient(context, patient) if isinstance(patient, Patient) else {}
    operated = case.operated_on
    return {
        "case": case,
        "label": labels_of(context["request"], [case], target=case.code)[case.pk],
        "levels": levels_shown(case.level_rostral, case.level_caudal),
        "histology": case.get_histology_who2021_display(),
        "operated_on": text_of_day(operated) if operated else "",
    }


def of_patient(context: RequestContext, patient: Patient) -> dict[str, Any]:
    """The strip of a page about a patient, such as that of a further tumour."""
    return {"label": labels_of_patients(context["request"], [patient])[patient.pk]}
