"""What happened to a score: improved, unchanged or worse, and the recovery rate.

Two versions of a scale are never compared: the pair gets a reason instead of a
verdict. Recovery rate: Hirabayashi 1981, Spine 6:354.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

from outcomes.stats.checks import as_number, check_count
from outcomes.stats.errors import StatError
from outcomes.stats.means import quartiles
from outcomes.stats.proportions import clopper_pearson
from outcomes.stats.result import Interval, Result
from outcomes.stats.scales import Scale, scale_of

Verdict = Literal["improved", "unchanged", "worse"]
Rule = Literal["important", "any"]
ScoreValue = float | str

NOT_ASSESSED = "not assessed at both visits"
OTHER_VERSION = "scored with different versions of the scale"
AT_CEILING = "at ceiling before the operation"

# Lower bounds of the recovery-rate classes in percent; the names are convention.
RECOVERY_CLASSES: tuple[tuple[str, float], ...] = (
    ("excellent", 75.0),
    ("good", 50.0),
    ("fair", 25.0),
    ("poor", 0.0),
)
RECOVERY_WORSE = "worse"
SCALES_WITH_RECOVERY_RATE = frozenset(
    {
        "joa_cervical_1975",
        "joa_cervical_1994_rev",
        "joa_thoracic",
        "joa_lumbar",
        "mjoa_benzel",
    }
)

_HALF_STEPS = (0.0, 0.5, 1.0, 1.5, 2.0)
_WHOLE_TO_2 = (0.0, 1.0, 2.0)
_WHOLE_TO_3 = (0.0, 1.0, 2.0, 3.0)
_WHOLE_TO_4 = (0.0, 1.0, 2.0, 3.0, 4.0)
JOA_ITEMS: dict[str, dict[str, tuple[float, ...]]] = {
    "joa_cervical_1975": {
        "ue_motor": _WHOLE_TO_4,
        "le_motor": _WHOLE_TO_4,
        "ue_sens": _WHOLE_TO_2,
        "le_sens": _WHOLE_TO_2,
        "trunk_sens": _WHOLE_TO_2,
        "bladder": _WHOLE_TO_3,
    },
    "joa_cervical_1994_rev": {
        "ue_motor": _WHOLE_TO_4,
        "shoulder": (-2.0, -1.0, -0.5, 0.0),
        "le_motor": (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0),
        "ue_sens": _HALF_STEPS,
        "le_sens": _HALF_STEPS,
        "trunk_sens": _HALF_STEPS,
        "bladder": _WHOLE_TO_3,
    },
    "joa_thoracic": {
        "le_motor": _WHOLE_TO_4,
        "le_sens": _WHOLE_TO_2,
        "trunk_sens": _WHOLE_TO_2,
        "bladder": _WHOLE_TO_3,
    },
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Score(Result):
    """A value on one version of a scale; None was not assessed."""

    scale: str
    value: ScoreValue | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Change(Result):
    """The verdict on two scores, or the reason why there is none.

    ``gain`` counts points towards health whatever the direction of the scale.
    """

    verdict: Verdict | None
    gain: float | None
    method: str
    reason: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChangeSummary(Result):
    """How many improved, among all and among those who could improve.

    ``able_to_improve`` leaves out patients whose first value is so near full health
    that even full health would not count as improved (``at_best`` is part of them);
    ``at_worst`` could not get worse. ``excluded`` pairs lacked a value.
    """

    method: str
    assessed: int
    excluded: int
    improved: int
    unchanged: int
    worse: int
    at_best: int
    at_worst: int
    able_to_improve: int
    improved_share: Interval
    improved_share_of_able: Interval
    worse_share: Interval


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecoveryRate(Result):
    """Recovery in percent of what could be recovered; unrounded and unbounded below.

    ``percent`` is None at ceiling, without both values, or between different forms;
    ``reason`` then says which.
    """

    percent: float | None
    category: str | None
    maximum: float
    method: str = "Hirabayashi recovery rate"
    reason: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecoverySummary(Result):
    """Median and quartiles (type 7) of the defined rates, and how many were not."""

    defined: int
    at_ceiling: int
    not_assessed: int
    different_forms: int
    median: float | None
    quartile_1: float | None
    quartile_3: float | None
    categories: dict[str, int]
    method: str = "Hirabayashi recovery rate; median and quartiles of type 7"


def change(
    scale: str,
    before: ScoreValue | None,
    after: ScoreValue | None,
    rule: Rule = "important",
) -> Verdict | None:
    """The verdict by the scale's rule; None where a value is missing.

    With ``rule="any"`` every movement counts. Values outside the scale raise StatError.
    """
    definition = scale_of(scale)
    if rule not in get_args(Rule):
        raise StatError(f"rule is important or any, not {rule!r}")
    values = [definition.number(v) for v in (before, after) if v is not None]
    if len(values) < 2:
        return None
    return _verdict(definition, values[0], values[1], rule)


def assess_change(before: Score, after: Score, rule: Rule = "important") -> Change:
    """The verdict, the gain and the rule; a reason across versions of a scale."""
    first, second = scale_of(before.scale), scale_of(after.scale)
    method = "any movement" if rule == "any" else first.rule
    if first != second:
        return Change(verdict=None, gain=None, method=method, reason=OTHER_VERSION)
    verdict = change(first.key, before.value, after.value, rule)
    if verdict is None or before.value is None or after.value is None:
        return Change(verdict=None, gain=None, method=method, reason=NOT_ASSESSED)
    gain = first.gain(before.value, after.value)
    return Change(verdict=verdict, gain=gain, method=method)


def able_to_improve(scale: str, before: ScoreValue, rule: Rule = "important") -> bool:
    """Whether reaching full health would count as improved; false near the ceiling."""
    return change(scale, before, scale_of(scale).best, rule) == "improved"


def count_shifts(
    before: Sequence[ScoreValue | None], after: Sequence[ScoreValue | None]
) -> Counter[tuple[ScoreValue | None, ScoreValue | None]]:
    """Rows of one scale as a shift table: how many went from which value to which."""
    if len(before) != len(after):
        raise StatError(f"lengths differ: before {len(before)}, after {len(after)}")
    return Counter(zip(before, after, strict=True))


def summarise_changes(
    scale: str,
    shifts: Mapping[tuple[ScoreValue | None, ScoreValue | None], int],
    rule: Rule = "important",
    level: float = 0.95,
) -> ChangeSummary:
    """Counts and shares, with exact limits, of a shift table (first value, second value) -> count."""
    definition = scale_of(scale)
    found: Counter[str] = Counter()
    for (before, after), count in shifts.items():
        count = check_count(count, f"count of {before!r} to {after!r}")
        verdict = change(scale, before, after, rule)
        if verdict is None or before is None:
            found["excluded"] += count
            continue
        found[verdict] += count
        found["able"] += count * able_to_improve(scale, before, rule)
        found["at_best"] += count * (definition.number(before) == definition.best)
        found["at_worst"] += count * (definition.number(before) == definition.worst)
    assessed = found["improved"] + found["unchanged"] + found["worse"]
    return ChangeSummary(
        method="any movement" if rule == "any" else definition.rule,
        assessed=assessed,
        excluded=found["excluded"],
        improved=found["improved"],
        unchanged=found["unchanged"],
        worse=found["worse"],
        at_best=found["at_best"],
        at_worst=found["at_worst"],
        able_to_improve=found["able"],
        improved_share=clopper_pearson(found["improved"], assessed, level),
        improved_share_of_able=clopper_pearson(found["improved"], found["able"], level),
        worse_share=clopper_pearson(found["worse"], assessed, level),
    )


def joa_total(scale: str, items: Mapping[str, float | None]) -> float | None:
    """Sum of the items of a JOA form; None when any item is blank.

    Raises StatError for an item the form does not have or a value it does not allow.
    """
    key = scale_of(scale).key
    if key not in JOA_ITEMS:
        raise StatError(f"the items of {scale!r} are not known")
    allowed = JOA_ITEMS[key]
    scored = {}
    for item, value in items.items():
        if item not in allowed:
            raise StatError(f"{item!r} is not an item of {scale!r}")
        if value is not None:
            scored[item] = as_number(value, item)
            if scored[item] not in allowed[item]:
                raise StatError(f"{item} cannot be {value!r} in {scale!r}")
    return sum(scored.values()) if len(scored) == len(allowed) else None


def joa_recovery_rate(
    scale: str,
    before: float | None,
    after: float | None,
    *,
    scale_after: str | None = None,
    classes: Sequence[tuple[str, float]] = RECOVERY_CLASSES,
) -> RecoveryRate:
    """(after - before) / (maximum - before) x 100 for a JOA form or the modified JOA.

    ``scale_after`` names the form of the second score where it may differ. ``classes``
    are (name, lower bound in percent) from the best class down.
    """
    form = _recovery_form(scale)
    other = form if scale_after is None else _recovery_form(scale_after)
    first = None if before is None else form.number(before)
    second = None if after is None else other.number(after)
    if form != other:
        return _no_rate(form, OTHER_VERSION)
    if first is None or second is None:
        return _no_rate(form, NOT_ASSESSED)
    if first == form.highest:
        return _no_rate(form, AT_CEILING)
    percent = 100 * (second - first) / (form.highest - first)
    category = next(
        (name for name, bound in classes if percent >= bound), RECOVERY_WORSE
    )
    return RecoveryRate(percent=percent, category=category, maximum=form.highest)


def summarise_recovery_rates(rates: Iterable[RecoveryRate]) -> RecoverySummary:
    """The median, because the rate is unbounded below (16 to 4 of 17 is -1200 %)."""
    rates = list(rates)
    defined = [rate.percent for rate in rates if rate.percent is not None]
    reasons = Counter(rate.reason for rate in rates)
    middle = quartiles(defined)
    return RecoverySummary(
        defined=len(defined),
        at_ceiling=reasons[AT_CEILING],
        not_assessed=reasons[NOT_ASSESSED],
        different_forms=reasons[OTHER_VERSION],
        quartile_1=middle.quartile_1,
        median=middle.median,
        quartile_3=middle.quartile_3,
        categories=dict(Counter(rate.category for rate in rates if rate.category)),
    )


def _verdict(scale: Scale, before: float, after: float, rule: Rule) -> Verdict:
    gain = scale.gain(before, after)
    if rule == "any":
        return "improved" if gain > 0 else "worse" if gain < 0 else "unchanged"
    percent = scale.improved_from_percent
    # Multiplied out, so that 7 of 10 is 30 % without a rounding error.
    by_percent = percent is not None and gain > 0 and 100 * gain >= percent * before
    if gain >= scale.improved_from or by_percent:
        return "improved"
    return "worse" if -gain >= scale.worse_from else "unchanged"


def _recovery_form(scale: str) -> Scale:
    form = scale_of(scale)
    if form.key not in SCALES_WITH_RECOVERY_RATE:
        raise StatError(f"{scale!r} has no recovery rate")
    return form


def _no_rate(form: Scale, reason: str) -> RecoveryRate:
    return RecoveryRate(
        percent=None, category=None, maximum=form.highest, reason=reason
    )
