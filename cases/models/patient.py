from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases import choices
from registry.constraints import constrained
from registry.fields import (
    ChoiceField,
    DayField,
    FlagField,
    MeasureField,
    Need,
    Privacy,
    WholeNumberField,
    WordsField,
)
from registry.history import tracked
from registry.models import ClinicalRecord, PartlyKnownDays
from registry.sql import Folded


@tracked()
@constrained
class Patient(ClinicalRecord):
    """A person with one or more spinal cord tumours, known by a random code."""

    CODE_PREFIX = "SCT"
    CODE_LENGTH = 6
    CENTRE_PATH = "centre"
    CONSENT_PATH = "consent_research"

    centre = models.ForeignKey(
        "registry.Centre", models.PROTECT, related_name="patients"
    )
    sex = ChoiceField(
        _("sex"),
        choices=choices.Sex.choices,
        definition=_("Sex at birth."),
        need=Need.ALWAYS,
        privacy=Privacy.QUASI,
    )
    birth_year = WholeNumberField(
        _("year of birth"),
        definition=_("Follows from the date of birth where that is known."),
        need=Need.ALWAYS,
        privacy=Privacy.QUASI,
        least=1900,
        most=2100,
    )
    nf_status = ChoiceField(
        _("neurofibromatosis or schwannomatosis"),
        choices=choices.NfStatus.choices,
        definition=_("By the names of 2022; “NF2” became NF2-related schwannomatosis."),
        need=Need.ALWAYS,
        privacy=Privacy.SENSITIVE,
    )
    nf_basis = ChoiceField(
        _("basis of that diagnosis"),
        choices=choices.NfBasis.choices,
        need=Need.CONDITIONAL,
        privacy=Privacy.SENSITIVE,
    )
    nf_as_recorded = WordsField(
        _("term as recorded"), max_length=200, privacy=Privacy.TEXT
    )
    prior_spine_surgery = FlagField(_("earlier spine surgery"), need=Need.ALWAYS)
    prior_radiotherapy_spine = FlagField(
        _("earlier radiotherapy of the spine"), need=Need.ALWAYS
    )
    asa_class = WholeNumberField(
        _("ASA class"), definition=_("ASA physical status."), least=1, most=5
    )
    comorbidity_index = WholeNumberField(
        _("Charlson comorbidity index"),
        definition=_("Charlson index without age."),
        least=0,
        most=37,
    )
    smoking = ChoiceField(_("smoking"), choices=choices.Smoking.choices)
    height_cm = MeasureField(_("height"), unit="cm", least=50, most=230)
    weight_kg = MeasureField(_("weight"), unit="kg", least=3, most=300)
    antithrombotic = ChoiceField(
        _("antithrombotic drugs"), choices=choices.Antithrombotic.choices
    )
    consent_research = ChoiceField(
        _("consent to research"),
        choices=choices.ResearchConsent.choices,
        definition=_("Withdrawn excludes the patient from every export."),
        need=Need.ALWAYS,
    )

    class Meta(ClinicalRecord.Meta):
        constraints = [
            *ClinicalRecord.Meta.constraints,
            models.UniqueConstraint(
                fields=["id", "centre"], name="patient_id_centre_unique"
            ),
        ]

    def applicable(self, field: object) -> bool:
        if getattr(field, "name", "") == "nf_basis":
            return self.nf_status not in (
                None,
                choices.NfStatus.NONE_KNOWN,
                choices.NfStatus.UNKNOWN,
            )
        return super().applicable(field)

    def clean(self) -> None:
        super().clean()
        if self.birth_year and self.birth_year > timezone.localdate().year:
            raise ValidationError(
                {"birth_year": _("The year of birth lies in the future.")}
            )


@tracked()
@constrained
class PatientIdentity(PartlyKnownDays):
    """Name, date of birth and hospital number: apart from everything else.

    Read only with the identity permission of the own centre; every read is audited.
    """

    patient = models.OneToOneField(
        Patient, models.PROTECT, related_name="identity", primary_key=True
    )
    centre = models.ForeignKey("registry.Centre", models.PROTECT, related_name="+")
    family_name = WordsField(_("family name"), max_length=100, privacy=Privacy.DIRECT)
    given_name = WordsField(_("given name"), max_length=100, privacy=Privacy.DIRECT)
    birth_date = DayField(
        _("date of birth"), privacy=Privacy.DIRECT, placeholder_allowed=True
    )
    hospital_number = WordsField(
        _("hospital number"), max_length=40, privacy=Privacy.DIRECT
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_by = models.ForeignKey(
        "registry.User", models.PROTECT, related_name="+", editable=False
    )

    class Meta:
        constraints = [
            # Per centre: across centres the error would tell that a patient exists.
            models.UniqueConstraint(
                F("centre"),
                Folded("hospital_number"),
                condition=~Q(hospital_number=""),
                name="identity_hospital_number_once",
                violation_error_message=_(
                    "A patient with this hospital number exists in your centre."
                ),
            ),
        ]

    CONSTRAINT_FIELDS = {"identity_hospital_number_once": "hospital_number"}

    def __str__(self) -> str:
        return self.patient.code
