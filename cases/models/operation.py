from __future__ import annotations

from datetime import date
from typing import Any

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
from registry.sql import SpinalLevelOrdinal, may_follow


@tracked()
@constrained
class Operation(ClinicalRecord):
    """One operation on one tumour. The index operation is time zero."""

    CODE_PREFIX = "OPN"
    SAME_WHEN = ("case", "surgery_date")
    CENTRE_PATH = "case__centre"
    CONSENT_PATH = "case__patient__consent_research"

    case = models.ForeignKey(Case, models.PROTECT, related_name="operations")
    surgery_date = DayField(
        _("date of operation"),
        definition=_("Time zero of all follow-up."),
        need=Need.ALWAYS,
        group="operation",
    )
    index_operation = models.BooleanField(_("index operation"), default=True)
    relation_to_index = ChoiceField(
        _("relation to the index operation"),
        choices=choices.RelationToIndex.choices,
        definition=_(
            "A planned stage, or a biopsy before the definitive operation, belongs to "
            "the same resection; whatever else follows is a re-operation."
        ),
        need=Need.CONDITIONAL,
        group="operation",
    )
    urgency = ChoiceField(
        _("urgency"),
        choices=choices.Urgency.choices,
        need=Need.ALWAYS,
        group="operation",
    )
    surgeon_id = ChoiceField(
        _("surgeon"),
        definition=_("Initials or code; dropped from every export."),
        privacy=Privacy.STAFF,
        group="operation",
    )
    approach = ChoiceField(
        _("approach"),
        choices=choices.Approach.choices,
        need=Need.ALWAYS,
        group="operation",
    )
    bone_work = ChoiceField(
        _("bone work"),
        choices=choices.BoneWork.choices,
        need=Need.ALWAYS,
        group="operation",
    )
    levels_opened_from = LevelField(
        _("opened from"), need=Need.ALWAYS, group="operation"
    )
    levels_opened_to = LevelField(_("opened to"), need=Need.ALWAYS, group="operation")
    facetectomy = ChoiceField(
        _("facetectomy"), choices=choices.Facetectomy.choices, group="operation"
    )
    fusion = FlagField(_("fusion"), need=Need.ALWAYS, group="operation")
    myelotomy = ChoiceField(
        _("myelotomy"),
        choices=choices.Myelotomy.choices,
        need=Need.CONDITIONAL,
        group="operation",
    )
    ultrasonic_aspirator = FlagField(_("ultrasonic aspirator"), group="operation")
    ionm_modality = MultiChoiceField(
        _("neuromonitoring"),
        options=choices.Ionm,
        need=Need.ALWAYS,
        group="monitoring",
    )
    ionm_alarm = ChoiceField(
        _("monitoring alarm"),
        choices=choices.IonmAlarm.choices,
        need=Need.CONDITIONAL,
        group="monitoring",
    )
    ionm_alarm_criterion = ChoiceField(
        _("alarm criterion"),
        choices=choices.IONM_CRITERIA,
        definition=_("Fall of amplitude that counted as an alarm."),
        need=Need.CONDITIONAL,
        group="monitoring",
    )
    blood_loss_ml = WholeNumberField(
        _("blood loss"),
        unit="mL",
        least=0,
        most=20_000,
        need=Need.ALWAYS,
        group="operation",
    )
    operative_time_min = WholeNumberField(
        _("operative time"),
        unit="min",
        definition=_("Skin to skin."),
        least=15,
        most=1440,
        need=Need.ALWAYS,
        group="operation",
    )
    dissection_plane = ChoiceField(
        _("dissection plane"),
        choices=choices.DissectionPlane.choices,
        need=Need.ALWAYS,
        group="resection",
    )
    tumour_consistency = ChoiceField(
        _("consistency"), choices=choices.Consistency.choices, group="resection"
    )
    eor_surgeon = ChoiceField(
        _("extent of resection, surgeon"),
        choices=choices.EorSurgeon.choices,
        definition=_("The surgeon's own opinion at the end of the operation."),
        need=Need.ALWAYS,
        group="resection",
    )
    eor_mri = ChoiceField(
        _("extent of resection, MRI"),
        choices=choices.EorMri.choices,
        definition=_(
            "On MRI within 3 months. GTR 100 % without residual, NTR from 95 %, "
            "STR from 80 %, PR below. The analysis variable."
        ),
        need=Need.ALWAYS,
        group="resection",
    )
    eor_percent = MeasureField(
        _("tumour removed"), unit="%", least=0, most=100, group="resection"
    )
    root_sacrificed = ChoiceField(
        _("root sacrificed"),
        choices=choices.RootSacrificed.choices,
        need=Need.ALWAYS,
        group="resection",
    )
    root_level = WordsField(_("which root"), max_length=60, group="resection")
    dural_closure = ChoiceField(
        _("dural closure"), choices=choices.DuralClosure.choices, group="operation"
    )
    steroid = FlagField(_("steroid"), group="operation")
    adjuvant = ChoiceField(
        _("adjuvant treatment"),
        choices=choices.Adjuvant.choices,
        need=Need.ALWAYS,
        group="resection",
    )
    discharge_date = DayField(_("discharged on"), need=Need.ALWAYS, group="operation")
    remark = WordsField(_("remark"), group="operation")

    levels_from_ordinal = models.GeneratedField(
        expression=SpinalLevelOrdinal("levels_opened_from"),
        output_field=models.SmallIntegerField(null=True),
        db_persist=True,
    )
    levels_to_ordinal = models.GeneratedField(
        expression=SpinalLevelOrdinal("levels_opened_to"),
        output_field=models.SmallIntegerField(null=True),
        db_persist=True,
    )

    class Meta(ClinicalRecord.Meta):
        indexes = [
            models.Index(fields=["surgery_date", "case"], name="operation_date"),
        ]
        constraints = [
            *ClinicalRecord.Meta.constraints,
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(index_operation=True, voided_at__isnull=True),
                name="operation_one_index_per_case",
                violation_error_message=_(
                    "This tumour has an index operation already."
                ),
            ),
            Rule(
                condition=Q(index_operation=False) | Q(relation_to_index__isnull=True),
                name="operation_index_has_no_relation",
                violation_error_message=_(
                    "The index operation has no relation to itself."
                ),
            ),
            Rule(
                condition=Q(discharge_date__isnull=True)
                | Q(surgery_date__isnull=True)
                | may_follow("discharge_date", "surgery_date"),
                name="operation_discharge_after_surgery",
                violation_error_message=_("Discharge precedes the operation."),
            ),
            Rule(
                condition=Q(levels_from_ordinal__isnull=True)
                | Q(levels_to_ordinal__isnull=True)
                | Q(levels_to_ordinal__gte=F("levels_from_ordinal")),
                name="operation_levels_in_order",
                violation_error_message=_(
                    "The last level opened lies rostral to the first."
                ),
            ),
            Rule(
                condition=Q(ionm_alarm__isnull=True)
                | Q(ionm_alarm__in=["none", "not_done"])
                | Q(ionm_modality__isnull=True)
                | ~Q(ionm_modality__contains=["none"]),
                name="operation_alarm_needs_monitoring",
                violation_error_message=_("Without monitoring there is no alarm."),
            ),
            Rule(
                condition=Q(eor_percent__isnull=True)
                | Q(eor_mri__isnull=True)
                | Q(eor_mri="not_assessed")
                | Q(eor_mri="gtr", eor_percent=100)
                | Q(eor_mri="ntr", eor_percent__gte=95, eor_percent__lt=100)
                | Q(eor_mri="str", eor_percent__gte=80, eor_percent__lt=95)
                | Q(eor_mri="pr", eor_percent__lt=80)
                | Q(eor_mri="biopsy", eor_percent__lte=10),
                name="operation_eor_percent_agrees",
                violation_error_message=_(
                    "The percentage does not belong to that extent of resection: "
                    "GTR 100, NTR 95 to below 100, STR 80 to below 95, PR below 80."
                ),
            ),
        ]

    CONSTRAINT_FIELDS = {
        "operation_one_index_per_case": "index_operation",
        "operation_index_has_no_relation": "relation_to_index",
        "operation_discharge_after_surgery": "discharge_date",
        "operation_levels_in_order": "levels_opened_to",
        "operation_alarm_needs_monitoring": "ionm_alarm",
        "operation_eor_percent_agrees": "eor_percent",
    }

    @property
    def is_stage(self) -> bool:
        """Whether it belongs to the resection that starts follow-up."""
        planned = choices.RelationToIndex.PLANNED_STAGE
        return self.index_operation or self.relation_to_index == planned

    @property
    def place_among_stages(self) -> tuple[date, bool, int]:
        """Orders the stages of a resection in time."""
        return (self.surgery_date or date.max, not self.index_operation, self.pk or 0)

    def applicable(self, field: Any) -> bool:
        monitored = bool(self.ionm_modality) and "none" not in self.ionm_modality
        if field.name == "relation_to_index":
            return not self.index_operation
        if field.name == "myelotomy":
            return self.case.compartment == choices.Compartment.INTRAMEDULLARY
        if field.name == "ionm_alarm":
            return monitored
        if field.name == "ionm_alarm_criterion":
            return self.ionm_alarm in {"transient", "persistent"}
        return super().applicable(field)


