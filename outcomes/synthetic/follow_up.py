"""Draws operations, MRI studies, visits, events and vital status of synthetic cases.

Rows of a batch carry ``case``, the index of their case within the batch.
"""

from __future__ import annotations

import json

import numpy as np

from outcomes.synthetic import parameters as truth
from outcomes.synthetic.draw import (
    DAY,
    Array,
    Columns,
    Course,
    by_kind,
    choose,
    where,
)
from registry.days import MIDDLE_DAY

ENHANCEMENTS = ("homogeneous", "heterogeneous", "rim")
SIGNALS = ("hypo", "iso", "hyper")


def known_in_part(course: Course, operation: Columns) -> Columns:
    """Of the oldest operations some are known by their month only, as in old charts."""
    old = course.operated < np.datetime64(truth.EXACT_FROM)
    vague = old & (np.arange(len(old)) % truth.ONE_IN_VAGUE == 0)
    days = {name: operation[name] for name in ("surgery_date", "discharge_date")}
    months = {name: day.astype("datetime64[M]") for name, day in days.items()}
    middles = {
        name: where(vague, month + (MIDDLE_DAY - 1) * DAY, days[name])
        for name, month in months.items()
    }
    precision = json.dumps(dict.fromkeys(days, "month"))
    return (
        operation
        | middles
        | {"precision": where(vague, precision, "{}").astype(object)}
    )


def draw_operations(
    rng: np.random.Generator, course: Course, tumour: Columns
) -> Columns:
    """The index operation of every case."""
    n = len(course.kind)
    inside = course.intramedullary
    stay = np.minimum(np.round(rng.gamma(4, 4, n)).clip(3, 90), course.last_day)
    percent = np.select(
        [course.extent == "gtr", course.extent == "ntr", course.extent == "str"],
        [100.0, rng.integers(95, 100, n), rng.integers(80, 95, n)],
        rng.integers(40, 80, n),
    )
    alarm = choose(rng, ("none", "transient", "persistent"), n, (0.85, 0.11, 0.04))
    over = (rng.random(n) < 0.05) & (course.extent == "ntr")
    drawn = {
        "surgery_date": course.operated,
        "index_operation": np.ones(n, dtype=bool),
        "urgency": choose(rng, ("elective", "urgent"), n, (0.92, 0.08)),
        "approach": np.full(n, "posterior", dtype=object),
        "bone_work": choose(
            rng, ("laminectomy", "laminoplasty", "hemilaminectomy"), n, (0.5, 0.35, 0.15)
        ),
        "levels_opened_from": tumour["level_rostral"],
        "levels_opened_to": tumour["level_caudal"],
        "fusion": rng.random(n) < 0.06,
        "myelotomy": where(
            inside,
            choose(
                rng, ("posterior_midline", "dorsal_root_entry_zone"), n, (0.8, 0.2)
            ),
            None,
        ),
        "ionm_modality": np.full(n, "{SSEP,TcMEP}", dtype=object),
        "ionm_alarm": alarm,
        "ionm_alarm_criterion": where(alarm == "none", None, "70"),
        "blood_loss_ml": np.round(rng.gamma(2, 110, n)).astype(int),
        "operative_time_min": np.round(rng.normal(250, 70, n).clip(60, 700)).astype(int),
        "dissection_plane": where(
            course.extent == "gtr", "clear", where(percent > 90, "partly", "absent")
        ),
        "eor_surgeon": where(over, "gtr", course.extent),
        "eor_mri": course.extent,
        "eor_percent": percent,
        "root_sacrificed": where(
            inside, "none", choose(rng, ("none", "rootlet", "root_nonfunctional"), n,
                                   (0.4, 0.35, 0.25))
        ),
        "adjuvant": where(
            (by_kind(course.kind, "histology") == "astrocytoma_idh_mutant"), "RT", "none"
        ),
        "discharge_date": course.operated + stay.astype(int) * DAY,
    }  # fmt: skip
    return known_in_part(course, drawn)


