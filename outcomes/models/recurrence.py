from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.choices import EorMri
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
    CONSENT_PATH = "case__patient__consent_research"

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
        least=1,
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
        if self.detected_on and self.reported_day is not None:
            text = _("Only where there is no date.")
            raise ValidationError(
                {"reported_day": ValidationError(text, "date_and_reported_day")}
            )
