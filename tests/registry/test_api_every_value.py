"""Every writable member of every record, with values of every kind: never a 5xx.

The schema test draws from the schema and met the empty list too rarely. Here each member
gets each value, on creation and on change.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework import serializers

from registry.api.parsers import strict_json
from registry.api.values import DescribedValue
from registry.constraints import described_fields
from tests.registry.api_cast import Cast, make_cast
from tests.registry.api_matrix import RECORDS

pytestmark = pytest.mark.django_db
VALUES: tuple[Any, ...] = (
    None,
    "",
    " ",
    [],
    {},
    [None],
    [""],
    [[]],
    [{}],
    ["none"],
    ["x", "x"],
    0,
    -1,
    1.5,
    10**20,
    True,
    False,
    "none",
    "x" * 2050,
    "\u3000",
    "2021-02-30",
    "T5",
    {"x": 1},
)


@pytest.fixture
def cast() -> Cast:
    return make_cast()


def is_read(field: Any, value: Any) -> bool:
    """Whether the shape and the field's own rules let the value pass."""
    if value is None:
        return True
    try:
        DescribedValue(field).to_internal_value(strict_json(json.dumps(value).encode()))
    except serializers.ValidationError:
        return False
    return True


@pytest.mark.parametrize("kind", RECORDS)
def test_no_value_of_a_member_is_a_server_error(cast: Cast, kind: str) -> None:
    """Values that the field refuses are answered together, the others one by one."""
    record = cast.records[kind]
    route, api = f"{kind}/{record.code}/", cast.coordinator_a
    fields = described_fields(type(record))
    wrong = []
    for value in VALUES:
        refused = {f.name: value for f in fields if not is_read(f, value)}
        alone = [{f.name: value} for f in fields if f.name not in refused]
        for body in [*([refused] if refused else []), *alone]:
            record.refresh_from_db()
            answer = api.patch(route, body, record.version)
            if answer.status_code >= 500 or not described(answer):
                wrong.append((body, answer.status_code, answer["Content-Type"]))
            if body is refused:
                found = {error["field"] for error in answer.json()["errors"]}
                assert found == set(refused), value
    assert wrong == []


def described(answer: Any) -> bool:
    """A refusal is a problem in JSON."""
    kind = (
        "application/problem+json" if answer.status_code >= 400 else "application/json"
    )
    return bool(answer["Content-Type"].startswith(kind))


def test_a_bug_is_answered_in_problem_json(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(DescribedValue, "to_representation", broken)
    answer = cast.surgeon_a.get("cases/")

    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")
    assert described(answer)
    assert "a bug" not in answer.body.decode()


def test_a_request_for_a_foreign_host_is_answered_in_problem_json(cast: Cast) -> None:
    answer = cast.surgeon_a.get("cases/", host="evil.example")

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert described(answer)
