"""Answers of other Python tools to the cases of ``statistics_comparison``.

Runs in any interpreter, so that tools with old dependencies can live in a separate
environment; a tool that cannot be imported is left out. Prints JSON: tool to case to
answer, with the tool's version under ``version``.
"""

from __future__ import annotations

import json
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

COVARIATES = ["age", "educ", "black", "married", "nodegree", "re74", "re75"]


def lalonde(fixtures: Path) -> pd.DataFrame:
    table = pd.read_csv(fixtures / "lalonde.csv")
    table["black"] = (table["race"] == "black").astype(int)
    return table[["unit", "treat", *COVARIATES]]


def lifelines(fixtures: Path) -> dict[str, str]:
    from lifelines import AalenJohansenFitter, CoxPHFitter, KaplanMeierFitter
    from lifelines.statistics import logrank_test

    curve = KaplanMeierFitter().fit([365] * 19, [0] * 19)
    lower, upper = curve.confidence_interval_.iloc[-1]
    test = logrank_test([365] * 19, [400] * 19, [0] * 19, [0] * 19)
    followed = pd.DataFrame(
        {
            "days": [400] * 19 + [*range(200, 219)],
            "event": [0] * 19 + [1] * 12 + [0] * 7,
            "group": [0] * 19 + [1] * 19,
        }
    )
    fit = CoxPHFitter().fit(followed, "days", "event")
    negative = KaplanMeierFitter().fit([-5, 10, 20], [1, 1, 0])
    survival = negative.survival_function_.to_numpy().ravel()
    mgus2 = pd.read_csv(fixtures / "mgus2.csv")
    incidences = []
    for seed in (1, 2, 3):
        fitter = AalenJohansenFitter(seed=seed)
        fitter.fit(mgus2["months"], mgus2["cause"], event_of_interest=1)
        incidences.append(float(fitter.predict(60)))
    seeds = ", ".join(f"{value:.7f}" for value in incidences)
    return {
        "no events": f"{lower:.2f} to {upper:.2f}",
        "log-rank without events": f"chi-squared {test.test_statistic:g}, "
        f"p {test.p_value:g}",
        "Cox under separation": f"coefficient {fit.params_.iloc[0]:.1f}, "
        f"error {fit.standard_errors_.iloc[0]:.0f}, and a warning",
        "negative duration": "accepted: survival "
        + ", ".join(f"{value:.2f}" for value in survival),
        "competing risks with ties": f"three seeds: {seeds}",
    }


def tableone(fixtures: Path) -> dict[str, str]:
    from tableone import TableOne

    rows = pd.DataFrame({"treated": [1] * 19 + [0] * 19, "x": [1] * 19 + [0] * 19})
    table = TableOne(rows, ["x"], categorical=["x"], groupby="treated", smd=True)
    shown = table.tableone.to_string().splitlines()
    return {"19 of 19 against 0 of 19": shown[-2].split()[-1]}


def psmpy(fixtures: Path) -> dict[str, str]:
    from psmpy import PsmPy

    def pairs(table: pd.DataFrame) -> set[tuple[str, str]]:
        model = PsmPy(table.copy(), treatment="treat", indx="unit", exclude=[])
        model.logistic_ps(balance=False)
        model.kdtree_matched(matcher="propensity_logit", caliper=None)
        return {tuple(pair) for pair in model.matched_ids.dropna().to_numpy().tolist()}

    table = lalonde(fixtures)
    given, again = pairs(table), pairs(table)
    shuffled = pairs(table.sample(frac=1, random_state=1).reset_index(drop=True))
    return {
        "shuffled rows": f"{len(given & shuffled)} of {len(given)} pairs the same "
        f"(same rows again: {len(given & again)})",
    }


def sklearn(fixtures: Path) -> dict[str, str]:
    from sklearn.linear_model import LogisticRegression

    table = lalonde(fixtures)
    model = LogisticRegression(max_iter=100_000, solver="newton-cholesky")
    model.fit(table[COVARIATES], table["treat"])
    penalised = model.coef_[0][COVARIATES.index("black")]
    return {"logistic regression": f"{penalised:.4f} (penalised by default)"}


def scipy(fixtures: Path) -> dict[str, str]:
    from scipy.stats import wilcoxon

    changes = np.array([1] * 7 + [0] * 4)
    answers = [
        f"{method} {wilcoxon(changes, zero_method='pratt', method=method).pvalue:.4f}"
        for method in ("auto", "exact", "approx")
    ]
    return {"Wilcoxon with ties": "; ".join(answers)}


TOOLS = {
    "lifelines": (lifelines, "lifelines"),
    "tableone": (tableone, "tableone"),
    "psmpy": (psmpy, "psmpy"),
    "scikit-learn": (sklearn, "scikit-learn"),
    "SciPy": (scipy, "scipy"),
}


def main() -> None:
    warnings.simplefilter("ignore")
    fixtures = Path(sys.argv[1])
    answers = {}
    for name, (ask, distribution) in TOOLS.items():
        try:
            said = ask(fixtures)
        except ImportError:
            continue
        answers[name] = {**said, "version": version(distribution)}
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
