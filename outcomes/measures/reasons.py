"""Why a result is not given: a code for machines beside the sentence for people.

The statistics say it in a sentence, which may change and hold numbers; the code is the
part that programs may rely on.
"""

from __future__ import annotations

from typing import Any

# Code, and how the sentences of the statistics begin that mean it.
CODES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("p_unreachable", ("too little was observed",)),
    ("no_events", ("no events",)),
    ("never_together", ("no day with an event",)),
    ("too_few_for_variance", ("the groups are too small for",)),
    ("one_group", ("fewer than two groups were assessed", "only one group or one cat")),
    ("no_follow_up", ("fewer than two groups have follow-up",)),
    ("no_time", ("no person-time",)),
    ("infinite", ("infinite",)),
    ("undefined", ("undefined",)),
    ("no_limits", ("a zero cell", "too few values for limits")),
    ("too_many_observations", ("too many observations",)),
    ("no_change", ("no change", "no pair differs", "all values are equal")),
    ("no_values", ("no pair has both values", "a group has no values")),
    ("one_value", ("a group has fewer than 2", "the values do not vary")),
    ("no_such_test", ("no test for pairs",)),
    ("not_compared", ("counts of cases are not compared",)),
)
OTHER = "other"
# Estimates that no statistic gives a reason for.
WITHOUT_WORDS = {
    "not_followed_so_long": "nobody was followed so long",
    "not_reached": "not reached",
    "nothing_observed": "nothing was observed",
}


def code_of(sentence: str) -> str:
    """The code of a sentence of the statistics; ``other`` for one that has none."""
    for code, beginnings in CODES:
        if sentence.startswith(beginnings):
            return code
    return OTHER


def with_codes(found: Any) -> Any:
    """An answer in which every missing result has a sentence and a code."""
    if isinstance(found, list):
        return [with_codes(part) for part in found]
    if not isinstance(found, dict):
        return found
    told = {name: with_codes(part) for name, part in found.items()}
    if isinstance(told.get("reason"), str):
        return told | {"reason_code": code_of(told["reason"])}
    if "method" in told and "value" in told and told["value"] is None:
        code = _of_estimate(told)
        return told | {"reason": WITHOUT_WORDS[code], "reason_code": code}
    return told


def _of_estimate(told: dict[str, Any]) -> str:
    if told.get("reached") is False:
        return "not_reached"
    return "not_followed_so_long" if "day" in told else "nothing_observed"
