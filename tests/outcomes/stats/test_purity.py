"""The statistics are pure: no Django, no clock, no global random state, no files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import outcomes.stats

MODULES = sorted(Path(outcomes.stats.__file__).parent.glob("*.py"))
ALLOWED = {
    "__future__", "collections", "dataclasses", "functools", "heapq", "itertools", "math",
    "typing", "warnings", "numpy", "scipy", "statsmodels",
}  # fmt: skip


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        if isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_module_uses_numbers_only(module: Path) -> None:
    tree = ast.parse(module.read_text())
    for name in imported(tree):
        assert name.startswith("outcomes.stats.") or name.split(".")[0] in ALLOWED
    for name in called(tree):
        assert name != "open"
        if ".random." in name:
            assert name == "np.random.default_rng"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_whoever_draws_takes_a_seed(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call) and "default_rng" in ast.unparse(node.func):
            assert "seed" in ast.unparse(node.args[0])
