"""``make bench``: the registry's speed as ratios within one run.

Each size gets a database of its own, filled with synthetic cases, and a process of its
own. ``make bench ARGS="--sizes 1000 1000000"`` measures at other sizes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

TARGETS = {
    "coded export, CSV / raw COPY": 1.2,
    "de-identified export, CSV / raw COPY": 1.3,
    "summary refresh / one GROUP BY": 2.0,
    "API page of 100 facts / JsonResponse": 1.5,
}
PAGES = ("dashboard", "case list", "case page")
PAGE_TARGET = 1.3
SUMMARY_SECONDS, SUMMARY_SCANS = 1.0, 3.0
SCAN = "bare scan"


def measured(size: int) -> dict[str, Any]:
    """The figures of one size, from a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "tests.benchmarks.registry_at",
            str(size),
            folder,
        ]
        answer = subprocess.run(
            command, check=True, capture_output=True, text=True, cwd=root()
        )
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def root() -> Path:
    return Path(__file__).resolve().parent.parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000])
    sizes = sorted(parser.parse_args().sizes)
    figures = {size: measured(size) for size in sizes}
    for size in sizes:
        print(f"\n{size:,} cases (median of several runs)")
        for name, target in TARGETS.items():
            first, second = figures[size][name]
            ratio = first / second
            print(f"  {name:40} {ratio:5.2f}  target ≤ {target}   {first:.4f} s")
        extra = figures[size]["facts on save, ms"]
        print(f"  {'facts for one case on save':40} {extra:5.2f} ms  target ≤ 5 ms")
        print(f"  made in {figures[size]['made, s']:.1f} s, facts in "
              f"{figures[size]['facts, s']:.1f} s")  # fmt: skip
        print_summaries(figures[size]["summaries"], size)
    small, large = sizes[0], sizes[-1]
    print(f"\npages at {large:,} against {small:,} cases")
    for page in PAGES:
        ratio = figures[large][page][0] / figures[small][page][0]
        queries = [figures[size][page][1] for size in (small, large)]
        print(f"  {page:40} {ratio:5.2f}  target ≤ {PAGE_TARGET}   queries {queries}")


def print_summaries(seconds: dict[str, float], size: int) -> None:
    """Each summary in seconds and in bare scans of the same rows."""
    print(f"  summaries at {size:,}: target ≤ {SUMMARY_SECONDS} s of 400 cases,"
          f" ≤ {SUMMARY_SCANS} bare scans of 1,000,000")  # fmt: skip
    for name, taken in seconds.items():
        scans = taken / seconds[SCAN]
        print(f"    {name:40} {taken:7.3f} s {scans:8.1f} scans")


if __name__ == "__main__":
    main()
