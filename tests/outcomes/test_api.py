"""Outcomes over the API: visits, the analysis table in four forms, the codebook."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from typing import Any

import pandas
import pyarrow
import pytest
from pyarrow import parquet

from outcomes.deidentified import deidentified_columns
from outcomes.models import CaseFacts, Visit
from outcomes.models.fact_columns import FACT_COLUMNS
from registry.constraints import described_fields
from registry.models import AuditEvent
from tests.factories import make_case, make_visit
from tests.registry.api_cast import Cast, make_cast
from tests.registry.api_client import codes_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


def test_a_visit_is_entered_and_corrected(cast: Cast) -> None:
    visit = cast.surgeon_a.post(
        "visits/",
        {
            "case": cast.code("cases"),
            "visit_type": "m24",
            "visit_date": "2017-03-01",
            "mmcs": 2,
            "joa_region": "thoracic11",
            "joa_le_motor": 3,
            "joa_le_sens": 1,
            "joa_trunk_sens": 2,
            "joa_bladder": 3,
            "pain_present": True,
            "pain_distribution": ["segmental_at_level", "local_axial"],
            "pain_segmental_nrs": 4,
        },
    )
    path = f"visits/{visit.json()['code']}/"
    corrected = cast.surgeon_a.patch(path, {"joa_bladder": 2}, 1)

    assert visit.status_code == 201
    assert visit.json()["joa_total"] == 9
    assert visit.json()["mmcs_version"] == "mod5"
    assert visit.json()["pain_distribution"] == ["local_axial", "segmental_at_level"]
    assert (corrected.status_code, corrected.json()["joa_total"]) == (200, 8)


def test_a_visit_that_cannot_be_is_refused_at_its_field(cast: Cast) -> None:
    body = {"case": cast.code("cases"), "visit_type": "m3"}
    wrong: list[tuple[dict[str, Any], str, str]] = [
        (
            {"visit_date": "2014-01-01"},
            "visit_date",
            "R05_visit_before_operation",
        ),
        ({"visit_date": "2031-01-01"}, "visit_date", "future"),
        ({"mmcs": 6}, "mmcs", "invalid_choice"),
        ({"mmcs": "2.0"}, "mmcs", "shape"),
        ({"pain_segmental_nrs": 99}, "pain_segmental_nrs", "max_value"),
        ({"pain_segmental_nrs": 5}, "pain_segmental_nrs", "invalid"),
        ({"kps": 55}, "kps", "step"),
        ({"visit_type": None}, "visit_type", "null"),
    ]
    for more, field, code in wrong:
        answer = cast.surgeon_a.post("visits/", {**body, **more})
        assert (answer.status_code, codes_of(answer).get(field)) == (400, code), more
    missing = cast.surgeon_a.post("visits/", {"case": cast.code("cases")})
    assert codes_of(missing) == {"visit_type": "required"}


def test_a_patient_has_one_vital_status(cast: Cast) -> None:
    body = {"patient": cast.code("patients"), "vital_status": "dead"}

    assert codes_of(cast.surgeon_a.post("vital-statuses/", body))["patient"] == "unique"


def test_facts_change_with_the_record(cast: Cast) -> None:
    visit = Visit.objects.get(code=cast.code("visits"))
    before = cast.surgeon_a.get("facts/?fields=mmcs_m12").json()["results"]

    cast.surgeon_a.patch(f"visits/{visit.code}/", {"mmcs": 4}, 1)

    after = cast.surgeon_a.get("facts/?fields=mmcs_m12").json()["results"]
    assert (before, after) == ([{"mmcs_m12": 2}], [{"mmcs_m12": 4}])


def test_facts_hold_all_columns_in_their_order(cast: Cast) -> None:
    open_rows = cast.analyst.get("facts/").json()["results"]
    coded = cast.surgeon_a.get("facts/?rows=coded").json()["results"]

    assert list(open_rows[0]) == [column.name for column in deidentified_columns()]
    assert list(coded[0]) == [column.name for column in FACT_COLUMNS]
    assert coded[0]["case_code"] == cast.code("cases")


@pytest.fixture
def some_cases(cast: Cast) -> Cast:
    for number in range(4):
        case = make_case(
            cast.centre_b,
            by=cast.people["surgeon_b"],
            operation=True,
            size_cc_mm=20 + number,
        )
        make_visit(case, "preop", mmcs=number + 1, by=cast.people["surgeon_b"])
        make_visit(case, "m12", mmcs=2, by=cast.people["surgeon_b"])
    return cast


def by_case(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["case"]: row for row in rows}


def test_the_forms_of_the_facts_agree(some_cases: Cast) -> None:
    analyst = some_cases.analyst
    pages = analyst.get("facts/").json()["results"]
    lines = analyst.get("facts/?format=ndjson")
    table = analyst.get("facts/?format=parquet")
    sheet = analyst.get("facts/?format=csv")

    assert {answer["X-Row-Count"] for answer in (lines, table, sheet)} == {"5"}
    assert "attachment" in sheet["Content-Disposition"]
    as_lines = [json.loads(line) for line in lines.body.splitlines()]
    as_table = parquet.read_table(io.BytesIO(table.body))
    as_sheet = list(csv.DictReader(io.StringIO(sheet.body.decode())))
    assert by_case(as_lines) == by_case(pages)
    assert by_case(as_table.to_pylist()) == by_case(pages)
    for row in as_sheet:
        page = by_case(pages)[row["case"]]
        assert {name: value != "" for name, value in row.items()} == {
            name: value is not None for name, value in page.items()
        }
        assert row["incidental"] == str(page["incidental"]).upper()


def test_facts_as_parquet_are_typed(some_cases: Cast) -> None:
    answer = some_cases.surgeon_a.get("facts/?format=parquet&rows=coded")
    schema = parquet.read_schema(io.BytesIO(answer.body))

    assert schema.field("surgery_date").type == pyarrow.date32()
    assert schema.field("mmcs_m12").type == pyarrow.int64()
    assert schema.field("incidental").type == pyarrow.bool_()
    assert schema.field("size_cc_mm").type == pyarrow.float64()
    assert schema.field("case_code").type == pyarrow.string()


def test_facts_load_in_pandas_as_analysts_do(some_cases: Cast) -> None:
    answer = some_cases.analyst.get(
        "facts/?format=csv&fields=case,mmcs_preop,mmcs_change_m12"
    )
    frame = pandas.read_csv(io.BytesIO(answer.body))

    assert list(frame.columns) == ["case", "mmcs_preop", "mmcs_change_m12"]
    changes = frame.dropna().set_index("mmcs_preop")["mmcs_change_m12"].to_dict()
    assert changes == {
        1: "worse",
        2: "unchanged",
        3: "improved",
        4: "improved",
    }


def test_the_accept_header_chooses_the_form(some_cases: Cast) -> None:
    answer = some_cases.analyst.get("facts/?fields=case", accept="text/csv")

    assert answer["Content-Type"] == "text/csv"
    assert answer.body.decode().splitlines()[0] == "case"
    assert answer.body.count(b"\n") == 6


def test_facts_are_paged_whole(some_cases: Cast) -> None:
    seen: list[str] = []
    follow: str | None = "facts/?page_size=2&fields=case"
    while follow:
        page = some_cases.analyst.get(follow).json()
        seen += [row["case"] for row in page["results"]]
        follow = page["next"]

    assert len(seen) == len(set(seen)) == CaseFacts.objects.count() == 5


def cases_in(body: bytes, form: str) -> list[str]:
    """The pseudonyms in the order of the file."""
    if form == "csv":
        return [row["case"] for row in csv.DictReader(io.StringIO(body.decode()))]
    if form == "ndjson":
        return [json.loads(line)["case"] for line in body.splitlines()]
    if form == "parquet":
        return list(parquet.read_table(io.BytesIO(body)).column("case").to_pylist())
    return [row["case"] for row in json.loads(body)["results"]]


@pytest.mark.parametrize("form", ["json", "csv", "ndjson", "parquet"])
def test_the_order_of_rows_tells_nothing(some_cases: Cast, form: str) -> None:
    """Neither who was entered first, nor where a known code would stand."""
    for query in ("", "&fields=case", "&sex=F"):
        answer = some_cases.analyst.get(f"facts/?format={form}{query}")
        found = cases_in(answer.body, form)
        assert (len(found), found) == (5, sorted(found))


def test_a_case_that_comes_between_two_pages_loses_nobody(some_cases: Cast) -> None:
    first = some_cases.analyst.get("facts/?page_size=2&fields=case").json()
    before = cases_in(some_cases.analyst.get("facts/").body, "json")
    make_case(some_cases.centre_b, by=some_cases.people["surgeon_b"])
    seen, follow = [row["case"] for row in first["results"]], first["next"]
    while follow:
        page = some_cases.analyst.get(follow).json()
        seen, follow = seen + [row["case"] for row in page["results"]], page["next"]
    assert set(before) <= set(seen) and len(seen) == len(set(seen))


def test_facts_of_the_own_centre_for_those_who_enter_them(some_cases: Cast) -> None:
    counts = {
        role: int(some_cases.apis[role].get("facts/?format=csv")["X-Row-Count"])
        for role in ("surgeon_a", "coordinator_a", "surgeon_b", "analyst")
    }

    assert counts == {"surgeon_a": 1, "coordinator_a": 1, "surgeon_b": 4, "analyst": 5}


def test_withdrawn_patients_are_in_no_facts(some_cases: Cast) -> None:
    patient = some_cases.records["patients"]
    some_cases.surgeon_a.patch(
        f"patients/{patient.code}/", {"consent_research": "withdrawn"}, 1
    )

    for query in ("?format=csv", "?rows=coded&format=csv", "?format=ndjson"):
        answer = some_cases.surgeon_a.get(f"facts/{query}")
        assert answer["X-Row-Count"] == "0"
    assert some_cases.surgeon_a.get("facts/").json()["results"] == []


def test_facts_take_the_filters_of_the_cases(some_cases: Cast) -> None:
    api = some_cases.surgeon_b
    coded = api.get(
        "facts/?rows=coded&surgery_date_after=2015-01-01&region=cervical,thoracic"
        "&level=C5&fields=region"
    )
    none = api.get("facts/?format=csv&compartment=extradural")
    wrong = api.get("facts/?compartment=elsewhere")

    assert coded.json()["results"] == [{"region": "cervical"}] * 4
    assert none["X-Row-Count"] == "0"
    assert codes_of(wrong) == {"compartment": "invalid_choice"}


@pytest.mark.parametrize(
    "query",
    [
        "fields=colour",
        "fields=",
        "fields=case,case_code",
        "fields=surgery_date",
        "rows=all",
        "format=xlsx",
        "format=json&format=csv",
        "updated_since=2020-01-01",
    ],
)
def test_odd_questions_to_the_facts_are_refused(cast: Cast, query: str) -> None:
    answer = cast.analyst.get(f"facts/?{query}")

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_X3_a_bulk_read_is_audited_with_filter_columns_and_count(
    some_cases: Cast,
) -> None:
    some_cases.analyst.get("facts/?format=csv&sex=F&fields=case,region")

    event = AuditEvent.objects.get(action="facts.read")
    assert event.actor_id == some_cases.people["analyst"].pk
    assert event.body["form"] == "csv"
    assert event.body["filters"] == {"sex": "F"}
    assert event.body["columns"] == ["case", "region"]
    assert event.body["count"] == 5
    assert event.body["rows"] == "deidentified"


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_F25_a_full_disk_is_told_and_nothing_is_sent(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: open("/dev/full", "r+b", 0))

    answer = cast.surgeon_a.get(f"facts/?format={form}")

    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert not AuditEvent.objects.filter(action="facts.read").exists()


def test_the_codebook_holds_every_field_and_column(cast: Cast) -> None:
    entries = cast.analyst.get("codebook/").json()["entries"]
    by_name = {(entry["table"], entry["field"]): entry for entry in entries}

    assert len(by_name) == len(entries)
    for field in described_fields(Visit):
        assert ("visit", field.name) in by_name
    for column in deidentified_columns():
        assert by_name["facts", column.name]["type"] == column.kind
    for column in FACT_COLUMNS:
        assert by_name["facts_coded", column.name]["type"] == column.kind
    assert by_name["facts", "surgery_year"]["type"] == "text"
    assert by_name["facts_coded", "surgery_year"]["type"] == "integer"
    size = by_name["tumour", "size_cc_mm"]
    assert (size["type"], size["unit"]) == ("number", "mm")
    assert (size["least"], size["most"]) == ("1", "400")
    assert "not_done" in size["missing_reasons"]
    assert {"code": "R", "label": "Right"} in by_name["tumour", "side"]["values"]
    assert by_name["tumour", "axial_position"]["type"] == "list of text"
    assert by_name["patient_identity", "family_name"]["privacy"] == "direct"
    assert all(entry["label"] and entry["privacy"] for entry in entries)
