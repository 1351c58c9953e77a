"""MRI studies, operations and complications in the browser."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cases.models import Case, Complication, MriStudy, Operation
from registry.models import Centre, User
from registry.permissions import Role
from tests.factories import make_case, make_centre, make_complication, make_user
from tests.pages import form_data, signed_in

pytestmark = pytest.mark.django_db

MRI = {
    "mri_date": "2015-02-20",
    "purpose": "preop",
    "field_strength_T": "3.0",
    "sequences": ["T1", "T2", "T1_Gd"],
    "gd_given": "true",
    "t1_signal": "iso",
    "t2_signal": "hyper",
    "enhancement": "rim",
    "border": "smooth",
    "oedema_present": "true",
    "oedema_cranial_seg": "1.5",
    "oedema_caudal_seg": "0",
    "syrinx": "present",
    "syrinx_rostral": "D4/6",
    "syrinx_caudal": "",
    "cyst": "none",
    "haemosiderin": "none",
    "cord_displacement": "expanded_fusiform",
    "reader_1": "R1",
}
OPERATION = {
    "surgery_date": "2015-03-02",
    "urgency": "elective",
    "approach": "posterior",
    "bone_work": "laminoplasty",
    "levels_opened_from": "C4",
    "levels_opened_to": "C7",
    "fusion": "false",
    "myelotomy": "posterior_midline",
    "operative_time_min": "310",
    "blood_loss_ml": "150",
    "discharge_date": "2015-03-16",
    "ionm_modality": ["TcMEP", "SSEP"],
    "ionm_alarm": "transient",
    "ionm_alarm_criterion": "50",
    "dissection_plane": "clear",
    "eor_surgeon": "gtr",
    "eor_mri": "gtr",
    "root_sacrificed": "none",
    "adjuvant": "none",
}
COMPLICATION = {
    "ae_code": "CSF_leak",
    "ae_onset_date": "2015-03-05",
    "clavien_dindo": "IIIb",
    "related": "definite",
    "reoperation": "true",
}


@pytest.fixture
def centre() -> Centre:
    return make_centre()


@pytest.fixture
def surgeon(centre: Centre) -> User:
    return make_user(Role.SURGEON, centre)


@pytest.fixture
def page(surgeon: User) -> Client:
    return signed_in(surgeon)


@pytest.fixture
def case(centre: Centre) -> Case:
    return make_case(centre)


def post(client: Client, name: str, args: list[str], sent: dict[str, Any]) -> Any:
    return client.post(
        reverse(name, args=args), sent | {"form_token": uuid.uuid4().hex}
    )


def test_an_mri_study_is_entered(page: Client, case: Case) -> None:
    response = post(page, "cases:mri-new", [case.code], MRI)
    assert response.status_code == 302
    study = MriStudy.objects.get()
    assert study.sequences == ["T1", "T2", "T1_Gd"]
    assert (study.syrinx_rostral, study.syrinx_caudal) == ("T4", "T6")
    assert study.incomplete_fields() == []


def test_rules_between_answers_speak_at_their_field(page: Client, case: Case) -> None:
    sent = MRI | {"gd_given": "false"}
    response = post(page, "cases:mri-new", [case.code], sent)
    assert response.status_code == 422
    assert response.context["forms"][0].errors["enhancement"] == [
        "Enhancement can be read exactly where gadolinium was given."
    ]


def test_the_first_operation_is_the_index_operation(page: Client, case: Case) -> None:
    assert post(page, "cases:operation-new", [case.code], OPERATION).status_code == 302
    later = OPERATION | {"surgery_date": "2016-03-02", "discharge_date": "2016-03-12"}
    assert post(page, "cases:operation-new", [case.code], later).status_code == 302
    kinds = Operation.objects.order_by("surgery_date").values_list("index_operation")
    assert list(kinds) == [(True,), (False,)]


def test_a_later_operation_does_not_precede_the_first(page: Client, case: Case) -> None:
    post(page, "cases:operation-new", [case.code], OPERATION)
    earlier = OPERATION | {"surgery_date": "2014-01-01", "discharge_date": "2014-01-09"}
    response = post(page, "cases:operation-new", [case.code], earlier)
    assert response.status_code == 422
    assert response.context["forms"][0].errors["surgery_date"] == [
        (
            "The index operation is the earliest, but for a planned stage or a biopsy: "
            "that of 2014-01-01 precedes the one of 2015-03-02."
        )
    ]


def test_a_myelotomy_is_asked_for_inside_the_cord_only(
    page: Client, centre: Centre
) -> None:
    inside = make_case(centre)
    outside = make_case(centre, compartment="intradural_extramedullary")
    for case, asked in ((inside, True), (outside, False)):
        response = page.get(reverse("cases:operation-new", args=[case.code]))
        assert ("myelotomy" in response.context["forms"][0].fields) is asked


def test_a_complication_is_entered_and_corrected(page: Client, centre: Centre) -> None:
    case = make_case(centre, operation=True)
    operation = case.operations.get()
    args = [case.code, operation.code]
    assert post(page, "cases:complication-new", args, COMPLICATION).status_code == 302
    complication = Complication.objects.get()
    address = reverse("cases:complication-edit", args=[*args, complication.code])
    sent = form_data(page.get(address)) | {"clavien_dindo": "II"}
    response = page.post(address, sent)
    assert response.context["forms"][0].errors["clavien_dindo"] == [
        "A re-operation is Clavien-Dindo IIIa or higher."
    ]
    assert page.post(address, sent | {"reoperation": "false"}).status_code == 302
    complication.refresh_from_db()
    assert (complication.clavien_dindo, complication.version) == ("II", 2)


def test_parts_of_a_foreign_case_are_unknown(page: Client) -> None:
    case = make_case(operation=True, mri=True)
    operation = case.operations.get()
    complication = make_complication(operation)
    own = [case.code, operation.code]
    addresses = [
        reverse("cases:mri-new", args=[case.code]),
        reverse("cases:mri-edit", args=[case.code, case.mri_studies.get().code]),
        reverse("cases:operation-edit", args=own),
        reverse("cases:complication-new", args=own),
        reverse("cases:complication-edit", args=[*own, complication.code]),
        reverse("cases:operation-void", args=own),
    ]
    for address in addresses:
        assert page.post(address, {"version": 1, "reason": "x"}).status_code == 404


def test_a_part_of_another_case_is_unknown_here(page: Client, centre: Centre) -> None:
    one, other = make_case(centre, mri=True), make_case(centre)
    study = one.mri_studies.get()
    address = reverse("cases:mri-edit", args=[other.code, study.code])
    assert page.get(address).status_code == 404


def test_a_case_with_parts_is_not_voided_before_them(
    page: Client, centre: Centre
) -> None:
    case = make_case(centre, operation=True)
    address = reverse("cases:void", args=[case.code])
    page.post(address, {"version": case.version, "reason": "twice"})
    case.refresh_from_db()
    assert not case.is_void
    operation = case.operations.get()
    address = reverse("cases:operation-void", args=[case.code, operation.code])
    page.post(address, {"version": operation.version, "reason": "other patient"})
    operation.refresh_from_db()
    assert operation.is_void
