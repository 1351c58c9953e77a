"""Closed lists of what is known at the operation, in the terms of the field."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Sex(models.TextChoices):
    MALE = "M", _("Male")
    FEMALE = "F", _("Female")
    OTHER = "X", _("Other or unknown")


# In files a column of F alone is read as FALSE by R: the facts have words.
SEX_IN_FACTS: dict[str, str] = {
    Sex.MALE: "male",
    Sex.FEMALE: "female",
    Sex.OTHER: "other",
}


class NfStatus(models.TextChoices):
    NONE_KNOWN = "none_known", _("None known")
    NF1 = "NF1", "NF1"
    NF2 = "NF2_related_schwannomatosis", _("NF2-related schwannomatosis")
    SMARCB1 = "SMARCB1", _("SMARCB1-related schwannomatosis")
    LZTR1 = "LZTR1", _("LZTR1-related schwannomatosis")
    Q22 = "22q", _("22q-related schwannomatosis")
    NOS = "schwannomatosis_NOS", _("Schwannomatosis, not otherwise specified")
    NEC = "schwannomatosis_NEC", _("Schwannomatosis, not elsewhere classified")
    VHL = "VHL", _("Von Hippel-Lindau disease")
    OTHER = "other", _("Other")
    UNKNOWN = "unknown", _("Unknown")


class NfBasis(models.TextChoices):
    CLINICAL = "clinical", _("Clinical")
    GERMLINE = "germline_test", _("Germline test")
    MOSAIC = "mosaic", _("Mosaic")
    FAMILY = "family_history", _("Family history")


class Smoking(models.TextChoices):
    NEVER = "never", _("Never")
    FORMER = "former", _("Former")
    CURRENT = "current", _("Current")
    UNKNOWN = "unknown", _("Unknown")


class Antithrombotic(models.TextChoices):
    NONE = "none", _("None")
    ANTIPLATELET = "antiplatelet", _("Antiplatelet")
    ANTICOAGULANT = "anticoagulant", _("Anticoagulant")
    BOTH = "both", _("Both")


class ResearchConsent(models.TextChoices):
    OPT_IN = "opt_in", _("Opted in")
    OPT_OUT_NOT_EXERCISED = "opt_out_not_exercised", _("Opt-out not exercised")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    WAIVER = "waiver", _("Waiver")


class CaseStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    COMPLETE = "complete", pgettext_lazy("state of a case", "Complete")
    VERIFIED = "verified", _("Verified")
    OPENED = "opened", _("Opened for correction")


class Compartment(models.TextChoices):
    INTRAMEDULLARY = "intramedullary", _("Intramedullary")
    INTRADURAL_EXTRAMEDULLARY = (
        "intradural_extramedullary",
        _("Intradural extramedullary"),
    )
    INTRADURAL_BOTH = "intradural_both", _("Intra- and extramedullary")
    DUMBBELL = "dumbbell_intra_extradural", _("Dumbbell, intra- and extradural")
    EXTRADURAL = "extradural", _("Extradural")
    FORAMINAL = "foraminal_paravertebral", _("Foraminal or paravertebral")


class Exophytic(models.TextChoices):
    NONE = "none", _("None")
    DORSAL = "dorsal", _("Dorsal")
    LATERAL = "lateral", _("Lateral")
    VENTRAL = "ventral", _("Ventral")


class LevelBasis(models.TextChoices):
    VERTEBRAL_BODY = "vertebral_body", _("Vertebral body")
    CORD_SEGMENT = "cord_segment", _("Cord segment")
    DISC_LEVEL = "disc_level", _("Disc level")


class Region(models.TextChoices):
    CRANIOCERVICAL = "craniocervical", _("Craniocervical")
    CERVICAL = "cervical", _("Cervical")
    CERVICOTHORACIC = "cervicothoracic", _("Cervicothoracic")
    THORACIC = "thoracic", _("Thoracic")
    THORACOLUMBAR = "thoracolumbar", _("Thoracolumbar")
    LUMBAR = "lumbar", _("Lumbar")
    LUMBOSACRAL = "lumbosacral", _("Lumbosacral")
    SACRAL = "sacral", _("Sacral")
    CONUS = "conus", _("Conus")
    CAUDA_EQUINA = "cauda_equina", _("Cauda equina")


class ConusCauda(models.TextChoices):
    NONE = "none", _("Neither")
    CONUS = "conus", _("Conus")
    CAUDA_EQUINA = "cauda_equina", _("Cauda equina")


class AxialPosition(models.TextChoices):
    CENTRAL = "central", _("Central")
    DORSAL = "dorsal", _("Dorsal")
    DORSOLATERAL_R = "dorsolateral_R", _("Dorsolateral right")
    DORSOLATERAL_L = "dorsolateral_L", _("Dorsolateral left")
    LATERAL_R = "lateral_R", _("Lateral right")
    LATERAL_L = "lateral_L", _("Lateral left")
    VENTRAL = "ventral", _("Ventral")
    VENTROLATERAL_R = "ventrolateral_R", _("Ventrolateral right")
    VENTROLATERAL_L = "ventrolateral_L", _("Ventrolateral left")


class Side(models.TextChoices):
    RIGHT = "R", _("Right")
    LEFT = "L", _("Left")
    MIDLINE = "midline", _("Midline")
    BILATERAL = "bilateral", _("Bilateral")


class EdenType(models.TextChoices):
    I = "I", _("I, intra- and extradural")  # noqa: E741
    II = "II", _("II, intra-, extradural and paravertebral")
    III = "III", _("III, extradural and paravertebral")
    IV = "IV", _("IV, foraminal and paravertebral")
    NOT_DUMBBELL = "not_dumbbell", _("Not a dumbbell")


TOYAMA_TYPES = [
    (code, code) for code in ("I", "IIa", "IIb", "IIc", "IIIa", "IIIb", "IV", "V", "VI")
]
SRIDHAR_TYPES = [(code, code) for code in ("I", "II", "III", "IVa", "IVb", "V")]


class Histology(models.TextChoices):
    SCHWANNOMA = "schwannoma", _("Schwannoma")
    NEUROFIBROMA = "neurofibroma", _("Neurofibroma")
    PLEXIFORM_NEUROFIBROMA = "plexiform_neurofibroma", _("Plexiform neurofibroma")
    PERINEURIOMA = "perineurioma", _("Perineurioma")
    HYBRID_NERVE_SHEATH = "hybrid_nerve_sheath", _("Hybrid nerve sheath tumour")
    MALIGNANT_MELANOTIC = (
        "malignant_melanotic_nerve_sheath",
        _("Malignant melanotic nerve sheath tumour"),
    )
    MPNST = "mpnst", _("Malignant peripheral nerve sheath tumour")
    CAUDA_NET = "cauda_equina_net", _("Cauda equina neuroendocrine tumour")
    MENINGIOMA = "meningioma", _("Meningioma")
    SPINAL_EPENDYMOMA = "spinal_ependymoma", _("Spinal ependymoma")
    EPENDYMOMA_MYCN = (
        "spinal_ependymoma_mycn",
        _("Spinal ependymoma, MYCN-amplified"),
    )
    MYXOPAPILLARY = "myxopapillary_ependymoma", _("Myxopapillary ependymoma")
    SUBEPENDYMOMA = "subependymoma", _("Subependymoma")
    PILOCYTIC_ASTROCYTOMA = "pilocytic_astrocytoma", _("Pilocytic astrocytoma")
    DIFFUSE_MIDLINE_GLIOMA = (
        "diffuse_midline_glioma",
        _("Diffuse midline glioma, H3 K27-altered"),
    )
    ASTROCYTOMA_IDH = "astrocytoma_idh_mutant", _("Astrocytoma, IDH-mutant")
    GLIOBLASTOMA = "glioblastoma_idh_wildtype", _("Glioblastoma, IDH-wildtype")
    GANGLIOGLIOMA = "ganglioglioma", _("Ganglioglioma")
    LEPTOMENINGEAL = (
        "diffuse_leptomeningeal_glioneuronal",
        _("Diffuse leptomeningeal glioneuronal tumour"),
    )
    HAEMANGIOBLASTOMA = "haemangioblastoma", _("Haemangioblastoma")
    CAVERNOUS = "cavernous_malformation", _("Cavernous malformation")
    SOLITARY_FIBROUS = "solitary_fibrous_tumour", _("Solitary fibrous tumour")
    LIPOMA = "lipoma", _("Lipoma")
    LYMPHOMA = "lymphoma", _("Lymphoma")
    METASTASIS = "metastasis", _("Metastasis")
    DERMOID_EPIDERMOID = "dermoid_epidermoid", _("Dermoid or epidermoid")
    OTHER = "other", _("Other")


# ICD-O-3.2 morphology that goes with a histology (WHO CNS5 2021 names); None where
# the code list leaves the behaviour or the entity open.
ICDO_MORPHOLOGY: dict[str, str | None] = {
    Histology.SCHWANNOMA: "9560/0",
    Histology.NEUROFIBROMA: "9540/0",
    Histology.PLEXIFORM_NEUROFIBROMA: "9550/0",
    Histology.PERINEURIOMA: "9571/0",
    Histology.HYBRID_NERVE_SHEATH: "9563/0",
    Histology.MALIGNANT_MELANOTIC: "9540/3",
    Histology.MPNST: "9540/3",
    Histology.CAUDA_NET: "8693/3",
    Histology.SPINAL_EPENDYMOMA: "9391/3",
    Histology.EPENDYMOMA_MYCN: "9396/3",
    Histology.MYXOPAPILLARY: "9394/1",
    Histology.SUBEPENDYMOMA: "9383/1",
    Histology.PILOCYTIC_ASTROCYTOMA: "9421/1",
    Histology.DIFFUSE_MIDLINE_GLIOMA: "9385/3",
    Histology.ASTROCYTOMA_IDH: "9400/3",
    Histology.GLIOBLASTOMA: "9440/3",
    Histology.GANGLIOGLIOMA: "9505/1",
    Histology.LEPTOMENINGEAL: "9509/3",
    Histology.HAEMANGIOBLASTOMA: "9161/1",
    Histology.CAVERNOUS: "9121/0",
}

# The one tumour of grade 1 that the code list calls malignant: 8693/3, of the cauda.
MALIGNANT_OF_GRADE_1 = "8693/3"


def grade_contradicts(grade: str, morphology: str) -> bool:
    """Whether a WHO grade and the behaviour of a morphology exclude each other (R22).

    Behaviour /3 is not grade 1; /0 and /1 are neither grade 3 nor 4.
    """
    if morphology.endswith("/3"):
        return grade == "1" and morphology != MALIGNANT_OF_GRADE_1
    return morphology.endswith(("/0", "/1")) and grade in {"3", "4"}


WHO_GRADES = [(str(n), str(n)) for n in range(1, 5)] + [("not_graded", _("Not graded"))]


class Immunohistochemistry(models.TextChoices):
    S100 = "S100", "S100"
    SOX10 = "SOX10", "SOX10"
    EMA = "EMA", "EMA"
    GFAP = "GFAP", "GFAP"
    OTHER = "other", _("Other")


class VolumeMethod(models.TextChoices):
    ELLIPSOID = "ellipsoid_pi6", _("Ellipsoid, π/6 abc")
    ABC_OVER_2 = "abc_over_2", _("abc / 2")
    SEGMENTATION = "segmentation", _("Segmentation")


class DatePrecision(models.TextChoices):
    DAY = "day", _("Day")
    MONTH = "month", _("Month")
    YEAR = "year", _("Year")
    UNKNOWN = "unknown", _("Unknown")


class FirstSymptom(models.TextChoices):
    PAIN = "pain", _("Pain")
    SENSORY = "sensory", _("Sensory")
    MOTOR = "motor", _("Motor")
    GAIT = "gait", _("Gait")
    SPHINCTER = "sphincter", _("Sphincter")
    OTHER = "other", _("Other")


class MriPurpose(models.TextChoices):
    PREOP = "preop", _("Before the operation")
    EARLY_POSTOP = "early_postop", _("Early, within 72 h")
    POSTOP_3M = "postop_3m", _("3 months after")
    FOLLOWUP = "followup", _("Follow-up")
    SYMPTOM_DRIVEN = "symptom_driven", _("Because of symptoms")


FIELD_STRENGTHS = [(t, f"{t} T") for t in ("0.3", "0.5", "1.0", "1.5", "3.0", "7.0")]


class MriSequence(models.TextChoices):
    T1 = "T1", "T1"
    T2 = "T2", "T2"
    STIR = "STIR", "STIR"
    T1_GD = "T1_Gd", _("T1 with gadolinium")
    T2STAR = "T2star_SWI", _("T2* or SWI")
    DWI = "DWI", "DWI"
    CISS = "CISS_FIESTA", _("CISS or FIESTA")


class Signal(models.TextChoices):
    HYPO = "hypo", _("Low")
    ISO = "iso", _("Same as cord")
    HYPER = "hyper", _("High")
    MIXED = "mixed", _("Mixed")


class Enhancement(models.TextChoices):
    NONE = "none", _("None")
    HOMOGENEOUS = "homogeneous", _("Homogeneous")
    HETEROGENEOUS = "heterogeneous", _("Heterogeneous")
    RIM = "rim", _("Rim")
    NOT_DONE = "not_done", _("No contrast given")


class Border(models.TextChoices):
    SMOOTH = "smooth", _("Smooth")
    ROUGH = "rough", _("Rough")
    NOT_ASSESSABLE = "not_assessable", _("Not assessable")


class Demarcation(models.TextChoices):
    SHARP = "sharp", _("Sharp")
    ILL_DEFINED = "ill_defined", _("Ill-defined")
    NOT_ASSESSABLE = "not_assessable", _("Not assessable")


class Syrinx(models.TextChoices):
    NONE = "none", _("None")
    PRESENT = "present", _("Present")


class Cyst(models.TextChoices):
    NONE = "none", _("None")
    INTRATUMORAL = "intratumoral", _("Intratumoral")
    POLAR = "polar", _("Polar")
    BOTH = "both", _("Both")


class Haemosiderin(models.TextChoices):
    NONE = "none", _("None")
    CAP_SIGN = "cap_sign", _("Cap sign")
    OTHER = "other_haemorrhage", _("Other haemorrhage")
    NOT_ASSESSABLE = "not_assessable", _("Not assessable")


class CordDisplacement(models.TextChoices):
    NONE = "none", _("None")
    DISPLACED = "displaced", _("Displaced")
    EXPANDED = "expanded_fusiform", _("Expanded, fusiform")


class Urgency(models.TextChoices):
    ELECTIVE = "elective", _("Elective")
    URGENT = "urgent", _("Urgent")
    EMERGENCY = "emergency", _("Emergency")


class Approach(models.TextChoices):
    POSTERIOR = "posterior", _("Posterior")
    ANTERIOR = "anterior", _("Anterior")
    LATERAL = "lateral", _("Lateral")
    COMBINED = "combined", _("Combined")


class BoneWork(models.TextChoices):
    LAMINECTOMY = "laminectomy", _("Laminectomy")
    LAMINOPLASTY = "laminoplasty", _("Laminoplasty")
    HEMILAMINECTOMY = "hemilaminectomy", _("Hemilaminectomy")
    LAMINOTOMY = "laminotomy", _("Laminotomy")
    INTERLAMINAR = "interlaminar", _("Interlaminar")
    COSTOTRANSVERSECTOMY = "costotransversectomy", _("Costotransversectomy")
    NONE = "none", _("None")


class Facetectomy(models.TextChoices):
    NONE = "none", _("None")
    PARTIAL = "partial", _("Partial")
    TOTAL = "total", _("Total")


class Myelotomy(models.TextChoices):
    NONE = "none", _("None")
    POSTERIOR_MIDLINE = "posterior_midline", _("Posterior midline")
    DREZ = "dorsal_root_entry_zone", _("Dorsal root entry zone")
    POSTERIOR_LATERAL = "posterior_lateral_sulcus", _("Posterolateral sulcus")
    OVER_EXOPHYTIC = "over_exophytic", _("Over the exophytic part")


class Ionm(models.TextChoices):
    NONE = "none", _("None")
    SSEP = "SSEP", "SSEP"
    TCMEP = "TcMEP", "TcMEP"
    D_WAVE = "D_wave", _("D-wave")
    EMG = "EMG", "EMG"
    BCR = "BCR", "BCR"


class IonmAlarm(models.TextChoices):
    NONE = "none", _("None")
    TRANSIENT = "transient", _("Transient")
    PERSISTENT = "persistent", _("Persistent")
    NOT_DONE = "not_done", _("Not monitored")


IONM_CRITERIA = [(c, f"{c} %") for c in ("50", "70", "75", "80")] + [
    ("loss", _("Loss"))
]


class DissectionPlane(models.TextChoices):
    CLEAR = "clear", _("Clear")
    PARTLY = "partly", _("Partly")
    ABSENT = "absent", _("Absent")


class Consistency(models.TextChoices):
    SOFT = "soft", _("Soft")
    FIRM = "firm", _("Firm")
    CALCIFIED = "calcified", _("Calcified")
    CYSTIC = "cystic", _("Cystic")


class RelationToIndex(models.TextChoices):
    PLANNED_STAGE = "planned_stage", _("Planned stage or biopsy")
    REOPERATION = "reoperation", _("Re-operation")


class EorSurgeon(models.TextChoices):
    GTR = "gtr", _("Gross total (GTR)")
    NTR = "ntr", _("Near total (NTR)")
    STR = "str", _("Subtotal (STR)")
    PR = "pr", _("Partial (PR)")
    BIOPSY = "biopsy", _("Biopsy")
    DECOMPRESSION = "decompression_only", _("Decompression only")


class EorMri(models.TextChoices):
    GTR = "gtr", _("Gross total (GTR)")
    NTR = "ntr", _("Near total (NTR)")
    STR = "str", _("Subtotal (STR)")
    PR = "pr", _("Partial (PR)")
    BIOPSY = "biopsy", _("Biopsy")
    NOT_ASSESSED = "not_assessed", _("Not assessed")


class RootSacrificed(models.TextChoices):
    NONE = "none", _("None")
    ROOTLET = "rootlet", _("Rootlet")
    NONFUNCTIONAL = "root_nonfunctional", _("Non-functional root")
    CRITICAL = "root_critical", _("Critical root (C5-T1, L3-S1)")


class DuralClosure(models.TextChoices):
    PRIMARY = "primary", _("Primary")
    PATCH = "patch", _("Patch")
    NOT_WATERTIGHT = "not_watertight", _("Not watertight")


class Adjuvant(models.TextChoices):
    NONE = "none", _("None")
    RADIOTHERAPY = "RT", _("Radiotherapy")
    RADIOSURGERY = "SRS", _("Radiosurgery")
    CHEMOTHERAPY = "chemo", _("Chemotherapy")


class AdverseEvent(models.TextChoices):
    CSF_LEAK = "CSF_leak", _("CSF leak")
    PSEUDOMENINGOCELE = "pseudomeningocele", _("Pseudomeningocele")
    SSI_SUPERFICIAL = "SSI_superficial", _("Surgical site infection, superficial")
    SSI_DEEP = "SSI_deep", _("Surgical site infection, deep")
    MENINGITIS = "meningitis", _("Meningitis")
    HAEMATOMA = "haematoma", _("Haematoma")
    NEW_MOTOR = "new_motor", _("New motor deficit")
    NEW_SENSORY = "new_sensory", _("New sensory deficit")
    NEW_SPHINCTER = "new_sphincter", _("New sphincter deficit")
    KYPHOSIS = "kyphosis", _("Kyphosis")
    VASCULAR = "vascular", _("Vascular injury")
    DVT_PE = "DVT_PE", _("Deep vein thrombosis or pulmonary embolism")
    PNEUMONIA = "pneumonia", _("Pneumonia")
    UTI = "UTI", _("Urinary tract infection")
    WRONG_LEVEL = "wrong_level", _("Wrong level")
    OTHER = "other", _("Other")


CLAVIEN_DINDO = [(g, g) for g in ("I", "II", "IIIa", "IIIb", "IVa", "IVb", "V")]
# Grades below an intervention: a re-operation cannot stand with them (rule R42).
CLAVIEN_WITHOUT_INTERVENTION = ("I", "II")


class Relatedness(models.TextChoices):
    DEFINITE = "definite", _("Definite")
    PROBABLE = "probable", _("Probable")
    UNLIKELY = "unlikely", _("Unlikely")
