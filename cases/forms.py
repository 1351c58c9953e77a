"""What is asked about a patient, a tumour, its MRI studies and operations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases import choices
from cases.models import (
    Case,
    Complication,
    MriStudy,
    Operation,
    Patient,
    PatientIdentity,
)
from registry.fields import clean_words
from registry.form_layout import Levels, Section
from registry.forms import RecordForm
from registry.models import Centre

WITH_SYNDROME = ",".join(
    code for code in choices.NfStatus.values if code not in {"none_known", "unknown"}
)


class PatientForm(RecordForm):
    """A person, without anything that names them."""

    model = Patient
    sections = (
        Section(
            "patient",
            _("Patient"),
            (
                "sex",
                "birth_year",
                "nf_status",
                "nf_basis",
                ("prior_spine_surgery", "prior_radiotherapy_spine"),
                "consent_research",
            ),
            more=(
                "nf_as_recorded",
                ("asa_class", "comorbidity_index"),
                "smoking",
                ("height_cm", "weight_kg"),
                "antithrombotic",
            ),
        ),
    )
    show_if = {"nf_basis": f"nf_status={WITH_SYNDROME}"}

    def add_fields(self) -> None:
        super().add_fields()
        this_year = timezone.localdate().year
        self.fields["birth_year"].plausible = f"1900 – {this_year}"  # type: ignore[attr-defined]


class IdentityForm(RecordForm):
    """What names a person."""

    model = PatientIdentity
    sections = (
        Section(
            "identity",
            _("Identity"),
            (("family_name", "given_name"), "birth_date", "hospital_number"),
            hint=_(
                "Stays in your centre, apart from everything else. All may be left out."
            ),
        ),
    )
    widths = {"hospital_number": "m"}


class CaseForm(RecordForm):
    """A tumour and how it showed itself."""

    model = Case
    sections = (
        Section(
            "tumour",
            _("Tumour"),
            (
                "compartment",
                "compartment_mri",
                Levels("level_rostral", "level_caudal", _("Levels")),
                "level_basis",
                "axial_position",
                "side",
                "eden_type",
                "toyama_type",
                "histology_who2021",
                ("icdo_morphology", "icdo_topography"),
                "who_grade",
                ("size_cc_mm", "size_ap_mm", "size_tr_mm"),
            ),
            more=(
                "conus_cauda",
                "exophytic",
                "subpial",
                "sridhar_type",
                "root_of_origin",
                "ki67_pct",
                "ihc",
                ("volume_cm3", "volume_method"),
                "remark",
            ),
        ),
        Section(
            "presentation",
            _("Presentation"),
            (
                "incidental",
                "symptom_duration_months",
                "first_symptom",
                "onset_date",
            ),
            more=("age_reported",),
        ),
    )
    # The Toyama types are for the cervical spine.
    sometimes = frozenset({"toyama_type"})
    show_if = {
        "eden_type": "compartment=dumbbell_intra_extradural",
        "toyama_type": "compartment=dumbbell_intra_extradural",
        "symptom_duration_months": "incidental=false",
        "first_symptom": "incidental=false",
    }

    def add_fields(self) -> None:
        super().add_fields()
        self.fields["histology_who2021"].widget.attrs["data-morphology"] = json.dumps(
            choices.ICDO_MORPHOLOGY
        )


class MriForm(RecordForm):
    """One MRI examination and its reading."""

    model = MriStudy
    sections = (
        Section(
            "study",
            _("Examination"),
            (
                "mri_date",
                "purpose",
                "field_strength_T",
                "sequences",
                "gd_given",
            ),
            more=("slice_mm",),
        ),
        Section(
            "features",
            _("Tumour and cord"),
            (
                "t1_signal",
                "t2_signal",
                "enhancement",
                "border",
                "margin_demarcation",
                "oedema_present",
                ("oedema_cranial_seg", "oedema_caudal_seg"),
                "syrinx",
                Levels("syrinx_rostral", "syrinx_caudal", _("Extent of the syrinx")),
                "syrinx_max_diam_mm",
                "cyst",
                "haemosiderin",
                "cord_displacement",
            ),
            hint=_("As read before the operation."),
            more=("csf_cleft_or_meniscus", "cord_compression_grade"),
            show_if="purpose=preop",
        ),
        Section(
            "postoperative",
            _("Residual and new tumour"),
            (
                "residual_present",
                ("residual_max_mm", "residual_volume_cm3"),
                "new_lesion_same_site",
                "new_lesion_other_level",
            ),
            show_if="purpose=early_postop,postop_3m,followup,symptom_driven",
        ),
        Section(
            "reading",
            _("Reading"),
            (("reader_1", "reader_2"),),
            more=("readers_blinded", "consensus", "remark"),
        ),
    )
    show_if = {
        "oedema_cranial_seg": "oedema_present=true",
        "oedema_caudal_seg": "oedema_present=true",
        "syrinx_rostral": "syrinx=present",
        "syrinx_max_diam_mm": "syrinx=present",
        "residual_max_mm": "residual_present=true",
        "residual_volume_cm3": "residual_present=true",
    }


class OperationForm(RecordForm):
    """One operation; whether it is the index operation follows from the case."""

    model = Operation
    error_places = {"index_operation": "surgery_date"}
    sections: tuple[Section, ...] = (
        Section(
            "operation",
            _("Operation"),
            (
                "surgery_date",
                "relation_to_index",
                "urgency",
                "approach",
                "bone_work",
                Levels("levels_opened_from", "levels_opened_to", _("Levels opened")),
                "fusion",
                "myelotomy",
                ("operative_time_min", "blood_loss_ml"),
                "discharge_date",
            ),
            more=(
                "surgeon_id",
                "facetectomy",
                "ultrasonic_aspirator",
                "dural_closure",
                "steroid",
                "remark",
            ),
        ),
        Section(
            "monitoring",
            _("Neuromonitoring"),
            ("ionm_modality", "ionm_alarm", "ionm_alarm_criterion"),
        ),
        Section(
            "resection",
            _("Resection"),
            (
                "dissection_plane",
                "eor_surgeon",
                "eor_mri",
                "root_sacrificed",
                "adjuvant",
            ),
            more=("eor_percent", "root_level", "tumour_consistency"),
        ),
    )
    show_if = {
        "ionm_alarm": "ionm_modality=SSEP,TcMEP,D_wave,EMG,BCR",
        "ionm_alarm_criterion": "ionm_alarm=transient,persistent",
    }

    def __init__(self, data: Any = None, *, case: Case, **kwargs: Any) -> None:
        """``case`` decides whether a myelotomy and the relation are asked for."""
        record = kwargs.get("record")
        index = case.index_operation if case.pk else None
        if index is None or (record and record.pk == index.pk):
            self.sections = without("relation_to_index", self.sections)
        inside = case.compartment in {
            choices.Compartment.INTRAMEDULLARY,
            choices.Compartment.INTRADURAL_BOTH,
        }
        if not inside and not (record and record.myelotomy):
            self.sections = without("myelotomy", self.sections)
        super().__init__(data, **kwargs)


def without(name: str, sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """The sections without one row."""
    return tuple(
        Section(
            **{
                **vars(section),
                "rows": tuple(row for row in section.rows if row != name),
            }
        )
        for section in sections
    )


class ComplicationForm(RecordForm):
    """An adverse event of an operation."""

    model = Complication
    sections = (
        Section(
            "complication",
            _("Complication"),
            (
                "ae_code",
                "ae_onset_date",
                "clavien_dindo",
                "related",
                "reoperation",
                "resolved_date",
            ),
            more=("cd_suffix_d", "saves_v2", "remark"),
        ),
    )


def strict_words(text: str) -> None:
    """Refuse control characters as the fields of the record do."""
    clean_words(text)


class PatientSearchForm(forms.Form):
    """Finds patients by a part of the name or number, the birth date, or a code."""

    sought = forms.CharField(
        label=_("Name, hospital number, birth date or code"),
        max_length=100,
        strip=True,
        validators=[strict_words],
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "data-enter-submits": "",
            }
        ),
    )


class CentreChoiceForm(forms.Form):
    """In which of the own centres a new patient is entered."""

    def __init__(
        self, data: Mapping[str, Any] | None, *, centres: list[Centre]
    ) -> None:
        super().__init__(data)
        choose = [(str(centre.pk), str(centre)) for centre in centres]
        self.centres = {str(centre.pk): centre for centre in centres}
        self.fields["centre"] = forms.ChoiceField(
            label=_("Centre"), choices=choose, required=len(centres) > 1
        )
        if len(centres) == 1:
            self.fields["centre"].widget = forms.HiddenInput()

    @property
    def centre(self) -> Centre:
        """The centre chosen; the only one where there is just one."""
        chosen = self.cleaned_data["centre"]
        return self.centres[chosen] if chosen else next(iter(self.centres.values()))


class ReasonForm(forms.Form):
    """The reason and version that voiding and amending need."""

    version = forms.IntegerField(min_value=0)
    reason = forms.CharField(max_length=500, strip=True)

    def clean_reason(self) -> str:
        reason = clean_words(self.cleaned_data["reason"])
        if not reason:
            raise ValidationError(_("Give a reason."), "required")
        return reason
