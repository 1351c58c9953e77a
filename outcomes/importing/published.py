"""Enters the published cases, each through the same actions as everybody else.

A blank in the source means "not reported": it becomes NULL with the reason "unknown",
never "no". What a row says that no field can hold honestly is reported, not bent.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction

from cases import actions, completeness
from cases.models import Case, MriStudy, Operation, Patient
from outcomes.actions import create_visit, create_vital_status
from outcomes.models import Visit
from registry import records
from registry.actions import grant_role
from registry.levels import LevelError, parse_level_range
from registry.models import Centre, User
from registry.permissions import Role

FOLDER = Path(__file__).resolve().parent.parent / "published"
CASES_FILE = FOLDER / "published_cases.csv"
CENTRE_CODE = "PUBLISHED"
IMPORTER = "published-cases@registry.invalid"
DAYS_PER_MONTH = 30.4375

Row = dict[str, str]

COMPARTMENTS = {
    "intramedullary": "intramedullary",
    "intramedullary+subpial": "intramedullary",
    "intradural_extramedullary_foraminal": "intradural_extramedullary",
    "dumbbell_intra_extradural": "dumbbell_intra_extradural",
}
NF_STATUS = {
    "absent": "none_known",
    "absent (implied)": "none_known",
    "schwannomatosis": "schwannomatosis_NOS",
}
BONE_WORK = (
    ("hemilaminectomy", "hemilaminectomy"),
    ("laminoplasty", "laminoplasty"),
    ("laminectomy", "laminectomy"),
)
RANGE = re.compile(r"\b([CDTL]\d{1,2}\s*-\s*[CDTL]?\d{1,2})\b")


@dataclass
class RowReport:
    """What became of one row of the source."""

    source_id: str
    case_code: str = ""
    taken: list[str] = field(default_factory=list)
    not_taken: list[str] = field(default_factory=list)
    already_there: bool = False


@dataclass
class Reading:
    """Values that a row gives for each table, and remarks on what it does not."""

    row: Row
    report: RowReport
    patient: dict[str, Any] = field(default_factory=dict)
    case: dict[str, Any] = field(default_factory=dict)
    mri: dict[str, Any] = field(default_factory=dict)
    operation: dict[str, Any] = field(default_factory=dict)
    baseline: dict[str, Any] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)

    def refuse(self, column: str, why: str) -> None:
        self.report.not_taken.append(f"{column} “{self.row[column]}”: {why}")

    @property
    def is_autopsy(self) -> bool:
        return "autopsy" in self.row["approach_as_printed"]


def read_rows(path: Path = CASES_FILE) -> list[Row]:
    """The rows of the source file, cells stripped."""
    with path.open(encoding="utf-8", newline="") as source:
        return [
            {name: (value or "").strip() for name, value in row.items()}
            for row in csv.DictReader(source, strict=True)
        ]


def read(row: Row) -> Reading:
    """What a row says, in the registry's terms."""
    reading = Reading(row, RowReport(row["case_id"]))
    _read_person(reading)
    _read_tumour(reading)
    _read_mri(reading)
    if reading.is_autopsy:
        reading.refuse(
            "approach_as_printed", "not operated on; no operation is entered"
        )
    else:
        _read_operation(reading)
    _read_course(reading)
    return reading


def _read_person(reading: Reading) -> None:
    row = reading.row
    reading.patient = {
        "sex": row["sex"] or None,
        "nf_status": NF_STATUS.get(row["nf_status"]),
        "nf_as_recorded": row["nf_status"],
    }
    if row["age_years"]:
        reading.case["age_reported"] = int(row["age_years"])


def _read_tumour(reading: Reading) -> None:
    row, case = reading.row, reading.case
    case["compartment"] = COMPARTMENTS.get(row["compartment"])
    if case["compartment"] is None:
        reading.refuse("compartment", "no single compartment is stated")
    elif row["compartment"].endswith("foraminal"):
        reading.refuse("compartment", "entered without its foraminal part")
    if "subpial" in row["compartment"] + row["level_as_printed"]:
        case["subpial"] = True
    case["histology_who2021"] = row["histology"]
    case["icdo_morphology"] = "9560/0" if row["histology"] == "schwannoma" else None
    if "conus" in row["level_as_printed"]:
        case["conus_cauda"] = "conus"
    _read_levels(reading)
    if row["symptom_duration_months"]:
        case["symptom_duration_months"] = Decimal(row["symptom_duration_months"])
    if row["symptoms"]:
        case["incidental"] = False
    case["remark"] = "; ".join(
        f"{label}: {row[column]}"
        for label, column in (
            ("Published", "source_key"),
            ("row", "case_id"),
            ("level", "level_as_printed"),
            ("symptoms", "symptoms"),
            ("size in mm", "size_mm"),
            ("outcome", "outcome_as_printed"),
            ("remark", "remark"),
        )
        if row[column]
    )[:2000]
    if row["size_mm"]:
        reading.refuse("size_mm", "directions of the diameters are not stated")


