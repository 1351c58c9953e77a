"""How much of a record is answered, what is not, and why that matters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from registry.constraints import described_fields
from registry.fields import Need
from registry.records import BLANK

# Why the registry asks. A field without a line of its own is explained by its definition.
WHY: dict[str, Any] = {
    "birth_year": _("Age at the operation follows from it."),
    "sex": _("Arms of a comparison are balanced by it."),
    "nf_status": _("Syndromic tumours are analysed apart."),
    "consent_research": _("Without it the case stays out of exports."),
    "compartment": _("Every result is grouped by it."),
    "compartment_mri": _("The MRI reading is measured against the operation."),
    "level_rostral": _("Region and extent follow from the levels."),
    "level_caudal": _("Region and extent follow from the levels."),
    "level_basis": _("Segments and vertebrae of one number lie apart."),
    "histology_who2021": _("Decides in which analyses the case counts."),
    "size_cc_mm": _("Size is a covariate of matching."),
    "symptom_duration_months": _("A known predictor of recovery."),
    "surgery_date": _("Time zero: without it no follow-up counts."),
    "eor_mri": _("Recurrence is shown by the extent of resection on MRI."),
    "eor_surgeon": _("Stands in where no early MRI was done."),
    "border": _("One of the features that tell the compartments apart."),
    "enhancement": _("One of the features that tell the compartments apart."),
    "syrinx": _("One of the features that tell the compartments apart."),
    "oedema_present": _("One of the features that tell the compartments apart."),
    "haemosiderin": _("One of the features that tell the compartments apart."),
    "visit_date": _("Decides which window the visit fills."),
    "mmcs": _("Neurological improvement is counted from it."),
    "pain_present": _("Residual pain is counted from it."),
    "last_contact_date": _("Follow-up time ends here."),
    "death_date": _("Follow-up time ends here."),
}


@dataclass(frozen=True)
class Completeness:
    """Needed fields with an answer (a value or a reason), and those without."""

    done: int
    total: int
    lacking: tuple[tuple[Any, Any], ...]  # (record, field)

    @property
    def percent(self) -> int:
        return 100 if not self.total else self.done * 100 // self.total

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Each unanswered field: its record, its name in words and why it matters."""
        return [
            {
                "record": record,
                "label": capfirst(str(field.verbose_name)),
                "why": WHY.get(field.name) or field.definition,
            }
            for record, field in self.lacking
        ]


def completeness_of(records: Iterable[Any]) -> Completeness:
    """The completeness of several rows together."""
    total, lacking = 0, []
    for record in records:
        needed = needed_fields(record)
        total += len(needed)
        lacking += [(record, field) for field in needed if not answered(record, field)]
    return Completeness(total - len(lacking), total, tuple(lacking))


def needed_fields(record: Any) -> list[Any]:
    """The fields without which this row counts as incomplete."""
    return [
        field
        for field in described_fields(type(record))
        if field.need != Need.OPTIONAL and record.applicable(field)
    ]


def answered(record: Any, field: Any) -> bool:
    value = getattr(record, field.attname)
    return value not in BLANK or field.name in record.missing
