"""What common readers make of the files: every column of the type that it has."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pandas
import pytest

from cases import choices
from outcomes.deidentified import deidentified_columns
from outcomes.models.fact_column import Kind
from outcomes.models.fact_columns import FACT_COLUMNS
from registry.permissions import Role
from tests.factories import make_case, make_centre, make_user
from tests.registry.api_client import Api

pytestmark = pytest.mark.django_db

# What base R, readr, pandas or a spreadsheet take for something else than a text.
MISREAD = {"T", "F", "TRUE", "FALSE", "true", "false", "NA", "N/A", "NaN", "nan"}
MISREAD |= {"NULL", "null", "None", "n/a", "Inf", "inf", "-", "<NA>", "#N/A"}
# Closed lists of numbers, which may be read as numbers: nothing is lost.
NUMBERED = {"who_grade", "field_strength_T", "ionm_alarm_criterion"}
IN_R = {
    Kind.TEXT: {"character", "logical"},  # logical where the column is empty
    Kind.WHOLE: {"integer", "logical"},
    Kind.NUMBER: {"numeric", "integer", "logical"},
    Kind.FLAG: {"logical"},
    Kind.DATE: {"character", "logical"},
}


@pytest.fixture(autouse=True)
def nothing_withheld(settings: Any) -> None:
    """Three cases would tell nothing otherwise."""
    settings.RELEASE_K = 1


def facts_of_women_only() -> str:
    centre = make_centre()
    for _number in range(3):
        make_case(centre, operation=True, mri=True, patient_values={"sex": "F"})
    analyst = make_user(Role.ANALYST, password=None)
    return str(Api(analyst).get("facts/?format=csv").body.decode())


def test_no_code_is_a_word_that_a_reader_takes_for_something_else() -> None:
    for column in FACT_COLUMNS:
        if column.kind == Kind.TEXT:
            codes = {str(code) for code, _label in column.values}
            assert not codes & MISREAD, column.name
            numbers = {code for code in codes if _is_number(code)}
            assert not numbers or column.name in NUMBERED, column.name


def _is_number(code: str) -> bool:
    try:
        float(code)
    except ValueError:
        return False
    return True


def test_base_r_reads_every_column_by_its_kind(tmp_path: Path) -> None:
    """In R:  sapply(read.csv("facts.csv", na.strings = ""), class)"""
    if shutil.which("Rscript") is None:
        if os.environ.get("REQUIRE_R") == "1":
            pytest.fail("REQUIRE_R is set and there is no Rscript")
        pytest.skip("no Rscript")
    (tmp_path / "facts.csv").write_text(facts_of_women_only())
    script = (
        'f <- read.csv("facts.csv", na.strings = "", check.names = FALSE);'
        'cat(paste(names(f), sapply(f, function(x) class(x)[1]), f[1, "sex"]),'
        ' sep = "\\n")'
    )
    answer = subprocess.run(
        ["Rscript", "--vanilla", "-e", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    found = {}
    for line in answer.stdout.splitlines():
        name, kind, sex = line.split(" ")
        found[name] = kind
        assert sex == "female"
    wrong = {
        column.name: found[column.name]
        for column in deidentified_columns()
        if column.name in found
        and column.name not in NUMBERED
        and found[column.name] not in IN_R[column.kind]
    }
    assert wrong == {}


def test_pandas_reads_flags_and_texts_as_such() -> None:
    read = pandas.read_csv(
        io.StringIO(facts_of_women_only()), dtype_backend="numpy_nullable"
    )
    for column in deidentified_columns():
        if column.name in read and read[column.name].notna().any():
            kind = str(read[column.name].dtype)
            if column.kind == Kind.FLAG:
                assert kind == "boolean", column.name
            elif column.kind == Kind.TEXT and column.name not in NUMBERED:
                assert kind == "string", column.name
    assert set(read["sex"]) == {"female"}


def test_the_filter_takes_the_letter_of_the_record_and_the_word_of_the_facts() -> None:
    facts_of_women_only()
    analyst = Api(make_user(Role.ANALYST, password=None))
    counts = {
        value: len(analyst.get(f"facts/?sex={value}").json()["results"])
        for value in ("F", "female", "M", "male", "F,male")
    }
    assert counts == {"F": 3, "female": 3, "M": 0, "male": 0, "F,male": 3}
    assert analyst.get("facts/?sex=f").status_code == 400
    assert {*choices.SEX_IN_FACTS} == set(choices.Sex)
