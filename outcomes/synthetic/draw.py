"""Draws the columns of a batch of synthetic cases: numpy arrays, one a column.

Pure: a generator and parameters in, arrays out; no database. Missing numbers are NaN,
missing texts None, missing dates NaT.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outcomes.synthetic import parameters as truth

Array = NDArray[Any]
Columns = dict[str, Array]
DAY = np.timedelta64(1, "D")
CLOSING = np.datetime64(truth.CLOSING_DAY, "D")
REGION_LEVELS = (
    ("C", 2, 7),
    ("T", 1, 11),
    ("L", 1, 5),
)


@dataclass(frozen=True)
class Course:
    """What the synthetic patients truly went through; days count from operation."""

    kind: Array  # index into KINDS
    intramedullary: Array
    extent: Array
    operated: Array  # datetime64[D]
    death_day: Array  # float, inf if none before the closing day
    regrowth_day: Array  # float, inf if none; biologic, seen at the next MRI
    last_day: Array  # int, end of observation


def where(mask: Any, yes: Any, no: Any) -> Array:
    """``numpy.where`` that may also give None, for cells without a value."""
    chosen: Array = np.where(mask, yes, no)
    return chosen


def choose(rng: np.random.Generator, options: tuple[Any, ...], n: int, p: Any) -> Array:
    """``n`` of the options with probabilities ``p``."""
    return np.array(options, dtype=object)[rng.choice(len(options), size=n, p=p)]


def by_kind(kind: Array, name: str) -> Array:
    """A parameter of each case's kind of tumour."""
    return np.array([getattr(each, name) for each in truth.KINDS])[kind]


def draw_kinds(rng: np.random.Generator, n: int, forced_ims: int) -> Array:
    """Kinds of tumour; the first ``forced_ims`` are intramedullary schwannomas."""
    shares = np.array([kind.share for kind in truth.KINDS])
    kinds = rng.choice(len(truth.KINDS), size=n, p=shares / shares.sum())
    kinds[:forced_ims] = truth.KINDS.index(truth.IMS)
    return kinds


