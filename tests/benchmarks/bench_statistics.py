"""Speed beside R's survival, lifelines and psmpy, as ratios from one run.

By hand, from the root of the repository:

    python -m tests.benchmarks.bench_statistics [--others PYTHON] [--largest ROWS]

Every task of every tool runs in a process of its own, which measures the time itself
(best of up to three), on the same rows: whole days, 30 % events, two causes, 2 %
treated. Prints a Markdown table; a tool that is missing or needs longer than the limit
is shown as such. ``--others`` is an interpreter that has lifelines and psmpy.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
LIMIT_SECONDS = 240
SIZES = (1_000, 10_000, 100_000, 1_000_000)
TASKS = {
    "Kaplan-Meier": ("R survival", "lifelines"),
    "log-rank": ("R survival", "lifelines"),
    "Aalen-Johansen": ("R survival", "lifelines"),
    "Cox with check": ("R survival", "lifelines"),
    "matching with caliper": ("psmpy",),
}


def write_rows(path: Path, n: int) -> None:
    """Columns one after the other as doubles, which R and NumPy both read."""
    source = np.random.default_rng(38)
    treated = (np.arange(n) % 50 == 0).astype(float)
    age, size = source.normal(50, 12, n).round(), source.gamma(4, 6, n).round(1)
    hazard = np.exp(0.3 * treated + 0.02 * (age - 50)) / 3000
    event_days = np.ceil(source.exponential(1 / hazard))
    end_days = source.integers(1, 3650, n)
    cause = np.where(event_days <= end_days, source.integers(1, 3, n), 0)
    logit = 0.03 * (age - 50) + 0.01 * size + 0.2 * treated
    days = np.minimum(event_days, end_days)
    columns = [days, cause, treated, age, size, logit]
    np.array(columns, dtype=np.float64).tofile(path)


def seconds(command: list[str]) -> float | str:
    """What the process measured, or why there is no number."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": "."}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return f"over {LIMIT_SECONDS} s"
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["failed"])[-1]
        return last.split(":")[0].rpartition(".")[2].lstrip("_")
    return float(done.stdout.split()[-1])


def command_of(tool: str, task: str, path: Path, n: int, others: str) -> list[str]:
    if tool == "R survival":
        return ["Rscript", str(HERE / "bench_in_r.R"), task, str(path), str(n)]
    python = sys.executable if tool == "myelon" else others
    worker = str(HERE / "bench_python_tools.py")
    return [python, worker, tool, task, str(path), str(n)]


def shown(theirs: float | str, ours: float | str) -> str:
    if isinstance(theirs, str) or isinstance(ours, str):
        return str(theirs)
    return f"{theirs:.3f} s ({theirs / ours:.1f}×)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--others", default=sys.executable)
    parser.add_argument("--largest", type=int, default=SIZES[-1])
    options = parser.parse_args()
    print("| task | rows | Myelon | R survival | lifelines | psmpy |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for n in (size for size in SIZES if size <= options.largest):
            path = Path(folder) / f"rows_{n}"
            write_rows(path, n)
            for task, tools in TASKS.items():
                row = [task, f"{n:,}"]
                ours = seconds(command_of("myelon", task, path, n, options.others))
                row.append(ours if isinstance(ours, str) else f"{ours:.3f} s")
                for tool in ("R survival", "lifelines", "psmpy"):
                    if tool not in tools:
                        row.append("–")
                    elif tool == "R survival" and not shutil.which("Rscript"):
                        row.append("not installed")
                    else:
                        command = command_of(tool, task, path, n, options.others)
                        row.append(shown(seconds(command), ours))
                print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
