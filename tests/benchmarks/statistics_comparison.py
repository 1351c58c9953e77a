"""The same data in R, lifelines, tableone, psmpy, other tools, and Myelon.

By hand, from the root of the repository:

    python -m tests.benchmarks.statistics_comparison [--others PYTHON]

Prints a Markdown table for docs/statistics.md: cases on which the tools of the field
give no answer, a wrong one, or one that depends on something it should not.
``--others`` is an interpreter that has lifelines, tableone, psmpy and scikit-learn; what
is not installed is left out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from outcomes.stats.balance import smd_binary
from outcomes.stats.competing import aalen_johansen
from outcomes.stats.cox import cox
from outcomes.stats.errors import StatError
from outcomes.stats.logrank import logrank
from outcomes.stats.matching import greedy_match
from outcomes.stats.propensity import fit_propensity
from outcomes.stats.proportions import clopper_pearson
from outcomes.stats.ranks import wilcoxon_signed_rank
from outcomes.stats.survival import kaplan_meier

HERE = Path(__file__).parent
FIXTURES = HERE.parent / "outcomes" / "stats" / "fixtures"
COVARIATES = ["age", "educ", "black", "married", "nodegree", "re74", "re75"]
CASES = {
    "no events": "0 events in 19 cases: 95 % interval of survival",
    "log-rank without events": "0 of 19 against 0 of 19: log-rank test",
    "Cox under separation": "0 of 19 against 12 of 19 events: Cox regression",
    "negative duration": "durations -5, 10, 20 days",
    "competing risks with ties": "mgus2: incidence of progression at 60 months",
    "19 of 19 against 0 of 19": "a feature in 19 of 19 against 0 of 19: SMD",
    "shuffled rows": "lalonde: pairs 1:1 after shuffling the rows",
    "logistic regression": "lalonde: coefficient of black",
    "Wilcoxon with ties": "7 better by one grade, 4 unchanged: Wilcoxon p",
}


def in_r() -> dict[str, str]:
    if not shutil.which("Rscript"):
        return {}
    command = ["Rscript", str(HERE / "comparison_in_r.R"), str(FIXTURES)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    return {case: answer for case, answer in lines}


def in_other_tools(python: str) -> dict[str, dict[str, str]]:
    command = [python, str(HERE / "comparison_other_tools.py"), str(FIXTURES)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def in_myelon() -> dict[str, str]:
    curve = kaplan_meier([365] * 19, [0] * 19)
    bound = clopper_pearson(19, 19)
    test = logrank([([365] * 19, [0] * 19), ([400] * 19, [0] * 19)])
    events = [0] * 19 + [1] * 12 + [0] * 7
    days = [400] * 19 + [*range(200, 219)]
    refused = cox(days, events, {"group": [0] * 19 + [1] * 19})
    mgus2 = pd.read_csv(FIXTURES / "mgus2.csv")
    incidence = aalen_johansen(mgus2["months"], mgus2["cause"])[1].incidence_at([60])
    smd = smd_binary(19, 19, 0, 19)
    changes = wilcoxon_signed_rank([-1] * 7 + [0] * 4)
    return {
        "no events": f"{curve.lower[0]}; exact limits of 19 of 19: {bound.lower:.3f} to 1",
        "log-rank without events": f"not estimable: {test.reason}",
        "Cox under separation": f"refused: {refused.reasons[0].text}",
        "negative duration": negative_duration(),
        "competing risks with ties": f"{incidence[0].value:.7f}",
        "19 of 19 against 0 of 19": str(smd.reason),
        "Wilcoxon with ties": f"{changes.p_value:.4f}, {changes.method}",
        **propensity_answers(),
    }


def negative_duration() -> str:
    try:
        kaplan_meier([-5, 10, 20], [1, 1, 0])
    except StatError as error:
        return f"error: {error}"
    return "accepted"


def propensity_answers() -> dict[str, str]:
    table = pd.read_csv(FIXTURES / "lalonde.csv")
    table["black"] = (table["race"] == "black").astype(int)
    given = pairs(table)
    order = np.random.default_rng(1).permutation(len(table))
    same = len(given & pairs(table.iloc[order]))
    model = fit_propensity(table["treat"].tolist(), covariates_of(table))
    black = model.coefficients[model.names.index("black")]
    return {
        "shuffled rows": f"{same} of {len(given)} pairs the same",
        "logistic regression": f"{black:.4f} (unpenalised)",
    }


def covariates_of(table: pd.DataFrame) -> dict[str, list[float]]:
    return {name: table[name].tolist() for name in COVARIATES}


def pairs(table: pd.DataFrame) -> set[tuple[object, ...]]:
    treated = table["treat"].tolist()
    score = fit_propensity(treated, covariates_of(table)).logits
    keys = table["unit"].tolist()
    matching = greedy_match(keys=keys, treated=treated, score=score)
    return {(group.treated, *group.controls) for group in matching.sets}


def with_rest_in_one_column(
    others: dict[str, dict[str, str]],
) -> dict[str, dict[str, str]]:
    """The tools of the field one by one, general libraries together."""
    columns = {
        name: others.get(name, {}) for name in ("lifelines", "tableone", "psmpy")
    }
    columns["other Python"] = {
        case: f"{name}: {answer}"
        for name, answers in others.items()
        if name not in columns
        for case, answer in answers.items()
    }
    return columns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--others", default=sys.executable)
    others = in_other_tools(parser.parse_args().others)
    columns = {"R": in_r(), **with_rest_in_one_column(others), "Myelon": in_myelon()}
    print(f"| the data | {' | '.join(columns)} |")
    print("|---" * (len(columns) + 1) + "|")
    for case, description in CASES.items():
        answers = [column.get(case, "–") for column in columns.values()]
        print(f"| {description} | {' | '.join(answers)} |")
    versions = [columns["R"].get("versions", "R not installed")]
    versions += [f"{name} {answers['version']}" for name, answers in others.items()]
    print(f"\nVersions: {', '.join(versions)}.")


if __name__ == "__main__":
    main()
