"""The numbers of a summary once more, from the facts row by row, by other programs.

pandas counts; SciPy, statsmodels and lifelines conclude. What no library gives is
written down as its formula says, slowly. An answer is walked from end to end: a number
that stands nowhere here is found.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas
from scipy import stats
from scipy.stats import contingency
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

Facts = pandas.DataFrame
EXACT = 1e-8
Z = stats.norm.ppf(0.975)
RANDOM_TABLES = 9_999


def problems(told: Any, expected: Any, path: str = "") -> Iterator[str]:
    """Numbers that differ from what was expected, and numbers that nobody expected."""
    if callable(expected):
        if not expected(told):
            yield f"{path}: {told} is not as it should be"
    elif isinstance(told, dict) and expected is not MISSING:
        given = expected if isinstance(expected, dict) else {}
        for name, value in told.items():
            yield from problems(value, given.get(name, MISSING), f"{path}.{name}")
        for name in given.keys() - told.keys():
            yield f"{path}.{name}: not told"
    elif isinstance(told, list) and isinstance(expected, list):
        if len(told) != len(expected):
            yield f"{path}: {len(told)} instead of {len(expected)}"
        for place, pair in enumerate(zip(told, expected, strict=False)):
            yield from problems(*pair, f"{path}[{place}]")
    elif expected is MISSING:
        yield from unexpected(told, path)
    elif isinstance(expected, int | float) and expected is not None:
        if told is None or not math.isclose(
            told, expected, rel_tol=EXACT, abs_tol=1e-9
        ):
            yield f"{path}: {told} instead of {expected}"
    elif told != expected:
        yield f"{path}: {told} instead of {expected}"


MISSING = object()


def unexpected(told: Any, path: str) -> Iterator[str]:
    """Numbers below a place that was not computed again."""
    if isinstance(told, dict | list):
        parts = told.items() if isinstance(told, dict) else enumerate(told)
        for name, value in parts:
            yield from unexpected(value, f"{path}.{name}")
    elif isinstance(told, int | float) and not isinstance(told, bool):
        if not (path.endswith(".level") and told == 0.95):
            yield f"{path}: {told} is a number that no test recomputed"


# --- pieces ----------------------------------------------------------------------------


def rows_of(facts: Facts, name: dict[str, Any]) -> Facts:
    """Rows of one group."""
    for column, value in name.items():
        known = facts[column] == value
        facts = facts[facts[column].isna() if value is None else known]
    return facts


def whole(values: pandas.Series) -> int:
    return int(values.fillna(False).astype(bool).sum())


def interval(value: Any, lower: Any = None, upper: Any = None) -> dict[str, Any]:
    return {"value": value, "lower": lower, "upper": upper}


def share(events: int, total: int) -> dict[str, Any]:
    """R: ``binom.test``."""
    if total == 0:
        return interval(None)
    found = stats.binomtest(events, total).proportion_ci(method="exact")
    return interval(events / total, found.low, found.high)


def counted_share(events: int, total: int) -> dict[str, Any]:
    return {"n": events, "proportion": share(events, total)}


def rate(events: int, years: float) -> dict[str, Any]:
    """R: ``poisson.test``, by quantiles of the gamma distribution."""
    if years == 0:
        return interval(None)
    low = stats.gamma.ppf(0.025, events) if events else 0.0
    limits = (events, low, stats.gamma.ppf(0.975, events + 1))
    return interval(*(100 * limit / years for limit in limits))


def ratio_of_rates(
    events: int, years: float, others: int, other_years: float
) -> dict[str, Any]:
    """R: ``poisson.test`` of two counts."""
    if not (years and other_years and events + others):
        return interval(None) | {"p_value": None}
    found = stats.binomtest(events, events + others, years / (years + other_years))
    limits = found.proportion_ci(method="exact")
    scale = other_years / years
    every = [
        stats.binomtest(n, events + others, years / (years + other_years)).pvalue
        for n in range(events + others + 1)
    ]
    return interval(
        events / others * scale if others else None,
        limits.low / (1 - limits.low) * scale,
        limits.high / (1 - limits.high) * scale if others else None,
    ) | if_reachable(found.pvalue, min(every))


def newcombe(events: int, total: int, others: int, other_total: int) -> dict[str, Any]:
    low, high = confint_proportions_2indep(
        events, total, others, other_total, compare="diff", method="newcomb"
    )
    return interval(events / total - others / other_total, low, high)


def odds_ratio(table: list[list[int]]) -> dict[str, Any]:
    counts = np.array(table)
    if 0 in (*counts.sum(0), *counts.sum(1)):
        return interval(None)
    if counts.min() and contingency.expected_freq(counts).min() >= 5:
        found = Table2x2(counts)
        return interval(found.oddsratio, *found.oddsratio_confint())
    exact = contingency.odds_ratio(counts, kind="conditional")
    low, high = exact.confidence_interval()
    return interval(finite(exact.statistic), low, finite(high))


def finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def test_of_table(table: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Fisher where a count below 5 is expected, else Pearson."""
    counts = np.array(table)
    counts = counts[counts.sum(1) > 0][:, counts.sum(0) > 0]
    if min(counts.shape) < 2:
        return {"p_value": None}
    if contingency.expected_freq(counts).min() >= 5:
        found = stats.chi2_contingency(counts, correction=False)
        return {
            "p_value": found.pvalue,
            "statistic": found.statistic,
            "df": found.dof,
        }
    if counts.shape == (2, 2):
        every = [stats.fisher_exact(other).pvalue for other in same_margins(counts)]
        return if_reachable(stats.fisher_exact(counts).pvalue, min(every))
    drawn = stats.MonteCarloMethod(
        n_resamples=RANDOM_TABLES, rng=np.random.default_rng(1)
    )
    sampled = float(np.squeeze(stats.fisher_exact(counts, method=drawn).pvalue))
    return {
        "p_value": or_unreachable(near(sampled, RANDOM_TABLES)),
        "smallest_p": is_share,
    }


