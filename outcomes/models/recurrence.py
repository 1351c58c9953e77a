from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.choices import EorMri, MriPurpose
from cases.models import Case
from outcomes import choices
from registry.constraints import constrained
from registry.fields import (
    ChoiceField,
    DayField,
    LevelField,
    MeasureField,
    Need,
    WholeNumberField,
    WordsField,
)
from registry.history import tracked
from registry.models import ClinicalRecord

WITH_RESIDUAL = (EorMri.NTR, EorMri.STR, EorMri.PR, EorMri.BIOPSY)


@tracked()
@constrained
class Recurrence(ClinicalRecord):
    """New tumour seen on MRI: recurrence, regrowth or a new lesion elsewhere.

    Three different events: recurrence follows GTR, regrowth is growth of a residual,
    a new lesion at another level is neither.
    """

    CODE_PREFIX = "REC"
    SAME_WHEN = ("case", "kind", "detected_on")
    CENTRE_PATH = "case__centre"

    case = models.ForeignKey(Case, models.PROTECT, related_name="recurrences")
    kind = ChoiceField(
        _("event"),
        choices=choices.RecurrenceKind.choices,
        null=False,
        need=Need.ALWAYS,
    )
    detected_on = DayField(
        _("seen on MRI of"),
        definition=_("Date of the first MRI that shows it unequivocally."),
        need=Need.ALWAYS,
    )
    reported_day = WholeNumberField(
        _("days from the operation, as reported"),
        unit=_("days"),
        least=0,
        most=36_500,
    )
    size_before_mm = MeasureField(
        _("size before"),
        unit="mm",
        definition=_("Largest diameter on the first post-operative MRI."),
        least=0,
        most=400,
        need=Need.CONDITIONAL,
    )
    size_now_mm = MeasureField(
        _("size now"), unit="mm", least=0, most=400, need=Need.ALWAYS
    )
    level_rostral = LevelField(_("rostral level"))
    level_caudal = LevelField(_("caudal level"))
    treatment = ChoiceField(
        _("treatment"),
        choices=choices.RecurrenceTreatment.choices,
        need=Need.ALWAYS,
    )
    remark = WordsField(_("remark"))

    class Meta(ClinicalRecord.Meta):
        indexes = [
            models.Index(fields=["case", "detected_on"], name="recurrence_case_date")
        ]

    def applicable(self, field: Any) -> bool:
        if field.name == "size_before_mm":
            return self.kind == choices.RecurrenceKind.REGROWTH
        return super().applicable(field)

    def clean(self) -> None:
        super().clean()
        errors = self._kind_errors() | self._date_errors()
        if errors:
            raise ValidationError(errors)

    def _kind_errors(self) -> dict[str, Any]:
        extent = self.case.final_extent
        if self.case.index_operation is None:
            return {"kind": _("Enter the index operation first.")}
        if self.kind == choices.RecurrenceKind.RECURRENCE and extent != EorMri.GTR:
            return {
                "kind": _(
                    "Recurrence follows GTR on MRI. A residual that grows is a "
                    "regrowth."
                )
            }
        if self.kind == choices.RecurrenceKind.REGROWTH and extent not in WITH_RESIDUAL:
            return {
                "kind": _("Regrowth needs a known residual (NTR, STR, PR or biopsy).")
            }
        return {}

    def _date_errors(self) -> dict[str, Any]:
        if not self.detected_on:
            return {}
        if self.reported_day is not None:
            return {"reported_day": _("Only where there is no date.")}
        operated = self.case.operated_on
        if operated and self.detected_on <= operated:
            return {
                "detected_on": _("It must follow the operation of %(day)s.")
                % {"day": operated.isoformat()}
            }
        on_file = self.case.mri_studies.filter(
            mri_date=self.detected_on, voided_at__isnull=True
        ).exclude(purpose=MriPurpose.PREOP)
        if not on_file.exists():
            return {
                "detected_on": _(
                    "No post-operative MRI of that day is on file. Enter the MRI first."
                )
            }
        return {}
