from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from cases import choices
from cases.models.case import Case
from registry.constraints import Rule, constrained
from registry.fields import (
    ChoiceField,
    DayField,
    FlagField,
    LevelField,
    MeasureField,
    MultiChoiceField,
    Need,
    Privacy,
    WholeNumberField,
    WordsField,
)
from registry.history import tracked
from registry.models import ClinicalRecord
from registry.sql import SpinalLevelOrdinal

PREOPERATIVE_FEATURES = frozenset(
    {
        "t1_signal",
        "t2_signal",
        "enhancement",
        "border",
        "oedema_present",
        "syrinx",
        "cyst",
        "haemosiderin",
        "cord_displacement",
    }
)
POSTOPERATIVE_FINDINGS = frozenset(
    {"residual_present", "new_lesion_same_site", "new_lesion_other_level"}
)


@tracked()
@constrained
class MriStudy(ClinicalRecord):
    """One MRI examination and its reading."""

    CODE_PREFIX = "MRI"
    SAME_WHEN = ("case", "mri_date")
    CENTRE_PATH = "case__centre"
    CONSENT_PATH = "case__patient__consent_research"

    case = models.ForeignKey(Case, models.PROTECT, related_name="mri_studies")
    mri_date = DayField(_("date"), need=Need.ALWAYS, group="study")
    purpose = ChoiceField(
        _("purpose"),
        choices=choices.MriPurpose.choices,
        null=False,
        need=Need.ALWAYS,
        group="study",
    )
    field_strength_T = ChoiceField(
        _("field strength"),
        choices=choices.FIELD_STRENGTHS,
        need=Need.ALWAYS,
        group="study",
    )
    sequences = MultiChoiceField(
        _("sequences"),
        options=choices.MriSequence,
        definition=_("T1 with gadolinium for enhancement, T2* for haemosiderin."),
        need=Need.ALWAYS,
        group="study",
    )
    slice_mm = MeasureField(
        _("slice"), unit="mm", least=Decimal("0.5"), most=8, group="study"
    )
    gd_given = FlagField(_("gadolinium given"), need=Need.ALWAYS, group="study")
    t1_signal = ChoiceField(
        _("T1 signal"),
        choices=choices.Signal.choices,
        definition=_("Against normal cord on the same image."),
        need=Need.CONDITIONAL,
        group="features",
    )
    t2_signal = ChoiceField(
        _("T2 signal"),
        choices=choices.Signal.choices,
        definition=_("Against normal cord; mixed if a quarter of the section differs."),
        need=Need.CONDITIONAL,
        group="features",
    )
    enhancement = ChoiceField(
        _("enhancement"),
        choices=choices.Enhancement.choices,
        definition=_(
            "Rim: three quarters of the edge enhance and the centre does not."
        ),
        need=Need.CONDITIONAL,
        group="features",
    )
    border = ChoiceField(
        _("border to the cord"),
        choices=choices.Border.choices,
        definition=_(
            "Smooth: even contour on sagittal and axial T1 with gadolinium. "
            "Rough: serrated, spiculated or blurred on either."
        ),
        need=Need.CONDITIONAL,
        group="features",
    )
    margin_demarcation = ChoiceField(
        _("demarcation of the margin"),
        choices=choices.Demarcation.choices,
        definition=_("A rating of its own: sharp margins may meet a rough interface."),
        group="features",
    )
    oedema_present = FlagField(
        _("peritumoral oedema"),
        definition=_("High T2 signal of the cord beyond tumour and syrinx."),
        need=Need.CONDITIONAL,
        group="features",
    )
    oedema_cranial_seg = MeasureField(
        _("oedema, cranial"),
        unit=_("segments"),
        least=0,
        most=20,
        step=Decimal("0.5"),
        need=Need.CONDITIONAL,
        group="features",
    )
    oedema_caudal_seg = MeasureField(
        _("oedema, caudal"),
        unit=_("segments"),
        least=0,
        most=20,
        step=Decimal("0.5"),
        need=Need.CONDITIONAL,
        group="features",
    )
    syrinx = ChoiceField(
        _("syrinx"),
        choices=choices.Syrinx.choices,
        definition=_("Signal of CSF on all sequences, sharp wall, no enhancement."),
        need=Need.CONDITIONAL,
        group="features",
    )
    syrinx_rostral = LevelField(
        _("syrinx, rostral"), need=Need.CONDITIONAL, group="features"
    )
    syrinx_caudal = LevelField(
        _("syrinx, caudal"), need=Need.CONDITIONAL, group="features"
    )
    syrinx_max_diam_mm = MeasureField(
        _("syrinx, largest diameter"), unit="mm", least=1, most=20, group="features"
    )
    cyst = ChoiceField(
        _("cyst"),
        choices=choices.Cyst.choices,
        definition=_(
            "The wall of an intratumoral cyst enhances; a polar one does not."
        ),
        need=Need.CONDITIONAL,
        group="features",
    )
    haemosiderin = ChoiceField(
        _("haemosiderin"),
        choices=choices.Haemosiderin.choices,
        definition=_("Cap sign: dark rim on T2 or T2* at a pole of the tumour."),
        need=Need.CONDITIONAL,
        group="features",
    )
    cord_displacement = ChoiceField(
        _("cord"),
        choices=choices.CordDisplacement.choices,
        need=Need.CONDITIONAL,
        group="features",
    )
    csf_cleft_or_meniscus = FlagField(_("CSF cleft or meniscus"), group="features")
    cord_compression_grade = WholeNumberField(
        _("cord compression grade"), least=0, most=3, group="features"
    )
    residual_present = FlagField(
        _("residual tumour"), need=Need.CONDITIONAL, group="postoperative"
    )
    residual_max_mm = MeasureField(
        _("residual, largest diameter"),
        unit="mm",
        least=0,
        most=400,
        need=Need.CONDITIONAL,
        group="postoperative",
    )
    residual_volume_cm3 = MeasureField(
        _("residual volume"),
        unit="cm³",
        least=0,
        most=500,
        decimal_places=2,
        group="postoperative",
    )
    new_lesion_same_site = FlagField(
        _("new lesion at the operated site"),
        need=Need.CONDITIONAL,
        group="postoperative",
    )
    new_lesion_other_level = FlagField(
        _("new lesion at another level"),
        definition=_("Not a local recurrence."),
        need=Need.CONDITIONAL,
        group="postoperative",
    )
    reader_1 = ChoiceField(
        _("first reader"),
        definition=_("Initials or code of the reader."),
        need=Need.ALWAYS,
        privacy=Privacy.STAFF,
        group="reading",
    )
    reader_2 = ChoiceField(_("second reader"), privacy=Privacy.STAFF, group="reading")
    readers_blinded = FlagField(_("readers blinded to histology"), group="reading")
    consensus = FlagField(_("read in consensus"), group="reading")
    remark = WordsField(_("remark"), group="reading")

    syrinx_rostral_ordinal = models.GeneratedField(
        expression=SpinalLevelOrdinal("syrinx_rostral"),
        output_field=models.SmallIntegerField(null=True),
        db_persist=True,
    )
    syrinx_caudal_ordinal = models.GeneratedField(
        expression=SpinalLevelOrdinal("syrinx_caudal"),
        output_field=models.SmallIntegerField(null=True),
        db_persist=True,
    )

    class Meta(ClinicalRecord.Meta):
        indexes = [models.Index(fields=["case", "mri_date"], name="mri_case_date")]
        constraints = [
            *ClinicalRecord.Meta.constraints,
            Rule(
                condition=Q(gd_given__isnull=True)
                | Q(enhancement__isnull=True)
                | Q(gd_given=False, enhancement="not_done")
                | (Q(gd_given=True) & ~Q(enhancement="not_done")),
                name="mri_enhancement_needs_contrast",
                violation_error_message=_(
                    "Enhancement can be read exactly where gadolinium was given."
                ),
            ),
            Rule(
                condition=Q(oedema_present__isnull=True)
                | Q(oedema_present=True)
                | (
                    (Q(oedema_cranial_seg__isnull=True) | Q(oedema_cranial_seg=0))
                    & (Q(oedema_caudal_seg__isnull=True) | Q(oedema_caudal_seg=0))
                ),
                name="mri_oedema_extent_needs_oedema",
                violation_error_message=_("Without oedema there is no extent of it."),
            ),
            Rule(
                condition=Q(syrinx__isnull=True)
                | Q(syrinx="present")
                | Q(
                    syrinx_rostral__isnull=True,
                    syrinx_caudal__isnull=True,
                    syrinx_max_diam_mm__isnull=True,
                ),
                name="mri_syrinx_extent_needs_syrinx",
                violation_error_message=_("Without a syrinx there is no extent of it."),
            ),
            Rule(
                condition=Q(syrinx_rostral_ordinal__isnull=True)
                | Q(syrinx_caudal_ordinal__isnull=True)
                | Q(syrinx_caudal_ordinal__gte=F("syrinx_rostral_ordinal")),
                name="mri_syrinx_levels_in_order",
                violation_error_message=_(
                    "The caudal end of the syrinx lies rostral to the rostral end."
                ),
            ),
            Rule(
                condition=Q(haemosiderin__isnull=True)
                | ~Q(haemosiderin="cap_sign")
                | Q(sequences__isnull=True)
                | Q(sequences__overlap=["T2", "T2star_SWI"]),
                name="mri_cap_sign_needs_t2",
                violation_error_message=_("The cap sign is read on T2 or T2*."),
            ),
            Rule(
                condition=Q(residual_present__isnull=True)
                | Q(residual_present=True)
                | Q(residual_max_mm__isnull=True)
                | Q(residual_max_mm=0),
                name="mri_residual_size_needs_residual",
                violation_error_message=_("Without a residual there is no size of it."),
            ),
        ]

    CONSTRAINT_FIELDS = {
        "mri_enhancement_needs_contrast": "enhancement",
        "mri_oedema_extent_needs_oedema": "oedema_present",
        "mri_syrinx_extent_needs_syrinx": "syrinx",
        "mri_syrinx_levels_in_order": "syrinx_caudal",
        "mri_cap_sign_needs_t2": "haemosiderin",
        "mri_residual_size_needs_residual": "residual_max_mm",
    }

    @property
    def is_preoperative(self) -> bool:
        return self.purpose == choices.MriPurpose.PREOP

    def clean(self) -> None:
        super().clean()
        ends = (self.oedema_cranial_seg, self.oedema_caudal_seg)
        if self.oedema_present and ends == (0, 0):
            text = _("Oedema that is present has an extent at one end at least.")
            raise ValidationError(
                {"oedema_present": ValidationError(text, "oedema_without_extent")}
            )

    def applicable(self, field: Any) -> bool:
        name = field.name
        if name in PREOPERATIVE_FEATURES:
            return self.is_preoperative
        if name in POSTOPERATIVE_FINDINGS:
            return not self.is_preoperative
        if name.startswith("oedema_"):
            return bool(self.oedema_present)
        if name.startswith("syrinx_"):
            return self.syrinx == choices.Syrinx.PRESENT
        if name == "residual_max_mm":
            return bool(self.residual_present)
        return super().applicable(field)
