"""The truth behind the synthetic registry.

Every number here is our own choice, made so that later statistics can be checked
against a known answer. None is taken from, or stands for, any published study.
``docs/synthetic.md`` prints this file's tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

FIRST_YEAR: Final = 2008
LAST_YEAR: Final = 2022
# No visit, MRI or contact is later; patients still followed are censored here.
CLOSING_DAY: Final = "2026-09-30"
# Of operations before this day every ninth is known by its month only.
EXACT_FROM: Final = "2010-01-01"
ONE_IN_VAGUE: Final = 9


@dataclass(frozen=True)
class TumourKind:
    """One kind of tumour: how common it is, and how it behaves."""

    histology: str
    compartment: str
    share: float
    mean_age: float
    male: float
    icdo: str | None
    topography: str
    grades: tuple[str, ...] = ("1",)
    regions: tuple[float, float, float] = (
        0.45,
        0.35,
        0.20,
    )  # cervical, thoracic, lumbar
    mean_length_mm: float = 22.0
    gtr: float = 0.85  # otherwise NTR, STR, PR in the ratio 2 : 2 : 1
    rough_border: float = 0.2
    oedema: float = 0.2
    syrinx: float = 0.1
    t2_hyper: float = 0.65
    death_per_year: float = 0.008


IMS: Final = TumourKind(
    "schwannoma", "intramedullary", 0.03, 47, 0.55, "9560/0", "C72.0",
    regions=(0.55, 0.40, 0.05), mean_length_mm=28, gtr=0.75,
    rough_border=0.60, oedema=0.60, syrinx=0.35,
)  # fmt: skip
EMS: Final = TumourKind(
    "schwannoma", "intradural_extramedullary", 0.30, 53, 0.52, "9560/0", "C47.9",
    gtr=0.90, rough_border=0.15, oedema=0.20, syrinx=0.05,
)  # fmt: skip
DUMBBELL: Final = TumourKind(
    "schwannoma", "dumbbell_intra_extradural", 0.08, 51, 0.52, "9560/0", "C47.9",
    mean_length_mm=32, gtr=0.70, rough_border=0.15, oedema=0.10, syrinx=0.02,
)  # fmt: skip
KINDS: Final[tuple[TumourKind, ...]] = (
    IMS,
    EMS,
    DUMBBELL,
    TumourKind("meningioma", "intradural_extramedullary", 0.20, 63, 0.22, None, "C70.1",
               grades=("1", "1", "1", "2"), regions=(0.25, 0.70, 0.05), gtr=0.93,
               t2_hyper=0.35, death_per_year=0.012),
    TumourKind("spinal_ependymoma", "intramedullary", 0.14, 46, 0.55, "9391/3", "C72.0",
               grades=("2", "2", "2", "3"), regions=(0.60, 0.35, 0.05),
               mean_length_mm=38, gtr=0.80, oedema=0.55, syrinx=0.55),
    TumourKind("astrocytoma_idh_mutant", "intramedullary", 0.05, 38, 0.57, "9400/3",
               "C72.0", grades=("2", "3"), mean_length_mm=48, gtr=0.20,
               rough_border=0.85, oedema=0.75, syrinx=0.3, death_per_year=0.08),
    TumourKind("haemangioblastoma", "intramedullary", 0.07, 42, 0.60, "9161/1", "C72.0",
               mean_length_mm=16, gtr=0.92, rough_border=0.3, oedema=0.6, syrinx=0.6),
    TumourKind("cavernous_malformation", "intramedullary", 0.05, 44, 0.48, "9121/0",
               "C72.0", grades=("not_graded",), mean_length_mm=14, gtr=0.95,
               oedema=0.3, t2_hyper=0.3),
    TumourKind("myxopapillary_ependymoma", "intradural_extramedullary", 0.04, 39, 0.58,
               "9394/1", "C72.1", grades=("2",), regions=(0.0, 0.05, 0.95),
               mean_length_mm=35, gtr=0.75),
    TumourKind("neurofibroma", "intradural_extramedullary", 0.04, 44, 0.5, "9540/0",
               "C47.9", gtr=0.80),
)  # fmt: skip

# Per year and exponential, for the first recurrence or regrowth by extent on MRI.
# Intramedullary schwannomas after GTR have none at all, so that "0 of n" occurs.
REGROWTH_PER_YEAR: Final = {"gtr": 0.006, "ntr": 0.02, "str": 0.06, "pr": 0.10}
IMS_GTR_RECURRENCE_PER_YEAR: Final = 0.0
LEAST_IMS_WITH_GTR: Final = 19

# Modified McCormick grade before the operation, I to V.
BASELINE_MMCS: Final = (0.22, 0.34, 0.26, 0.13, 0.05)
# Change of grade from baseline to each visit: probability of better by one, same,
# worse by one. Grade I cannot improve and grade V cannot worsen.
MMCS_CHANGE: Final[dict[str, dict[str, tuple[float, float, float]]]] = {
    "intramedullary": {
        "discharge": (0.10, 0.55, 0.35),
        "m3": (0.28, 0.55, 0.17),
        "m6": (0.40, 0.48, 0.12),
        "m12": (0.50, 0.42, 0.08),
        "m24": (0.52, 0.40, 0.08),
        "m60": (0.52, 0.39, 0.09),
    },
    "other": {
        "discharge": (0.35, 0.58, 0.07),
        "m3": (0.50, 0.46, 0.04),
        "m6": (0.58, 0.39, 0.03),
        "m12": (0.62, 0.35, 0.03),
        "m24": (0.63, 0.34, 0.03),
        "m60": (0.63, 0.33, 0.04),
    },
}
# Probability of segmental pain (NRS 1 to 8) at a visit, by compartment.
SEGMENTAL_PAIN: Final = {
    "intramedullary": {"preop": 0.40, "after": 0.35},
    "other": {"preop": 0.45, "after": 0.12},
}
LOCAL_PAIN: Final = {"preop": 0.35, "after": 0.15}

# Visit: day after the operation, its spread in days, and how many attend.
VISITS: Final[dict[str, tuple[int, float, float]]] = {
    "preop": (-10, 6, 1.0),
    "discharge": (12, 4, 0.97),
    "m3": (91, 10, 0.85),
    "m6": (183, 15, 0.70),
    "m12": (365, 20, 0.88),
    "m24": (730, 30, 0.75),
    "m60": (1826, 60, 0.60),
}
MRI_DAYS: Final = (91, 365, 730, 1826, 3652)
LOSS_TO_FOLLOW_UP_PER_YEAR: Final = 0.06

MISSING: Final = {"unknown": 0.03, "not_done": 0.02}
COMPLICATION: Final = 0.11
NF_SCHWANNOMATOSIS: Final = 0.04


@dataclass(frozen=True)
class Size:
    """How large a registry to make."""

    cases: int
    centres: int
    seed: int
    least_ims_with_gtr: int = field(default=LEAST_IMS_WITH_GTR)
