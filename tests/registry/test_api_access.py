"""Who reaches what over the API: nobody more than the matrix says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver

from cases.models import Case, Operation, Patient
from registry.api import urls as api_urls
from registry.models import AuditEvent
from tests.factories import PASSWORD, make_case
from tests.registry.api_cast import ROLES, Cast, make_cast, make_person
from tests.registry.api_client import Api, codes_of
from tests.registry.api_matrix import MATRIX, PAGES, RECORDS, VERBS, expected

pytestmark = pytest.mark.django_db
NOBODYS = {"nonsense": 1}
RANDOM = {
    "patients": "SCT-000000",
    "cases": "TUM-00000000",
    "mri-studies": "MRI-00000000",
    "operations": "OPN-00000000",
    "complications": "AEV-00000000",
    "visits": "VIS-00000000",
    "recurrences": "REC-00000000",
    "vital-statuses": "VIT-00000000",
}


@pytest.fixture
def cast() -> Cast:
    return make_cast()


def routes(patterns: list[URLPattern | URLResolver], above: str = "") -> Iterator[str]:
    """Every address under the API, as ``cases/<code>/``."""
    for pattern in patterns:
        here = above + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, here)
        else:
            yield simplify_regex(here).removeprefix("/")


def address(route: str, cast: Cast) -> str:
    kind = route.partition("/")[0]
    code = "AAA" if kind == "centres" else cast.records.get(kind)
    return route.replace("<code>", str(code)).replace("<measure>", "recurrence")


def test_A1_every_route_has_a_row_and_every_row_a_route() -> None:
    found = {route or "nothing-of-the-kind/" for route in routes(api_urls.urlpatterns)}

    assert found == set(MATRIX) | PAGES


def test_the_api_is_mounted_once() -> None:
    mounted = [
        str(pattern.pattern)
        for pattern in get_resolver().url_patterns
        if getattr(pattern, "urlconf_module", None) is api_urls
    ]

    assert mounted == ["api/v1/"]


@pytest.mark.parametrize("role", ROLES)
def test_A1_routes_by_role_and_verb(cast: Cast, role: str) -> None:
    wrong = []
    for route in MATRIX:
        for verb in VERBS:
            body = None if verb in {"GET", "HEAD", "OPTIONS", "TRACE"} else NOBODYS
            response = cast.apis[role].call(verb, address(route, cast), body)
            wanted = expected(route, verb, role)
            if response.status_code != wanted:
                wrong.append((verb, route, response.status_code, "not", wanted))

    assert wrong == []


@pytest.mark.parametrize("kind", RECORDS)
def test_A2_a_foreign_code_looks_like_a_random_one(cast: Cast, kind: str) -> None:
    foreign, random = cast.code(kind), RANDOM[kind]
    attempts = [
        ("GET", "", None),
        ("PATCH", "", {}),
        ("POST", "void/", {"reason": "x"}),
        ("POST", "restore/", {"reason": "x"}),
    ]
    for verb, tail, body in attempts:
        headers = {} if verb == "GET" else {"if_match": '"1"'}
        ours = cast.surgeon_b.call(verb, f"{kind}/{foreign}/{tail}", body, **headers)
        nobodys = cast.surgeon_b.call(verb, f"{kind}/{random}/{tail}", body, **headers)

        assert ours.status_code == nobodys.status_code == 404
        assert ours.content == nobodys.content

    cast.records[kind].refresh_from_db()
    assert cast.records[kind].version == 1


@pytest.mark.parametrize(
    ("route", "above", "kind", "more"),
    [
        ("cases/", "patient", "patients", {}),
        ("operations/", "case", "cases", {}),
        ("mri-studies/", "case", "cases", {"purpose": "preop"}),
        ("complications/", "operation", "operations", {"ae_code": "CSF_leak"}),
        ("visits/", "case", "cases", {"visit_type": "m12"}),
        ("recurrences/", "case", "cases", {"kind": "recurrence"}),
        ("vital-statuses/", "patient", "patients", {"vital_status": "alive"}),
    ],
)
def test_A3_nothing_is_hung_on_a_foreign_record(
    cast: Cast, route: str, above: str, kind: str, more: dict[str, Any]
) -> None:
    answers = [
        cast.surgeon_b.post(route, {above: code, **more})
        for code in (cast.code(kind), RANDOM[kind])
    ]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert [codes_of(answer) for answer in answers] == [{above: "does_not_exist"}] * 2
    messages = {answer.json()["errors"][0]["message"] for answer in answers}
    assert len(messages) == 1


def test_A3_no_patient_is_put_into_a_foreign_centre(cast: Cast) -> None:
    foreign = cast.surgeon_b.post("patients/", {"sex": "F", "centre": "AAA"})
    unknown = cast.surgeon_b.post("patients/", {"sex": "F", "centre": "ZZZ"})

    assert codes_of(foreign) == codes_of(unknown) == {"centre": "does_not_exist"}
    assert not Patient.objects.filter(created_by=cast.people["surgeon_b"]).exists()


@pytest.mark.parametrize(
    "query", ["centre=AAA", "patient={patient}", "q={case}", "q=TUM"]
)
def test_A5_filters_select_among_the_own_cases_only(cast: Cast, query: str) -> None:
    own = make_case(cast.centre_b, by=cast.people["surgeon_b"])
    query = query.format(patient=cast.code("patients"), case=cast.code("cases"))

    answer = cast.surgeon_b.get(f"cases/?{query}")

    assert answer.status_code == 200
    assert {row["code"] for row in answer.json()["results"]} <= {own.code}


@pytest.mark.parametrize(
    "query",
    ["patient__centre=AAA", "id__in=1,2", "created_by=1", "ordering=code", "order=id"],
)
@pytest.mark.parametrize("route", ["cases/", "patients/", "facts/"])
def test_A5_I4_unknown_parameters_are_refused(
    cast: Cast, route: str, query: str
) -> None:
    answer = cast.surgeon_a.get(f"{route}?{query}")

    assert answer.status_code == 400
    assert set(codes_of(answer).values()) == {"unknown_parameter"}


def test_A6_lists_tell_nothing_of_other_centres(cast: Cast) -> None:
    for kind in RECORDS:
        body = cast.surgeon_b.get(f"{kind}/").json()
        assert body["results"] == body["voided"] == []
        assert set(body) == {"next", "results", "voided", "as_of"}
    assert [c["code"] for c in cast.surgeon_b.get("centres/").json()["results"]] == [
        "BBB"
    ]
    assert cast.surgeon_b.get("facts/").json() == {"next": None, "results": []}
    assert cast.surgeon_b.get("facts/?format=csv")["X-Row-Count"] == "0"


def test_A6_a_cursor_tells_no_primary_key(cast: Cast) -> None:
    make_case(cast.centre_a, by=cast.people["surgeon_a"])

    first = cast.surgeon_a.get("cases/?page_size=1").json()["next"]
    second = cast.surgeon_a.get("cases/?page_size=1").json()["next"]

    assert first != second
    assert len(cast.surgeon_a.get(first).json()["results"]) == 1


BOOKKEEPING = (
    "centre centre_id version created_by updated_at voided_at void_reason status"
    " verified_by locked is_staff is_superuser id pk code role region"
).split()


def test_A10_bookkeeping_is_never_set_from_outside(cast: Cast) -> None:
    case = cast.code("cases")
    before = Case.objects.filter(code=case).values().get()
    for name in BOOKKEEPING:
        changed = cast.surgeon_a.patch(f"cases/{case}/", {name: "BBB", "side": "L"}, 1)
        made = cast.surgeon_a.post(
            "cases/", {"patient": cast.code("patients"), name: 7}
        )

        assert changed.status_code == made.status_code == 400
        assert codes_of(changed)[name] in {"read_only_field", "unknown_field"}
        assert codes_of(made)[name] in {"read_only_field", "unknown_field"}
    assert Case.objects.filter(code=case).values().get() == before


def test_A10_a_part_is_not_moved_to_another_case(cast: Cast) -> None:
    other = make_case(cast.centre_a, by=cast.people["surgeon_a"])
    code = cast.code("operations")

    answer = cast.surgeon_a.patch(f"operations/{code}/", {"case": other.code}, 1)

    assert codes_of(answer) == {"case": "read_only_field"}
    assert Operation.objects.get(code=code).case.code == cast.code("cases")


def test_A11_verbs_cannot_be_smuggled(cast: Cast) -> None:
    case = cast.code("cases")
    answer = cast.surgeon_a.call(
        "GET", f"cases/{case}/", x_http_method_override="PATCH", if_match='"1"'
    )

    assert answer.status_code == 200
    assert Case.objects.get(code=case).version == 1


def test_A14_an_analyst_reads_no_code_no_date_no_name(cast: Cast) -> None:
    case = Case.objects.get(code=cast.code("cases"))
    canaries = [
        case.code,
        case.patient.code,
        case.operations.get().surgery_date.isoformat(),
        cast.centre_a.name,
        "surgeon_id",
    ]
    for query in ("", "?format=csv", "?format=ndjson", "?page_size=1"):
        answer = cast.analyst.get(f"facts/{query}")
        seen = answer.body.decode() + str(dict(answer.headers))
        assert [canary for canary in canaries if canary in seen] == []


def test_A15_an_analyst_cannot_filter_by_what_is_hidden(cast: Cast) -> None:
    for query in ("q=TUM", "surgery_date_after=2015-01-01", "centre=AAA", "level=C4"):
        answer = cast.analyst.get(f"facts/?{query}")
        assert answer.status_code == 400
    assert cast.analyst.get("facts/?rows=coded").status_code == 403


def test_C12_a_right_taken_away_is_gone_at_once(cast: Cast) -> None:
    assert cast.surgeon_a.get("cases/").status_code == 200

    person = cast.people["surgeon_a"]
    membership = person.memberships.get()
    membership.ended_at, membership.ended_by = membership.created_at, person
    membership.save()

    assert cast.surgeon_a.get("cases/").status_code == 403


def test_A17_a_disabled_person_is_a_stranger(cast: Cast) -> None:
    person = cast.people["surgeon_a"]
    person.is_active = False
    person.save()

    assert cast.surgeon_a.get("cases/").status_code == 401


def test_T3_reads_leave_one_event_each(cast: Cast) -> None:
    case = cast.code("cases")
    AuditEvent.objects.all()
    before = AuditEvent.objects.count()

    cast.surgeon_a.get(f"cases/{case}/")
    cast.surgeon_a.get("cases/")
    cast.surgeon_b.get(f"cases/{case}/")
    cast.surgeon_a.get("facts/?rows=coded&compartment=intramedullary&fields=case_code")

    read, listed, denied, facts = AuditEvent.objects.order_by("pk")[before:]
    assert (read.action, read.target) == ("case.read", case)
    assert read.centre_id == cast.centre_a.pk
    assert (listed.action, listed.body["codes"]) == ("case.listed", [case])
    assert (denied.action, denied.target) == ("case.denied", case)
    assert denied.actor_id == cast.people["surgeon_b"].pk
    assert facts.action == "facts.read"
    assert facts.body["filters"] == {"compartment": "intramedullary"}
    assert facts.body["columns"] == ["case_code"]
    assert facts.body["count"] == 1


def test_people_of_two_centres_name_the_centre(cast: Cast) -> None:
    person = make_person(None)
    for centre in (cast.centre_a, cast.centre_b):
        person.memberships.create(role="coordinator", centre=centre)
    api = Api(person)

    assert codes_of(api.post("patients/", {"sex": "M"})) == {"centre": "required"}
    made = api.post("patients/", {"sex": "M", "centre": "BBB"})
    assert (made.status_code, made.json()["centre"]) == (201, "BBB")


def test_the_password_is_no_token(cast: Cast) -> None:
    answer = cast.stranger.get("cases/", authorization=f"Basic {PASSWORD}")

    assert answer.status_code == 401
