"""Which features of the pre-operative MRI tell the groups apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, QuerySet

from outcomes.measures.base import (
    WHOLE,
    Cells,
    ComparedByCells,
    Group,
    Row,
    chosen_test,
    count,
    hide_group,
    known_groups,
    one_row_a_group,
    proportion,
    started,
)
from outcomes.measures.grouping import UNKNOWN, By, named, split_by_group
from outcomes.models.fact_column import Kind
from outcomes.models.fact_columns import COLUMN_BY_NAME
from outcomes.stats.proportions import newcombe_difference
from outcomes.stats.ratios import chosen_odds_ratio
from outcomes.stats.result import not_estimable
from outcomes.stats.tables import FISHER, holm

FEATURES = (
    "t1_signal",
    "t2_signal",
    "enhancement",
    "border",
    "margin_demarcation",
    "oedema_present",
    "syrinx",
    "cyst",
    "haemosiderin",
    "cord_displacement",
    "csf_cleft_or_meniscus",
)
YES_NO: tuple[tuple[str, bool], ...] = (("true", True), ("false", False))


def categories(feature: str) -> tuple[tuple[str, Any], ...]:
    """Codes of a feature as shown and as stored; what could not be read is left out."""
    column = COLUMN_BY_NAME[feature]
    if column.kind == Kind.FLAG:
        return YES_NO
    return tuple((code, code) for code, _label in column.values if code not in UNKNOWN)


CELLS = tuple(
    (feature, code, stored)
    for feature in FEATURES
    for code, stored in categories(feature)
)


class MriFeatures(ComparedByCells):
    """Of all cases, those with a pre-operative MRI being assessed."""

    name = "mri-features"
    # Some thirty categories of each group are compared with those of the first.
    groups_at_once = 12
    windows: tuple[str, ...] = ()
    default_window = ""

    def reduce(self, facts: QuerySet[Any], by: By, window: str) -> list[Row]:
        """One row of counts a group: cases, with MRI, each feature's categories."""
        numbered = {
            f"count_{place}": count(**{feature: stored})
            for place, (feature, _code, stored) in enumerate(CELLS)
        }
        with_mri = count(has_preop_mri=True)
        return one_row_a_group(facts, by, n=Count("pk"), with_mri=with_mri, **numbered)

    def conclude(self, rows: Sequence[Row], by: By, window: str) -> dict[str, Any]:
        groups = [
            _group(named(key, by), part[0]) for key, part in split_by_group(rows, by)
        ]
        return {
            "n_cases": sum(group["n"] for group in groups),
            "groups": groups,
            **_tests(known_groups(groups)),
        }

    def cells(self, group: Group) -> Cells:
        found = {WHOLE: [group["assessed"], group["n"] - group["assessed"]]}
        for feature, told in group["features"].items():
            numbers = [item["n"] for item in told["categories"].values()]
            found[feature] = [*numbers, group["assessed"] - told["assessed"]]
        return found

    def hide(self, group: Group, part: str) -> None:
        if part != WHOLE:
            group["features"][part] = {"suppressed": True}
            return
        hide_group(group)

    def limit(self, group: Group) -> None:
        """Everything is covered by the cells."""


def _group(name: dict[str, Any], numbers: Row) -> Group:
    counted: dict[str, dict[str, int]] = {feature: {} for feature in FEATURES}
    for (feature, code, _stored), n in zip(CELLS, numbers[2:], strict=True):
        counted[feature][code] = n
    return {
        **started(name),
        "n": numbers[0],
        "assessed": numbers[1],
        "features": {feature: _feature(told) for feature, told in counted.items()},
    }


def _feature(counted: dict[str, int]) -> dict[str, Any]:
    assessed = sum(counted.values())
    return {
        "assessed": assessed,
        "categories": {
            code: {"n": n, "proportion": proportion(n, assessed)}
            for code, n in counted.items()
        },
    }


def _tests(groups: Sequence[Group]) -> dict[str, Any]:
    """One test a feature, the p values adjusted for their number (Holm)."""
    tests = [_test(feature, groups) for feature in FEATURES]
    adjusted = holm([test["p_value"] for test in tests])
    for test, p_value in zip(tests, adjusted.p_values, strict=True):
        test["p_holm"] = p_value
    return {
        "test": {
            "name": "a test for each feature, adjusted by Holm",
            "estimable": adjusted.family_size > 0,
            "p_value": None,
            "reason": None
            if adjusted.family_size
            else "fewer than two groups were assessed",
            "family_size": adjusted.family_size,
        },
        "tests": tests,
    }


def _test(feature: str, groups: Sequence[Group]) -> dict[str, Any]:
    usable = [group for group in groups if group["features"][feature]["assessed"]]
    if len(usable) < 2:
        test = not_estimable(FISHER, "fewer than two groups were assessed")
        return {
            "feature": feature,
            **test.to_json(),
            "separation": None,
            "contrasts": [],
        }
    table = [_numbers(group, feature) for group in usable]
    return {
        "feature": feature,
        **chosen_test(table),
        "contrasts": [
            contrast
            for group in usable[1:]
            for contrast in _contrasts(feature, group, usable[0])
        ],
    }


def _numbers(group: Group, feature: str) -> list[int]:
    return [item["n"] for item in group["features"][feature]["categories"].values()]


def _contrasts(feature: str, group: Group, first: Group) -> list[dict[str, Any]]:
    """Each category against the others: difference of shares and odds ratio."""
    found = []
    codes = list(group["features"][feature]["categories"])
    totals = [g["features"][feature]["assessed"] for g in (group, first)]
    pairs = zip(_numbers(group, feature), _numbers(first, feature), strict=True)
    for code, (n, n_first) in zip(codes, pairs, strict=True):
        if n + n_first == 0:
            continue
        table = [[n, totals[0] - n], [n_first, totals[1] - n_first]]
        found.append(
            {
                "category": code,
                "group": group["group"],
                "reference": first["group"],
                "difference": newcombe_difference(
                    n, totals[0], n_first, totals[1]
                ).to_json(),
                "odds_ratio": chosen_odds_ratio(table).to_json(),
            }
        )
    return found


MRI_FEATURES = MriFeatures()
