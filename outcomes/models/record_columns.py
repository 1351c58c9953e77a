"""The facts that are known at the operation: patient, tumour, MRI, resection."""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from cases import choices
from cases.models import Case, Operation, Patient
from outcomes.models.fact_column import FactColumn, Kind, Release, precision_of
from outcomes.models.reasons import copied
from registry.fields import Privacy

AGE_SOURCES = (
    ("birth_date", _("Date of birth")),
    ("birth_year", _("Year of birth, so up to one year too high")),
    ("reported", _("Age as reported")),
)
ELLIPSOID = "0.52359877559829887 * tumour.size_cc_mm * tumour.size_ap_mm * tumour.size_tr_mm / 1000"

CODE_COLUMNS = (
    FactColumn(
        "case_code",
        Kind.TEXT,
        _("case"),
        "tumour.code",
        privacy=Privacy.CODE,
        source="cases.Case.code",
        release=Release.DROP,
    ),
    FactColumn(
        "patient_code",
        Kind.TEXT,
        _("patient"),
        "patient.code",
        definition=_("A patient may have several tumours."),
        privacy=Privacy.CODE,
        source="cases.Patient.code",
        release=Release.DROP,
    ),
    FactColumn(
        "centre_code",
        Kind.TEXT,
        _("centre"),
        "centre.code",
        privacy=Privacy.QUASI,
        source="registry.Centre.code",
        release=Release.DROP,
    ),
    FactColumn(
        "status",
        Kind.TEXT,
        _("state"),
        "tumour.status",
        values=tuple(choices.CaseStatus.choices),
        privacy=Privacy.SYSTEM,
        source="cases.Case.status",
    ),
)

_RECORDED_SEX, SEX_MISSING = copied(Patient, "patient", "sex", release=Release.KEEP)
SEX = replace(
    _RECORDED_SEX,
    expression="CASE patient.sex {} END".format(
        " ".join(
            f"WHEN '{code}' THEN '{word}'"
            for code, word in choices.SEX_IN_FACTS.items()
        )
    ),
    values=tuple((choices.SEX_IN_FACTS[code], code.label) for code in choices.Sex),
)
PATIENT_COLUMNS = (
    SEX,
    SEX_MISSING,
    *copied(Patient, "patient", "birth_year"),
    *copied(
        Patient,
        "patient",
        "nf_status",
        "prior_spine_surgery",
        "prior_radiotherapy_spine",
        "asa_class",
        "comorbidity_index",
        "smoking",
        "antithrombotic",
        "consent_research",
    ),
    FactColumn(
        "age_at_surgery",
        Kind.WHOLE,
        _("age at the operation"),
        "CASE WHEN identity.birth_date <= operation.surgery_date"
        " THEN extract(year FROM age("
        "operation.surgery_date::timestamp, identity.birth_date::timestamp))::int"
        " WHEN extract(year FROM operation.surgery_date) >= patient.birth_year"
        " THEN extract(year FROM operation.surgery_date)::int - patient.birth_year"
        " ELSE tumour.age_reported END",
        definition=_(
            "Completed years from the date of birth; else the difference of the years; "
            "else as reported."
        ),
        unit=_("years"),
        privacy=Privacy.QUASI,
        release=Release.BAND,
    ),
    FactColumn(
        "age_source",
        Kind.TEXT,
        _("age from"),
        "CASE WHEN identity.birth_date <= operation.surgery_date THEN 'birth_date'"
        " WHEN extract(year FROM operation.surgery_date) >= patient.birth_year"
        " THEN 'birth_year'"
        " WHEN tumour.age_reported IS NOT NULL THEN 'reported' END",
        values=AGE_SOURCES,
    ),
)

