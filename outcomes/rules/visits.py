"""Rules between the visits of a case (R46, R49, R60): shown, and refused to nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from django.utils.translation import gettext_lazy as _

from cases.rules.rows import SURGERY, index_of
from outcomes.rules.rows import VISIT
from outcomes.windows import AFTER, LAST
from registry.days import days_between
from registry.rules import Breach, CrossRule, PatientRows, Row, Severity, shown


def _differ(name: str) -> Callable[[PatientRows], Iterator[Breach]]:
    """Two visits of a case differ in a form of which the scores are never compared."""

    def breaks(rows: PatientRows) -> Iterator[Breach]:
        for case in rows.of("case"):
            by_form: dict[str, Row] = {}
            for visit in rows.of("visit", case.pk):
                if visit[name]:
                    by_form.setdefault(visit[name], visit)
            if len(by_form) > 1:
                yield Breach(tuple(by_form.values()))

    return breaks


def _same_window(rows: PatientRows) -> Iterator[Breach]:
    for case in rows.of("case"):
        index = index_of(rows, case.pk)
        operated = index["surgery_date"] if index else None
        for one, other in combinations(rows.of("visit", case.pk), 2):
            if not operated or not one["visit_date"] or not other["visit_date"]:
                continue
            windows = [
                window
                for window in AFTER
                if window is not LAST
                and all(
                    window.opens
                    <= days_between(operated, visit["visit_date"], at_least=0)
                    <= window.closes
                    for visit in (one, other)
                )
            ]
            if windows:
                days = (shown(one, "visit_date"), shown(other, "visit_date"))
                named = {"one": days[0], "other": days[1]}
                yield Breach((one, other), {**named, "window": windows[0].label})


RULES = (
    CrossRule(
        "R46",
        "joa_form_changes",
        _("JOA forms differ between visits; their points are not compared."),
        {"visit": ("joa_region",)},
        _differ("joa_region"),
        Severity.WARNING,
    ),
    CrossRule(
        "R49",
        "mccormick_version_changes",
        _("McCormick versions differ between visits; their grades are not compared."),
        {"visit": ("mmcs_version",)},
        _differ("mmcs_version"),
        Severity.WARNING,
    ),
    CrossRule(
        "R60",
        "same_window",
        _("Visits of %(one)s and %(other)s both fill the window “%(window)s”."),
        {"visit": VISIT, "operation": SURGERY},
        _same_window,
        Severity.WARNING,
    ),
)
