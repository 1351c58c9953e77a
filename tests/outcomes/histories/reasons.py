"""Why a cell is empty, and the pre-operative MRI."""

from __future__ import annotations

from tests.outcomes.histories.steps import (
    NO_PAIN,
    History,
    alive,
    before,
    died,
    scan,
    visit,
    withdrawn,
)

REASONS = (
    History(
        "the visit says why it has no grade",
        "“Not done” is known and must reach the analyst.",
        (visit(365, missing={"mmcs": "not_done"}, **NO_PAIN),),
        {
            "mmcs_m12": None,
            "mmcs_m12_missing": "not_done",
            "visit_status_m12": "visit_without_score",
            "pain_present_m12_missing": None,
        },
    ),
    History(
        "the visit says nothing about the grade",
        "Neither value nor reason is a state of its own.",
        (visit(365, **NO_PAIN),),
        {"mmcs_m12_missing": "not_recorded", "joa_total_m12_missing": "not_recorded"},
    ),
    History(
        "the reason is that of the nearest visit that gives one",
        "Day 366 says nothing, day 340 more than day 320.",
        (
            visit(320, missing={"mmcs": "unknown"}),
            visit(340, missing={"mmcs": "not_done"}),
            visit(366, **NO_PAIN),
        ),
        {"mmcs_m12_missing": "not_done"},
    ),
    History(
        "the JOA form may be what was not done",
        "The total is computed; its reason is given for the form.",
        (visit(365, mmcs=2, missing={"joa_region": "not_applicable"}),),
        {"joa_total_m12_missing": "not_applicable", "visit_status_m12": "seen"},
    ),
    History(
        "pain was not asked for, with a reason",
        "The site inherits the reason of the question before it.",
        (visit(365, mmcs=2, missing={"pain_present": "unknown"}),),
        {
            "pain_present_m12_missing": "unknown",
            "pain_segmental_m12_missing": "unknown",
            "residual_pain_m12_missing": "unknown",
        },
    ),
    History(
        "seen later, but not in the window",
        "Under observation on day 730, so nothing but the visit was missing.",
        (visit(730, mmcs=2),),
        {"visit_status_m12": "no_visit", "mmcs_m12_missing": "no_visit"},
    ),
    History(
        "an MRI later shows that the patient was under observation",
        "Contact of any kind.",
        (scan(800),),
        {"visit_status_m12": "no_visit", "visit_status_m24": "lost"},
    ),
    History(
        "died before the window",
        "Nobody is examined at 12 months who died on day 200.",
        (visit(91, mmcs=3), died(200)),
        {
            "visit_status_m3": "seen",
            "visit_status_m12": "died",
            "mmcs_m12_missing": "died",
            "mmcs_change_m12_missing": "died",
            "visit_status_m60": "died",
        },
    ),
    History(
        "died while the window was open",
        "The visit could still have come.",
        (died(400),),
        {"visit_status_m6": "no_visit", "visit_status_m12": "died"},
    ),
    History(
        "died after the window closed",
        "The death on day 500 does not excuse the visit at 12 months.",
        (died(500),),
        {"visit_status_m12": "no_visit", "visit_status_m24": "died"},
    ),
    History(
        "died on an unknown day",
        "From the last contact on, death is the reason.",
        (visit(183, mmcs=2), died(None)),
        {"visit_status_m6": "seen", "visit_status_m12": "died"},
    ),
    History(
        "consent withdrawn",
        "From the last contact on.",
        (visit(91, mmcs=2), withdrawn),
        {"visit_status_m3": "seen", "visit_status_m12": "withdrawn"},
    ),
    History(
        "lost to follow-up",
        "Alive as far as known, and no contact for more than 18 months.",
        (visit(183, mmcs=2), alive(200)),
        {
            "visit_status_m6": "seen",
            "visit_status_m12": "lost",
            "lost_to_follow_up": True,
        },
    ),
    History(
        "no operation",
        "Without time zero there is no window after it.",
        (),
        {
            "visit_status_m12": "not_operated",
            "mmcs_m12_missing": "not_operated",
            "blood_loss_ml_missing": "not_operated",
            "lost_to_follow_up": None,
            "cutoff_days": None,
        },
        operation=None,
    ),
    History(
        "the day of the operation is unknown",
        "Then nobody can say which window is over.",
        (),
        {"visit_status_m12": "surgery_date_unknown", "followup_days": None},
        operation={
            "surgery_date": None,
            "discharge_date": None,
            "missing": {"surgery_date": "unknown", "discharge_date": "unknown"},
        },
    ),
    History(
        "no visit before the operation",
        "That window is over with the operation.",
        (visit(365, mmcs=2),),
        {
            "visit_status_preop": "no_visit",
            "mmcs_change_m12": None,
            "mmcs_change_m12_missing": "no_visit",
        },
    ),
    History(
        "a reason in the operation's record",
        "Reasons of every part of the record reach the facts.",
        (),
        {"blood_loss_ml": None, "blood_loss_ml_missing": "unknown"},
        operation={"blood_loss_ml": None, "missing": {"blood_loss_ml": "unknown"}},
    ),
    History(
        "a question that does not apply",
        "Without an alarm there is no criterion of one.",
        (),
        {
            "ionm_alarm_criterion": None,
            "ionm_alarm_criterion_missing": "not_applicable",
        },
    ),
)

