"""Scores and pain: which visit of a window gives which value."""

from __future__ import annotations

from tests.outcomes.histories.steps import NO_PAIN, History, joa, pain, visit

PATIENT = {"assessor": "patient", "mode": "phone"}

SCORES = (
    History(
        "a call nearer to the day hides no grade",
        "The call on day 366 has no grade; that of day 310 lies in the window.",
        (visit(310, mmcs=3), visit(366, **PATIENT, **NO_PAIN)),
        {
            "mmcs_m12": 3,
            "mmcs_m12_day": 310,
            "pain_present_m12": False,
            "pain_present_m12_day": 366,
            "visit_day_m12": 366,
            "visit_status_m12": "seen",
        },
    ),
    History(
        "a visit for pain on the day of surgery hides no baseline",
        "The grade of day -20 is the last before the incision.",
        (visit(-20, mmcs=2), visit(0, "preop", **pain(local=4))),
        {
            "mmcs_preop": 2,
            "mmcs_preop_day": -20,
            "pain_present_preop": True,
            "pain_present_preop_day": 0,
        },
    ),
    History(
        "JOA on 364 hides no McCormick on 370",
        "Each score is taken from the nearest visit that has it.",
        (visit(364, **joa(9)), visit(370, mmcs=2)),
        {
            "joa_total_m12": 9.0,
            "joa_total_m12_day": 364,
            "joa_region_m12": "thoracic11",
            "mmcs_m12": 2,
            "mmcs_m12_day": 370,
        },
    ),
    History(
        "an examiner's grade comes before the patient's own",
        "McCormick needs an examination; the patient's is a stand-in.",
        (visit(365, mmcs=1, **PATIENT), visit(320, mmcs=3)),
        {"mmcs_m12": 3, "mmcs_m12_day": 320},
    ),
    History(
        "the patient's own grade stands where there is no other",
        "It is better than none, and the record says who gave it.",
        (visit(365, mmcs=1, **PATIENT),),
        {"mmcs_m12": 1, "mmcs_m12_day": 365},
    ),
    History(
        "an examiner's JOA comes before the patient's own",
        "The same rule for each score.",
        (visit(365, **joa(11), **PATIENT), visit(400, **joa(8))),
        {"joa_total_m12": 8.0, "joa_total_m12_day": 400},
    ),
    History(
        "the last grade and the last word on pain are of different days",
        "Pain was asked for later than the grade was given; neither is tied.",
        (visit(730, mmcs=2), visit(1500, **pain(local=3))),
        {
            "mmcs_last": 2,
            "mmcs_last_day": 730,
            "pain_present_last": True,
            "pain_present_last_day": 1500,
            "visit_day_last": 1500,
        },
    ),
    History(
        "the last grade is the examiner's",
        "The later one was given by the patient on the telephone.",
        (visit(800, mmcs=3), visit(1500, mmcs=1, **PATIENT)),
        {"mmcs_last": 3, "mmcs_last_day": 800},
    ),
    History(
        "of two examinations the later is the last",
        "Day 2,000 comes after day 800.",
        (visit(2000, mmcs=4), visit(800, mmcs=3)),
        {"mmcs_last": 4, "mmcs_last_day": 2000},
    ),
    History(
        "of two grades equally near the later is taken",
        "Both are ten days off; recovery goes on.",
        (visit(355, mmcs=3), visit(375, mmcs=2)),
        {"mmcs_m12": 2, "mmcs_m12_day": 375},
    ),
    History(
        "the nearer grade is taken",
        "Day 366 is one day off, day 350 fifteen.",
        (visit(366, mmcs=2), visit(350, mmcs=3)),
        {"mmcs_m12": 2, "mmcs_m12_day": 366},
    ),
    History(
        "a visit without a day comes last",
        "Its place in the window is not known.",
        (visit(None, "m12", mmcs=4), visit(400, mmcs=2)),
        {"mmcs_m12": 2, "mmcs_m12_day": 400},
    ),
    History(
        "a visit without a day gives what the dated one lacks",
        "It was entered as the visit at 12 months; its day stays unknown.",
        (visit(None, "m12", mmcs=4), visit(400, **NO_PAIN)),
        {
            "mmcs_m12": 4,
            "mmcs_m12_day": None,
            "mmcs_m12_missing": None,
            "pain_present_m12_day": 400,
        },
    ),
    History(
        "discharge is the visit nearest to the day of discharge",
        "Discharged on day 12.",
        (visit(5, mmcs=4), visit(13, mmcs=3), visit(29, mmcs=2)),
        {"mmcs_discharge": 3, "mmcs_discharge_day": 13},
    ),
    History(
        "without the day of discharge the visit entered as such counts",
        "The later visit belongs to the out-patient clinic.",
        (visit(9, "discharge", mmcs=4), visit(29, mmcs=2)),
        {"mmcs_discharge": 4, "mmcs_discharge_day": 9},
        operation={"discharge_date": None, "missing": {"discharge_date": "unknown"}},
    ),
    History(
        "a change is told within one version",
        "III before, II after, both modified.",
        (visit(-9, mmcs=3), visit(365, mmcs=2)),
        {"mmcs_change_m12": "improved", "mmcs_change_m12_missing": None},
    ),
    History(
        "grades of two versions are not compared",
        "Grade II of 1990 is not grade II of the modified scale.",
        (visit(-9, mmcs=3, mmcs_version="mccormick4"), visit(365, mmcs=2)),
        {"mmcs_change_m12": None, "mmcs_change_m12_missing": "different_version"},
    ),
    History(
        "scores of two JOA forms are not compared",
        "11 of 11 and 17 of 17 are both full.",
        (visit(-9, **joa(7)), visit(365, **joa(15, "cervical17"))),
        {
            "joa_total_preop": 7.0,
            "joa_total_m12": 15.0,
            "joa_region_m12": "cervical17",
            "joa_recovery_rate_m12": None,
            "joa_recovery_rate_m12_missing": "different_version",
        },
    ),
    History(
        "a full score cannot recover",
        "The rate divides by the possible gain, which is 0.",
        (visit(-9, **joa(11)), visit(365, **joa(9))),
        {
            "joa_recovery_rate_m12": None,
            "joa_recovery_rate_m12_missing": "at_ceiling",
        },
    ),
    History(
        "the rate takes the score of another day than the grade",
        "4 to 8 of 11 is 57.1 %, by the JOA of day 340.",
        (visit(-9, **joa(4)), visit(340, **joa(8)), visit(366, mmcs=2)),
        {"joa_recovery_rate_m12": 100 * 4 / 7, "joa_total_m12_day": 340},
    ),
)

