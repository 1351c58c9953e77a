"""What each section of the page of a case shows."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.choices import Region
from cases.forms import CaseForm, ComplicationForm, MriForm, OperationForm, PatientForm
from cases.models import Case, Complication, MriStudy, Operation, Patient
from outcomes.forms import RecurrenceForm, VitalStatusForm
from outcomes.models import Recurrence, VitalStatus
from registry.display import facts, levels_shown
from registry.form_layout import Section, names_in

Line = dict[str, Any]
# Shown in one line together instead of one each.
PAIRS = {
    "level_rostral": ("level_caudal", gettext_lazy("Levels")),
    "levels_opened_from": ("levels_opened_to", gettext_lazy("Levels opened")),
    "syrinx_rostral": ("syrinx_caudal", gettext_lazy("Extent of the syrinx")),
}


def lines_of(
    record: Any, *sections: Section, told: frozenset[str] = frozenset()
) -> list[Line]:
    """The facts of the fields that these sections ask for, in their order.

    ``told``: fields that the heading tells already.
    """
    names = [
        name
        for section in sections
        for name in (*names_in(section.rows), *names_in(section.more))
        if name not in told
    ]
    seconds = {second for second, _label in PAIRS.values()}
    lines = []
    for name in names:
        if name in seconds:
            continue
        found = facts(record, (name,))
        if name in PAIRS and found and found[0]["value"]:
            second, label = PAIRS[name]
            value = levels_shown(getattr(record, name), getattr(record, second))
            found = [found[0] | {"label": label, "value": value}]
        lines += found
    return lines


def patient_facts(patient: Patient) -> list[Line]:
    return lines_of(patient, *PatientForm.sections)


def tumour_facts(case: Case) -> list[Line]:
    lines = lines_of(case, CaseForm.sections[0])
    if case.region:
        after = next(
            (n for n, line in enumerate(lines) if line["name"] == "level_rostral"), 0
        )
        region = {
            "name": "region",
            "label": _("Region"),
            "value": Region(case.region).label,
        }
        lines.insert(after + 1, region)
    return lines


def presentation_facts(case: Case) -> list[Line]:
    return lines_of(case, *CaseForm.sections[1:])


def mri_block(study: MriStudy) -> dict[str, Any]:
    """One study: features before the operation, findings after it."""
    sections = MriForm.sections
    shown = (sections[0], sections[1] if study.is_preoperative else sections[2])
    told = frozenset({"mri_date", "purpose"})
    return {
        "record": study,
        "title": study.get_purpose_display(),
        "on": study.mri_date,
        "facts": lines_of(study, *shown, sections[3], told=told),
    }


def operation_block(operation: Operation) -> dict[str, Any]:
    title = _("Index operation") if operation.index_operation else _("Later operation")
    if operation.relation_to_index:
        title = operation.get_relation_to_index_display()
    told = frozenset({"surgery_date", "relation_to_index"})
    return {
        "record": operation,
        "title": title,
        "on": operation.surgery_date,
        "facts": lines_of(operation, *OperationForm.sections, told=told),
        "complications": [
            complication_block(each) for each in operation.complications.all()
        ],
    }


def complication_block(complication: Complication) -> dict[str, Any]:
    told = frozenset({"ae_code", "ae_onset_date"})
    return {
        "record": complication,
        "title": complication.get_ae_code_display(),
        "on": complication.ae_onset_date,
        "facts": lines_of(complication, *ComplicationForm.sections, told=told),
    }


def recurrence_block(recurrence: Recurrence) -> dict[str, Any]:
    told = frozenset({"kind", "detected_on"})
    return {
        "record": recurrence,
        "title": recurrence.get_kind_display(),
        "on": recurrence.detected_on,
        "facts": lines_of(recurrence, *RecurrenceForm.sections, told=told),
    }


def vital_facts(vital: VitalStatus | None) -> list[Line]:
    return lines_of(vital, *VitalStatusForm.sections) if vital else []
