from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models import Case
from outcomes import choices
from outcomes.models.joa import ALL_JOA_ITEMS, JOA_ITEMS, JOA_POINTS, joa_total
from outcomes.models.visit_rules import FIELD_OF_RULE, RULES
from registry.constraints import constrained
from registry.days import days_between, precision_of
from registry.fields import (
    ChoiceField,
    DayField,
    FlagField,
    LevelField,
    MeasureField,
    MultiChoiceField,
    Need,
    WholeNumberField,
    WordsField,
)
from registry.history import tracked
from registry.models import ClinicalRecord

HALF = Decimal("0.5")


def _nrs(label: Any) -> WholeNumberField:
    return WholeNumberField(
        label, least=0, most=10, need=Need.CONDITIONAL, group="pain"
    )


def _joa(
    name: str, label: Any, *, most: int, least: int = 0, step: Decimal = HALF
) -> MeasureField:
    return MeasureField(
        label,
        least=least,
        most=most,
        step=step,
        definition=choices.joa_definition(name),
        need=Need.CONDITIONAL,
        group="joa",
    )


@tracked()
@constrained
class Visit(ClinicalRecord):
    """One examination: symptoms, neurological scores, pain by site."""

    CODE_PREFIX = "VIS"
    SAME_WHEN = ("case", "visit_type", "visit_date")
    CENTRE_PATH = "case__centre"
    CONSENT_PATH = "case__patient__consent_research"

    case = models.ForeignKey(Case, models.PROTECT, related_name="visits")
    visit_type = ChoiceField(
        _("visit"),
        choices=choices.VisitType.choices,
        null=False,
        need=Need.ALWAYS,
        group="visit",
    )
    visit_date = DayField(_("date"), need=Need.ALWAYS, group="visit")
    reported_day = WholeNumberField(
        _("days from the operation, as reported"),
        unit=_("days"),
        definition=_("Only where the source gives a time but no date."),
        least=-36_500,
        most=36_500,
        group="visit",
    )
    mode = ChoiceField(
        _("mode"),
        choices=choices.VisitMode.choices,
        definition=_("JOA and McCormick need an examination."),
        need=Need.ALWAYS,
        group="visit",
    )
    assessor = ChoiceField(
        _("assessed by"),
        choices=choices.Assessor.choices,
        need=Need.ALWAYS,
        group="visit",
    )
    # --- symptoms
    pain_present = FlagField(_("pain"), need=Need.ALWAYS, group="pain")
    pain_distribution = MultiChoiceField(
        _("where"), options=choices.PainSite, need=Need.CONDITIONAL, group="pain"
    )
    pain_nrs_kind = ChoiceField(
        _("intensity asked for"),
        choices=choices.PainKind.choices,
        need=Need.CONDITIONAL,
        group="pain",
    )
    pain_local_nrs = _nrs(_("NRS, local"))
    pain_radicular_nrs = _nrs(_("NRS, radicular"))
    pain_segmental_nrs = _nrs(_("NRS, segmental at the level"))
    pain_below_level_nrs = _nrs(_("NRS, below the level"))
    pain_funicular_nrs = _nrs(_("NRS, funicular"))
    pain_surgical_nrs = _nrs(_("NRS, wound or muscle"))
    pain_other_nrs = _nrs(_("NRS, other"))
    pain_levels = WordsField(_("dermatomes of pain"), max_length=120, group="pain")
    allodynia = ChoiceField(
        _("allodynia"), choices=choices.Allodynia.choices, group="pain"
    )
    pain_medication = MultiChoiceField(
        _("pain medication"), options=choices.PainMedication, group="pain"
    )
    sensory_deficit = ChoiceField(
        _("sensory deficit"),
        choices=choices.SensoryDeficit.choices,
        need=Need.ALWAYS,
        group="neurology",
    )
    sensory_level = LevelField(
        _("sensory level"), need=Need.CONDITIONAL, group="neurology"
    )
    motor_mrc_min = ChoiceField(
        _("weakest key muscle, MRC"),
        choices=choices.MRC_GRADES,
        need=Need.ALWAYS,
        group="neurology",
    )
    gait = ChoiceField(
        _("gait"), choices=choices.Gait.choices, need=Need.ALWAYS, group="neurology"
    )
    bladder = ChoiceField(
        _("bladder"),
        choices=choices.Bladder.choices,
        need=Need.ALWAYS,
        group="neurology",
    )
    bowel = ChoiceField(_("bowel"), choices=choices.Bowel.choices, group="neurology")
    sexual_function = ChoiceField(
        _("sexual function"), choices=choices.SexualFunction.choices, group="neurology"
    )
    reflexes_pathological = FlagField(
        _("pathological reflexes"),
        definition=_("Babinski, Hoffmann or clonus."),
        group="neurology",
    )
    # --- scores
    mmcs = WholeNumberField(
        _("modified McCormick grade"),
        choices=choices.MCCORMICK_GRADES,
        definition=_(
            "I intact; II mild deficit, independent; III independent with an aid; "
            "IV dependent; V para- or quadriplegia."
        ),
        least=1,
        most=5,
        need=Need.ALWAYS,
        group="scores",
    )
    mmcs_version = ChoiceField(
        _("McCormick version"),
        choices=choices.MccormickVersion.choices,
        default=choices.MccormickVersion.MODIFIED,
        definition=_("Grades of different versions are never compared."),
        need=Need.CONDITIONAL,
        group="scores",
    )
    joa_region = ChoiceField(
        _("JOA form"),
        choices=choices.JoaForm.choices,
        definition=_("Decides the maximum and the recovery rate."),
        group="scores",
    )
    joa_ue_motor = _joa("joa_ue_motor", _("JOA arm motor"), most=4)
    joa_shoulder = _joa("joa_shoulder", _("JOA shoulder and elbow"), least=-2, most=0)
    joa_le_motor = _joa("joa_le_motor", _("JOA leg motor"), most=4)
    joa_ue_sens = _joa("joa_ue_sens", _("JOA arm sensory"), most=2)
    joa_le_sens = _joa("joa_le_sens", _("JOA leg sensory"), most=2)
    joa_trunk_sens = _joa("joa_trunk_sens", _("JOA trunk sensory"), most=2)
    joa_bladder = _joa("joa_bladder", _("JOA bladder"), most=3, step=Decimal(1))
    joa_lumbar_total = WholeNumberField(
        _("JOA lumbar total"),
        definition=_("The lumbar form is entered as its total."),
        least=-6,
        most=29,
        need=Need.CONDITIONAL,
        group="joa",
    )
    mjoa_total = WholeNumberField(_("mJOA"), least=0, most=18, group="more_scores")
    nurick = WholeNumberField(_("Nurick grade"), least=0, most=5, group="more_scores")
    ais = ChoiceField(_("AIS"), choices=choices.AIS_GRADES, group="more_scores")
    motor_total = WholeNumberField(
        _("ISNCSCI motor"), least=0, most=100, group="more_scores"
    )
    lt_total = WholeNumberField(
        _("ISNCSCI light touch"), least=0, most=112, group="more_scores"
    )
    pp_total = WholeNumberField(
        _("ISNCSCI pin prick"), least=0, most=112, group="more_scores"
    )
    kps = WholeNumberField(
        _("Karnofsky"), least=0, most=100, step=Decimal(10), group="more_scores"
    )
    ecog = WholeNumberField(_("ECOG"), least=0, most=5, group="more_scores")
    ndi_pct = MeasureField(_("NDI"), unit="%", least=0, most=100, group="more_scores")
    odi_pct = MeasureField(_("ODI"), unit="%", least=0, most=100, group="more_scores")
    eq5d5l = ChoiceField(
        _("EQ-5D-5L profile"),
        max_length=5,
        definition=_("Five digits from 1 to 5."),
        group="more_scores",
    )
    eq_vas = WholeNumberField(_("EQ-VAS"), least=0, most=100, group="more_scores")
    paindetect = WholeNumberField(
        _("painDETECT"), least=-1, most=38, group="more_scores"
    )
    dn4 = WholeNumberField(_("DN4"), least=0, most=10, group="more_scores")
    npsi_total = WholeNumberField(_("NPSI"), least=0, most=100, group="more_scores")
    odom = ChoiceField(_("Odom"), choices=choices.Odom.choices, group="more_scores")
    remark = WordsField(_("remark"), group="visit")

    joa_total = models.GeneratedField(
        expression=joa_total(),
        output_field=models.DecimalField(max_digits=5, decimal_places=1, null=True),
        db_persist=True,
    )

    class Meta(ClinicalRecord.Meta):
        indexes = [models.Index(fields=["case", "visit_date"], name="visit_case_date")]
        constraints = [
            *ClinicalRecord.Meta.constraints,
            *RULES,
        ]

    CONSTRAINT_FIELDS = FIELD_OF_RULE

    @property
    def day_is_exact(self) -> bool:
        """Whether the dates that :attr:`visit_day` is counted from are whole days."""
        known = (self.case.operated_on, self.visit_date)
        return all(precision_of(day) == "day" for day in known)

    @property
    def visit_day(self) -> int | None:
        """Days from the index operation; negative before it."""
        operated = self.case.operated_on
        if not (self.visit_date and operated):
            return self.reported_day
        before = self.visit_type == choices.VisitType.PREOP
        after = not before and self.visit_type != choices.VisitType.UNSCHEDULED
        return days_between(
            operated,
            self.visit_date,
            at_least=0 if after else None,
            at_most=0 if before else None,
        )

    def applicable(self, field: Any) -> bool:
        name = field.name
        if name in ALL_JOA_ITEMS:
            return name in JOA_ITEMS.get(self.joa_region or "", ())
        if name in {"pain_distribution", "pain_nrs_kind"}:
            return bool(self.pain_present)
        if field.group == "pain" and name.endswith("_nrs"):
            return any(
                choices.PAIN_NRS_FIELDS[site] == name
                for site in self.pain_distribution or ()
            )
        if name == "sensory_level":
            return self.sensory_deficit not in (None, "none")
        if name == "mmcs_version":
            return self.mmcs is not None
        return super().applicable(field)

    def clean(self) -> None:
        super().clean()
        errors = self._day_errors() | self._pain_errors() | self._joa_errors()
        if errors:
            raise ValidationError(errors)

    def _day_errors(self) -> dict[str, Any]:
        """Days as reported lie on the side of the operation that the kind says."""
        day, kind = self.reported_day, self.visit_type
        if day is None or kind == choices.VisitType.UNSCHEDULED:
            return {}
        if kind == choices.VisitType.PREOP and day > 0:
            text = _("A visit before the operation has no day after it.")
            return {"reported_day": ValidationError(text, "day_after_operation")}
        if kind != choices.VisitType.PREOP and day < 0:
            text = _("A follow-up visit has no day before the operation.")
            return {"reported_day": ValidationError(text, "day_before_operation")}
        return {}

    def _pain_errors(self) -> dict[str, Any]:
        sites = set(self.pain_distribution or ())
        errors: dict[str, Any] = {}
        for site, name in choices.PAIN_NRS_FIELDS.items():
            intensity = getattr(self, name)
            if intensity and site not in sites:
                errors[name] = _("Mark the place, or take the intensity away.")
            elif intensity == 0 and site in sites:
                errors[name] = _("Pain is marked here; 0 says that there is none.")
        return errors

    def _joa_errors(self) -> dict[str, Any]:
        if not self.joa_region:
            return {}
        errors: dict[str, Any] = {}
        items = JOA_ITEMS[self.joa_region]
        for name in ALL_JOA_ITEMS:
            value = getattr(self, name)
            if value is not None and name not in items:
                text = _("This item is not part of the form chosen.")
                errors[name] = ValidationError(text, "joa_item")
            elif value is not None and not self._is_point(name, value):
                text = _("This form has the points %(points)s.")
                offered = JOA_POINTS[self.joa_region][name]
                named = {"points": ", ".join(f"{point:g}" for point in offered)}
                errors[name] = ValidationError(text, "joa_points", named)
        return errors

    def _is_point(self, name: str, value: Decimal) -> bool:
        points = JOA_POINTS.get(self.joa_region or "", {}).get(name)
        return points is None or float(value) in points