def draw_preoperative_mri(
    rng: np.random.Generator, course: Course, tumour: Columns
) -> Columns:
    """The reading before the operation."""
    n = len(course.kind)
    oedema = rng.random(n) < by_kind(course.kind, "oedema")
    syrinx = rng.random(n) < by_kind(course.kind, "syrinx")
    rough = rng.random(n) < by_kind(course.kind, "rough_border")
    t2_hyper = rng.random(n) < by_kind(course.kind, "t2_hyper")
    segments = rng.integers(1, 7, (2, n)) / 2
    return {
        "case": np.arange(n),
        "mri_date": course.operated - rng.integers(5, 60, n) * DAY,
        "purpose": np.full(n, "preop", dtype=object),
        "field_strength_T": choose(rng, ("1.5", "3.0"), n, (0.6, 0.4)),
        "sequences": np.full(n, "{T1,T2,T1_Gd}", dtype=object),
        "gd_given": np.ones(n, dtype=bool),
        "t1_signal": choose(rng, SIGNALS, n, (0.45, 0.5, 0.05)),
        "t2_signal": where(
            t2_hyper, "hyper", choose(rng, ("iso", "hypo", "mixed"), n, (0.5, 0.2, 0.3))
        ),
        "enhancement": choose(rng, ENHANCEMENTS, n, (0.5, 0.35, 0.15)),
        "border": where(rough, "rough", "smooth"),
        "margin_demarcation": choose(rng, ("sharp", "ill_defined"), n, (0.85, 0.15)),
        "oedema_present": oedema,
        "oedema_cranial_seg": where(oedema, segments[0], np.nan),
        "oedema_caudal_seg": where(oedema, segments[1], np.nan),
        "syrinx": where(syrinx, "present", "none"),
        "syrinx_rostral": where(syrinx, tumour["level_rostral"], None),
        "syrinx_caudal": where(syrinx, tumour["level_caudal"], None),
        "cyst": choose(rng, ("none", "intratumoral", "polar"), n, (0.65, 0.25, 0.10)),
        "haemosiderin": choose(rng, ("none", "cap_sign"), n, (0.9, 0.1)),
        "cord_displacement": where(
            course.intramedullary, "expanded_fusiform", "displaced"
        ),
        "reader_1": np.full(n, "R1", dtype=object),
    }


def draw_later_mri(rng: np.random.Generator, course: Course) -> tuple[Columns, Columns]:
    """Post-operative MRI studies, and the recurrences and regrowths they show."""
    n = len(course.kind)
    days = np.array(truth.MRI_DAYS)[None, :] + rng.integers(-12, 13, (n, 5))
    done = (days <= course.last_day[:, None]) & (rng.random(days.shape) < 0.92)
    shows = done & (days >= course.regrowth_day[:, None])
    # Gross total was read on an MRI without tumour: what comes back shows on a later one.
    later = done.cumsum(axis=1) > 1
    shows &= later | (course.extent != "gtr")[:, None]
    first = shows & (shows.cumsum(axis=1) == 1)
    done &= shows.cumsum(axis=1) <= 1  # treated after the first: later ones left out
    case, column = np.nonzero(done)
    seen = first[case, column]
    residual = course.extent[case] != "gtr"
    size = np.round(rng.gamma(3, 2.5, len(case)).clip(1, 40), 1)
    dates = course.operated[case] + days[case, column] * DAY
    mri = {
        "case": case,
        "mri_date": dates,
        "purpose": where(column == 0, "postop_3m", "followup"),
        "field_strength_T": choose(rng, ("1.5", "3.0"), len(case), (0.6, 0.4)),
        "sequences": np.full(len(case), "{T1,T2,T1_Gd}", dtype=object),
        "gd_given": np.ones(len(case), dtype=bool),
        "residual_present": residual,
        "residual_max_mm": where(residual, size, np.nan),
        "new_lesion_same_site": seen & ~residual,
        "new_lesion_other_level": np.zeros(len(case), dtype=bool),
        "reader_1": np.full(len(case), "R1", dtype=object),
    }
    return mri, _events(rng, case[seen], dates[seen], residual[seen])


def _events(
    rng: np.random.Generator, case: Array, dates: Array, residual: Array
) -> Columns:
    n = len(case)
    before = np.round(rng.gamma(3, 2.5, n).clip(2, 40), 1)
    return {
        "case": case,
        "kind": where(residual, "regrowth", "recurrence"),
        "detected_on": dates,
        "size_before_mm": where(residual, before, np.nan),
        "size_now_mm": np.round(
            where(residual, before * 1.3 + 2.1, rng.gamma(3, 3, n).clip(2, 60)), 1
        ),
        "treatment": choose(
            rng, ("observation", "reoperation", "radiotherapy"), n, (0.5, 0.4, 0.1)
        ),
    }


def draw_visits(rng: np.random.Generator, course: Course, region: Array) -> Columns:
    """All visits, the order of types within a case."""
    n = len(course.kind)
    baseline = 1 + (
        rng.random(n)[:, None] > np.cumsum(truth.BASELINE_MMCS)[None, :-1]
    ).sum(axis=1)
    parts = [_visits_of(rng, course, region, baseline, kind) for kind in truth.VISITS]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _visits_of(
    rng: np.random.Generator, course: Course, region: Array, baseline: Array, kind: str
) -> Columns:
    target, spread, attend = truth.VISITS[kind]
    n = len(course.kind)
    day = np.round(rng.normal(target, spread, n)).astype(int)
    low = -60 if kind == "preop" else 3
    day = np.clip(day, low, -1 if kind == "preop" else None)
    came = (rng.random(n) < attend) & (day <= course.last_day)
    case = np.nonzero(came)[0]
    grade = baseline[case]
    if kind != "preop":
        grade = grade + _change(rng, course.intramedullary[case], kind)
    grade = np.clip(grade, 1, 5)
    return {
        "case": case,
        "visit_type": np.full(len(case), kind, dtype=object),
        "visit_date": course.operated[case] + day[case] * DAY,
        "mode": np.full(len(case), "in_person", dtype=object),
        "assessor": np.full(len(case), "surgeon", dtype=object),
        "mmcs": grade,
        "mmcs_version": np.full(len(case), "mod5", dtype=object),
        **_examination(rng, grade),
        **_pain(rng, course.intramedullary[case], kind),
        **_joa(rng, grade, region[case]),
    }


