"""Stages, re-operations, deaths, and the scans that bound an event."""

from __future__ import annotations

from tests.factories import OPERATED_ON
from tests.outcomes.histories.steps import (
    History,
    alive,
    came_back,
    complication,
    died,
    operated_again,
    scan,
    visit,
)

UNREAD = {"eor_mri": "not_assessed"}
PLANNED, AGAIN = "planned_stage", "reoperation"

EARLY_DEATHS = (
    History(
        "death in the third week, GTR by the surgeon, no MRI",
        "No MRI could be made; left out, the worst outcome would improve the curve.",
        (died(20),),
        {
            "rfs_event": True,
            "rfs_days": 20,
            "rfs_exclusion": None,
            "pfs_event": True,
            "pfs_days": 20,
            "ttr_status": 2,
            "ttr_days": 20,
            "recurrence_event": None,
        },
        operation=UNREAD,
    ),
    History(
        "death in the third week, STR by the surgeon, no MRI",
        "Nothing could recur, so not in RFS; progression-free survival ends all the same.",
        (died(20),),
        {
            "rfs_exclusion": "residual_tumour",
            "pfs_event": True,
            "pfs_days": 20,
            "ttp_status": 2,
            "ttg_status": 2,
            "ttg_days": 20,
        },
        operation=UNREAD | {"eor_surgeon": "str"},
    ),
    History(
        "death in the third week, extent unknown to all",
        "Whether it could recur is unknown; that the patient died is not.",
        (died(20),),
        {"rfs_exclusion": "extent_unknown", "pfs_event": True, "pfs_days": 20},
        operation=UNREAD | {"eor_surgeon": None, "missing": {"eor_surgeon": "unknown"}},
    ),
    History(
        "death on the day of the operation",
        "It is day 0 of every curve.",
        (died(0),),
        {"rfs_event": True, "rfs_days": 0, "death_days": 0},
        operation={"discharge_date": OPERATED_ON},
    ),
    History(
        "death on day 91 without MRI",
        "The last day on which the extent could have been read in time.",
        (died(91),),
        {"rfs_event": True, "rfs_days": 91},
    ),
    History(
        "death on day 92 without MRI",
        "An MRI was due and not made: left out as survivors without MRI are, since "
        "counting only the dead among them would bias the other way.",
        (died(92),),
        {"rfs_event": None, "rfs_exclusion": "no_postoperative_mri"},
    ),
    History(
        "alive without MRI",
        "Nothing is known of recurrence.",
        (visit(365, mmcs=2),),
        {"rfs_exclusion": "no_postoperative_mri", "ttr_status": None},
    ),
)

STAGES = (
    History(
        "a planned second stage completes the resection",
        "The state at the end of the planned treatment decides.",
        (operated_again(60, PLANNED), scan(65), scan(900)),
        {
            "eor_mri": "str",
            "eor_final": "gtr",
            "n_stages": 2,
            "last_stage_day": 60,
            "reoperation_event": False,
            "rfs_exclusion": None,
            "rfs_event": False,
            "rfs_days": 900,
            "regrowth_event": None,
        },
        operation={"eor_surgeon": "str", "eor_mri": "str"},
    ),
    History(
        "a recurrence after the second stage is a recurrence",
        "The tumour was gone.",
        (operated_again(60, PLANNED), scan(400), came_back(800)),
        {
            "recurrence_event": True,
            "recurrence_days": 800,
            "recurrence_last_clear_day": 400,
            "rfs_event": True,
        },
        operation={"eor_surgeon": "str", "eor_mri": "str"},
    ),
    History(
        "a scan between the stages tells nothing of recurrence",
        "Nothing was gone yet, so no MRI after the GTR was made; what grew or did not "
        "until day 5 is known all the same.",
        (scan(5), operated_again(60, PLANNED)),
        {
            "eor_final": "gtr",
            "recurrence_event": None,
            "recurrence_last_clear_day": None,
            "rfs_exclusion": "no_postoperative_mri",
            "rfs_days": None,
            "pfs_event": False,
            "pfs_days": 5,
        },
        operation={"eor_surgeon": "str", "eor_mri": "str"},
    ),
    History(
        "time to recurrence after two stages counts from the first",
        "Day 0 is the index operation (REFERENCE 4); the stage enters as a delayed "
        "entry where an analysis wants it.",
        (operated_again(60, PLANNED), scan(70), came_back(800)),
        {"rfs_days": 800, "ttr_days": 800, "last_stage_day": 60},
        operation={"eor_surgeon": "str", "eor_mri": "str"},
    ),
    History(
        "a biopsy before the definitive operation",
        "It is a stage, also where the definitive operation is the index.",
        (
            operated_again(
                -30,
                PLANNED,
                eor_surgeon="biopsy",
                eor_mri="biopsy",
                discharge_date=None,
            ),
            scan(100),
        ),
        {
            "eor_final": "gtr",
            "n_stages": 2,
            "last_stage_day": 0,
            "reoperation_event": False,
            "rfs_event": False,
        },
    ),
    History(
        "a stage to which no extent applies leaves it",
        "A planned fusion removes no tumour and leaves none.",
        (
            operated_again(
                14,
                PLANNED,
                eor_mri=None,
                eor_surgeon=None,
                missing={"eor_mri": "not_applicable", "eor_surgeon": "not_applicable"},
            ),
            scan(100),
        ),
        {"eor_final": "gtr", "n_stages": 2, "rfs_event": False},
    ),
    History(
        "a stage whose MRI was not read leaves the state unknown",
        "What the second stage took is not known; the residual of the first may be gone.",
        (operated_again(60, PLANNED, eor_mri="not_assessed"), scan(900)),
        {"eor_final": "not_assessed", "rfs_exclusion": "extent_unknown"},
        operation={"eor_surgeon": "str", "eor_mri": "str"},
    ),
    History(
        "death between the second stage and its MRI",
        "Early counts from the last stage: its extent could not be read.",
        (scan(5), operated_again(60, PLANNED, eor_mri="not_assessed"), died(100)),
        {"rfs_event": True, "rfs_days": 100, "ttr_status": 2},
        operation={"eor_surgeon": "str", "eor_mri": "str"},
    ),
    History(
        "a re-operation does not change the extent of the first",
        "It treats what came of it.",
        (operated_again(3, AGAIN, eor_mri="not_assessed"), scan(300)),
        {
            "eor_final": "gtr",
            "n_stages": 1,
            "reoperation_event": True,
            "reoperation_days": 3,
            "reoperation_status": 1,
            "n_reoperations": 1,
        },
    ),
    History(
        "a later operation that nobody classified is a re-operation",
        "Whatever was not planned; old rows have no relation.",
        (operated_again(700, None),),
        {"reoperation_event": True, "reoperation_days": 700, "n_stages": 1},
    ),
    History(
        "an adverse event tells of a re-operation",
        "That there was one is known, its day is not.",
        (complication(reoperation=True, clavien_dindo="IIIb"), alive(900)),
        {
            "reoperation_event": True,
            "reoperation_days": None,
            "reoperation_status": 1,
            "n_reoperations": 0,
        },
    ),
    History(
        "no re-operation until the last contact",
        "Censored by contact, not by MRI.",
        (scan(365), alive(900)),
        {
            "reoperation_event": False,
            "reoperation_days": 900,
            "reoperation_status": 0,
        },
    ),
    History(
        "death competes with re-operation",
        "The dead are not operated on.",
        (scan(365), died(700)),
        {
            "reoperation_event": False,
            "reoperation_days": 700,
            "reoperation_status": 2,
        },
    ),
)

