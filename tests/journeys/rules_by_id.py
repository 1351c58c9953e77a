"""Where each rule of the data-quality table is asked, by its id.

Rules between rows have their scenarios in ``rule_scenarios``. Here stand those of one
row, each with values that agree and one that does not, and those that no save asks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Values = dict[str, Any]


@dataclass(frozen=True)
class RowRule:
    """A rule of one row: ``fine`` is accepted; with ``broken`` it is refused ``at`` a
    field."""

    id: str
    kind: str
    fine: Values
    broken: Values
    at: str = field(default="")

    @property
    def place(self) -> str:
        return self.at or next(iter(self.broken))


@dataclass(frozen=True)
class NotAsked:
    """Why no save asks a rule, and the test that holds it where it is held."""

    why: str
    test: str = ""


VISIT = {"visit_date": "2016-03-01", "visit_type": "m12"}
PREOP_MRI = {"mri_date": "2015-02-01", "purpose": "preop"}
DEAD = {"vital_status": "dead", "death_date": "2020-01-01", "death_cause": "other"}
OPERATION = {"surgery_date": "2015-03-02"}
FATAL = {"ae_code": "CSF_leak", "ae_onset_date": "2015-03-05"}
SIZES = {"size_cc_mm": 20, "size_ap_mm": 10, "size_tr_mm": 10}
THORACIC = {"joa_region": "thoracic11"}
REVISED = {"joa_region": "cervical17_rev"}

ROW_RULES = (
    RowRule("R01", "identity", {"hospital_number": "H-1"}, {"hospital_number": "H-0"}),
    RowRule("R02", "patient", {"birth_year": 1900}, {"birth_year": 1899}),
    RowRule("R07", "vital", DEAD, {"death_date": None}),
    RowRule(
        "R07",
        "vital",
        {"vital_status": "alive"},
        {"death_date": "2020-01-01"},
        "vital_status",
    ),
    RowRule("R08", "visit", VISIT, {"visit_date": "2999-01-01"}),
    RowRule("R08", "visit", VISIT, {"visit_date": "1970-01-01"}),
    RowRule("R08", "operation", OPERATION, {"surgery_date": "1900-01-01"}),
    RowRule(
        "R09",
        "case",
        {"incidental": False, "symptom_duration_months": 12},
        {"incidental": True},
        "symptom_duration_months",
    ),
    RowRule(
        "R09",
        "case",
        {"incidental": False, "symptom_duration_months": 600},
        {"symptom_duration_months": 601},
    ),
    RowRule(
        "R12",
        "case",
        {"level_rostral": "T5", "level_caudal": "T6"},
        {"level_caudal": "T4"},
    ),
    RowRule(
        "R13",
        "case",
        {"level_rostral": "C8", "level_caudal": "C8", "level_basis": "cord_segment"},
        {"level_basis": "vertebral_body"},
    ),
    RowRule("R13", "case", {"level_rostral": "T12"}, {"level_rostral": "T13"}),
    RowRule("R13", "case", {"level_rostral": "L5"}, {"level_rostral": "L6"}),
    RowRule(
        "R17",
        "case",
        {
            "compartment": "dumbbell_intra_extradural",
            "level_rostral": "C5",
            "toyama_type": "I",
        },
        {"level_rostral": "T5"},
        "toyama_type",
    ),
    RowRule(
        "R18",
        "case",
        {"compartment": "dumbbell_intra_extradural", "eden_type": "II"},
        {"compartment": "intramedullary"},
        "eden_type",
    ),
    RowRule(
        "R21",
        "case",
        {"histology_who2021": "schwannoma", "icdo_morphology": "9560/0"},
        {"icdo_morphology": "9530/0"},
    ),
    RowRule(
        "R22",
        "case",
        {"icdo_morphology": "9530/3", "who_grade": "3"},
        {"who_grade": "1"},
    ),
    RowRule(
        "R22",
        "case",
        {"icdo_morphology": "9530/0", "who_grade": "1"},
        {"who_grade": "3"},
    ),
    RowRule(
        "R26",
        "mri",
        PREOP_MRI | {"gd_given": True, "enhancement": "homogeneous"},
        {"gd_given": False},
        "enhancement",
    ),
    RowRule(
        "R26",
        "mri",
        PREOP_MRI | {"gd_given": False, "enhancement": "not_done"},
        {"gd_given": True},
        "enhancement",
    ),
    RowRule(
        "R27",
        "mri",
        PREOP_MRI | {"oedema_present": True, "oedema_cranial_seg": 1},
        {"oedema_present": False},
    ),
    RowRule(
        "R27",
        "mri",
        PREOP_MRI
        | {"oedema_present": True, "oedema_cranial_seg": 1, "oedema_caudal_seg": 0},
        {"oedema_cranial_seg": 0},
        "oedema_present",
    ),
    RowRule(
        "R28",
        "mri",
        PREOP_MRI | {"syrinx": "present", "syrinx_rostral": "C5"},
        {"syrinx": "none"},
    ),
    RowRule(
        "R30",
        "mri",
        PREOP_MRI | {"haemosiderin": "cap_sign", "sequences": ["T1", "T2"]},
        {"sequences": ["T1"]},
        "haemosiderin",
    ),
    RowRule("R31", "case", {"size_cc_mm": 1}, {"size_cc_mm": "0.5"}),
    RowRule("R31", "case", {"size_cc_mm": 400}, {"size_cc_mm": 401}),
    RowRule(
        "R32",
        "case",
        SIZES | {"volume_cm3": "1.05", "volume_method": "ellipsoid_pi6"},
        {"volume_cm3": "1.2"},
    ),
    RowRule(
        "R36",
        "operation",
        OPERATION | {"eor_mri": "ntr", "eor_percent": 95},
        {"eor_percent": 94},
    ),
    RowRule(
        "R37",
        "mri",
        {"mri_date": "2016-03-01", "purpose": "followup", "residual_present": False},
        {"residual_max_mm": 3},
    ),
    RowRule(
        "R41",
        "operation",
        OPERATION | {"ionm_modality": ["SSEP"], "ionm_alarm": "transient"},
        {"ionm_modality": ["none"]},
        "ionm_alarm",
    ),
    RowRule(
        "R42",
        "complication",
        FATAL | {"reoperation": True, "clavien_dindo": "IIIb"},
        {"clavien_dindo": "II"},
    ),
    RowRule(
        "R42",
        "complication",
        FATAL | {"saves_v2": 6, "clavien_dindo": "V"},
        {"saves_v2": 5},
    ),
    RowRule("R44", "visit", VISIT | {"kps": 70}, {"kps": 75}),
    RowRule("R44", "visit", VISIT | {"mmcs": 5}, {"mmcs": 6}),
    RowRule("R44", "visit", VISIT | {"nurick": 5}, {"nurick": 6}),
    RowRule("R44", "visit", VISIT | {"mjoa_total": 18}, {"mjoa_total": 19}),
    RowRule("R44", "visit", VISIT | {"paindetect": 38}, {"paindetect": 39}),
    RowRule(
        "R44",
        "visit",
        VISIT | REVISED | {"joa_le_motor": "2.5"},
        {"joa_le_motor": "3.5"},
    ),
    RowRule(
        "R44",
        "visit",
        VISIT | REVISED | {"joa_shoulder": "-0.5"},
        {"joa_shoulder": "-1.5"},
    ),
    RowRule(
        "R44",
        "visit",
        VISIT | REVISED | {"joa_ue_motor": 3},
        {"joa_ue_motor": "2.5"},
    ),
    RowRule(
        "R44",
        "visit",
        VISIT | THORACIC | {"joa_le_sens": 1},
        {"joa_le_sens": "1.5"},
    ),
    RowRule(
        "R46", "visit", VISIT | THORACIC | {"joa_le_motor": 4}, {"joa_ue_motor": 4}
    ),
    RowRule(
        "R49",
        "visit",
        VISIT | {"mmcs": 4, "mmcs_version": "mccormick4"},
        {"mmcs": 5},
    ),
    RowRule(
        "R54",
        "visit",
        VISIT | {"pain_present": True, "pain_distribution": ["radicular"]},
        {"pain_present": False},
    ),
    RowRule(
        "R54",
        "visit",
        VISIT
        | {
            "pain_present": True,
            "pain_distribution": ["radicular"],
            "pain_radicular_nrs": 3,
        },
        {"pain_radicular_nrs": 0},
    ),
    RowRule("R58", "visit", VISIT | {"odom": "good"}, {"visit_type": "preop"}, "odom"),
    RowRule("R58", "visit", VISIT | {"eq5d5l": "11215"}, {"eq5d5l": "11216"}),
    RowRule(
        "R69", "operation", OPERATION | {"blood_loss_ml": 0}, {"blood_loss_ml": -9}
    ),
    RowRule("R69", "visit", VISIT | {"kps": None}, {"kps": 999}),
)

FINDING = "a warning that asks for a second look: a finding of the quality pages"
NOT_ASKED = {
    **dict.fromkeys(
        "R04 R10 R11 R14 R15 R16 R20 R23 R24 R25 R29 R33 R38 R39".split(),
        NotAsked(FINDING),
    ),
    **dict.fromkeys(
        "R47 R50 R51 R52 R53 R59 R61 R64 R70 R71 R72 R75".split(), NotAsked(FINDING)
    ),
    "R19": NotAsked(
        "a draft may wait for it; without it no case is complete",
        "tests/journeys/test_rules_by_id.py",
    ),
    "R45": NotAsked(
        "the total is a column that the database derives, never typed",
        "tests/outcomes/test_facts.py",
    ),
    "R48": NotAsked(
        "recovery rates are computed, never stored or imported",
        "tests/outcomes/stats/test_scores.py",
    ),
    "R57": NotAsked(
        "the registry holds totals of these questionnaires, not their items"
    ),
    "R66": NotAsked(
        "the end of observation is derived from the rows, never typed",
        "tests/outcomes/test_endpoints.py",
    ),
    "R67": NotAsked(
        "such cases are counted apart under every curve",
        "tests/outcomes/test_endpoints.py",
    ),
    "R68": NotAsked(
        "follows from the calendar, not from a save: the worklist of the lost",
        "tests/outcomes/test_schedule.py",
    ),
    "R73": NotAsked(
        "a rule of what leaves the registry", "tests/outcomes/test_deidentified.py"
    ),
    "R74": NotAsked(
        "a rule of what leaves the registry", "tests/outcomes/test_disclosure.py"
    ),
}
