"""A case entered in the browser becomes a number on a page, in the API and in a file."""

from __future__ import annotations

import csv
import io
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lifelines import KaplanMeierFitter
from playwright.sync_api import Page

from registry.embedded.postgres import EmbeddedPostgres
from tests.browser.chromium import answer, chromium, clean_page, save, sign_in
from tests.processes import RunningRegistry, eventually, started_registry

pytestmark = [pytest.mark.browser, pytest.mark.services]

MAKE_A_COORDINATOR = """
from registry.permissions import Role
from tests.factories import make_user
print(make_user(Role.REGISTRY_COORDINATOR).email)
"""
SEED = ["seed_demo", "--cases", "60", "--centres", "2", "--seed", "7"]
NEW_CASE: dict[str, object] = {
    "family_name": "Journey",
    "given_name": "Synthetic",
    "birth_date": "1961-04-02",
    "hospital_number": "JOURNEY-1",
    "sex": "F",
    "nf_status": "none_known",
    "prior_spine_surgery": False,
    "prior_radiotherapy_spine": False,
    "consent_research": "opt_in",
    "compartment": "intramedullary",
    "compartment_mri": "intramedullary",
    "level_rostral": "Th5",
    "level_caudal": "D7",
    "level_basis": "vertebral_body",
    "axial_position": ["dorsal"],
    "side": "midline",
    "histology_who2021": "schwannoma",
    "icdo_topography": "C72.0",
    "who_grade": "1",
    "size_cc_mm": "31",
    "size_ap_mm": "12",
    "size_tr_mm": "11.5",
    "incidental": False,
    "onset_date": "2019-11",
}
PREOP_MRI: dict[str, object] = {
    "mri_date": "2020-02-20",
    "purpose": "preop",
    "field_strength_T": "3.0",
    "sequences": ["T1", "T2", "T1_Gd"],
    "gd_given": True,
    "t1_signal": "iso",
    "t2_signal": "hyper",
    "enhancement": "homogeneous",
    "border": "rough",
    "oedema_present": False,
    "syrinx": "none",
    "cyst": "none",
    "haemosiderin": "none",
    "cord_displacement": "expanded_fusiform",
    "reader_1": "R1",
}
OPERATION: dict[str, object] = {
    "surgery_date": "2020-03-02",
    "urgency": "elective",
    "approach": "posterior",
    "bone_work": "laminoplasty",
    "levels_opened_from": "T5",
    "levels_opened_to": "Th7",
    "fusion": False,
    "myelotomy": "posterior_midline",
    "operative_time_min": "312",
    "blood_loss_ml": "140",
    "discharge_date": "2020-03-14",
    "ionm_modality": ["SSEP", "TcMEP"],
    "ionm_alarm": "none",
    "dissection_plane": "clear",
    "eor_surgeon": "gtr",
    "eor_mri": "gtr",
    "root_sacrificed": "none",
    "adjuvant": "none",
}
FOLLOW_UP_MRI: dict[str, object] = {
    "mri_date": "2021-03-01",
    "purpose": "followup",
    "field_strength_T": "3.0",
    "sequences": ["T1", "T2", "T1_Gd"],
    "gd_given": True,
    "residual_present": False,
    "new_lesion_same_site": False,
    "new_lesion_other_level": False,
    "reader_1": "R1",
}
EXAMINED: dict[str, object] = {
    "mode": "in_person",
    "assessor": "surgeon",
    "joa_region": "thoracic11",
    "pain_present": False,
    "sensory_deficit": "none",
    "gait": "normal",
    "bladder": "normal",
    "motor_mrc_min": "5",
}


@pytest.fixture(scope="module")
def registry(
    tmp_path_factory: pytest.TempPathFactory, test_server: EmbeddedPostgres
) -> Iterator[RunningRegistry]:
    folder: Path = tmp_path_factory.mktemp("journey")
    with started_registry(folder, manage=[SEED, ["create_demo_users"]]) as running:
        yield running


@pytest.fixture(scope="module")
def token(registry: RunningRegistry) -> str:
    return registry.manage("create_token", "analyst@demo.example").strip()