COURSES = (
    History(
        "a recurrence came after the last clear scan",
        "Interval-censored: between day 700 and day 800.",
        (scan(365), scan(700), came_back(800)),
        {
            "recurrence_last_clear_day": 700,
            "recurrence_days": 800,
            "ttr_status": 1,
            "n_postop_mri": 3,
        },
    ),
    History(
        "a recurrence on the first scan has no clear one",
        "Only the right end of the interval is known.",
        (came_back(800),),
        {"recurrence_last_clear_day": None, "recurrence_days": 800},
    ),
    History(
        "a scan with a lesion at the site is not clear",
        "It was read before the recurrence was recorded.",
        (scan(365), scan(700, new_lesion_same_site=True), came_back(800)),
        {"recurrence_last_clear_day": 365},
    ),
    History(
        "without a recurrence the last clear scan ends observation",
        "The right end is open.",
        (scan(365), scan(700), alive(900)),
        {
            "recurrence_event": False,
            "recurrence_last_clear_day": 700,
            "ttr_status": 0,
            "ttr_days": 700,
        },
    ),
    History(
        "death after the last scan",
        "It competes with recurrence on its own day; 1 − RFS is the sum of both.",
        (scan(600), died(3000)),
        {"ttr_status": 2, "ttr_days": 3000, "rfs_days": 3000, "recurrence_days": 600},
    ),
    History(
        "death after a recurrence",
        "The first event counts.",
        (came_back(800), died(900)),
        {"ttr_status": 1, "ttr_days": 800, "death_days": 900},
    ),
    History(
        "growth of a residual between two scans",
        "Interval-censored as well.",
        (scan(90, residual_present=True), came_back(600, "regrowth")),
        {
            "regrowth_last_clear_day": 90,
            "ttg_status": 1,
            "ttg_days": 600,
            "ttp_status": 1,
            "recurrence_last_clear_day": None,
        },
        operation={"eor_mri": "str"},
    ),
    History(
        "a re-operation before the residual grew",
        "It takes away what could grow (REFERENCE 4).",
        (scan(90, residual_present=True), operated_again(400, AGAIN)),
        {"ttg_status": 3, "ttg_days": 400, "regrowth_event": False},
        operation={"eor_mri": "str"},
    ),
    History(
        "a new lesion elsewhere is no progression",
        "Schwannomatosis; the operated site is clear.",
        (came_back(600, "new_lesion"), scan(700)),
        {"new_lesion_event": True, "ttr_status": 0, "ttp_status": 0, "rfs_days": 700},
    ),
    History(
        "not heard of for years",
        "The last contact was an MRI, more than 18 months before the cut-off.",
        (scan(365),),
        {"lost_to_follow_up": True, "followup_days": 365},
    ),
    History(
        "a planned stage is a contact, and so is the last re-operation",
        "The patient was there, whatever else is on file.",
        (
            operated_again(60, PLANNED),
            operated_again(200, AGAIN),
            operated_again(400, AGAIN),
        ),
        {"followup_days": 400, "reoperation_days": 200, "last_stage_day": 60},
    ),
    History(
        "who died is not lost",
        "Follow-up is complete.",
        (scan(365), died(400)),
        {"lost_to_follow_up": False, "followup_days": 400},
    ),
)
