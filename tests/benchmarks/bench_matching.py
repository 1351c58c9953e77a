"""Greedy matching beside R's MatchIt, as ratios in one run.

    python tests/benchmarks/bench_matching.py [--largest]

Sizes: 19 of 400, 2,000 of 100,000 and, with --largest, 20,000 of 1,000,000, with a
caliper of 0.2 SD of the logit. MatchIt runs without its caliper where Rscript and the
package are installed, for five minutes at most. "All distances" is what looking at
every control costs; it is left out at the largest size. Seconds are those of the
processor, so that a busy machine does not change the ratios.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from outcomes.stats.matched import Caliper
from outcomes.stats.matching import greedy_match, optimal_match
from outcomes.stats.propensity import fit_propensity

SIZES = [(19, 400), (2_000, 100_000)]
LARGEST = (20_000, 1_000_000)
SEED = 19
PATIENCE_SECONDS = 300
R_SCRIPT = """
suppressMessages(library(MatchIt))
d <- read.csv(commandArgs(TRUE)[1])
started <- sum(proc.time()[1:2])
m <- matchit(treated ~ logit, data = d, method = "nearest", distance = d$logit)
cat(sum(proc.time()[1:2]) - started, sum(!is.na(m$match.matrix)))
"""


def cohort(treated: int, controls: int) -> tuple[list[str], list[int], np.ndarray]:
    """Keys, groups, logits: the treated lie half a standard deviation higher."""
    draw = np.random.default_rng(SEED)
    logits = np.concatenate([draw.normal(0.5, 1, treated), draw.normal(0, 1, controls)])
    keys = [f"{number:07d}" for number in draw.permutation(treated + controls)]
    return keys, [1] * treated + [0] * controls, logits


def seconds(run: Callable[[], object]) -> float:
    started = time.process_time()
    run()
    return time.process_time() - started


def dense_greedy(treated: Sequence[int], logits: np.ndarray, width: float) -> int:
    """Every treated case looks at every control."""
    group = np.array(treated, dtype=bool)
    controls, pairs = logits[~group].copy(), 0
    for score in np.sort(logits[group])[::-1]:
        apart = np.abs(controls - score)
        nearest = int(apart.argmin())
        if apart[nearest] <= width:
            controls[nearest] = np.inf
            pairs += 1
    return pairs


def matchit_seconds(treated: Sequence[int], logits: np.ndarray) -> float | None:
    """MatchIt's own time without reading the file; None if missing or too slow."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "cohort.csv"
        rows = np.column_stack([treated, logits])
        np.savetxt(table, rows, "%.17g", ",", header="treated,logit", comments="")
        try:
            answer = subprocess.run(
                [rscript, "-e", R_SCRIPT, str(table)],
                capture_output=True,
                text=True,
                check=False,
                timeout=PATIENCE_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return None
    return float(answer.stdout.split()[0]) if answer.returncode == 0 else None


def measure(treated: int, controls: int, is_largest: bool) -> None:
    keys, group, logits = cohort(treated, controls)
    scores = logits.tolist()
    caliper = Caliper(multiple=0.2, sd="pooled")
    found = greedy_match(keys=keys, treated=group, score=scores, caliper=caliper)
    width = found.caliper_width or 0.0
    base = seconds(
        lambda: greedy_match(keys=keys, treated=group, score=scores, caliper=caliper)
    )
    rows: dict[str, float | None] = {"greedy, caliper": base}
    rows["greedy, closest first"] = seconds(
        lambda: greedy_match(
            keys=keys, treated=group, score=scores, caliper=caliper, order="closest"
        )
    )
    rows["propensity model, two covariates"] = seconds(
        lambda: fit_propensity(group, {"a": scores, "b": (logits**2).tolist()})
    )
    if treated * controls <= 25_000_000:
        rows["optimal assignment, caliper"] = seconds(
            lambda: optimal_match(
                keys=keys, treated=group, score=scores, caliper=caliper
            )
        )
    if not is_largest:
        rows["all distances, numpy"] = seconds(
            lambda: dense_greedy(group, logits, width)
        )
    rows["R MatchIt, no caliper"] = matchit_seconds(group, logits)
    print(f"\n{treated:,} treated of {treated + controls:,}: {found.pairs:,} pairs")
    for name, taken in rows.items():
        said = "no answer" if taken is None else f"{taken:10.3f} s"
        ratio = "" if taken is None else f"{taken / base:10.1f} x"
        print(f"  {name:34} {said:>14} {ratio}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--largest", action="store_true")
    largest = arguments.parse_args().largest
    for treated, controls in SIZES:
        measure(treated, controls, is_largest=False)
    if largest:
        measure(*LARGEST, is_largest=True)


if __name__ == "__main__":
    main()