def _change(rng: np.random.Generator, inside: Array, kind: str) -> Array:
    u = rng.random(len(inside))
    better_in, same_in, _w = truth.MMCS_CHANGE["intramedullary"][kind]
    better_out, same_out, _w = truth.MMCS_CHANGE["other"][kind]
    better = where(inside, better_in, better_out)
    same = where(inside, same_in, same_out)
    return where(u < better, -1, where(u < better + same, 0, 1))


def _examination(rng: np.random.Generator, grade: Array) -> Columns:
    def pick(*options: str) -> Array:
        return np.array(options, dtype=object)[grade - 1]

    return {
        "sensory_deficit": pick("none", "mild", "mild", "severe", "complete"),
        "motor_mrc_min": pick("5", "4+", "4", "3", "1"),
        "gait": pick("normal", "unsteady", "aid", "wheelchair", "bedbound"),
        "bladder": pick("normal", "normal", "mild", "severe", "catheter"),
        "reflexes_pathological": rng.random(len(grade)) < 0.1 * grade,
    }


def _pain(rng: np.random.Generator, inside: Array, kind: str) -> Columns:
    n = len(inside)
    when = "preop" if kind == "preop" else "after"
    chance = where(
        inside,
        truth.SEGMENTAL_PAIN["intramedullary"][when],
        truth.SEGMENTAL_PAIN["other"][when],
    )
    segmental = rng.random(n) < chance
    local = rng.random(n) < truth.LOCAL_PAIN[when]
    present = segmental | local
    both = where(
        segmental & local,
        "{local_axial,segmental_at_level}",
        where(segmental, "{segmental_at_level}", "{local_axial}"),
    ).astype(object)
    return {
        "pain_present": present,
        "pain_distribution": where(present, both, None),
        "pain_nrs_kind": where(present, "worst", None),
        "pain_segmental_nrs": where(segmental, rng.integers(1, 9, n), 0),
        "pain_local_nrs": where(local, rng.integers(1, 8, n), 0),
    }


def _joa(rng: np.random.Generator, grade: Array, region: Array) -> Columns:
    """Sub-scores in line with the grade; no form for lumbar tumours."""
    n = len(grade)
    cervical, thoracic = region == 0, region == 1
    any_form = cervical | thoracic
    leg = np.clip(5 - grade - (rng.random(n) < 0.2), 0, 4).astype(float)
    sensory = np.clip(2 - (grade > 1) - (grade > 3), 0, 2).astype(float)
    bladder = np.clip(3 - (grade > 2) - (grade > 3) - (grade > 4), 0, 3).astype(float)
    return {
        "joa_region": where(
            cervical, "cervical17", where(thoracic, "thoracic11", None)
        ),
        "joa_ue_motor": where(cervical, leg, np.nan),
        "joa_ue_sens": where(cervical, sensory, np.nan),
        "joa_le_motor": where(any_form, leg, np.nan),
        "joa_le_sens": where(any_form, sensory, np.nan),
        "joa_trunk_sens": where(any_form, sensory, np.nan),
        "joa_bladder": where(any_form, bladder, np.nan),
    }


def draw_vital_status(course: Course) -> Columns:
    """Death or last contact."""
    dead = np.isfinite(course.death_day)
    last = course.operated + course.last_day * DAY
    return {
        "case": np.arange(len(dead)),
        "vital_status": where(dead, "dead", "alive"),
        "death_date": where(dead, last, np.datetime64("NaT", "D")),
        "death_cause": where(dead, "other", None),
        "last_contact_date": last,
    }


def draw_complications(rng: np.random.Generator, course: Course) -> Columns:
    """At most one adverse event a case."""
    case = np.nonzero(rng.random(len(course.kind)) < truth.COMPLICATION)[0]
    n = len(case)
    grade = choose(rng, ("I", "II", "IIIb"), n, (0.55, 0.3, 0.15))
    return {
        "case": case,
        "ae_code": choose(
            rng,
            ("CSF_leak", "SSI_superficial", "haematoma", "new_sensory", "UTI"),
            n,
            (0.3, 0.2, 0.1, 0.25, 0.15),
        ),
        "ae_onset_date": course.operated[case] + rng.integers(0, 20, n) * DAY,
        "clavien_dindo": grade,
        "related": choose(rng, ("definite", "probable"), n, (0.6, 0.4)),
        "reoperation": grade == "IIIb",
    }