def same_margins(counts: Any) -> Iterator[Any]:
    """All tables of two by two with the margins of this one."""
    (a, b), (c, d) = counts.tolist()
    for moved in range(-min(a, d), min(b, c) + 1):
        yield np.array([[a + moved, b - moved], [c - moved, d + moved]])


def if_reachable(p_value: float, smallest: float) -> dict[str, Any]:
    """No p at all, where the margins allow none up to 0.05."""
    told = p_value if smallest <= 0.05 * (1 + 1e-9) else None
    return {"p_value": told, "smallest_p": smallest}


def near(expected: float, draws: int | None = None) -> Callable[[Any], bool]:
    """Equal, or as near as a share of so many draws (on either side) can be."""

    def is_near(told: Any) -> bool:
        error = (
            math.sqrt(max(expected * (1 - expected), 1e-4) * 2 / draws) if draws else 0
        )
        return told is not None and abs(told - expected) <= max(6 * error, 1e-9)

    return is_near


def or_unreachable(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """No p at all, where the margins allow none up to 0.05."""
    return lambda told: told is None or check(told)


def is_share(told: Any) -> bool:
    return told is None or 0 <= told <= 1


def day_of(time: float, days: Sequence[float]) -> int:
    return int(np.searchsorted(days, time, side="right")) - 1


# --- shares ----------------------------------------------------------------------------


def comparison_of_shares(groups: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Test and differences, from recomputed groups."""
    used = [group for group in groups if group["known"] and group["assessed"]]
    if len(used) < 2:
        return {"test": {"p_value": None}, "differences": []}
    pairs = [(group["events"], group["assessed"]) for group in used]
    return {
        "test": test_of_table([[n, total - n] for n, total in pairs]),
        "differences": [
            {"group": group["group"], "reference": used[0]["group"]}
            | {"difference": newcombe(*pair, *pairs[0])}
            for group, pair in zip(used[1:], pairs[1:], strict=True)
        ],
    }


def improvement(rows: Facts, window: str) -> dict[str, Any]:
    rows = rows[rows.has_operation]
    seen = rows[rows[f"mmcs_change_{window}"].notna()]
    changes = Counter(seen[f"mmcs_change_{window}"])
    improved, worse, assessed = changes["improved"], changes["worse"], len(seen)
    able = int((seen.mmcs_preop != 1).sum())
    shifts = Counter(zip(seen.mmcs_preop, seen[f"mmcs_{window}"], strict=True))
    sign = {"p_value": None}
    if improved + worse:
        changed = improved + worse
        sign = if_reachable(
            stats.binomtest(improved, changed).pvalue,
            stats.binomtest(0, changed).pvalue,
        ) | {
            "statistic": improved,
            "forward": improved,
            "backward": worse,
            "unchanged": changes["unchanged"],
        }
    return {
        "n": len(rows),
        "assessed": assessed,
        "events": improved,
        **{name: changes[name] for name in ("improved", "unchanged", "worse")},
        "proportion": share(improved, assessed),
        "proportion_worse": share(worse, assessed),
        "able_to_improve": able,
        "proportion_of_able": share(improved, able),
        "shift": [
            {"before": before, "after": after, "n": n}
            for (before, after), n in sorted(shifts.items())
        ],
        "sign_test": sign,
        "joa_recovery": recovery(rows, window),
    }


def recovery(rows: Facts, window: str) -> dict[str, Any]:
    both = rows[
        rows.joa_total_preop.notna()
        & rows[f"joa_total_{window}"].notna()
        & (rows.joa_region_preop == rows[f"joa_region_{window}"])
    ]
    rates = rows[f"joa_recovery_rate_{window}"].dropna().astype(float)
    low, middle, high = (
        rates.quantile(part) if len(rates) else None for part in (0.25, 0.5, 0.75)
    )
    return {
        "assessed": len(both),
        "defined": len(rates),
        "at_ceiling": len(both) - len(rates),
        "quartile_1": low,
        "median": middle,
        "quartile_3": high,
    }


PAIN_SITES = ("none", "local", "segmental", "below_level", "mixed")
PAIN_COURSES = ("persistent", "new", "resolved", "never", "before_unknown")
PAIN_WINDOWS = ("m3", "m6", "m12", "m24", "m60", "last")


def residual_pain(rows: Facts, window: str, site: str) -> dict[str, Any]:
    rows = rows[rows.has_operation]
    visits = {name: pain_at(rows, name, site) for name in PAIN_WINDOWS}
    return {"n": len(rows), **visits[window], "visits": visits}


def pain_at(rows: Facts, window: str, asked: str) -> dict[str, Any]:
    seen = rows[rows[f"residual_pain_{window}"].notna()]
    sites, assessed = Counter(seen[f"residual_pain_{window}"]), len(seen)
    at_site = {s: whole(rows[f"residual_{s}_pain_{window}"]) for s in PAIN_SITES[1:4]}
    events = {**sites, **at_site, "any": assessed - sites["none"]}
    worst = rows[f"residual_pain_nrs_{window}"].dropna()
    courses = Counter(rows[f"segmental_pain_course_{window}"].dropna())
    return {
        "assessed": assessed,
        "events": events.get(asked, 0),
        "proportion": share(events.get(asked, 0), assessed),
        "any": counted_share(events["any"], assessed),
        "sites": {s: counted_share(sites[s], assessed) for s in PAIN_SITES},
        "at_site": {s: counted_share(n, assessed) for s, n in at_site.items()},
        "nrs_4_or_more": counted_share(int((worst >= 4).sum()), len(worst)),
        "segmental_course": {code: courses[code] for code in PAIN_COURSES},
    }


# --- MRI, volume -----------------------------------------------------------------------


def mri_features(rows: Facts, features: dict[str, list[Any]]) -> dict[str, Any]:
    return {
        "n": len(rows),
        "assessed": whole(rows.has_preop_mri),
        "features": {
            name: feature(rows[name].dropna().tolist(), codes)
            for name, codes in features.items()
        },
    }


def feature(values: list[Any], codes: list[Any]) -> dict[str, Any]:
    counts = {code: values.count(code) for code in codes}
    total = sum(counts.values())
    named = {str(c).lower() if isinstance(c, bool) else c: n for c, n in counts.items()}
    return {
        "assessed": total,
        "categories": {code: counted_share(n, total) for code, n in named.items()},
    }


def tests_of_features(
    groups: Sequence[dict[str, Any]], told: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """A test a feature; Holm's adjustment of the p values that were told."""
    known = [group for group in groups if group["known"]]
    family = [test["p_value"] for test in told if test["p_value"] is not None]
    adjusted = iter(multipletests(family, method="holm")[1] if family else [])
    return {
        "test": {"p_value": None, "family_size": len(family)},
        "tests": [
            test_of_feature(test["feature"], known)
            | {"p_holm": None if test["p_value"] is None else next(adjusted)}
            for test in told
        ],
    }


def test_of_feature(name: str, groups: Sequence[dict[str, Any]]) -> dict[str, Any]:
    used = [group for group in groups if group["features"][name]["assessed"]]
    if len(used) < 2:
        return {"p_value": None, "contrasts": []}
    cells = [
        {code: told["n"] for code, told in g["features"][name]["categories"].items()}
        for g in used
    ]
    totals = [sum(counts.values()) for counts in cells]
    contrasts = [
        {
            "group": used[place]["group"],
            "reference": used[0]["group"],
            "category": code,
            "difference": newcombe(n, totals[place], cells[0][code], totals[0]),
            "odds_ratio": odds_ratio(
                [[n, totals[place] - n], [cells[0][code], totals[0] - cells[0][code]]]
            ),
        }
        for place in range(1, len(used))
        for code, n in cells[place].items()
        if n + cells[0][code]
    ]
    table = [list(counts.values()) for counts in cells]
    return test_of_table(table) | {"contrasts": contrasts}


def volume(rows: Facts) -> dict[str, Any]:
    years = Counter(rows.surgery_year.dropna().astype(int))
    unknown = int(rows.surgery_year.isna().sum())
    told = [{"year": year, "n": n} for year, n in sorted(years.items())]
    return {
        "n": len(rows),
        "operated": whole(rows.has_operation),
        "years": told + ([{"year": None, "n": unknown}] if unknown else []),
    }