PAIN = (
    History(
        "a visit that did not ask for pain hides no answer",
        "The answer of day 330 is the nearest.",
        (visit(366, mmcs=2), visit(330, **NO_PAIN)),
        {
            "pain_present_m12": False,
            "pain_present_m12_day": 330,
            "residual_pain_m12": "none",
        },
    ),
    History(
        "the site may come from another visit that agrees",
        "Both found pain; only day 340 says where.",
        (visit(366, pain_present=True), visit(340, **pain(segmental=5))),
        {
            "pain_present_m12_day": 366,
            "pain_segmental_m12": True,
            "pain_segmental_m12_day": 340,
            "residual_pain_m12": "segmental",
            "residual_segmental_pain_m12": True,
            "pain_segmental_nrs_m12": 5,
        },
    ),
    History(
        "a visit without pain gives no site to one with pain",
        "Pain on day 366 with the sites of a day without pain would contradict itself.",
        (
            visit(366, pain_present=True, missing={"pain_distribution": "unknown"}),
            visit(340, **NO_PAIN),
        ),
        {
            "pain_present_m12": True,
            "residual_pain_m12": None,
            "residual_pain_m12_missing": "unknown",
            "pain_worst_nrs_m12": None,
            "residual_pain_nrs_m12": None,
        },
    ),
    History(
        "no pain is no pain at any site",
        "The nearest visit found none; that of day 340 is superseded.",
        (visit(366, **NO_PAIN), visit(340, **pain(segmental=6))),
        {
            "pain_present_m12": False,
            "residual_pain_m12": "none",
            "pain_segmental_nrs_m12": 0,
            "pain_worst_nrs_m12": 0,
            "residual_pain_nrs_m12": 0,
        },
    ),
    History(
        "intensity comes from a visit that found the same sites",
        "Day 350 found local pain as well; day 340 the same as day 366.",
        (
            visit(366, **pain(segmental=None)),
            visit(350, **pain(segmental=7, local=8)),
            visit(340, **pain(segmental=4)),
        ),
        {
            "residual_pain_m12": "segmental",
            "pain_segmental_nrs_m12": 4,
            "pain_segmental_nrs_m12_day": 340,
            "pain_worst_nrs_m12": 4,
        },
    ),
    History(
        "without an intensity that fits there is none",
        "The only intensity belongs to other sites.",
        (visit(366, **pain(segmental=None)), visit(350, **pain(local=8))),
        {
            "residual_pain_m12": "segmental",
            "pain_worst_nrs_m12": None,
            "pain_worst_nrs_m12_missing": "not_recorded",
        },
    ),
    History(
        "pain on day 80 is in the window but not residual",
        "Residual pain needs at least 3 months (REFERENCE 3.10, R55).",
        (visit(80, **pain(segmental=6)),),
        {
            "pain_segmental_m3": True,
            "pain_segmental_nrs_m3": 6,
            "residual_segmental_pain_m3": None,
            "residual_segmental_pain_m3_missing": "too_early",
            "residual_pain_nrs_m3_missing": "too_early",
        },
    ),
    History(
        "day 90 is too early",
        "Three months end on day 91.",
        (visit(90, **NO_PAIN),),
        {"residual_pain_m3": None, "residual_pain_m3_missing": "too_early"},
    ),
    History(
        "day 91 counts",
        "It is the target of the visit at 3 months.",
        (visit(91, **pain(below=2)),),
        {"residual_pain_m3": "below_level", "residual_pain_m3_missing": None},
    ),
    History(
        "a visit late enough comes before a nearer one that is not",
        "Only day 105 can speak of residual pain, and all of pain is told by one visit.",
        (visit(88, **NO_PAIN), visit(105, **pain(segmental=3))),
        {
            "pain_present_m3": True,
            "pain_present_m3_day": 105,
            "residual_pain_m3": "segmental",
        },
    ),
    History(
        "other pain is not residual, neither as a site nor with its NRS",
        "NRS 6 of another cause must not stand beside residual pain none.",
        (visit(365, **pain(other=6)),),
        {
            "residual_pain_m12": "none",
            "residual_pain_nrs_m12": 0,
            "pain_worst_nrs_m12": 6,
        },
    ),
    History(
        "the NRS of residual pain leaves other sites out",
        "Local 2 is residual, other 8 is not.",
        (visit(365, **pain(local=2, other=8)),),
        {
            "residual_pain_m12": "local",
            "residual_pain_nrs_m12": 2,
            "pain_worst_nrs_m12": 8,
        },
    ),
    History(
        "segmental pain that stays is persistent",
        "Before and at 12 months.",
        (visit(-5, **pain(segmental=7)), visit(365, **pain(segmental=3))),
        {"segmental_pain_course_m12": "persistent"},
    ),
    History(
        "segmental pain that comes is new",
        "Local pain before is not segmental pain.",
        (visit(-5, **pain(local=7)), visit(365, **pain(segmental=3))),
        {"segmental_pain_course_m12": "new"},
    ),
    History(
        "segmental pain that goes is resolved",
        "Present before, none at 12 months.",
        (visit(-5, **pain(segmental=7)), visit(365, **NO_PAIN)),
        {"segmental_pain_course_m12": "resolved"},
    ),
    History(
        "segmental pain that never was",
        "Neither before nor at 12 months.",
        (visit(-5, **NO_PAIN), visit(365, **NO_PAIN)),
        {"segmental_pain_course_m12": "never"},
    ),
    History(
        "without a baseline the course is a category of its own",
        "One case of segmental pain must not vanish from its courses.",
        (visit(365, **pain(segmental=3)),),
        {
            "residual_segmental_pain_m12": True,
            "segmental_pain_course_m12": "before_unknown",
        },
    ),
    History(
        "a baseline without intensity is a baseline",
        "The site was marked; how strong it was does not matter to the course.",
        (visit(-5, **pain(segmental=None)), visit(365, **pain(segmental=3))),
        {
            "segmental_pain_course_m12": "persistent",
            "pain_segmental_nrs_preop": None,
        },
    ),
)
