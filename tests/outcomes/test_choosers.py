"""Every p that a page or the API tells went through the one rule.

The functions that choose a test know when a large-sample formula holds and when no p
could have been small. A measure that calls a test by itself, or makes a p of its own,
is found here.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

import outcomes
from cases.models import Case
from outcomes.measures import MEASURES
from outcomes.measures.grouping import GROUPABLE
from outcomes.measures.residual_pain import ASKED_SITES
from outcomes.stats.attainable import is_reachable
from outcomes.summaries import compute
from outcomes.windows import AFTER
from tests.outcomes.random_registry import make_cases, write_facts
from tests.registry_in_module import held

ROOT = Path(outcomes.__file__).parent.parent
ROOMS = ("registry", "cases", "outcomes")
# They hold the rule: each has its own test of all arrangements of small groups.
CHOOSERS = {
    "compare_table",
    "compare_differences",
    "compare_curves",
    "compare_incidence",
    "rate_ratio",
    "holm",
    "not_estimable",  # a refusal, without p
}


def imported_from_statistics() -> Iterator[tuple[str, str, Any]]:
    """File, name and object of everything that other rooms take from the statistics."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if (ROOT / "outcomes" / "stats") in path.parents:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and "outcomes.stats" in (
                    node.module or ""
                ):
                    module = importlib.import_module(str(node.module))
                    for alias in node.names:
                        yield str(path), alias.name, getattr(module, alias.name)


def tells_p(found: Any) -> bool:
    """Whether a type, or a part of it, has a p value."""
    parts = typing.get_args(found)
    if parts:
        return any(map(tells_p, (*parts, typing.get_origin(found))))
    if not dataclasses.is_dataclass(found):
        return False
    hints = typing.get_type_hints(found)
    return any(
        name.startswith("p_") or (told is not found and tells_p(told))
        for name, told in hints.items()
    )


def returns_p(function: Any) -> bool:
    return inspect.isfunction(function) and tells_p(
        typing.get_type_hints(function).get("return")
    )


def test_only_choosers_are_asked_for_a_p() -> None:
    asked = [
        (path, name)
        for path, name, found in imported_from_statistics()
        if returns_p(found)
    ]
    assert {name for _path, name in asked} <= CHOOSERS, asked
    assert {"compare_table", "compare_curves"} <= {name for _path, name in asked}


@pytest.mark.parametrize(
    ("module", "name", "told"),
    [
        ("tables", "sign_test", True),
        ("logrank", "logrank", True),
        ("choose", "compare", True),
        ("choose_curves", "compare_curves", True),
        ("rates", "rate_ratio", True),
        ("rates", "incidence_rate", False),
        ("proportions", "wilson", False),
    ],
)
def test_functions_that_tell_p_are_known_by_their_type(
    module: str, name: str, told: bool
) -> None:
    found = getattr(importlib.import_module(f"outcomes.stats.{module}"), name)
    assert returns_p(found) is told


@pytest.fixture(scope="module")
def cases(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[list[Case]]:
    with held(django_db_blocker):
        yield make_cases(40)


def blocks_with_p(told: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every block of an answer that has a p, with its path."""
    if isinstance(told, dict):
        if "p_value" in told:
            yield path, told
        for name, value in told.items():
            yield from blocks_with_p(value, f"{path}.{name}")
    elif isinstance(told, list):
        for place, value in enumerate(told):
            yield from blocks_with_p(value, f"{path}[{place}]")


def problem(test: dict[str, Any]) -> str | None:
    """What is wrong with the p of a block."""
    if test["p_value"] is None:
        return None if test.get("reason") or "family_size" in test else "no reason"
    if test.get("smallest_p") is None:
        large_sample = test.get("df") is not None and "choice" in test
        return None if large_sample else "smallest p not looked for"
    return None if is_reachable(test["smallest_p"]) else "p out of reach"


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(6))
def test_no_answer_has_a_p_that_could_not_be_small(
    cases: list[Case], seed: int
) -> None:
    draw = write_facts(cases, seed)
    for name in MEASURES:
        window = draw.choice(AFTER).name if name == "improvement" else ""
        site = draw.choice(ASKED_SITES) if name == "residual-pain" else ""
        for by in [(), *((column,) for column in draw.sample(GROUPABLE, 3))]:
            answer = compute(name, by, window=window, site=site)
            found = [(path, problem(test)) for path, test in blocks_with_p(answer)]
            assert not [one for one in found if one[1]], (name, by)


def test_a_p_of_its_own_is_found() -> None:
    assert problem({"p_value": 0.3}) == "smallest p not looked for"
    assert problem({"p_value": 0.3, "df": 1.0}) == "smallest p not looked for"
    assert problem({"p_value": 0.3, "smallest_p": 0.2}) == "p out of reach"
    assert problem({"p_value": None}) == "no reason"
    assert problem({"p_value": 0.3, "df": 1.0, "choice": "Pearson"}) is None
