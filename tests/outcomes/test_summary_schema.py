"""Every member of every answer of the summaries stands in the API's description."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from outcomes.measures import MEASURES
from registry.api.docs import schema_in
from registry.permissions import Role
from tests import factories
from tests.outcomes.registry_of_cases import fill
from tests.registry.api_client import Api

pytestmark = pytest.mark.django_db


def closed(schema: Any) -> Any:
    """The same, without room for members that are not named."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(part) for name, part in schema.items()}
    if "properties" in found:
        found.setdefault("additionalProperties", False)
    return found


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads(schema_in.__wrapped__("en"))
    components = closed(copy.deepcopy(schema["components"]))
    summary = {"$ref": "#/components/schemas/Summary"}
    return Draft202012Validator({"components": components, **summary})


@pytest.mark.parametrize("measure", MEASURES)
def test_every_member_is_named(measure: str, validator: Draft202012Validator) -> None:
    own, other = factories.make_centre(), factories.make_centre()
    fill(own, 6, seed=5)
    fill(other, 14, seed=6)
    analyst = Api(factories.make_user(Role.ANALYST, password=None))
    surgeon = Api(factories.surgeon_of(own))
    for by in ("", "by=compartment", "by=compartment,eor_final"):
        # Two columns at once are told of the pool where its dashboard shows them.
        pair = "," in by and measure != "recurrence"
        for api in (analyst,) if pair else (analyst, surgeon):
            answer = api.get(f"summaries/{measure}/?{by}")
            assert answer.status_code == 200
            problems = sorted(validator.iter_errors(answer.json()), key=str)
            told = [f"{list(one.path)}: {one.message[:200]}" for one in problems]
            assert not told


def test_a_member_that_is_not_named_is_found(validator: Draft202012Validator) -> None:
    assert not validator.is_valid({"groups": [{"group": {}, "colour": 1}]})
