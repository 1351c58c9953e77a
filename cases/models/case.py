from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.utils.translation import gettext_lazy as _

from cases import choices
from cases.models.patient import Patient
from registry.constraints import Rule, constrained
from registry.fields import (
    ChoiceField,
    DayField,
    FlagField,
    LevelField,
    MeasureField,
    MissingReason,
    MultiChoiceField,
    Need,
    Privacy,
    WholeNumberField,
    WordsField,
)
from registry.history import tracked
from registry.models import ClinicalRecord
from registry.sql import SpinalLevelOrdinal, SpinalLevelSpan, SpinalRegion


@tracked()
@constrained
class Case(ClinicalRecord):
    """One tumour of one patient, with how it showed itself."""

    CODE_PREFIX = "TUM"
    SAME_WHEN = ("patient", "level_rostral", "level_caudal")
    CENTRE_PATH = "centre"
    CONSENT_PATH = "patient__consent_research"
    # Rows that a case must have or say why not; declared in full in ``completeness``.
    ROWS_WITH_REASON = (
        "preop_mri",
        "index_operation",
        "postop_mri",
        "preop_visit",
        "discharge_visit",
        "vital_status",
    )

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="cases")
    # The patient's centre; a foreign key over both columns keeps them equal.
    centre = models.ForeignKey("registry.Centre", models.PROTECT, related_name="cases")
    status = models.CharField(
        max_length=10,
        choices=choices.CaseStatus.choices,
        default=choices.CaseStatus.DRAFT,
        editable=False,
    )
    verified_at = models.DateTimeField(null=True, editable=False)
    verified_by = models.ForeignKey(
        "registry.User", models.PROTECT, related_name="+", null=True, editable=False
    )
    compartment = ChoiceField(
        _("compartment"),
        choices=choices.Compartment.choices,
        definition=_("As found at the operation; the MRI reading stands beside it."),
        need=Need.ALWAYS,
        group="tumour",
    )
    compartment_mri = ChoiceField(
        _("compartment on MRI"),
        choices=choices.Compartment.choices,
        definition=_(
            "Pre-operative reading: cord expansion is intramedullary; a displaced cord "
            "with widened CSF space at the pole is extramedullary."
        ),
        need=Need.ALWAYS,
        group="tumour",
    )
    exophytic = ChoiceField(
        _("exophytic part"), choices=choices.Exophytic.choices, group="tumour"
    )
    subpial = FlagField(
        _("subpial"),
        definition=_("A subpial tumour can look intramedullary."),
        group="tumour",
    )
    level_rostral = LevelField(_("rostral level"), need=Need.ALWAYS, group="tumour")
    level_caudal = LevelField(_("caudal level"), need=Need.ALWAYS, group="tumour")
    level_basis = ChoiceField(
        _("levels counted by"),
        choices=choices.LevelBasis.choices,
        definition=_("Cord segments lie higher than the vertebrae of the same number."),
        need=Need.ALWAYS,
        group="tumour",
    )
    conus_cauda = ChoiceField(
        _("conus or cauda equina"),
        choices=choices.ConusCauda.choices,
        definition=_("Set by the reader: levels alone do not tell."),
        group="tumour",
    )
    axial_position = MultiChoiceField(
        _("axial position"),
        options=choices.AxialPosition,
        need=Need.ALWAYS,
        group="tumour",
    )
    side = ChoiceField(
        _("side"), choices=choices.Side.choices, need=Need.ALWAYS, group="tumour"
    )
    eden_type = ChoiceField(
        _("Eden type"),
        choices=choices.EdenType.choices,
        need=Need.CONDITIONAL,
        group="tumour",
    )
    toyama_type = ChoiceField(
        _("Toyama type"),
        choices=choices.TOYAMA_TYPES,
        definition=_("Nine types of cervical dumbbell tumours."),
        need=Need.CONDITIONAL,
        group="tumour",
    )
    sridhar_type = ChoiceField(
        _("Sridhar type"), choices=choices.SRIDHAR_TYPES, group="tumour"
    )
    root_of_origin = WordsField(_("root of origin"), max_length=200, group="tumour")
    histology_who2021 = ChoiceField(
        _("histology"),
        choices=choices.Histology.choices,
        definition=_("WHO classification of 2021 (CNS5)."),
        need=Need.ALWAYS,
        group="tumour",
    )
    icdo_morphology = ChoiceField(
        _("ICD-O morphology"),
        max_length=6,
        definition=_("ICD-O-3.2, such as 9560/0."),
        need=Need.ALWAYS,
        group="tumour",
    )
    icdo_topography = ChoiceField(
        _("ICD-O topography"),
        max_length=5,
        definition=_("C72.0 cord, C72.1 cauda, C70.1 meninges, C47 root or nerve."),
        need=Need.ALWAYS,
        group="tumour",
    )
    who_grade = ChoiceField(
        _("WHO grade"),
        choices=choices.WHO_GRADES,
        need=Need.ALWAYS,
        group="tumour",
    )
    ki67_pct = MeasureField(_("Ki-67"), unit="%", least=0, most=100, group="tumour")
    ihc = MultiChoiceField(
        _("positive immunohistochemistry"),
        options=choices.Immunohistochemistry,
        group="tumour",
    )
    size_cc_mm = MeasureField(
        _("size, cranio-caudal"),
        unit="mm",
        least=1,
        most=400,
        need=Need.ALWAYS,
        group="tumour",
    )
    size_ap_mm = MeasureField(
        _("size, antero-posterior"),
        unit="mm",
        least=1,
        most=60,
        need=Need.ALWAYS,
        group="tumour",
    )
    size_tr_mm = MeasureField(
        _("size, transverse"),
        unit="mm",
        least=1,
        most=200,
        need=Need.ALWAYS,
        group="tumour",
    )
    volume_cm3 = MeasureField(
        _("volume"),
        unit="cm³",
        least=0,
        most=500,
        decimal_places=2,
        need=Need.CONDITIONAL,
        group="tumour",
    )
    volume_method = ChoiceField(
        _("volume by"),
        choices=choices.VolumeMethod.choices,
        need=Need.CONDITIONAL,
        group="tumour",
    )
    onset_date = DayField(_("first symptom on"), group="presentation")
    # Of the dictionary; follows the date, so nobody is asked.
    onset_date_precision = ChoiceField(
        _("precision of that date"),
        choices=choices.DatePrecision.choices,
        definition=_("Follows from the date as it is written: 2014-05 is a month."),
        group="presentation",
    )
    incidental = FlagField(
        _("incidental finding"),
        definition=_("Found without symptoms; there is then no duration."),
        need=Need.ALWAYS,
        group="presentation",
    )
    symptom_duration_months = MeasureField(
        _("duration of symptoms"),
        unit=_("months"),
        definition=_("From the first symptom to the operation."),
        least=0,
        most=600,
        decimal_places=2,
        need=Need.CONDITIONAL,
        group="presentation",
    )
    first_symptom = ChoiceField(
        _("first symptom"),
        choices=choices.FirstSymptom.choices,
        need=Need.CONDITIONAL,
        group="presentation",
    )
    age_reported = WholeNumberField(
        _("age as reported"),
        unit=_("years"),
        definition=_("Only where year of birth or date of operation are not known."),
        privacy=Privacy.QUASI,
        least=0,
        most=110,
        group="presentation",
    )
    remark = WordsField(_("remark"), group="tumour")

    level_rostral_ordinal = models.GeneratedField(
        expression=SpinalLevelOrdinal("level_rostral"),
        output_field=models.SmallIntegerField(null=True),
        db_persist=True,
    )
    level_caudal_ordinal = models.GeneratedField(
        expression=SpinalLevelOrdinal("level_caudal"),
        output_field=models.SmallIntegerField(null=True),
        db_persist=True,
    )
    level_span = models.GeneratedField(
        expression=SpinalLevelSpan("level_rostral", "level_caudal", "level_basis"),
        output_field=models.SmallIntegerField(null=True),
        db_persist=True,
    )
    region = models.GeneratedField(
        expression=SpinalRegion("level_rostral", "level_caudal", "conus_cauda"),
        output_field=models.CharField(
            max_length=20, null=True, choices=choices.Region.choices
        ),
        db_persist=True,
    )

    class Meta(ClinicalRecord.Meta):
        indexes = [
            models.Index(fields=["centre", "-id"], name="case_centre_recent"),
            models.Index(fields=["updated_at", "id"], name="case_updated"),
        ]
        constraints = [
            *ClinicalRecord.Meta.constraints,
            Rule(
                condition=Q(status__in=choices.CaseStatus.values),
                name="case_status_known",
            ),
            Rule(
                condition=Q(
                    status="verified",
                    verified_at__isnull=False,
                    verified_by__isnull=False,
                )
                | (
                    ~Q(status="verified")
                    & Q(verified_at__isnull=True, verified_by__isnull=True)
                ),
                name="case_verified_pair",
            ),
            Rule(
                condition=Q(level_caudal_ordinal__isnull=True)
                | Q(level_rostral_ordinal__isnull=True)
                | Q(level_caudal_ordinal__gte=F("level_rostral_ordinal")),
                name="case_levels_in_order",
                violation_error_message=_(
                    "The caudal level lies rostral to the rostral level."
                ),
            ),
            Rule(
                condition=(
                    (Q(level_rostral__isnull=True) | ~Q(level_rostral="C8"))
                    & (Q(level_caudal__isnull=True) | ~Q(level_caudal="C8"))
                )
                | Q(level_basis="cord_segment"),
                name="case_c8_is_a_segment",
                violation_error_message=_(
                    "C8 is a cord segment; there is no eighth cervical vertebra."
                ),
            ),
            Rule(
                condition=Q(incidental__isnull=True)
                | Q(incidental=False)
                | Q(symptom_duration_months__isnull=True),
                name="case_incidental_has_no_duration",
                violation_error_message=_(
                    "An incidental finding has no duration of symptoms."
                ),
            ),
            Rule(
                condition=Q(compartment__isnull=True)
                | ~Q(compartment="intramedullary")
                | (
                    Q(toyama_type__isnull=True)
                    & (Q(eden_type__isnull=True) | Q(eden_type="not_dumbbell"))
                ),
                name="case_no_dumbbell_type_inside_the_cord",
                violation_error_message=_(
                    "An intramedullary tumour has no Eden or Toyama type."
                ),
            ),
            Rule(
                condition=Q(onset_date__isnull=True)
                | Q(onset_date_precision__isnull=True)
                | Q(onset_date_precision="day", precision__onset_date__isnull=True)
                | Q(onset_date_precision=KT("precision__onset_date")),
                name="case_onset_precision_agrees",
                violation_error_message=_(
                    "The date says more or less than that. Write it as far as it is "
                    "known, such as 2014-05."
                ),
            ),
            Rule(
                condition=Q(volume_cm3__isnull=True) | Q(volume_method__isnull=False),
                name="case_volume_has_method",
                violation_error_message=_("Say how the volume was measured."),
            ),
            Rule(
                condition=Q(icdo_morphology__isnull=True)
                | Q(icdo_morphology__regex=r"^[0-9]{4}/[01236]$"),
                name="case_icdo_morphology_form",
                violation_error_message=_("Write the morphology as 9560/0."),
            ),
            Rule(
                condition=Q(icdo_topography__isnull=True)
                | Q(icdo_topography__regex=r"^C[0-9]{2}(\.[0-9])?$"),
                name="case_icdo_topography_form",
                violation_error_message=_("Write the topography as C72.0."),
            ),
        ]

    # Fields of which the constraints speak, so that an error stands where it belongs.
    CONSTRAINT_FIELDS = {
        "case_levels_in_order": "level_caudal",
        "case_c8_is_a_segment": "level_basis",
        "case_incidental_has_no_duration": "symptom_duration_months",
        "case_no_dumbbell_type_inside_the_cord": "eden_type",
        "case_onset_precision_agrees": "onset_date_precision",
        "case_volume_has_method": "volume_method",
        "case_icdo_morphology_form": "icdo_morphology",
        "case_icdo_topography_form": "icdo_topography",
    }

    @property
    def is_locked(self) -> bool:
        return self.status == choices.CaseStatus.VERIFIED

    def applicable(self, field: Any) -> bool:
        name = field.name
        if name in {"eden_type", "toyama_type"}:
            dumbbell = self.compartment == choices.Compartment.DUMBBELL
            return dumbbell and (name == "eden_type" or self.begins_cervical)
        if name in {"symptom_duration_months", "first_symptom"}:
            return self.incidental is False
        if name in {"volume_cm3", "volume_method"}:
            return self.volume_cm3 is not None
        return super().applicable(field)

    @property
    def index_operation(self) -> Any:
        """The operation from which follow-up counts, or None."""
        return next(
            (
                operation
                for operation in self.operations.all()
                if operation.index_operation and not operation.is_void
            ),
            None,
        )

    @property
    def final_extent(self) -> str | None:
        """Extent of resection on MRI after the last planned stage of the resection.

        A stage whose extent does not apply, such as a fusion, leaves it as it was.
        Without a date a stage counts as the last one; the facts derive the same.
        """
        stages = [
            operation
            for operation in self.operations.all()
            if not operation.is_void
            and operation.is_stage
            and operation.missing.get("eor_mri") != MissingReason.NOT_APPLICABLE
        ]
        last = max(stages, key=lambda each: each.place_among_stages, default=None)
        return last.eor_mri if last else None

    @property
    def operated_on(self) -> date | None:
        """Day zero, where it is known."""
        return self.index_operation.surgery_date if self.index_operation else None

    @property
    def begins_cervical(self) -> bool:
        """Whether the rostral level is cervical, C0 included."""
        level = self.level_rostral or ""
        return level.startswith("C") and level != "Co"

    def clean(self) -> None:
        super().clean()
        errors: dict[str, Any] = {}
        expected = choices.ICDO_MORPHOLOGY.get(self.histology_who2021 or "")
        if self.icdo_morphology and expected not in (None, self.icdo_morphology):
            errors["icdo_morphology"] = _(
                "%(histology)s has the morphology %(code)s."
            ) % {"histology": self.get_histology_who2021_display(), "code": expected}
        if choices.grade_contradicts(self.who_grade or "", self.icdo_morphology or ""):
            text = _(
                "Grade %(grade)s and the behaviour of %(code)s exclude each other."
            )
            named = {"grade": self.who_grade, "code": self.icdo_morphology}
            errors["who_grade"] = ValidationError(text, "grade_and_behaviour", named)
        if self.toyama_type and self.level_rostral and not self.begins_cervical:
            errors["toyama_type"] = _("The Toyama types are for the cervical spine.")
        sizes = (self.size_cc_mm, self.size_ap_mm, self.size_tr_mm)
        if (
            self.volume_method == choices.VolumeMethod.ELLIPSOID
            and self.volume_cm3
            and all(sizes)
        ):
            volume = ellipsoid_volume_cm3(*sizes)
            if abs(self.volume_cm3 - volume) > volume * Decimal("0.05") + Decimal(
                "0.005"
            ):
                errors["volume_cm3"] = _(
                    "The three diameters give %(volume)s cm³ (π/6 abc)."
                ) % {"volume": volume}
        if errors:
            raise ValidationError(errors)


PI_OVER_6 = Decimal("0.5235987755982988730771072305")


def ellipsoid_volume_cm3(a_mm: Decimal, b_mm: Decimal, c_mm: Decimal) -> Decimal:
    """Volume of an ellipsoid with three diameters in mm, in cm³ to two places."""
    volume = PI_OVER_6 * Decimal(a_mm) * Decimal(b_mm) * Decimal(c_mm) / 1000
    return volume.quantize(Decimal("0.01"))
