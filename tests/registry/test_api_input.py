"""What a lenient API would swallow: refused with a reason, never a 500, never stored."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest

from cases.models import Case, Patient
from registry.api.parsers import BodyTooLarge, StrictJSONParser
from registry.permissions import Role
from tests.factories import make_case, make_centre
from tests.registry.api_cast import make_person
from tests.registry.api_client import Api, codes_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Case:
    centre = make_centre()
    return make_case(centre, by=make_person(Role.SURGEON, centre))


@pytest.fixture
def surgeon(case: Case) -> Api:
    return Api(case.created_by)


BODIES = {
    "duplicate_key": b'{"sex": "F", "sex": "M"}',
    "not_a_number": b'{"birth_year": NaN}',
    "not_json": b'{"birth_year": 1970,}',
    "not_utf8": b'{"nf_as_recorded": "\xff"}',
    "invalid_text": b'{"nf_as_recorded": "\\ud800"}',
    "number_too_long": b'{"birth_year": ' + b"9" * 5000 + b"}",
}
MORE_BODIES = [
    ("not_a_number", b'{"height_cm": Infinity}'),
    ("not_a_number", b'{"height_cm": -Infinity}'),
    ("number_too_long", b'{"height_cm": 1e400}'),
    ("number_too_long", b'{"height_cm": 1e-999999999}'),
    ("invalid_text", b'{"nf_as_recorded": "a\\u0000b"}'),
    ("invalid_text", b'{"missing": {"\\u0000": "unknown"}}'),
    ("invalid_text", b'{"missing": {"sex": "\\udfff"}}'),
    ("too_deep", b"[" * 100 + b"]" * 100),
    ("too_deep", b"[" * 50_000 + b"]" * 50_000),
    ("too_deep", b'{"a":' * 20_000 + b"1" + b"}" * 20_000),
    ("not_json", b" "),
    ("not_json", b"\x1f\x8b\x08\x00" + b"0" * 20),
    ("not_json", '\ufeff{"sex": "F"}'.encode()),
    ("not_json", b"{'sex': 'F'}"),
]


@pytest.mark.parametrize(("code", "body"), [*BODIES.items(), *MORE_BODIES])
def test_I1_bodies_that_are_not_strict_json(
    surgeon: Api, code: str, body: bytes
) -> None:
    before = Patient.objects.count()

    answer = surgeon.raw("POST", "patients/", body)

    assert answer.status_code == 400
    assert answer.json()["code"] in {code, "not_utf8"}
    assert Patient.objects.count() == before


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"1", b"null", b"true"])
def test_I1_a_body_must_be_an_object(surgeon: Api, body: bytes) -> None:
    assert surgeon.raw("POST", "patients/", body).status_code == 400


def test_I5_large_bodies_are_refused(surgeon: Api) -> None:
    answer = surgeon.post("patients/", {"nf_as_recorded": "x" * 1_000_000})
    long = surgeon.post("patients/", {"nf_as_recorded": "x" * 20_000})

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert (long.status_code, codes_of(long)) == (400, {"nf_as_recorded": "max_length"})


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("birth_year", "１９７０", "shape"),
        ("birth_year", "1_970", "shape"),
        ("birth_year", "1970.0", "shape"),
        ("birth_year", " 1970", "shape"),
        ("birth_year", "+1970", "shape"),
        ("birth_year", 1970.5, "shape"),
        ("birth_year", True, "shape"),
        ("birth_year", [1970], "shape"),
        ("birth_year", {"year": 1970}, "shape"),
        ("birth_year", 10**30, "max_value"),
        ("birth_year", -(10**30), "min_value"),
        ("birth_year", 99, "min_value"),
        ("height_cm", "1_70", "shape"),
        ("height_cm", "1,70", "decimal_comma"),
        ("height_cm", "１７０", "shape"),
        ("height_cm", "1e2", "shape"),
        ("height_cm", "-0x1", "shape"),
        ("height_cm", "NaN", "shape"),
        ("height_cm", False, "shape"),
        ("height_cm", 170.123, "max_decimal_places"),
        ("height_cm", 999, "max_value"),
        ("sex", "f", "invalid_choice"),
        ("sex", 1, "shape"),
        ("sex", ["F"], "shape"),
        ("prior_spine_surgery", "true", "shape"),
        ("prior_spine_surgery", 1, "shape"),
        ("prior_spine_surgery", "yes", "shape"),
        ("nf_as_recorded", "a\u202eb", "control_characters"),
        ("nf_as_recorded", "a\u200bb", "control_characters"),
        ("nf_as_recorded", "a\u0007b", "control_characters"),
        ("nf_as_recorded", 7, "shape"),
        ("nf_as_recorded", None, "null"),
        ("missing", ["sex"], "shape"),
        ("missing", {"sex": ["unknown"]}, "shape"),
    ],
)
def test_I1_lenient_spellings_are_refused(
    surgeon: Api, field: str, value: Any, code: str
) -> None:
    before = Patient.objects.count()

    answer = surgeon.post("patients/", {field: value})

    assert answer.status_code == 400
    assert codes_of(answer) == {field: code}
    assert Patient.objects.count() == before


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("２０２５-０１-０２", "shape"),
        ("20250102", "shape"),
        ("2025-W01-1", "shape"),
        ("2025-1-2", "shape"),
        ("02/03/2025", "shape"),
        ("2025-01-02T00:00:00", "shape"),
        (20250102, "shape"),
        ("2025-02-30", "invalid_date"),
        ("0000-01-01", "invalid_date"),
        ("0001-01-01", "too_early"),
        ("9999-12-31", "future"),
        ("1900-01-01", "placeholder"),
    ],
)
def test_I1_dates_are_written_in_one_way(
    surgeon: Api, case: Case, value: Any, code: str
) -> None:
    answer = surgeon.patch(f"cases/{case.code}/", {"onset_date": value}, 1)

    assert (answer.status_code, codes_of(answer)) == (400, {"onset_date": code})


@pytest.mark.parametrize("number", [170, 170.5, "170", "170.5"])
def test_numbers_may_be_numbers_or_plain_digits(surgeon: Api, number: Any) -> None:
    answer = surgeon.post("patients/", {"height_cm": number})

    assert (answer.status_code, answer.json()["height_cm"]) == (201, float(number))


@pytest.mark.parametrize(
    "name", ["山田 太郎", "𠮷野", "Müller", "O'Brien", "عربى", "👩‍⚕️"]
)
def test_I6_names_of_all_scripts_survive(surgeon: Api, case: Case, name: str) -> None:
    path = f"patients/{case.patient.code}/identity/"

    written = surgeon.patch(path, {"family_name": name}, 0)

    assert written.status_code == 200
    assert surgeon.get(path).json()["family_name"] == name


def test_I6_decomposed_letters_are_composed(surgeon: Api, case: Case) -> None:
    path = f"patients/{case.patient.code}/identity/"

    written = surgeon.patch(path, {"family_name": "か\u3099く"}, 0)

    assert written.json()["family_name"] == "がく"


@pytest.mark.parametrize(
    "query",
    [
        "page_size=0",
        "page_size=-1",
        "page_size=1000000000",
        "page_size=99999999999999999999",
        "page_size=５０",
        "page_size=1e2",
        "page_size=",
        "cursor=",
        "cursor=x",
        "cursor=" + "A" * 10_000,
        "cursor=%00",
        "cursor=%ff%fe",
        "cursor=gAAAAABrAqcHzOYZ5KJH",
        "page_size=5&page_size=6",
        "limit=10",
        "offset=-1",
        "page=1000000000",
        "patient=%00",
        "updated_since=yesterday",
        "updated_since=20250102",
        "updated_since=2025-W01-1",
        "updated_since=0000-01-01",
        "updated_since=9999-99-99",
        "updated_since=2025-01-01T00:00:00",
        "surgery_date_after=0",
        "surgery_date_after=-1",
        "surgery_date_before=99999999-01-01",
        "surgery_date_after__year=10000",
        "age_min=-1",
        "age_min=９",
        "age_max=99999999999999999999",
        "compartment=nowhere",
        "level=Q9",
        "ordering=-created_by",
    ],
)
def test_I3_I1_odd_parameters_are_refused(surgeon: Api, query: str) -> None:
    answer = surgeon.get(f"cases/?{query}")

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_a_cursor_holds_over_a_change_of_the_secret_key(
    surgeon: Api, case: Case, settings: Any
) -> None:
    make_case(case.centre, by=case.created_by)
    cursor = surgeon.get("cases/?page_size=1").json()["next"].partition("?")[2]
    settings.SECRET_KEY, former = "n" * 50, settings.SECRET_KEY
    assert surgeon.get(f"cases/?{cursor}").status_code == 400
    settings.SECRET_KEY_FALLBACKS = [former]
    assert surgeon.get(f"cases/?{cursor}").status_code == 200


def test_I3_a_cursor_belongs_to_its_list(surgeon: Api, case: Case) -> None:
    make_case(case.centre, by=case.created_by)
    follow = surgeon.get("cases/?page_size=1").json()["next"]
    cursor = follow.partition("?")[2]

    assert surgeon.get(f"cases/?{cursor}").status_code == 200
    assert surgeon.get(f"patients/?{cursor}").status_code == 400
    assert surgeon.get(f"cases/?{cursor}&updated_since=2020-01-01").status_code == 400


@pytest.mark.parametrize(
    "code",
    [
        "%00",
        "..",
        "x" * 500,
        "TUM-%ff",
        "1",
        "TUM-AAAAAAAA'--",
        "%E3%81%82",
        "tum-aaaa",
    ],
)
def test_odd_codes_are_not_found(surgeon: Api, code: str) -> None:
    for verb in ("GET", "PATCH"):
        assert surgeon.call(verb, f"cases/{code}/").status_code == 404


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ('"1"', 200),
        ('W/"1"', 200),
        ("1", 400),
        ("*", 400),
        ('"1", "2"', 400),
        ('"１"', 400),
        ('"99999999999999999999"', 400),
        ('"-1"', 400),
        ('"0"', 412),
        ('"2"', 412),
    ],
)
def test_C3_the_version_is_one_plain_etag(
    surgeon: Api, case: Case, header: str, status: int
) -> None:
    answer = surgeon.call(
        "PATCH", f"cases/{case.code}/", {"side": "L"}, if_match=header
    )

    assert answer.status_code == status


def test_other_media_types_are_refused(surgeon: Api) -> None:
    for kind in ("text/plain", "application/xml", "multipart/form-data; boundary=x"):
        answer = surgeon.client.generic("POST", "/api/v1/patients/", b"{}", kind)
        assert answer.status_code == 415


def test_other_answers_than_json_are_refused(surgeon: Api) -> None:
    assert surgeon.get("cases/", accept="text/html").status_code == 406
    assert surgeon.get("cases/?format=xml").status_code == 400


def test_problems_have_one_shape(surgeon: Api) -> None:
    answer = surgeon.post("patients/", {"sex": "q", "colour": "blue"})

    problem = json.loads(answer.content)
    assert answer["Content-Type"] == "application/problem+json"
    assert set(problem) == {"type", "title", "status", "code", "detail", "errors"}
    assert [set(error) for error in problem["errors"]] == [
        {"field", "code", "value", "message"}
    ] * 2
    assert {error["field"]: error["value"] for error in problem["errors"]} == {
        "sex": "q",
        "colour": "blue",
    }


def test_U1_a_body_that_is_too_large_is_taken_to_its_end() -> None:
    """Closed with something unread, a connection is reset and the proxy says 502."""
    for announced in (True, False):
        body = io.BytesIO(b" " * 300_000)
        request = SimpleNamespace(
            META={"CONTENT_LENGTH": "300000"} if announced else {}
        )
        with pytest.raises(BodyTooLarge):
            StrictJSONParser().parse(body, None, {"request": request})
        assert body.read() == b""
