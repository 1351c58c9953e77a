"""One task of ``bench_statistics`` in one Python tool, in a process of its own.

Prints the best of some repetitions in seconds; reading and importing are not timed.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable

import numpy as np

COLUMNS = ["days", "cause", "treated", "age", "size", "logit"]
Task = Callable[[], object]


def myelon(task: str, x: dict[str, np.ndarray]) -> Task:
    from outcomes.stats.competing import aalen_johansen
    from outcomes.stats.cox import cox
    from outcomes.stats.logrank import logrank
    from outcomes.stats.matched import Caliper
    from outcomes.stats.matching import greedy_match
    from outcomes.stats.survival import kaplan_meier, kaplan_meier_from_counts

    days, event, treated = x["days"], x["cause"] == 1, x["treated"] == 1
    distinct, place = np.unique(days, return_inverse=True)
    counts = [np.bincount(place, weights=flags) for flags in (event, ~event)]
    groups = [(days[inside], event[inside]) for inside in (treated, ~treated)]
    variables = {name: x[name] for name in ("treated", "age", "size")}
    keys = [f"C{number:07d}" for number in range(len(days))]
    return {
        "Kaplan-Meier": lambda: kaplan_meier(days, event),
        "Kaplan-Meier from counts": lambda: kaplan_meier_from_counts(distinct, *counts),
        "log-rank": lambda: logrank(groups),
        "Cox with check": lambda: cox(days, event, variables),
        "Aalen-Johansen": lambda: aalen_johansen(days, x["cause"].astype(int)),
        "matching with caliper": lambda: greedy_match(
            keys=keys,
            treated=treated.astype(int),
            score=x["logit"],
            caliper=Caliper(multiple=0.2, sd="all"),
        ),
    }[task]


def lifelines(task: str, x: dict[str, np.ndarray]) -> Task:
    import pandas as pd
    from lifelines import AalenJohansenFitter, CoxPHFitter, KaplanMeierFitter
    from lifelines.statistics import logrank_test, proportional_hazard_test

    days, event, treated = x["days"], x["cause"] == 1, x["treated"] == 1
    table = pd.DataFrame({"days": days, "event": event, "treated": x["treated"]})
    table["age"], table["size"] = x["age"], x["size"]

    def cox_with_check() -> object:
        fitter = CoxPHFitter().fit(table, "days", "event")
        return proportional_hazard_test(fitter, table, time_transform="km")

    return {
        "Kaplan-Meier": lambda: KaplanMeierFitter().fit(days, event),
        "log-rank": lambda: logrank_test(
            days[treated], days[~treated], event[treated], event[~treated]
        ),
        "Cox with check": cox_with_check,
        "Aalen-Johansen": lambda: [
            AalenJohansenFitter(seed=1).fit(days, x["cause"], event_of_interest=cause)
            for cause in (1, 2)
        ],
    }[task]


def psmpy(task: str, x: dict[str, np.ndarray]) -> Task:
    import pandas as pd
    from psmpy import PsmPy

    table = pd.DataFrame({name: x[name] for name in ("treated", "age", "size")})
    table["case"] = np.arange(len(table))
    model = PsmPy(table, treatment="treated", indx="case", exclude=[])
    model.logistic_ps(balance=False)
    width = 0.2 * model.predicted_data["propensity_logit"].std()
    return {
        "matching with caliper": lambda: model.kdtree_matched(
            matcher="propensity_logit", caliper=width
        )
    }[task]


TOOLS = {"myelon": myelon, "lifelines": lifelines, "psmpy": psmpy}


def main() -> None:
    warnings.simplefilter("ignore")
    tool, task, path, rows = sys.argv[1:]
    matrix = np.fromfile(path).reshape(len(COLUMNS), int(rows))
    run = TOOLS[tool](task, dict(zip(COLUMNS, matrix, strict=True)))
    spent: list[float] = []
    while len(spent) < 3 and sum(spent) < 20:
        begun = time.perf_counter()
        run()
        spent.append(time.perf_counter() - begun)
    print(min(spent))


if __name__ == "__main__":
    main()
