"""docs/reliability.md claims a pass only where a test carries the number."""

from __future__ import annotations

import re

import pytest

from tests.faults import ROOT, TABLE, Promise, files, promised, promises

PROMISES = promises()


def test_the_table_is_read_whole() -> None:
    rows = re.findall(r"^\| [FCASWUXIT]\d+ \|", TABLE.read_text(), re.M)
    numbers = [each.number for each in PROMISES]
    assert len(rows) == len(numbers) == len(set(numbers)) == 139


@pytest.mark.parametrize(
    "promise", [p for p in PROMISES if p.state == "pass"], ids=lambda p: p.number
)
def test_a_pass_names_tests_that_carry_its_number(promise: Promise) -> None:
    assert promise.files
    for name in promise.files:
        text = (ROOT / "tests" / name).read_text()
        number = rf"(?:\b|_){promise.number}(?:\b|_)"
        assert re.search(number, text, re.IGNORECASE), f"{name} has no {promise.number}"
        assert "def test_" in text


def test_every_promise_names_tests_that_are_run() -> None:
    above, _list = TABLE.read_text().split("## The acceptance list")
    rows = [line for line in above.splitlines() if line.startswith("| ")]
    assert len(promised()) == len(rows) - 1 == 14
    missing = [name for name in files() if not (ROOT / name).is_file()]
    assert not missing
