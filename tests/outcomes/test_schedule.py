"""When visits are expected, and which are missing: one answer at every door."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.models import Case
from outcomes.models import Visit
from outcomes.schedule import (
    APPOINTMENTS,
    SCHEDULED,
    STATES,
    AppointmentState,
    Schedule,
    schedules_of,
)
from outcomes.views import worklist
from registry.permissions import Role
from tests.factories import (
    OPERATED_ON,
    make_case,
    make_centre,
    make_mri,
    make_operation,
    make_recurrence,
    make_user,
    make_visit,
    make_vital_status,
)
from tests.pages import signed_in

pytestmark = pytest.mark.django_db


def schedule(case: Case, days: int) -> Schedule:
    """The schedule so many days after :data:`OPERATED_ON`; both ways of asking agree."""
    today = OPERATED_ON + timedelta(days)
    found = schedules_of([case.pk], today)[case.pk]
    asked = Case.objects.annotate(state=AppointmentState(F("pk"), today))
    assert asked.get(pk=case.pk).state == found.state
    return found


def states(case: Case, days: int) -> dict[str, str]:
    return {each.window.name: each.state for each in schedule(case, days).windows}


@pytest.mark.parametrize(
    ("days", "state"),
    [(304, "later"), (305, "due"), (425, "due"), (426, "overdue")],
)
def test_a_window_opens_and_closes_on_its_days(days: int, state: str) -> None:
    case = make_case(operation=True)
    assert states(case, days)["m12"] == state


@pytest.mark.parametrize("window", APPOINTMENTS)
def test_the_first_and_the_last_day_of_a_window_are_due(window: Any) -> None:
    case = make_case(operation=True)
    make_vital_status(case.patient, last_contact_date=OPERATED_ON + timedelta(3000))
    for day, state in (
        (window.opens - 1, "later"),
        (window.opens, "due"),
        (window.closes, "due"),
        (window.closes + 1, "overdue"),
    ):
        assert states(case, day)[window.name] == state


def test_a_visit_fills_its_window_by_kind_or_by_day() -> None:
    case = make_case(operation=True)
    make_visit(case, "m3", day=130)  # too late for the window, but meant for it
    make_visit(case, "unscheduled", day=200)
    found = states(case, 210)
    assert (found["m3"], found["m6"], found["m12"]) == ("done", "done", "later")


def test_nobody_waits_for_a_window_when_the_patient_was_seen_after_it() -> None:
    case = make_case(operation=True)
    make_visit(case, "unscheduled", day=500)
    found = states(case, 510)
    assert {found[name] for name in ("m3", "m6", "m12")} == {"not_needed"}
    assert found["m24"] == "later"


def test_a_visit_without_a_day_counts_for_the_window_it_was_entered_for() -> None:
    case = make_case(operation=True)
    make_visit(case, "m24", visit_date=None, reported_day=None)
    assert Visit.objects.get().visit_day is None
    found = states(case, 900)
    assert (found["m12"], found["m24"]) == ("not_needed", "done")


def test_a_voided_visit_fills_nothing() -> None:
    case = make_case(operation=True)
    visit = make_visit(case, "m3")
    Visit.objects.filter(pk=visit.pk).update(
        voided_at=timezone.now(), voided_by=visit.created_by, void_reason="twice"
    )
    assert states(case, 100)["m3"] == "due"


def test_nothing_is_expected_of_the_dead() -> None:
    case = make_case(operation=True)
    make_vital_status(
        case.patient,
        vital_status="dead",
        death_date=OPERATED_ON + timedelta(200),
        death_cause="other",
        last_contact_date=None,
    )
    found = schedule(case, 900)
    assert found.state == "died" and found.cared_for is None
    assert {each.state for each in found.windows} == {"died"}


def test_without_a_dated_operation_nothing_is_expected() -> None:
    bare, undated = make_case(), make_case()
    make_operation(
        undated,
        surgery_date=None,
        discharge_date=None,
        missing={"surgery_date": "unknown", "discharge_date": "unknown"},
    )
    assert schedules_of([bare.pk, undated.pk], OPERATED_ON) == {}
    asked = Case.objects.annotate(state=AppointmentState(F("pk"), OPERATED_ON))
    assert set(asked.values_list("state", flat=True)) == {"not_needed"}


def test_the_one_to_care_for_is_the_due_one_then_the_latest_missed() -> None:
    case = make_case(operation=True)

    def cared_for(days: int) -> str | None:
        found = schedule(case, days).cared_for
        return found.window.name if found else None

    assert [cared_for(days) for days in (10, 200, 260, 310, 900)] == [
        "m3",
        "m6",
        "m6",
        "m12",
        "m24",
    ]
    make_visit(case, "m60")
    assert cared_for(3000) is None
    assert schedule(case, 3000).state == "not_needed"


@pytest.mark.parametrize("how", ["visit", "mri", "operation", "recurrence", "call"])
def test_whoever_is_in_contact_is_overdue_not_lost(how: str) -> None:
    """Eighteen months of silence, counted from whatever showed the patient last."""
    case = make_case(operation=True)
    seen_on = OPERATED_ON + timedelta(600)
    if how == "visit":  # before the window of 24 months, so that it fills none
        make_visit(case, "unscheduled", visit_date=seen_on)
    elif how == "mri":
        make_mri(case, purpose="followup", mri_date=seen_on)
    elif how == "operation":
        make_operation(case, index_operation=False, surgery_date=seen_on)
    elif how == "recurrence":
        make_recurrence(case, day=600)
    else:
        make_vital_status(case.patient, last_contact_date=seen_on)
    assert schedule(case, 821).contact_on == seen_on
    assert schedule(case, 600 + 548).state == "overdue"
    assert schedule(case, 600 + 549).state == "lost"
    assert schedule(case, 1700).state == "due"  # an open window comes before silence


# --- the doors


def registry_of(seed: int, number: int = 24) -> list[Case]:
    """Cases of one centre with any course, as it could be today."""
    draw = random.Random(seed)
    centre = make_centre()
    return [random_case(centre, draw) for _n in range(number)]


def random_case(centre: Any, draw: random.Random) -> Case:
    today = timezone.localdate()
    ago = draw.choice([30, 61, 121, 122, 250, 305, 426, 700, 821, 1400, 1643, 2010])
    operated = today - timedelta(days=ago + draw.randrange(3))
    case = make_case(centre, birth_year=None)
    if draw.random() < 0.1:
        return case
    make_operation(case, surgery_date=operated)
    for _n in range(draw.randrange(4)):
        day = draw.randrange(1, ago + 1)
        kind = draw.choice(["m3", "m6", "m12", "m24", "m60", "unscheduled"])
        make_visit(case, kind, visit_date=operated + timedelta(day))
    chance = draw.random()
    if chance < 0.2:
        make_vital_status(
            case.patient,
            vital_status="dead",
            death_date=today,
            death_cause="other",
            last_contact_date=None,
        )
    elif chance < 0.5:
        contact = today - timedelta(days=draw.randrange(ago))
        make_vital_status(case.patient, last_contact_date=contact)
    return case


def by_hand(case: Case, today: date) -> str:
    """The state once more, row by row, for one case."""
    operated = case.operated_on
    if operated is None:
        return "not_needed"
    vital = getattr(case.patient, "vital_status_record", None)
    if vital and vital.vital_status == "dead":
        return "died"
    visits = list(case.visits.all())
    days = [(visit.visit_date - operated).days for visit in visits]
    kinds = {visit.visit_type for visit in visits}
    opened = [w.opens for w in SCHEDULED if w.name in kinds]
    last_contact = max(
        [operated, *(v.visit_date for v in visits)]
        + ([vital.last_contact_date] if vital else [])
    )
    silent = (today - last_contact).days > 548
    missed, later, now = False, False, (today - operated).days
    for window in APPOINTMENTS:
        filled = window.name in kinds or any(
            window.opens <= day <= window.closes for day in days
        )
        if filled or max([*days, *opened], default=-1) > window.closes:
            continue
        if window.opens <= now <= window.closes:
            return "due"
        missed = missed or now > window.closes
        later = later or now < window.opens
    if missed:
        return "lost" if silent else "overdue"
    return "later" if later else "not_needed"


def listed(page: Client, state: str) -> set[str]:
    response = page.get(reverse("cases:list"), {"appointment": state})
    return {row["cells"][0]["value"] for row in response.context["rows"]}


def in_facts(page: Client, state: str) -> set[str]:
    asked = {"rows": "coded", "appointment": state, "fields": "case_code,appointment"}
    rows = page.get("/api/v1/facts/", asked).json()["results"]
    assert {row["appointment"] for row in rows} <= {state}
    return {row["case_code"] for row in rows}


def in_cases(page: Client, state: str) -> set[str]:
    rows = page.get("/api/v1/cases/", {"appointment": state}).json()["results"]
    assert {row["appointment"] for row in rows} <= {state}
    for row in rows[:1]:
        one = page.get(f"/api/v1/cases/{row['code']}/").json()
        assert one["appointment"] == state
    return {row["code"] for row in rows}


@pytest.mark.parametrize("seed", range(3))
def test_every_door_gives_the_same_sets(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worklist, "MOST_SHOWN", 1000)
    today = timezone.localdate()
    cases = registry_of(seed)
    make_case(operation=True)  # of another centre
    page = signed_in(make_user(Role.SURGEON, cases[0].centre))
    wanted: dict[str, set[str]] = {state: set() for state, _label in STATES}
    for case in Case.objects.filter(centre=cases[0].centre):
        wanted[by_hand(case, today)].add(case.code)
    waiting = page.get(reverse("outcomes:worklist")).context
    for state, codes in wanted.items():
        assert listed(page, state) == codes, state
        assert in_facts(page, state) == codes, state
        assert in_cases(page, state) == codes, state
        if state in worklist.WAITING:
            assert {row["code"] for row in waiting[state].rows} == codes
            assert waiting[state].count == len(codes)
        for code in sorted(codes)[:2]:
            found = page.get(reverse("cases:detail", args=[code])).context["schedule"]
            assert (found.state if found else "not_needed") == state
