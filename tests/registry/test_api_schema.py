"""The API's own description: valid, whole, and no request made from it is a 500."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error

from registry.api.docs import schema_in
from registry.constraints import described_fields
from tests.registry.api_cast import Cast, make_cast
from tests.registry.api_client import token_of
from tests.registry.api_matrix import MATRIX, RECORDS

EXAMPLES = 3


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    reset_generator_stats()
    found: dict[str, Any] = json.loads(schema_in.__wrapped__("en"))
    return found


def test_the_schema_is_valid_openapi_3_1(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    validate_schema(schema)
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache


def test_the_schema_describes_every_route_and_verb(schema: dict[str, Any]) -> None:
    described = {
        (
            path.removeprefix("/api/v1/").replace("{", "<").replace("}", ">"),
            verb.upper(),
        )
        for path, verbs in schema["paths"].items()
        for verb in verbs
    }
    served = {
        (route, verb)
        for route, rows in MATRIX.items()
        for verb in rows
        if route not in {"schema/", "nothing-of-the-kind/"}
    }

    assert described == served


def test_the_schema_holds_what_a_field_knows_of_itself(schema: dict[str, Any]) -> None:
    case = schema["components"]["schemas"]["Case"]["properties"]

    assert case["size_cc_mm"]["minimum"] == 1
    assert case["size_cc_mm"]["maximum"] == 400
    assert "Unit: mm." in case["size_cc_mm"]["description"]
    assert case["side"]["enum"] == ["R", "L", "midline", "bilateral", None]
    assert case["onset_date"]["format"] == "date"


def test_every_described_field_stands_in_its_component(schema: dict[str, Any]) -> None:
    from cases.api import records as case_records
    from outcomes.api import records as outcome_records

    for module in (case_records, outcome_records):
        for name in dir(module):
            serializer = getattr(module, name)
            model = getattr(serializer, "model", None)
            if model is None or not name.endswith("Serializer"):
                continue
            component = schema["components"]["schemas"][name.removesuffix("Serializer")]
            expected = {field.name for field in described_fields(model)}
            assert expected <= set(component["properties"])


@pytest.fixture
def one_transaction() -> Iterator[None]:
    """Requests leave the test's connection open, as Django's own test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.django_db
@pytest.mark.usefixtures("one_transaction")
@pytest.mark.parametrize("number", [1, 2, 3])
def test_I2_no_request_of_the_schema_is_a_server_error(number: int) -> None:
    cast = make_cast()
    token = token_of(cast.people["coordinator_a"])
    headers = {"Authorization": f"Bearer {token}"}
    application = get_wsgi_application()
    api = schemathesis.openapi.from_wsgi(
        "/api/v1/schema/", application, headers=headers
    )
    for found in api.get_all_operations():
        fuzz(found.ok(), number, headers, cast)


def fuzz(operation: Any, number: int, headers: dict[str, str], cast: Cast) -> None:
    """Requests drawn from the schema, most of them to records that exist."""

    @seed(number)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def no_server_error(case: Any) -> None:
        more = dict(headers)
        kind = operation.path.removeprefix("/api/v1/").partition("/")[0]
        if number > 1 and kind in RECORDS and "code" in (case.path_parameters or {}):
            case.path_parameters["code"] = cast.code(kind)
            more["If-Match"] = '"1"'
        response = case.call(headers=more)
        case.validate_response(response, checks=[not_a_server_error], headers=more)

    no_server_error()


@pytest.mark.django_db
def test_the_form_that_client_tools_ask_for_by_habit_is_taken() -> None:
    api = make_cast().analyst
    for route in ("schema/", "codebook/", "centres/", "facts/"):
        assert api.get(f"{route}?format=json").status_code == 200, route
    assert api.get("schema/?format=yaml").status_code == 400
