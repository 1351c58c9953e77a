"""Every number of every summary is computed once more from the facts, by R.

One process of R gets the facts of random registries as CSV and what was asked of them,
and gives the numbers back as JSON: base R and survival, and cmprsk for Gray's test where
it is installed. ``test_recomputed`` does the same by other libraries of Python, and tells
Gray's statistic from its definition.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

from outcomes.measures import MEASURES
from outcomes.measures.grouping import GROUPABLE, ORDER, is_known
from outcomes.measures.mri_features import CELLS
from outcomes.models import CaseFacts
from outcomes.models.fact_columns import COLUMN_BY_NAME
from outcomes.reading import TooCostly, summary_for
from registry.models import Centre
from registry.permissions import Role
from tests import factories
from tests.outcomes.random_registry import make_cases, write_facts
from tests.outcomes.recomputed import is_share, near, or_unreachable, problems
from tests.outcomes.test_recomputed import question
from tests.registry_in_module import held

pytestmark = pytest.mark.django_db
SCRIPT = Path(__file__).with_name("recompute.R")
SEEDS = range(20, 24)
NONE = "-"  # of a group, in R

Asked = tuple[dict[str, Any], dict[str, Any]]  # what R is asked, what we answered


@pytest.fixture(scope="module")
def answers(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[tuple[dict[str, Any], dict[str, Any]]]]:
    """Our answers, each with that of R."""
    if shutil.which("Rscript") is None:
        if os.environ.get("REQUIRE_R") == "1":
            pytest.fail("REQUIRE_R is set and there is no Rscript")
        pytest.skip("there is no Rscript")
    folder = tmp_path_factory.mktemp("recomputed")
    with held(django_db_blocker):
        cases = make_cases(120)
        asked = [one for seed in SEEDS for one in asked_of(cases, seed, folder)]
    for number, (wanted, _told) in enumerate(asked):
        wanted["id"] = str(number)
    write(folder / "questions.csv", [wanted for wanted, _told in asked])
    write(folder / "groups.csv", list(group_codes()))
    write(
        folder / "features.csv",
        [{"feature": feature, "code": code} for feature, code, _stored in CELLS],
    )
    subprocess.run(
        ["Rscript", "--vanilla", str(SCRIPT), str(folder)], check=True, timeout=600
    )
    in_r = json.loads((folder / "numbers.json").read_text())
    yield [(told, in_r[wanted["id"]]) for wanted, told in asked]


def asked_of(cases: list[Any], seed: int, folder: Path) -> Iterator[Asked]:
    """Without grouping, by one and by two groups; all, filtered, and of one centre."""
    draw = write_facts(cases, seed)
    name = f"facts_{seed}.csv"
    write(folder / name, list(CaseFacts.objects.order_by("pk").values()))
    reader = factories.make_user(Role.REGISTRY_COORDINATOR, password=None)
    centre = Centre.objects.get(pk=cases[0].centre_id)
    surgeon = factories.make_user(Role.SURGEON, centre, password=None)
    for measure in MEASURES:
        one, other = draw.sample(GROUPABLE, 2)
        for by in ((), (one,), (one, other)):
            asked = question(measure, draw)
            wanted = {
                "facts": name,
                "measure": measure,
                "by": " ".join(by),
                "window": asked.get("window", ""),
                "site": asked.get("site", ""),
                "sex": "",
                "centre": "",
            }
            here = str(centre.pk)
            # What a page would not wait for is not asked.
            with suppress(TooCostly):
                yield wanted, summary_for(reader, measure, by, **asked)
                women = summary_for(reader, measure, by, {"sex": "F"}, **asked)
                yield wanted | {"sex": "female"}, women
                mine = summary_for(surgeon, measure, by, {}, centre.code, **asked)
                yield wanted | {"centre": here}, mine


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """CSV as base R reads it: texts in quotes, nothing where there is no value."""
    with path.open("w", newline="") as file:
        lines = csv.DictWriter(file, list(rows[0]), quoting=csv.QUOTE_MINIMAL)
        lines.writeheader()
        lines.writerows(rows)


def group_codes() -> Iterator[dict[str, Any]]:
    """Every code of every column to group by, where it stands, and whether it is known."""
    for column in GROUPABLE:
        codes = [code for code, _label in COLUMN_BY_NAME[column].values]
        for code in [*codes, True, False]:
            place = ORDER[column].get(str(code), len(ORDER[column]))
            known = is_known({column: code})
            yield {"column": column, "code": code, "place": place, "known": known}
        yield {"column": column, "code": NONE, "place": 99_999, "known": False}


def named_by_r(group: dict[str, Any]) -> str:
    return "|".join(NONE if code is None else str(code) for code in group.values())


@pytest.mark.parametrize("measure", MEASURES)
def test_every_number_is_that_of_r(
    answers: list[tuple[dict[str, Any], dict[str, Any]]], measure: str
) -> None:
    ours = [pair for pair in answers if pair[0]["measure"] == measure]
    assert len(ours) > 6 * len(SEEDS)
    for told, in_r in ours:
        expected = compared_with(told, in_r)
        wrong = list(problems(told, expected))[:20]
        assert not wrong, (told["by"], told["filters"])


def compared_with(told: dict[str, Any], in_r: dict[str, Any]) -> dict[str, Any]:
    """R's answer in the shape of ours."""
    keys = [group.pop("key") for group in in_r["groups"]]
    assert keys == [named_by_r(group["group"]) for group in told["groups"]]
    expected = relaxed(in_r)
    if "competing_risks" in expected:
        block = told["competing_risks"]["test"]
        gray = expected["competing_risks"]["test"]
        expected["competing_risks"]["test"] = grays(block, gray)
    if told["measure"] == "mri-features":
        return dict(expected | adjusted(told, expected["tests"]))
    if told["test"]["p_value"] is None:
        # What stands beside a missing p is compared where there is one.
        expected["test"] = {"statistic": anything} | expected["test"]
    return dict(expected)


