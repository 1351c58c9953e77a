"""One hospital number is one number, and one name one name, however they are typed."""

from __future__ import annotations

import unicodedata

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from cases import actions
from cases.models import PatientIdentity
from registry.permissions import Role
from tests.factories import make_centre, make_patient, make_user
from tests.pages import signed_in
from tests.registry.api_client import Api, codes_of

pytestmark = pytest.mark.django_db

SAME_NUMBER = {
    "as it is": "AB-12345",
    "full width": "ＡＢ－１２３４５",
    "no-break space inside": "AB-\u00a012345",
    "narrow space inside": "AB-12\u202f345",
    "soft hyphen": "AB-12\u00ad345",
    "zero-width joiner": "AB-12\u200d345",
    "other dash": "AB\u201012345",
    "minus sign": "AB\u221212345",
    "lower case": "ab-12345",
    "space": "AB-12 345",
}
OTHER_NUMBERS = ("AB12345", "AB-012345", "AB-12346", "AB-1234")


def folded(text: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT folded_text(%s)", [text])
        (found,) = cursor.fetchone()
    return str(found)


@pytest.fixture
def surgeon():
    return make_user(Role.SURGEON, make_centre(code="AAA"))


def with_identity(by, **identity: object):
    return actions.create_patient(
        by=by,
        centre=by.memberships.get().centre,
        values={"sex": "F"},
        identity=identity,
    )


@pytest.mark.parametrize("number", SAME_NUMBER.values(), ids=SAME_NUMBER)
def test_a_hospital_number_passes_once_in_any_spelling(surgeon, number: str) -> None:
    with_identity(surgeon, hospital_number="AB-12345")

    with pytest.raises(ValidationError) as refused:
        with_identity(surgeon, hospital_number=number)

    assert set(refused.value.error_dict) == {"hospital_number"}


@pytest.mark.parametrize("number", OTHER_NUMBERS)
def test_another_hospital_number_is_another(surgeon, number: str) -> None:
    with_identity(surgeon, hospital_number="AB-12345")
    assert with_identity(surgeon, hospital_number=number).pk


def test_the_database_holds_it_past_every_check(surgeon) -> None:
    first = with_identity(surgeon, hospital_number="12345")
    second = with_identity(surgeon, hospital_number="12346")
    with pytest.raises(IntegrityError), transaction.atomic():
        PatientIdentity.objects.filter(patient=second).update(
            hospital_number="１２３４５"
        )
    assert first.identity.hospital_number == "12345"


def test_another_centre_may_have_the_same_number(surgeon) -> None:
    elsewhere = make_user(Role.SURGEON, make_centre(code="BBB"))
    with_identity(surgeon, hospital_number="12345")
    assert with_identity(elsewhere, hospital_number="１２３４５").pk


@pytest.mark.parametrize("text", ["12\n345", "12\t345", "12\r\n345", "1\u200b2"])
@pytest.mark.parametrize("name", ["hospital_number", "family_name"])
def test_a_number_or_name_is_one_line(surgeon, name: str, text: str) -> None:
    patient = make_patient(surgeon.memberships.get().centre, by=surgeon)
    answer = Api(surgeon).patch(
        f"patients/{patient.code}/identity/", {name: text}, version=0
    )
    assert (answer.status_code, codes_of(answer)) == (400, {name: "control_characters"})


@pytest.mark.parametrize(
    ("stored", "sought"),
    [
        ("Müller", unicodedata.normalize("NFD", "Müller")),
        ("Müller", "MÜLLER"),
        ("Groß", "GROSS"),
        ("O\u2019Brien", "O'Brien"),
        ("O'Brien", "o\u2019brien"),
        ("ヤマダ", "ﾔﾏﾀﾞ"),
        ("ﾔﾏﾀﾞ", "ヤマダ"),
        ("ガ", "カ\u3099"),
        ("山田\u3000太郎", "山田太郎"),
        ("山田太郎", "山田 太郎"),
        ("Ｙａｍａｄａ", "yamada"),
        ("葛\U000e0100城", "葛城"),
        ("van  der Berg", "Van der Berg"),
        ("Smith-Jones", "Smith\u2010Jones"),
    ],
)
def test_a_name_is_found_however_it_is_typed(surgeon, stored: str, sought: str) -> None:
    patient = with_identity(surgeon, family_name=stored)
    page = signed_in(surgeon).post("/cases/find/", {"sought": sought}, secure=True)

    assert patient.code in page.content.decode()


@given(st.text(max_size=12))
@pytest.mark.usefixtures("transactional_once")
def test_folding_twice_is_folding_once(text: str) -> None:
    storable = "".join(c for c in text if c != "\x00" and not "\ud800" <= c <= "\udfff")
    assert folded(folded(storable)) == folded(storable)


@pytest.fixture
def transactional_once(db: None) -> None:
    """The database, once for all examples."""
