"""Closed lists of what happens after the operation."""

from typing import Any

from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _


class VisitType(models.TextChoices):
    PREOP = "preop", _("Before the operation")
    DISCHARGE = "discharge", _("Discharge")
    M3 = "m3", _("3 months")
    M6 = "m6", _("6 months")
    M12 = "m12", _("12 months")
    M24 = "m24", _("24 months")
    M60 = "m60", _("60 months")
    LAST = "last", _("Last")
    UNSCHEDULED = "unscheduled", _("Unscheduled")


class VisitMode(models.TextChoices):
    IN_PERSON = "in_person", _("In person")
    PHONE = "phone", _("Telephone")
    POST = "post", _("Post")
    VIDEO = "video", _("Video")


class Assessor(models.TextChoices):
    SURGEON = "surgeon", _("Surgeon")
    INDEPENDENT = "independent", _("Independent")
    PATIENT = "patient", _("Patient")


class MccormickVersion(models.TextChoices):
    MODIFIED = "mod5", _("Modified, 5 grades")
    ORIGINAL = "mccormick4", _("Original of 1990, 4 grades")
    NAGOYA = "nagoya5", _("Ambulatory, 5 grades")


MCCORMICK_GRADES = [(1, "I"), (2, "II"), (3, "III"), (4, "IV"), (5, "V")]


class JoaForm(models.TextChoices):
    CERVICAL_1975 = "cervical17", _("Cervical, 17 points")
    CERVICAL_1994 = "cervical17_rev", _("Cervical, revised, 17 points")
    THORACIC = "thoracic11", _("Thoracic, 11 points")
    LUMBAR = "lumbar29", _("Lumbar, 29 points")


_SENSORY: dict[float, Any] = {
    0: _("apparent loss"),
    1: _("minimal loss"),
    2: _("normal"),
}
# What the points of the JOA mean (form of 1975; REFERENCE 3.2). The half points of the
# revision of 1994 lie between them; shoulder and elbow are of the revision only.
JOA_ANCHORS: dict[str, dict[float, Any]] = {
    "joa_ue_motor": {
        0: _("cannot eat with spoon or chopsticks"),
        1: _("eats with a spoon"),
        2: _("chopsticks, inadequately"),
        3: _("chopsticks, awkwardly"),
        4: _("normal"),
    },
    "joa_shoulder": {
        -2: _("MMT 2 or less"),
        -1: _("MMT 3"),
        -0.5: _("MMT 4"),
        0: _("MMT 5"),
    },
    "joa_le_motor": {
        0: _("cannot walk"),
        1: _("cane or aid on the flat"),
        2: _("aid on stairs only"),
        3: _("no aid, but slow"),
        4: _("normal"),
    },
    "joa_ue_sens": _SENSORY,
    "joa_le_sens": _SENSORY,
    "joa_trunk_sens": _SENSORY,
    "joa_bladder": {
        0: _("retention"),
        1: _("severe disturbance"),
        2: _("mild disturbance"),
        3: _("normal"),
    },
}


def joa_definition(item: str) -> Any:
    """The points of an item with their meaning, for the codebook."""
    return format_lazy(
        "; ".join(["{} {}"] * len(JOA_ANCHORS[item])),
        *(part for point in JOA_ANCHORS[item].items() for part in point),
    )


class PainSite(models.TextChoices):
    LOCAL = "local_axial", _("Local, at the spine")
    RADICULAR = "radicular", _("Radicular")
    SEGMENTAL = "segmental_at_level", _("Segmental, at the level")
    BELOW = "below_level", _("Below the level")
    FUNICULAR = "funicular", _("Funicular")
    SURGICAL = "mechanical_surgical_site", _("Wound or muscle")
    OTHER = "other", _("Other")


# Sites with an intensity of their own, and the field that holds it.
PAIN_NRS_FIELDS: dict[str, str] = {
    PainSite.LOCAL: "pain_local_nrs",
    PainSite.RADICULAR: "pain_radicular_nrs",
    PainSite.SEGMENTAL: "pain_segmental_nrs",
    PainSite.BELOW: "pain_below_level_nrs",
    PainSite.FUNICULAR: "pain_funicular_nrs",
    PainSite.SURGICAL: "pain_surgical_nrs",
    PainSite.OTHER: "pain_other_nrs",
}


class PainKind(models.TextChoices):
    WORST = "worst", _("Worst of the past 7 days")
    AVERAGE = "average", _("Average of the past 7 days")
    NOW = "now", _("Now")


class Allodynia(models.TextChoices):
    NONE = "none", _("None")
    STATIC = "static", _("Static")
    DYNAMIC = "dynamic", _("Dynamic")
    THERMAL = "thermal", _("Thermal")


class PainMedication(models.TextChoices):
    NONE = "none", _("None")
    NSAID = "NSAID", _("NSAID")
    GABAPENTINOID = "gabapentinoid", _("Gabapentinoid")
    SNRI_TCA = "SNRI_TCA", _("SNRI or tricyclic")
    OPIOID = "opioid", _("Opioid")
    OTHER = "other", _("Other")


class SensoryDeficit(models.TextChoices):
    NONE = "none", _("None")
    SUBJECTIVE = "subjective_only", _("Subjective only")
    MILD = "mild", _("Mild")
    SEVERE = "severe", _("Severe")
    COMPLETE = "complete", _("Complete")


class Gait(models.TextChoices):
    NORMAL = "normal", _("Normal")
    UNSTEADY = "unsteady", _("Unsteady")
    AID = "aid", _("With an aid")
    WHEELCHAIR = "wheelchair", _("Wheelchair")
    BEDBOUND = "bedbound", _("Bedbound")


class Bladder(models.TextChoices):
    NORMAL = "normal", _("Normal")
    MILD = "mild", _("Mild: urgency, hesitancy")
    SEVERE = "severe", _("Severe: residual, incontinence")
    CATHETER = "catheter", _("Catheter")


class Bowel(models.TextChoices):
    NORMAL = "normal", _("Normal")
    CONSTIPATION = "constipation", _("Constipation")
    INCONTINENCE = "incontinence", _("Incontinence")


class SexualFunction(models.TextChoices):
    NORMAL = "normal", _("Normal")
    IMPAIRED = "impaired", _("Impaired")
    NOT_ASKED = "not_asked", _("Not asked")


MRC_GRADES = [(g, g) for g in ("0", "1", "2", "3", "4-", "4", "4+", "5")]
AIS_GRADES = [(g, g) for g in "ABCDE"]


class Odom(models.TextChoices):
    EXCELLENT = "excellent", _("Excellent")
    GOOD = "good", _("Good")
    FAIR = "fair", _("Fair")
    POOR = "poor", _("Poor")


class RecurrenceKind(models.TextChoices):
    RECURRENCE = "recurrence", _("Recurrence after GTR")
    REGROWTH = "regrowth", _("Regrowth of a residual")
    NEW_LESION = "new_lesion", _("New lesion elsewhere")


class RecurrenceTreatment(models.TextChoices):
    OBSERVATION = "observation", _("Observation")
    REOPERATION = "reoperation", _("Re-operation")
    RADIOTHERAPY = "radiotherapy", _("Radiotherapy or radiosurgery")
    OTHER = "other", _("Other")


class Vital(models.TextChoices):
    ALIVE = "alive", _("Alive")
    DEAD = "dead", _("Dead")
    UNKNOWN = "unknown", _("Unknown")


class DeathCause(models.TextChoices):
    TUMOUR = "tumour", _("Tumour")
    SURGERY = "surgery", _("Operation")
    OTHER = "other", _("Other")
    UNKNOWN = "unknown", _("Unknown")
