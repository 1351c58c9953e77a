"""The same wrong value gives the same code in the form and in the API.

A text that only a form understands (full width, other spellings of a day) is of the wrong
shape in JSON, which is written by programs; every other refusal agrees.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from rest_framework import serializers

from outcomes.api.codebook import TABLES
from registry.api.parsers import strict_json
from registry.api.values import DescribedValue
from registry.constraints import described_fields
from registry.fields import MultiChoiceField
from registry.forms import DescribedFormField
from registry.permissions import Role
from tests.factories import make_case, make_centre, make_user
from tests.pages import signed_in
from tests.registry.api_client import Api

WRONG = (
    *(
        "",
        " ",
        "x",
        "X1",
        "yes",
        "on",
        "12",
        "12.5",
        "12,5",
        "-1",
        "0.33",
        "1e3",
        "NaN",
    ),
    *("99999999", "9" * 30, "1.2345678", "1_000", "0x10", "--5", "１２", "−5"),
    *("2021-02-30", "2021-05", "2021", "1890-01-01", "2999-01-01", "1970-01-01"),
    *("02/03/2021", "2021-13-01", "20210230", "today", "T13", "T5-7", "Co-C2", "T5"),
    *("a\u200bb", "a\x07b", "one\ntwo", "tab\there", "x" * 50, "x" * 2500, "none"),
)
FIELDS = [
    pytest.param(field, id=f"{table}.{field.name}")
    for table, model in TABLES
    for field in described_fields(model)
]
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")


def form_codes(field: Any, text: str) -> list[str]:
    value = [text] if isinstance(field, MultiChoiceField) else text
    try:
        DescribedFormField(field).clean(value)
    except ValidationError as error:
        return sorted(str(item.code) for item in error.error_list)
    return []


def api_codes(field: Any, value: Any) -> list[str]:
    sent = strict_json(json.dumps(value).encode()) if value is not None else None
    try:
        DescribedValue(field, required=False).run_validation(sent)
    except serializers.ValidationError as error:
        details: Any = error.detail
        return sorted(str(detail.code) for detail in details)
    return []


@pytest.mark.parametrize("field", FIELDS)
def test_a_text_is_refused_alike(field: Any) -> None:
    several = isinstance(field, MultiChoiceField)
    for text in WRONG:
        form, api = (
            form_codes(field, text),
            api_codes(field, [text] if several else text),
        )
        assert api == form or (form == [] and api == ["shape"]), text


@pytest.mark.parametrize("field", FIELDS)
def test_a_number_is_refused_alike(field: Any) -> None:
    """As a JSON number, where the field takes numbers at all."""
    if api_codes(field, 1) == ["shape"]:
        return
    for text in filter(NUMBER.fullmatch, WRONG):
        assert api_codes(field, json.loads(text)) == form_codes(field, text), text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("incidental", "maybe", "shape"),
        ("size_cc_mm", "12,5", "decimal_comma"),
        ("size_cc_mm", "about 12", "shape"),
        ("size_cc_mm", "999", "max_value"),
        ("age_reported", "12.5", "shape"),
        ("onset_date", "2021-02-30", "invalid_date"),
        ("onset_date", "2999-01-01", "future"),
        ("onset_date", "soon", "shape"),
        ("level_rostral", "T13", "level"),
        ("side", "left", "invalid_choice"),
        ("axial_position", "above", "invalid_choice"),
        ("icdo_morphology", "9560/01", "max_length"),
        ("icdo_topography", "brain", "invalid"),
        ("remark", "a\u200bb", "control_characters"),
    ],
)
def test_both_doors_say_the_same(name: str, text: str, code: str) -> None:
    """Through the real page and the real API, constraints between fields included."""
    centre = make_centre()
    surgeon = make_user(Role.SURGEON, centre)
    case = make_case(centre)
    address = reverse("cases:edit-tumour", args=[case.code])
    page = signed_in(surgeon).post(address, {name: text, "version": case.version})
    assert page.status_code == 422
    said = {item.code for item in page.context["forms"][0].errors.as_data()[name]}
    value = [text] if name == "axial_position" else text
    answer = Api(surgeon).patch(f"cases/{case.code}/", {name: value}, case.version)
    told = {e["code"] for e in answer.json()["errors"] if e["field"] == name}
    assert told == said == {code}
