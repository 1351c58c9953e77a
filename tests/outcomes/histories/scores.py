"""Scores and findings beside McCormick and JOA, and pain at several sites at once."""

from __future__ import annotations

from tests.outcomes.histories.steps import NO_PAIN, History, died, joa, pain, visit

OTHER_SCORES = (
    History(
        "each score comes from the nearest visit that has it",
        "A telephone call with EQ-5D hides neither the Karnofsky nor the Nurick grade.",
        (
            visit(366, eq5d5l="11211", mode="phone"),
            visit(350, kps=80),
            visit(330, kps=60, nurick=2, gait="aid"),
        ),
        {
            "eq5d5l_m12": 11211,
            "eq5d5l_m12_day": 366,
            "kps_m12": 80,
            "kps_m12_day": 350,
            "nurick_m12": 2,
            "nurick_m12_day": 330,
            "gait_m12": "aid",
            "gait_last_day": 330,
            "kps_last": 80,
            "visit_status_m12": "visit_without_score",
        },
    ),
    History(
        "an examiner's finding comes before one that the patient gave",
        "Strength is examined; the sheet of day 365 is nearer.",
        (
            visit(365, motor_mrc_min="5", kps=100, assessor="patient"),
            visit(330, motor_mrc_min="4-", assessor="surgeon"),
        ),
        {
            "motor_mrc_min_m12": "M4-",
            "motor_mrc_min_m12_day": 330,
            "kps_m12": 100,
            "kps_m12_day": 365,
        },
    ),
    History(
        "what patients fill in themselves is taken by its day",
        "NDI and EQ-VAS are their answers, whoever entered the sheet.",
        (
            visit(365, ndi_pct=20, eq_vas=70, assessor="patient"),
            visit(330, ndi_pct=44, eq_vas=50, assessor="surgeon"),
        ),
        {"ndi_pct_m12": 20.0, "ndi_pct_m12_day": 365, "eq_vas_m12": 70},
    ),
    History(
        "a score that was not done says so",
        "Each score has a reason of its own.",
        (visit(365, mmcs=2, missing={"kps": "not_done", "ais": "not_applicable"}),),
        {
            "kps_m12": None,
            "kps_m12_missing": "not_done",
            "ais_m12_missing": "not_applicable",
            "nurick_m12_missing": "not_recorded",
            "kps_preop_missing": "no_visit",
        },
    ),
    History(
        "no score of the dead",
        "The end of observation is the reason of every score alike.",
        (visit(91, kps=70, bladder="mild"), died(200)),
        {
            "kps_m3": 70,
            "bladder_m3": "mild",
            "kps_m12_missing": "died",
            "mjoa_total_m12_missing": "died",
        },
    ),
    History(
        "without a sensory deficit there is no level of it",
        "The level of day 340 would contradict the nearer examination.",
        (
            visit(366, sensory_deficit="none"),
            visit(340, sensory_deficit="mild", sensory_level="T6"),
        ),
        {
            "sensory_deficit_m12": "none",
            "sensory_level_m12": None,
            "sensory_level_m12_day": None,
            "sensory_level_m12_missing": "not_applicable",
        },
    ),
    History(
        "a visit without a day gives its score without a day",
        "It was entered as the visit at 12 months.",
        (visit(None, "m12", kps=90),),
        {"kps_m12": 90, "kps_m12_day": None, "kps_m12_missing": None},
    ),
    History(
        "Odom is of the time after the operation",
        "It compares with before, so there is no column before.",
        (visit(-5, **joa(7)), visit(365, odom="good")),
        {"odom_m12": "good", "odom_m24_missing": "lost"},
    ),
)

SITES = (
    History(
        "pain at two sites is pain at each of them",
        "Whoever asks for local pain wants this case, whatever else hurts.",
        (visit(365, **pain(local=3, segmental=5)),),
        {
            "pain_local_m12": True,
            "pain_segmental_m12": True,
            "pain_below_level_m12": False,
            "residual_local_pain_m12": True,
            "residual_segmental_pain_m12": True,
            "residual_below_level_pain_m12": False,
            "residual_pain_m12": "mixed",
        },
    ),
    History(
        "each site is known where the sites are",
        "No pain is none at any of them.",
        (visit(365, **NO_PAIN),),
        {
            "pain_local_m12": False,
            "residual_local_pain_m12": False,
            "residual_below_level_pain_m12": False,
        },
    ),
    History(
        "pain of no site that counts is at none of them",
        "Other pain is pain, but not put down to the tumour or its operation.",
        (visit(365, **pain(other=7)),),
        {
            "pain_present_m12": True,
            "pain_local_m12": False,
            "residual_local_pain_m12": False,
            "residual_pain_m12": "none",
        },
    ),
    History(
        "pain without sites is at unknown ones",
        "Nobody asked where.",
        (visit(365, pain_present=True, missing={"pain_distribution": "not_done"}),),
        {
            "pain_local_m12": None,
            "pain_local_m12_missing": "not_done",
            "residual_below_level_pain_m12_missing": "not_done",
        },
    ),
    History(
        "intensity of other sites is not taken, be they as many",
        "Local and segmental on one day, segmental and below the level on the other.",
        (
            visit(366, **pain(local=None, segmental=None)),
            visit(350, **pain(segmental=6, below=6)),
        ),
        {
            "residual_pain_m12": "mixed",
            "pain_worst_nrs_m12": None,
            "residual_pain_nrs_m12": None,
        },
    ),
)