TUMOUR_COLUMNS = (
    *copied(Case, "tumour", "compartment", "compartment_mri", "exophytic", "subpial"),
    *copied(Case, "tumour", "level_rostral", "level_caudal"),
    FactColumn(
        "level_rostral_ordinal",
        Kind.WHOLE,
        _("rostral level, place from the top"),
        "tumour.level_rostral_ordinal",
        privacy=Privacy.QUASI,
        release=Release.DROP,
    ),
    FactColumn(
        "level_caudal_ordinal",
        Kind.WHOLE,
        _("caudal level, place from the top"),
        "tumour.level_caudal_ordinal",
        privacy=Privacy.QUASI,
        release=Release.DROP,
    ),
    FactColumn(
        "level_span",
        Kind.WHOLE,
        _("levels spanned"),
        "tumour.level_span",
        definition=_("From the rostral to the caudal level, both counted."),
        unit=_("levels"),
    ),
    FactColumn(
        "region",
        Kind.TEXT,
        _("region"),
        "tumour.region",
        definition=_("By the levels; conus and cauda equina by the reader's mark."),
        values=tuple(choices.Region.choices),
        privacy=Privacy.QUASI,
    ),
    *copied(Case, "tumour", "level_basis", "side", "eden_type"),
    *copied(Case, "tumour", "histology_who2021", release=Release.GROUP_RARE),
    *copied(Case, "tumour", "who_grade", "ki67_pct"),
    *copied(
        Case,
        "tumour",
        "size_cc_mm",
        "size_ap_mm",
        "size_tr_mm",
        release=Release.ROUND,
    ),
    FactColumn(
        "volume_cm3",
        Kind.NUMBER,
        _("volume"),
        f"coalesce(tumour.volume_cm3, round({ELLIPSOID}, 2))",
        definition=_("As measured; else the ellipsoid of the three diameters."),
        unit="cm³",
        release=Release.ROUND,
    ),
    FactColumn(
        "volume_method",
        Kind.TEXT,
        _("volume by"),
        "CASE WHEN tumour.volume_cm3 IS NOT NULL THEN tumour.volume_method"
        f" WHEN {ELLIPSOID} IS NOT NULL THEN 'ellipsoid_pi6' END",
        values=tuple(choices.VolumeMethod.choices),
    ),
    *copied(Case, "tumour", "incidental", "symptom_duration_months", "first_symptom"),
)

OPERATION_COLUMNS = (
    FactColumn(
        "has_operation",
        Kind.FLAG,
        _("operated on"),
        "operation.id IS NOT NULL",
        definition=_("Has an index operation."),
    ),
    *copied(Operation, "operation", "surgery_date"),
    precision_of(
        "surgery_date",
        _("date of operation"),
        "CASE WHEN operation.surgery_date IS NOT NULL"
        " THEN coalesce(operation.surgery_known, 'day') END",
    ),
    FactColumn(
        "surgery_year",
        Kind.WHOLE,
        _("year of operation"),
        "extract(year FROM operation.surgery_date)::int",
        privacy=Privacy.QUASI,
        release=Release.BAND,
    ),
    *copied(
        Operation,
        "operation",
        "urgency",
        "approach",
        "bone_work",
        "facetectomy",
        "fusion",
        "myelotomy",
        "ultrasonic_aspirator",
        "ionm_alarm",
        "ionm_alarm_criterion",
        "blood_loss_ml",
        "operative_time_min",
        "dissection_plane",
        "tumour_consistency",
        "eor_surgeon",
        "eor_mri",
        "eor_percent",
        "root_sacrificed",
        "dural_closure",
        "steroid",
        "adjuvant",
    ),
    FactColumn(
        "los_days",
        Kind.WHOLE,
        _("length of stay"),
        "days_between(operation.surgery_date, operation.surgery_known,"
        " operation.discharge_date, operation.precision ->> 'discharge_date', 0)",
        definition=_("From the operation to discharge."),
        unit=_("days"),
    ),
    FactColumn(
        "n_complications",
        Kind.WHOLE,
        _("complications"),
        "CASE WHEN operation.id IS NOT NULL THEN coalesce(complication.n, 0) END",
        definition=_("Of the index operation."),
    ),
    FactColumn(
        "clavien_dindo_max",
        Kind.TEXT,
        _("worst Clavien-Dindo grade"),
        "complication.worst",
        values=tuple(choices.CLAVIEN_DINDO),
    ),
)
