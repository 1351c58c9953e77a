"""Rows for the tests, made through the actions that every door calls.

Each factory fills in what a valid row needs; keyword arguments replace or add values.
``missing`` holds reasons instead. A value of ``None`` leaves the field empty.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count
from typing import Any

from django.db.models import Q
from django.http import QueryDict

from cases import actions as case_actions
from cases import completeness, drafts
from cases.models import Case, Complication, Draft, MriStudy, Operation, Patient
from outcomes import actions as outcome_actions
from outcomes.models import Recurrence, Visit, VitalStatus
from registry.models import Centre, Membership, User
from registry.permissions import CENTRE_ROLES, Role

PASSWORD = "correct horse battery"
OPERATED_ON = date(2015, 3, 2)

_numbers = count(1)


def make_centre(**fields: Any) -> Centre:
    number = next(_numbers)
    fields.setdefault("code", f"C{number:04d}")
    fields.setdefault("name", f"Hospital {number}")
    return Centre.objects.create(**fields)


def make_user(
    role: Role | str | None = Role.SURGEON, centre: Centre | None = None, **fields: Any
) -> User:
    """A person with one role; surgeons and coordinators get a centre if none is given."""
    number = next(_numbers)
    fields.setdefault("email", f"person{number}@registry.example")
    fields.setdefault("name", f"Person {number}")
    fields.setdefault("password", PASSWORD)
    user = User.objects.create_user(**fields)
    if role is not None:
        add_role(user, role, centre)
    return user


def add_role(user: User, role: Role | str, centre: Centre | None = None) -> Membership:
    role = Role(role)
    if role in CENTRE_ROLES and centre is None:
        centre = make_centre()
    user.__dict__.pop("current_memberships", None)
    return Membership.objects.create(user=user, role=role, centre=centre)


def surgeon_of(centre: Centre) -> User:
    """A surgeon of the centre: the first there is, else a new one without password."""
    held = Membership.objects.filter(role=Role.SURGEON, ended_at=None)
    found = held.filter(centre=centre).first()
    return found.user if found else make_user(Role.SURGEON, centre, password=None)


def make_patient(
    centre: Centre | None = None,
    *,
    by: User | None = None,
    identity: dict[str, Any] | None = None,
    missing: dict[str, str] | None = None,
    **values: Any,
) -> Patient:
    centre = centre or make_centre()
    defaults: dict[str, Any] = {
        "sex": "F",
        "birth_year": 1970,
        "nf_status": "none_known",
        "prior_spine_surgery": False,
        "prior_radiotherapy_spine": False,
        "consent_research": "opt_in",
    }
    return case_actions.create_patient(
        by=by or surgeon_of(centre),
        centre=centre,
        values=_filled(defaults, values),
        missing=missing,
        identity=identity,
    )


def make_case(
    centre: Centre | None = None,
    *,
    by: User | None = None,
    patient: Patient | None = None,
    patient_values: dict[str, Any] | None = None,
    missing: dict[str, str] | None = None,
    operation: dict[str, Any] | bool = False,
    mri: dict[str, Any] | bool = False,
    **values: Any,
) -> Case:
    """An intramedullary schwannoma.

    ``operation=True`` or a dictionary of values adds the index operation, ``mri`` the
    pre-operative study.
    """
    if patient is None:
        patient = make_patient(centre, by=by, **(patient_values or {}))
    by = by or surgeon_of(patient.centre)
    defaults: dict[str, Any] = {
        "compartment": "intramedullary",
        "compartment_mri": "intramedullary",
        "level_rostral": "C4",
        "level_caudal": "C6",
        "level_basis": "vertebral_body",
        "axial_position": ["dorsal"],
        "side": "midline",
        "histology_who2021": "schwannoma",
        "icdo_morphology": "9560/0",
        "icdo_topography": "C72.0",
        "who_grade": "1",
        "size_cc_mm": 25,
        "size_ap_mm": 10,
        "size_tr_mm": 12,
        "onset_date_precision": "unknown",
        "incidental": False,
        "symptom_duration_months": 12,
        "first_symptom": "sensory",
    }
    case = case_actions.create_case(
        by=by, patient=patient, values=_filled(defaults, values), missing=missing
    )
    if operation is not False:
        make_operation(
            case, by=by, **(operation if isinstance(operation, dict) else {})
        )
    if mri is not False:
        make_mri(case, by=by, **(mri if isinstance(mri, dict) else {}))
    return case


def make_operation(
    case: Case,
    *,
    by: User | None = None,
    index_operation: bool = True,
    missing: dict[str, str] | None = None,
    **values: Any,
) -> Operation:
    operated_on = values.get("surgery_date", OPERATED_ON)
    defaults: dict[str, Any] = {
        "surgery_date": OPERATED_ON,
        "urgency": "elective",
        "approach": "posterior",
        "bone_work": "laminectomy",
        "levels_opened_from": case.level_rostral,
        "levels_opened_to": case.level_caudal,
        "fusion": False,
        "myelotomy": "posterior_midline",
        "ionm_modality": ["SSEP", "TcMEP"],
        "ionm_alarm": "none",
        "blood_loss_ml": 150,
        "operative_time_min": 240,
        "dissection_plane": "clear",
        "eor_surgeon": "gtr",
        "eor_mri": "gtr",
        "root_sacrificed": "none",
        "adjuvant": "none",
        "discharge_date": operated_on and operated_on + timedelta(days=12),
    }
    if case.compartment != "intramedullary":
        del defaults["myelotomy"]
    operation = case_actions.create_operation(
        by=by or surgeon_of(case.centre),
        case=case,
        values=_filled(defaults, values),
        missing=missing,
        index_operation=index_operation,
    )
    case.__dict__.pop("index_operation", None)
    return operation


def make_mri(
    case: Case,
    *,
    by: User | None = None,
    missing: dict[str, str] | None = None,
    **values: Any,
) -> MriStudy:
    """A pre-operative study by default; any other ``purpose`` is a follow-up MRI."""
    defaults: dict[str, Any] = {
        "mri_date": OPERATED_ON - timedelta(days=20),
        "purpose": "preop",
        "field_strength_T": "1.5",
        "sequences": ["T1", "T2", "T1_Gd"],
        "gd_given": True,
        "reader_1": "R1",
    }
    if values.get("purpose", "preop") == "preop":
        defaults |= PREOPERATIVE_READING
    else:
        defaults |= {
            "mri_date": OPERATED_ON + timedelta(days=365),
            "residual_present": False,
            "new_lesion_same_site": False,
            "new_lesion_other_level": False,
        }
    return case_actions.create_mri_study(
        by=by or surgeon_of(case.centre),
        case=case,
        values=_filled(defaults, values),
        missing=missing,
    )


PREOPERATIVE_READING: dict[str, Any] = {
    "t1_signal": "iso",
    "t2_signal": "hyper",
    "enhancement": "homogeneous",
    "border": "smooth",
    "oedema_present": False,
    "syrinx": "none",
    "cyst": "none",
    "haemosiderin": "none",
    "cord_displacement": "expanded_fusiform",
}


def make_complication(
    operation: Operation,
    *,
    by: User | None = None,
    missing: dict[str, str] | None = None,
    **values: Any,
) -> Complication:
    began_on = operation.surgery_date and operation.surgery_date + timedelta(days=3)
    defaults: dict[str, Any] = {
        "ae_code": "CSF_leak",
        "ae_onset_date": began_on,
        "clavien_dindo": "II",
        "related": "probable",
        "reoperation": False,
    }
    return case_actions.create_complication(
        by=by or surgeon_of(operation.case.centre),
        operation=operation,
        values=_filled(defaults, values),
        missing=missing,
    )


def make_visit(
    case: Case,
    visit_type: str = "m12",
    *,
    by: User | None = None,
    day: int | None = None,
    missing: dict[str, str] | None = None,
    **values: Any,
) -> Visit:
    """A visit ``day`` days after :data:`OPERATED_ON` (default: the visit's target)."""
    if day is None:
        day = VISIT_TARGETS[visit_type]
    defaults: dict[str, Any] = {
        "visit_type": visit_type,
        "visit_date": (case.operated_on or OPERATED_ON) + timedelta(days=day),
        "mode": "in_person",
        "assessor": "surgeon",
        "pain_present": False,
        "sensory_deficit": "none",
        "motor_mrc_min": "5",
        "gait": "normal",
        "bladder": "normal",
        "mmcs": 2,
        "mmcs_version": "mod5",
    }
    if values.get("visit_date", date.min) is None:
        values.setdefault("reported_day", day)
    return outcome_actions.create_visit(
        by=by or surgeon_of(case.centre),
        case=case,
        values=_filled(defaults, values),
        missing=missing,
    )


VISIT_TARGETS = {
    "preop": -14,
    "discharge": 12,
    "m3": 91,
    "m6": 183,
    "m12": 365,
    "m24": 730,
    "m60": 1826,
    "last": 2200,
    "unscheduled": 500,
}


def make_recurrence(
    case: Case,
    *,
    by: User | None = None,
    day: int = 800,
    missing: dict[str, str] | None = None,
    **values: Any,
) -> Recurrence:
    """A recurrence (or ``kind=…``) on ``day``, with the MRI studies that it needs."""
    by = by or surgeon_of(case.centre)
    seen_on = values.get(
        "detected_on", (case.operated_on or OPERATED_ON) + timedelta(days=day)
    )
    if seen_on and not _has_follow_up_mri(case, seen_on):
        make_mri(case, by=by, purpose="followup", mri_date=seen_on)
    if seen_on and values.get("kind", "recurrence") == "recurrence":
        _see_total_resection(case, by, seen_on)
    defaults: dict[str, Any] = {
        "kind": "recurrence",
        "detected_on": seen_on,
        "size_now_mm": 9,
        "treatment": "observation",
    }
    return outcome_actions.create_recurrence(
        by=by, case=case, values=_filled(defaults, values), missing=missing
    )


def _see_total_resection(case: Case, by: User, before: date) -> None:
    """The MRI on which the resection was seen to be total, if none is there.

    Its day is not known, so that no time of the facts hangs on it.
    """
    clear = case.mri_studies.current().exclude(residual_present=True)
    undated = Q(mri_date=None, purpose__in=("early_postop", "postop_3m"))
    if not clear.exclude(purpose="preop").filter(Q(mri_date__lt=before) | undated):
        make_mri(
            case,
            by=by,
            purpose="early_postop",
            mri_date=None,
            missing={"mri_date": "unknown"},
        )


def _has_follow_up_mri(case: Case, day: date) -> bool:
    followed = case.mri_studies.current().exclude(purpose="preop")
    return followed.filter(mri_date=day).exists()


def make_vital_status(
    patient: Patient,
    *,
    by: User | None = None,
    missing: dict[str, str] | None = None,
    **values: Any,
) -> VitalStatus:
    defaults: dict[str, Any] = {
        "vital_status": "alive",
        "last_contact_date": OPERATED_ON + timedelta(days=2200),
    }
    return outcome_actions.create_vital_status(
        by=by or surgeon_of(patient.centre),
        patient=patient,
        values=_filled(defaults, values),
        missing=missing,
    )


def make_draft(user: User, case: Case | None = None, **typed: str) -> Draft:
    """What a person typed into the form of a new visit of the case."""
    address = f"/cases/{case.code}/visits/new/" if case else "/cases/new/"
    patient = case.patient if case else None
    place = drafts.Place(user, address, patient, case)
    content = QueryDict(mutable=True)
    content.update({"mmcs": "2"} | typed)
    return drafts.keep(
        place, content, title="New visit", names_person=case is None, version=0
    )


def answer_everything(case: Case, *, by: User | None = None) -> Case:
    """Give a reason for whatever the case lacks, so that it can be complete."""
    by = by or surgeon_of(case.centre)
    loaded = completeness.loaded(case.pk)
    reasons: dict[Any, dict[str, str]] = {}
    for gap in completeness.of_case(loaded).gaps:
        name = gap.row.name if gap.row else gap.field.name
        reasons.setdefault(gap.record, {})[name] = "unknown"
    for record, missing in reasons.items():
        outcome = record._meta.app_label == "outcomes"
        actions: Any = outcome_actions if outcome else case_actions
        actions.update_record(
            by=by, record=record, values={}, missing=missing, version=record.version
        )
    return Case.objects.get(pk=case.pk)


def make_complete_case(
    centre: Centre | None = None, *, by: User | None = None, **given: Any
) -> Case:
    """A case declared complete: with operation and MRI unless said otherwise."""
    given = {"operation": True, "mri": True, **given}
    case = answer_everything(make_case(centre, by=by, **given), by=by)
    by = by or surgeon_of(case.centre)
    return case_actions.complete_case(by=by, case=case, version=case.version)


def make_verified_case(
    centre: Centre | None = None, *, by: User | None = None, **given: Any
) -> Case:
    """A verified case with everything that :func:`make_complete_case` gives it."""
    case = make_complete_case(centre, by=by, **given)
    verifier = make_user(Role.COORDINATOR, case.centre, password=None)
    return case_actions.verify_case(by=verifier, case=case, version=case.version)


def _filled(defaults: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The defaults with the values given; None takes a default away."""
    return {k: v for k, v in {**defaults, **values}.items() if v is not None}
