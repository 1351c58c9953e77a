"""Imports run one way, and raw SQL stands in few places."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

from registry.embedded.places import BASE_DIR

APPS = ("registry", "cases", "outcomes")
SOURCES = [
    path
    for app in APPS
    for path in sorted((BASE_DIR / app).rglob("*.py"))
    if "migrations" not in path.parts
]
BREACHES = {
    "registry/levels.py": "from cases.models import Case",
    "registry/models/centre.py": "from registry import actions",
    "cases/models/case.py": "from cases import actions",
    "outcomes/models/visit.py": "from outcomes import views",
    "outcomes/stats/rates.py": "from django.db import models",
}
# Who writes SQL by hand, and passes by ``visible_to``: the definition of the facts, bulk
# loads, the copy of the pool, and what asks the server itself.
BY_HAND = {
    "registry/rules/rows.py",
    "outcomes/api/fact_files.py",
    "outcomes/answering.py",
    "outcomes/asking.py",
    "outcomes/changes.py",
    "outcomes/claims.py",
    "outcomes/facts.py",
    "outcomes/management/commands/seed_demo.py",
    "outcomes/pool.py",
    "outcomes/pool_answers.py",
    "outcomes/released.py",
    "outcomes/schedule.py",
    "outcomes/summaries.py",
    "outcomes/synthetic/load.py",
    "registry/audit/evidence.py",
    "registry/audit/explaining.py",
    "registry/audit/sealing.py",
    "registry/audit/verifying.py",
    "registry/backup/database.py",
    "registry/duplicates.py",
    "registry/embedded/postgres.py",
    "registry/health.py",
    "registry/history.py",
    "registry/management/commands/prepare_deployment.py",
    "registry/management/commands/serve_local.py",
}


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the packages of this one are imported already."""
    program = (
        "from importlinter.cli import lint_imports_command; lint_imports_command()"
    )
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_contract_is_kept() -> None:
    answer = lint_imports(BASE_DIR)
    assert answer.returncode == 0, answer.stdout
    assert "5 kept, 0 broken" in answer.stdout


def test_every_contract_can_break(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text((BASE_DIR / "pyproject.toml").read_text())
    for source in SOURCES:
        name = str(source.relative_to(BASE_DIR))
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        wrong = BREACHES.get(name, "")
        target.write_text(f"{source.read_text()}\n{wrong}\n")
    answer = lint_imports(tmp_path)
    assert answer.returncode == 1
    assert "0 kept, 5 broken" in answer.stdout


def test_raw_sql_stays_where_it_is_looked_at() -> None:
    found = {str(path.relative_to(BASE_DIR)) for path in SOURCES if writes_sql(path)}
    assert found == BY_HAND


def writes_sql(path: Path) -> bool:
    """Whether a file opens a cursor or passes by the managers."""
    calls = [
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    return bool({"cursor", "raw", "extra", "_base_manager"} & set(calls))