MRI = (
    History(
        "a navigation study does not hide the full one",
        "The study of the day before had no gadolinium.",
        (
            before(-20, enhancement="rim", border="rough", t2_signal="hyper"),
            before(-1, gd_given=False, enhancement="not_done", t2_signal="mixed"),
        ),
        {
            "enhancement": "rim",
            "enhancement_day": -20,
            "border": "rough",
            "border_day": -20,
            "t2_signal": "mixed",
            "t2_signal_day": -1,
            "gd_given": True,
            "preop_mri_day": -1,
            "n_preop_mri": 2,
        },
    ),
    History(
        "the latest reading of a feature counts",
        "Both studies show the border.",
        (before(-200, border="smooth"), before(-5, border="rough")),
        {"border": "rough", "border_day": -5},
    ),
    History(
        "not assessable hides no reading",
        "The latest study could not show the border.",
        (before(-20, border="smooth"), before(-1, border="not_assessable")),
        {"border": "smooth", "border_day": -20, "border_missing": None},
    ),
    History(
        "not assessable stands where no study shows it",
        "It is an answer, of the latest study.",
        (before(-20, border="not_assessable"), before(-1)),
        {"border": "not_assessable", "border_day": -20},
    ),
    History(
        "no oedema has no extent",
        "The earlier extent is not that of the latest reading.",
        (
            before(-90, oedema_present=True, oedema_cranial_seg=2, oedema_caudal_seg=1),
            before(-5, oedema_present=False),
        ),
        {"oedema_present": False, "oedema_total_seg": 0, "oedema_total_seg_day": -5},
    ),
    History(
        "the extent may come from an earlier study that found oedema too",
        "It agrees on the oedema.",
        (
            before(-90, oedema_present=True, oedema_cranial_seg=2, oedema_caudal_seg=1),
            before(-5, oedema_present=True),
        ),
        {"oedema_present": True, "oedema_total_seg": 3, "oedema_total_seg_day": -90},
    ),
    History(
        "oedema that came has no extent of a day without",
        "0 segments beside oedema present would contradict itself.",
        (before(-90, oedema_present=False), before(-5, oedema_present=True)),
        {
            "oedema_present": True,
            "oedema_total_seg": None,
            "oedema_total_seg_day": None,
            "oedema_total_seg_missing": "not_recorded",
        },
    ),
    History(
        "no syrinx has no diameter",
        "The diameter of the earlier study belongs to what is gone.",
        (
            before(
                -90,
                syrinx="present",
                syrinx_rostral="C3",
                syrinx_caudal="C4",
                syrinx_max_diam_mm=4,
            ),
            before(-5, syrinx="none"),
        ),
        {
            "syrinx": "none",
            "syrinx_max_diam_mm": None,
            "syrinx_max_diam_mm_missing": "not_applicable",
        },
    ),
    History(
        "no pre-operative MRI",
        "Then every feature is empty for that reason.",
        (scan(30),),
        {
            "has_preop_mri": False,
            "border_missing": "no_preop_mri",
            "n_preop_mri": 0,
            "n_postop_mri": 1,
        },
    ),
    History(
        "the study says why a feature was not read",
        "The latest study that gives a reason.",
        (
            before(-20, missing={"haemosiderin": "not_done"}),
            before(-1, missing={"border": "unknown"}),
        ),
        {"haemosiderin_missing": "not_done", "border_missing": "unknown"},
    ),
)
