"""Rules between the visits of a case (R46, R49, R55, R56, R60): shown, and refused to nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from django.utils.translation import gettext_lazy as _

from cases.rules.rows import SURGERY, index_of
from outcomes.choices import PainSite
from outcomes.rules.rows import RETURNS, VISIT, is_before
from outcomes.windows import AFTER, LAST, RESIDUAL_PAIN_FROM_DAY
from registry.days import days_between
from registry.levels import VERTEBRAL_ORDINAL, LevelError, parse_level_range
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


def _too_early_for_residual_pain(rows: PatientRows) -> Iterator[Breach]:
    """Pain is told at a visit of follow-up, and at none that is late enough."""
    for case in rows.of("case"):
        index = index_of(rows, case.pk)
        if index is None or index["surgery_date"] is None:
            continue
        days = {
            visit: days_between(index["surgery_date"], visit["visit_date"], at_least=0)
            for visit in rows.of("visit", case.pk)
            if visit["visit_date"]
            and visit["visit_type"] in RETURNS
            and visit["pain_present"] is not None
        }
        last = max(days, key=lambda visit: (days[visit], visit.pk), default=None)
        if last is not None and days[last] < RESIDUAL_PAIN_FROM_DAY:
            named = {"day": shown(last, "visit_date"), "days": days[last]}
            least = {"least": RESIDUAL_PAIN_FROM_DAY}
            yield Breach((last, index), named | least)


# Segmental pain lies in the dermatomes of the tumour, or in up to three below.
BELOW_TUMOUR = 3


def _segmental_elsewhere(rows: PatientRows) -> Iterator[Breach]:
    for case, visit in rows.pairs("case", "visit"):
        top, bottom = case["level_rostral_ordinal"], case["level_caudal_ordinal"]
        sites = visit["pain_distribution"] or ()
        ends = _ordinals(visit["pain_levels"])
        if (
            is_before(visit)
            or PainSite.SEGMENTAL not in sites
            or ends is None
            or None in (top, bottom)
        ):
            continue
        if ends[1] < top or ends[0] > bottom + BELOW_TUMOUR:
            tumour = f"{case['level_rostral']}–{case['level_caudal']}"
            yield Breach((visit, case), {"pain": visit["pain_levels"], "at": tumour})


def _ordinals(text: str | None) -> tuple[int, int] | None:
    """Places of the first and last dermatome; None where the text names no range."""
    try:
        first, last = parse_level_range(text or "")
    except LevelError:
        return None
    # The segment C8 stands in the place of T1, as in the database.
    places = [
        VERTEBRAL_ORDINAL.get(each, VERTEBRAL_ORDINAL["T1"]) for each in (first, last)
    ]
    return places[0], places[1]


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
    CrossRule(
        "R55",
        "too_early_for_residual_pain",
        _(
            "Pain is told on %(day)s, %(days)s days after the operation, and at no later "
            "visit: residual pain counts from day %(least)s."
        ),
        {"visit": (*VISIT, "pain_present"), "operation": SURGERY},
        _too_early_for_residual_pain,
        Severity.WARNING,
    ),
    CrossRule(
        "R56",
        "segmental_pain_elsewhere",
        _(
            "Segmental pain at %(pain)s lies neither at the tumour, %(at)s, nor in the "
            "three dermatomes below it."
        ),
        {
            "visit": ("pain_levels", "pain_distribution", "visit_type"),
            "case": (
                "level_rostral",
                "level_caudal",
                "level_rostral_ordinal",
                "level_caudal_ordinal",
            ),
        },
        _segmental_elsewhere,
        Severity.WARNING,
    ),
)