def _read_levels(reading: Reading) -> None:
    """Levels as printed, D-levels as T-levels; they must agree with the columns."""
    row, case = reading.row, reading.case
    printed = re.sub(r"\(.*?\)", "", row["level_as_printed"]).strip()
    given = (row["level_rostral"], row["level_caudal"])
    if not any(given):
        if row["level_as_printed"]:
            reading.refuse("level_as_printed", "no range of levels in it")
        return
    rostral, caudal = parse_level_range(f"{given[0]}-{given[1]}")
    case |= {"level_rostral": rostral, "level_caudal": caudal}
    try:
        if printed and parse_level_range(printed) != (rostral, caudal):
            reading.refuse("level_as_printed", "differs from the columns, which stand")
    except LevelError:
        reading.refuse("level_as_printed", f"entered as {rostral} to {caudal}")


def _read_mri(reading: Reading) -> None:
    row, mri = reading.row, reading.mri
    for column in ("t1_signal", "t2_signal"):
        if row[column]:
            mri[column] = row[column]
    if row["enhancement"] in {"homogeneous", "heterogeneous"}:
        mri |= {"gd_given": True, "enhancement": row["enhancement"]}
    elif row["enhancement"]:
        mri["gd_given"] = True
        reading.refuse("enhancement", "its pattern is not graded")
    margin = row["margin_as_printed"]
    if margin.startswith("well"):
        mri["margin_demarcation"] = "sharp"
    elif margin:
        mri["margin_demarcation"] = "ill_defined"
    if "," in margin:
        reading.refuse("margin_as_printed", "only the finding on MRI is entered")
    if row["haemorrhage"] == "1":
        mri["haemosiderin"] = "other_haemorrhage"
    if row["syrinx"]:
        mri["syrinx"] = "present" if row["syrinx"] == "1" else "none"
    for column in ("syrinx_rostral", "syrinx_caudal"):
        if row[column]:
            mri[column] = row[column]
    if row["t2_cord_signal_extent"]:
        mri["oedema_present"] = True
        reading.refuse("t2_cord_signal_extent", "extent beyond the tumour is not given")


def _read_operation(reading: Reading) -> None:
    row, operation = reading.row, reading.operation
    text = row["approach_as_printed"]
    kinds = [code for word, code in BONE_WORK if re.search(rf"\b{word}", text)]
    if "contradiction" in row["remark"]:
        reading.refuse(
            "approach_as_printed", "the paper says two things; see its remark"
        )
    elif kinds:
        operation["bone_work"] = kinds[0]
    elif text:
        reading.refuse("approach_as_printed", "bone work is not stated")
    if "posterior" in text:
        operation["approach"] = "posterior"
    if "midline myelotomy" in text:
        operation["myelotomy"] = "posterior_midline"
    if "fusion" in text or "fixation" in text:
        operation["fusion"] = True
    opened = RANGE.search(text)
    if opened and "contradiction" not in row["remark"] and kinds:
        first = text[: opened.start()] + text[opened.end() :]
        if (
            "fixation" not in first
            or "lamin" in text[opened.start() - 20 : opened.end()]
        ):
            rostral, caudal = parse_level_range(opened[1])
            operation |= {"levels_opened_from": rostral, "levels_opened_to": caudal}
    if row["extent_of_resection"]:
        operation["eor_surgeon"] = row["extent_of_resection"].lower()
        reading.refuse(
            "extent_of_resection", "basis not stated; entered as the surgeon's opinion"
        )
    if row["ionm_used"] == "1":
        reading.refuse("ionm_used", "which modalities is not stated")