def fetch(registry: RunningRegistry, token: str, path: str) -> bytes:
    request = urllib.request.Request(
        f"{registry.url}/api/v1/{path}", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        content: bytes = response.read()
    return content


def summary(registry: RunningRegistry, token: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(fetch(registry, token, f"summaries/{path}"))
    return found


def facts(registry: RunningRegistry) -> list[dict[str, str]]:
    """Every row with its true days: those of analysts are in weeks."""
    email = registry.manage("shell", "-v0", "-c", MAKE_A_COORDINATOR).split()[-1]
    token = registry.manage("create_token", email).strip()
    return rows_of(fetch(registry, token, "facts/?format=csv&rows=coded"))


def rows_of(file: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"))))


def enter_case(page: Page, registry: RunningRegistry) -> str:
    """The whole case, as a surgeon enters it; returns its address."""
    page.goto(f"{registry.url}/cases/new/")
    answer(page, **NEW_CASE)
    save(page)
    case = page.url
    for part, answers in (
        ("operations/new/", OPERATION),
        ("mri/new/", PREOP_MRI),
        ("mri/new/", FOLLOW_UP_MRI),
    ):
        page.goto(case + part)
        answer(page, **answers)
        save(page)
        assert page.url.startswith(case), page.url
    enter_visit(page, case, "preop", "2020-03-01", mmcs=3, leg=2)
    enter_visit(page, case, "m12", "2021-03-05", mmcs=1, leg=4)
    return case


def enter_visit(
    page: Page, case: str, kind: str, day: str, *, mmcs: int, leg: int
) -> None:
    page.goto(f"{case}visits/new/?type={kind}")
    answer(page, visit_type=kind, visit_date=day, mmcs=mmcs, **EXAMINED)
    answer(
        page,
        thoracic11__joa_le_motor=leg,
        thoracic11__joa_le_sens=2,
        thoracic11__joa_trunk_sens=2,
        thoracic11__joa_bladder=3,
    )
    save(page)
    assert page.url.startswith(case), page.url


def test_from_the_browser_to_every_number(
    registry: RunningRegistry, token: str
) -> None:
    fresh = eventually(
        lambda: fresh_summary(registry, token, "recurrence/?by=eor_final", least=60)
    )
    before = fresh["n_cases"]
    with chromium() as browser, clean_page(browser) as page:
        sign_in(page, registry.url, "surgeon@demo.example")
        case = enter_case(page, registry)
        page.goto(case)
        assert "T5" in page.inner_text("main")
        eventually(
            lambda: fresh_summary(
                registry, token, "recurrence/?by=eor_final", least=before + 1
            )
        )
    with chromium() as browser, clean_page(browser) as page:
        sign_in(page, registry.url, "analyst@demo.example")
        check_dashboard(page, registry, token)
    rows = facts(registry)
    check_recurrence(summary(registry, token, "recurrence/?by=eor_final"), rows)
    released = rows_of(fetch(registry, token, "facts/?format=csv"))
    improved = summary(registry, token, "improvement/?by=compartment")
    check_improvement(improved, released)


def fresh_summary(
    registry: RunningRegistry, token: str, path: str, least: int
) -> dict[str, Any] | None:
    found = summary(registry, token, path)
    return found if not found["stale"] and found["n_cases"] >= least else None


def check_recurrence(payload: dict[str, Any], rows: list[dict[str, str]]) -> None:
    """The curve of GTR against lifelines on the rows of the file."""
    group = next(g for g in payload["groups"] if g["group"]["eor_final"] == "gtr")
    chosen = [row for row in rows if row["eor_final"] == "gtr" and row["rfs_days"]]
    days = [int(row["rfs_days"]) for row in chosen]
    events = [row["rfs_event"].lower() in {"true", "1"} for row in chosen]
    fitter = KaplanMeierFitter().fit(days, events)
    curve = group["curve"]
    assert len(curve["days"]) > 5
    for day, value in zip(curve["days"], curve["survival"], strict=True):
        assert value == pytest.approx(float(fitter.predict(day)), abs=1e-9)


def check_improvement(payload: dict[str, Any], rows: list[dict[str, str]]) -> None:
    """Counts of the summary against counts of the file."""
    for group in payload["groups"]:
        compartment = group["group"]["compartment"] or ""
        changes = [
            row["mmcs_change_m12"]
            for row in rows
            if row["compartment"] == compartment and row["mmcs_change_m12"]
        ]
        assert group["assessed"] == len(changes)
        assert group["events"] == changes.count("improved")
        if changes:
            share = changes.count("improved") / len(changes)
            assert group["proportion"]["value"] == pytest.approx(share, abs=1e-9)


def check_dashboard(page: Page, registry: RunningRegistry, token: str) -> None:
    """What the page draws is what the API says."""
    page.goto(f"{registry.url}/dashboard/")
    drawn = {
        name: json.loads(page.locator(f"#{name}-chart").text_content() or "")
        for name in ("progression", "improvement")
    }
    curves = {curve["meaning"]: curve for curve in drawn["progression"]["curves"]}
    said = summary(registry, token, "progression/?by=eor_final")
    gtr = next(g for g in said["groups"] if g["group"]["eor_final"] == "gtr")
    assert curves["gtr"]["days"] == gtr["curve"]["days"]
    assert curves["gtr"]["survival"] == gtr["curve"]["survival"]
    rows = {row["name"]: row["counts"] for row in drawn["improvement"]["rows"]}
    said = summary(registry, token, "improvement/?by=compartment")
    inside = next(
        g for g in said["groups"] if g["group"]["compartment"] == "intramedullary"
    )
    assert rows["Intramedullary"][0] == inside["events"]
    assert sum(rows["Intramedullary"]) == inside["assessed"]
