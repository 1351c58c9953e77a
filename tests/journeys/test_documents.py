"""Every block of code in README and docs is run against a started registry."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from tests.documents import Block, blocks
from tests.journeys.saving import new_surgeon
from tests.processes import RunningRegistry, started_registry

pytestmark = pytest.mark.services

# What another test runs, and what no machine without a container engine can run.
ELSEWHERE = {
    "README.md-1": "make run and make test: test_serve_local, and this run itself",
}
INTERPRETERS = {
    "sh": ["bash", "-euo", "pipefail"],
    "r": ["Rscript", "--vanilla"],
    "python": [sys.executable, "-W", "error::FutureWarning"],
}
BLOCKS = list(blocks())


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    seeded = ["seed_demo", "--cases=60", "--centres=2", "--seed=7"]
    folder = tmp_path_factory.mktemp("registry")
    commands = [["load_published"], seeded, ["create_demo_users"]]
    with started_registry(folder, commands) as running:
        yield running


@pytest.fixture(scope="module")
def tokens(registry: RunningRegistry) -> dict[str, str]:
    """A token for the reader of each document, and the case of their examples."""
    analyst = registry.manage("create_token", "analyst@demo.example").split()[-1]
    surgeon = new_surgeon(registry)
    _status, case, _seconds = surgeon.save_case()
    return {"reader": analyst, "writer": surgeon.token, "case": str(case["code"])}


def runnable(block: Block, registry: RunningRegistry, tokens: dict[str, str]) -> str:
    code = block.code.replace("http://127.0.0.1:8000", registry.url)
    code = code.replace("TUM-7K2M9Q4D", tokens["case"])
    # An answer that is an error ends the block.
    return code.replace("curl ", "curl --fail-with-body --silent --show-error ")


@pytest.mark.parametrize(
    "document", [name for name, _blocks in groupby(BLOCKS, lambda b: b.document)]
)
def test_the_blocks_of_a_document_run_in_their_order(
    document: str, registry: RunningRegistry, tokens: dict[str, str], tmp_path: Path
) -> None:
    token = tokens["writer" if document == "api.md" else "reader"]
    for block in BLOCKS:
        if block.document == document and block.id not in ELSEWHERE:
            run(block, runnable(block, registry, tokens), token, tmp_path)


def run(block: Block, code: str, token: str, folder: Path) -> None:
    command = INTERPRETERS[block.language]
    if shutil.which(command[0]) is None:
        if os.environ.get("REQUIRE_R") == "1":
            pytest.fail(f"REQUIRE_R is set and there is no {command[0]}")
        pytest.skip(f"no {command[0]}")
    script = folder / f"{block.id}.txt"
    script.write_text(code)
    answer = subprocess.run(
        [*command, str(script)],
        cwd=folder,
        env=os.environ | {"TOKEN": token},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert answer.returncode == 0, f"{block.id}: {answer.stdout}\n{answer.stderr}"


def test_what_is_run_elsewhere_is_there() -> None:
    assert set(ELSEWHERE) <= {block.id for block in BLOCKS}