def _read_course(reading: Reading) -> None:
    row, baseline = reading.row, reading.baseline
    printed = [
        part.rsplit(" ", 1)[-1] for part in row["motor_grade_as_printed"].split("/")
    ]
    grades = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5}
    found = [grades[part.strip()] for part in printed if part.strip() in grades]
    if found and not row["motor_grade_as_printed"].endswith("/V"):
        baseline["motor_mrc_min"] = str(min(found))
    elif found:
        baseline["motor_mrc_min"] = str(found[0])  # “IV/V” is grade IV of V
    elif row["motor_grade_as_printed"]:
        reading.refuse("motor_grade_as_printed", "no MRC grade in it")
    if row["bladder_involved"] == "0":
        baseline["bladder"] = "normal"
    elif "catheter" in row["symptoms"]:
        baseline["bladder"] = "catheter"
    elif row["bladder_involved"] == "1":
        reading.refuse("bladder_involved", "how severely is not stated")
    if "pain" in row["symptoms"]:
        baseline["pain_present"] = True
    if row["followup_months"]:
        months = Decimal(row["followup_months"])
        reading.last = {"reported_day": round(float(months) * DAYS_PER_MONTH)}
        if "pain free" in row["outcome_as_printed"]:
            reading.last["pain_present"] = False
    if row["outcome_as_printed"]:
        reading.refuse("outcome_as_printed", "no graded score; kept as a remark")
    if row["recurrence"] == "0":
        reading.refuse("recurrence", "date of the last MRI unknown; no time at risk")


def importer() -> tuple[User, Centre]:
    """The person and the centre under which published cases are entered."""
    centre, _made = Centre.objects.get_or_create(
        code=CENTRE_CODE,
        defaults={"name": "Published cases", "is_synthetic": True},
    )
    user = User.objects.filter(email=IMPORTER).first()
    if user is None:
        user = User.objects.create_user(IMPORTER, None, name="Published cases")
        grant_role(by=None, person=user, role=Role.COORDINATOR, centre=centre)
    return user, centre


def with_unknowns(record: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Arguments of an action: the values, and "unknown" for every needed blank."""
    values = {name: value for name, value in values.items() if value is not None}
    for name, value in values.items():
        setattr(record, name, value)
    lacking = [item.name for item in record.incomplete_fields() if item.null]
    return {"values": values, "missing": dict.fromkeys(lacking, "unknown")}


@transaction.atomic
def enter(reading: Reading, by: User, centre: Centre) -> RowReport:
    """Enter one row, once: a second run finds it by its key."""
    report = reading.report
    submission, first = records.once(
        by=by, key=f"published:{reading.row['case_id']}", content=reading.row
    )
    if not first:
        report.case_code, report.already_there = submission.record_code, True
        return report
    patient = actions.create_patient(
        by=by, centre=centre, **with_unknowns(Patient(centre=centre), reading.patient)
    )
    case = actions.create_case(
        by=by, patient=patient, **with_unknowns(Case(patient=patient), reading.case)
    )
    submission.record_code = report.case_code = case.code
    submission.save(update_fields=["record_code"])
    _enter_parts(reading, by, case)
    report.taken = list(_taken(reading))
    case = _state_missing_rows(by, completeness.loaded(case.pk), reading)
    actions.complete_case(by=by, case=case, version=case.version)
    return report


def _state_missing_rows(by: User, case: Case, reading: Reading) -> Case:
    """What the source does not tell of is unknown; an autopsy followed no operation."""
    gaps = completeness.of_case(case).gaps
    missing = {gap.row.name: "unknown" for gap in gaps if gap.row}
    if reading.is_autopsy:
        missing |= {"index_operation": "not_done"}
        missing.pop("discharge_visit", None)
    return actions.update_record(
        by=by, record=case, values={}, missing=missing, version=case.version
    )


def _enter_parts(reading: Reading, by: User, case: Case) -> None:
    if reading.mri:
        study = {"purpose": "preop", **reading.mri}
        actions.create_mri_study(
            by=by, case=case, **with_unknowns(MriStudy(case=case), study)
        )
    if reading.is_autopsy:
        create_vital_status(
            by=by,
            patient=case.patient,
            values={"vital_status": "dead", "death_cause": "other"},
            missing={"death_date": "unknown", "last_contact_date": "unknown"},
        )
        return
    actions.create_operation(
        by=by, case=case, **with_unknowns(Operation(case=case), reading.operation)
    )
    for kind, values in (("preop", reading.baseline), ("last", reading.last)):
        if values:
            visit = {"visit_type": kind, **values}
            create_visit(by=by, case=case, **with_unknowns(Visit(case=case), visit))


def _taken(reading: Reading) -> Iterator[str]:
    for table in ("patient", "case", "mri", "operation", "baseline", "last"):
        for name, value in getattr(reading, table).items():
            if value not in (None, "") and name != "remark":
                yield f"{table}.{name}"


def load() -> list[RowReport]:
    """Enter all rows; each in a transaction of its own."""
    by, centre = importer()
    return [enter(read(row), by, centre) for row in read_rows()]