def anything(_told: Any) -> bool:
    return True


def relaxed(found: Any, name: str = "") -> Any:
    """Sampled shares, and standard errors that rounding keeps from 0, are near."""
    if isinstance(found, dict) and "near" in found:
        return or_unreachable(near(found["near"], found["draws"]))
    if isinstance(found, dict):
        return {key: relaxed(value, key) for key, value in found.items()}
    if isinstance(found, list):
        parts: list[Any] = [relaxed(value, name) for value in found]
        return {} if name == "excluded" else parts
    if name == "excluded":
        return {}
    if found == "share":
        return is_share
    if name == "standard_error" and found is not None:
        return beside(found)
    return found


def beside(expected: float) -> Callable[[Any], bool]:
    return lambda told: abs((told or 0) - expected) < 1e-7


def grays(told: dict[str, Any], in_r: dict[str, Any]) -> dict[str, Any]:
    """Gray's test: of cmprsk where it answers and the groups are large."""
    asymptotic = in_r.pop("chi_squared", None)
    if in_r["p_value"] is None:
        return in_r
    rest = {"expected": anything, "smallest_p": is_share}
    if asymptotic and told["df"] == asymptotic["df"]:
        return in_r | rest | asymptotic
    rest |= {"statistic": anything, "df": anything}
    return in_r | rest | {"p_value": is_share}


def adjusted(told: dict[str, Any], tests: list[dict[str, Any]]) -> dict[str, Any]:
    """Holm's adjustment by R is that of the p values told, which may be sampled ones."""
    if not told["groups"]:
        tests = [{"p_value": None, "contrasts": []} for _test in told["tests"]]
    known = [test["p_value"] for test in told["tests"] if test["p_value"] is not None]
    order = sorted(known)
    holm = {
        p: min(1.0, max((len(order) - i) * q for i, q in enumerate(order[: place + 1])))
        for place, p in enumerate(order)
    }
    return {
        "tests": [
            test | {"p_holm": holm.get(ours["p_value"])}
            for test, ours in zip(tests, told["tests"], strict=True)
        ],
        "test": {"p_value": None, "family_size": len(known)},
    }