def draw_course(rng: np.random.Generator, n: int, forced_ims: int) -> Course:
    """The true course of each case; the forced ones have GTR and no recurrence."""
    kind = draw_kinds(rng, n, forced_ims)
    gtr = rng.random(n) < by_kind(kind, "gtr")
    gtr[:forced_ims] = True
    rest = choose(rng, ("ntr", "str", "pr"), n, (0.4, 0.4, 0.2))
    extent = where(gtr, "gtr", rest).astype(object)
    first = np.datetime64(f"{truth.FIRST_YEAR}-01-01", "D")
    days = (np.datetime64(f"{truth.LAST_YEAR}-12-31", "D") - first) // DAY
    operated = first + rng.integers(0, days + 1, n) * DAY
    potential = ((CLOSING - operated) // DAY).astype(int)
    lost = rng.exponential(365.25 / truth.LOSS_TO_FOLLOW_UP_PER_YEAR, n)
    death = rng.exponential(365.25 / by_kind(kind, "death_per_year"), n)
    hazard = np.array([truth.REGROWTH_PER_YEAR[code] for code in extent])
    is_ims = kind == truth.KINDS.index(truth.IMS)
    hazard = where(is_ims & gtr, truth.IMS_GTR_RECURRENCE_PER_YEAR, hazard)
    with np.errstate(divide="ignore"):
        regrowth = rng.exponential(1.0, n) * where(hazard > 0, 365.25 / hazard, np.inf)
    last = np.maximum(np.minimum(np.minimum(potential, lost), death), 30).astype(int)
    dead = death <= np.minimum(potential, lost)
    return Course(
        kind=kind,
        intramedullary=by_kind(kind, "compartment") == "intramedullary",
        extent=extent,
        operated=operated,
        death_day=where(dead, last, np.inf),
        regrowth_day=regrowth,
        last_day=last,
    )


def draw_patients(rng: np.random.Generator, course: Course) -> Columns:
    """Sex, birth and history."""
    n = len(course.kind)
    age = np.clip(rng.normal(by_kind(course.kind, "mean_age"), 14), 6, 92)
    born = course.operated - (age * 365.25).astype(int) * DAY
    schwannoma = by_kind(course.kind, "histology") == "schwannoma"
    nf = schwannoma & (rng.random(n) < truth.NF_SCHWANNOMATOSIS)
    return {
        "sex": where(rng.random(n) < by_kind(course.kind, "male"), "M", "F"),
        "birth_date": born,
        "birth_year": born.astype("datetime64[Y]").astype(int) + 1970,
        "nf_status": where(nf, "NF2_related_schwannomatosis", "none_known"),
        "nf_basis": where(nf, "clinical", None),
        "prior_spine_surgery": rng.random(n) < 0.08,
        "prior_radiotherapy_spine": rng.random(n) < 0.01,
        "asa_class": choose(rng, (1, 2, 3), n, (0.3, 0.55, 0.15)),
        "height_cm": np.round(rng.normal(165, 9, n).clip(110, 210), 1),
        "weight_kg": np.round(rng.normal(64, 13, n).clip(22, 150), 1),
        "consent_research": choose(
            rng, ("opt_in", "opt_out_not_exercised"), n, (0.4, 0.6)
        ),
    }


def draw_levels(rng: np.random.Generator, course: Course, length: Array) -> Columns:
    """Rostral and caudal vertebral level of a tumour of that length."""
    shares = np.array([kind.regions for kind in truth.KINDS])[course.kind]
    region = (rng.random(len(shares))[:, None] > shares.cumsum(axis=1)).sum(axis=1)
    region = np.minimum(region, 2)
    first = np.array([low for _l, low, _h in REGION_LEVELS])[region]
    last = np.array([high for _l, _low, high in REGION_LEVELS])[region]
    top = first + np.floor(rng.random(len(region)) * (last - first + 1)).astype(int)
    span = np.maximum(1, np.round(length / 20)).astype(int)
    bottom = np.minimum(top + span - 1, last)
    letter = np.array([low for low, _f, _h in REGION_LEVELS], dtype=object)[region]
    return {
        "level_rostral": letter + top.astype(str).astype(object),
        "level_caudal": letter + bottom.astype(str).astype(object),
        "region": region,
    }


def draw_tumours(rng: np.random.Generator, course: Course) -> Columns:
    """The case table."""
    n = len(course.kind)
    length = np.round(
        rng.gamma(6, by_kind(course.kind, "mean_length_mm") / 6).clip(5, 150), 1
    )
    ap = np.round(rng.normal(12, 3, n).clip(4, 24), 1)
    transverse = np.round(rng.normal(13, 3.5, n).clip(4, 24), 1)
    incidental = rng.random(n) < 0.05
    duration = np.round(rng.gamma(1.2, 12, n).clip(0.2, 300), 1)
    grades = [kind.grades for kind in truth.KINDS]
    pick = rng.random(n)
    dumbbell = by_kind(course.kind, "compartment") == "dumbbell_intra_extradural"
    levels = draw_levels(rng, course, length)
    cervical = levels["region"] == 0
    compartment = by_kind(course.kind, "compartment").astype(object)
    misread = (rng.random(n) < 0.04) & ~dumbbell
    return {
        "compartment": compartment,
        "compartment_mri": where(
            misread,
            where(course.intramedullary, "intradural_extramedullary", "intramedullary"),
            compartment,
        ),
        **levels,
        "level_basis": np.full(n, "vertebral_body", dtype=object),
        "axial_position": where(
            course.intramedullary, "{dorsal}", "{dorsolateral_R}"
        ).astype(object),
        "side": choose(rng, ("R", "L", "midline"), n, (0.42, 0.42, 0.16)),
        "eden_type": where(dumbbell, "II", None),
        "toyama_type": where(dumbbell & cervical, "IIIa", None),
        "histology_who2021": by_kind(course.kind, "histology").astype(object),
        "icdo_morphology": np.array(
            [kind.icdo or "9530/0" for kind in truth.KINDS], dtype=object
        )[course.kind],
        "icdo_topography": by_kind(course.kind, "topography").astype(object),
        "who_grade": np.array(
            [
                grades[k][int(u * len(grades[k]))]
                for k, u in zip(course.kind, pick, strict=True)
            ],
            dtype=object,
        ),
        "size_cc_mm": length,
        "size_ap_mm": ap,
        "size_tr_mm": transverse,
        "volume_cm3": np.round(np.pi / 6 * length * ap * transverse / 1000, 2),
        "volume_method": np.full(n, "ellipsoid_pi6", dtype=object),
        "onset_date_precision": where(incidental, "unknown", "month"),
        "incidental": incidental,
        "symptom_duration_months": where(incidental, np.nan, duration),
        "first_symptom": where(
            incidental,
            None,
            choose(
                rng, ("pain", "sensory", "motor", "gait"), n, (0.42, 0.3, 0.16, 0.12)
            ),
        ),
    }