@tracked()
@constrained
class Complication(ClinicalRecord):
    """An adverse event of an operation."""

    CODE_PREFIX = "AEV"
    SAME_WHEN = ("operation", "ae_code", "ae_onset_date")
    CENTRE_PATH = "operation__case__centre"
    CONSENT_PATH = "operation__case__patient__consent_research"

    operation = models.ForeignKey(
        Operation, models.PROTECT, related_name="complications"
    )
    ae_code = ChoiceField(
        _("adverse event"),
        choices=choices.AdverseEvent.choices,
        null=False,
        need=Need.ALWAYS,
    )
    ae_onset_date = DayField(_("began on"), need=Need.ALWAYS)
    clavien_dindo = ChoiceField(
        _("Clavien-Dindo grade"),
        choices=choices.CLAVIEN_DINDO,
        definition=_(
            "Grades the treatment: I bedside, II drugs or transfusion, IIIa "
            "intervention, IIIb under general anaesthesia, IVa one organ, IVb several, "
            "V death."
        ),
        need=Need.ALWAYS,
    )
    cd_suffix_d = FlagField(
        _("disability at discharge"), definition=_("Suffix d of Clavien-Dindo.")
    )
    saves_v2 = WholeNumberField(_("SAVES-V2 grade"), least=1, most=6)
    related = ChoiceField(
        _("related to the operation"),
        choices=choices.Relatedness.choices,
        need=Need.ALWAYS,
    )
    reoperation = FlagField(_("re-operation"), need=Need.ALWAYS)
    resolved_date = DayField(_("resolved on"))
    remark = WordsField(_("remark"))

    class Meta(ClinicalRecord.Meta):
        constraints = [
            *ClinicalRecord.Meta.constraints,
            Rule(
                condition=Q(resolved_date__isnull=True)
                | Q(ae_onset_date__isnull=True)
                | may_follow("resolved_date", "ae_onset_date"),
                name="complication_resolved_after_onset",
                violation_error_message=_("It was resolved before it began."),
            ),
            Rule(
                condition=Q(reoperation__isnull=True)
                | Q(reoperation=False)
                | Q(clavien_dindo__isnull=True)
                | ~Q(clavien_dindo__in=choices.CLAVIEN_WITHOUT_INTERVENTION),
                name="complication_reoperation_grade",
                violation_error_message=_(
                    "A re-operation is Clavien-Dindo IIIa or higher."
                ),
            ),
            Rule(
                condition=Q(saves_v2__isnull=True)
                | Q(clavien_dindo__isnull=True)
                | (Q(saves_v2=6) & Q(clavien_dindo="V"))
                | (~Q(saves_v2=6) & ~Q(clavien_dindo="V")),
                name="complication_death_in_both_scales",
                violation_error_message=_("Death is grade V and SAVES 6 together."),
            ),
        ]

    CONSTRAINT_FIELDS = {
        "complication_resolved_after_onset": "resolved_date",
        "complication_reoperation_grade": "clavien_dindo",
        "complication_death_in_both_scales": "saves_v2",
    }
