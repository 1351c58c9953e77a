"""Every result that is not given says why: a sentence, and a code that stays."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outcomes import measures, stats
from outcomes.measures import MEASURES
from outcomes.measures.reasons import CODES, OTHER, WITHOUT_WORDS, code_of, with_codes
from outcomes.stats import attainable, gray, ratios, tables
from outcomes.stats.result import not_estimable
from outcomes.summaries import compute
from outcomes.views import figure_words
from tests import factories
from tests.outcomes.registry_of_cases import fill

# The modules whose results reach a summary.
SPEAKING = (
    *("rates", "ratios", "tables", "logrank", "gray", "logrank_permutation"),
    *("choose", "means", "ranks"),
)

# Others give the reason for a choice.
RESULTS = {"TestResult", "RateRatio", "Ratio", "dataclasses.replace"}


@pytest.mark.parametrize(
    ("sentence", "code"),
    [
        (attainable.unreachable(0.2), "p_unreachable"),
        (gray.NO_EVENTS.format("either"), "no_events"),
        ("no events in any group", "no_events"),
        (gray.NEVER_TOGETHER, "never_together"),
        (gray.NO_VARIANCE, "too_few_for_variance"),
        (tables.NO_COMPARISON, "one_group"),
        (ratios.INFINITE, "infinite"),
        (ratios.UNDEFINED, "undefined"),
        (ratios.NO_LOG_LIMITS, "no_limits"),
        ("said for the first time", OTHER),
    ],
)
def test_the_code_of_a_sentence(sentence: str, code: str) -> None:
    assert code_of(sentence) == code


def sentences(folder: Path, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Texts that a module gives as a reason: by keyword, or to a refusing function."""
    for name in names:
        for node in ast.walk(ast.parse((folder / f"{name}.py").read_text())):
            if not isinstance(node, ast.Call):
                continue
            called, given = ast.unparse(node.func), list[ast.expr]()
            if called in RESULTS:
                given = [word.value for word in node.keywords if word.arg == "reason"]
            if called in {"not_estimable", "_refused", "_no_ratio"}:
                given = node.args[1:] if called == "not_estimable" else node.args
            for value in given:
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield name, value.value


def test_every_sentence_of_the_statistics_has_a_code() -> None:
    folder = Path(str(stats.__file__)).parent
    found = [text for _name, text in sentences(folder, SPEAKING) if " " in text]
    here = Path(str(measures.__file__)).parent
    names = tuple(path.stem for path in here.glob("*.py"))
    found += [text for _name, text in sentences(here, names) if " " in text]
    assert len(found) >= 10
    assert {text for text in found if code_of(text) == OTHER} == set()


def test_codes_are_unlike() -> None:
    codes = [code for code, _words in CODES]
    assert len(codes) == len(set(codes))
    assert not set(codes) & {*WITHOUT_WORDS, OTHER}
    assert set(figure_words.REASONS) <= set(codes)


def missing(found: Any) -> Iterator[dict[str, Any]]:
    """Results of an answer that are not given."""
    if isinstance(found, list):
        for part in found:
            yield from missing(part)
    elif isinstance(found, dict):
        if found.get("estimable") is False or (
            "method" in found and found.get("value", 0) is None
        ):
            yield found
        for part in found.values():
            yield from missing(part)


@pytest.mark.django_db
@pytest.mark.parametrize("measure", MEASURES)
def test_no_missing_result_is_without_reason(measure: str) -> None:
    """Of a small registry, where much cannot be estimated."""
    fill(factories.make_centre(), 14, seed=5)
    for by in ("", "compartment", "compartment,border"):
        for found in missing(compute(measure, by)):
            assert found["reason"], found
            assert found["reason_code"] != OTHER, found
            assert code_of(found["reason"]) == found["reason_code"] or (
                WITHOUT_WORDS[found["reason_code"]] == found["reason"]
            )


def test_a_given_result_has_no_code() -> None:
    told = with_codes({"value": 0.5, "method": "exact", "reason": None})
    assert "reason_code" not in told
    refused = with_codes(not_estimable("a test", gray.NO_VARIANCE).to_json())
    assert refused["reason_code"] == "too_few_for_variance"


def test_the_page_has_words_for_the_code() -> None:
    test = {"estimable": False, "reason": "in English", "reason_code": "no_events"}
    assert figure_words.test_words({"test": test}) == (
        "Not tested: no events in any group."
    )
    test = {"estimable": False, "reason": "something new", "reason_code": OTHER}
    assert "something new" in figure_words.test_words({"test": test})
