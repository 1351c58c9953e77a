"""What the dashboard asks of the summaries."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from outcomes.asking import BeingComputed, answer
from outcomes.reading import POOL, reads_pool_whole
from outcomes.views.figure_words import Payload

# What the page asks: measure, grouping, window.
QUESTIONS = {
    "volume": ("volume", "compartment", ""),
    "recurrence": ("recurrence", "compartment", ""),
    "progression": ("progression", "eor_final", ""),
    "progression_all": ("progression", "", ""),
    "improvement": ("improvement", "compartment", "m12"),
    "improvement_all": ("improvement", "", "m12"),
    "pain": ("residual-pain", "compartment", "m12"),
}


def answers(user: Any, scope: str, filters: dict[str, str]) -> dict[str, Payload]:
    """The answer to each question, without those that a worker is still at.

    Raises ValidationError for wrong filters.
    """
    return answered(user, scope, filters, QUESTIONS)


def answered(
    user: Any, scope: str, filters: dict[str, str], names: Iterable[str]
) -> dict[str, Payload]:
    found: dict[str, Payload] = {}
    for name in names:
        with suppress(BeingComputed):
            found[name] = ask(user, scope, filters, *QUESTIONS[name])
    return found


def of_all(user: Any, scope: str, filters: dict[str, str]) -> dict[str, Payload]:
    """The same for all centres, to stand beside those of one; none where they may not
    be narrowed alike."""
    if scope == POOL or (filters and not reads_pool_whole(user)):
        return {}
    wanted = ("progression_all", "improvement_all")
    found = answered(user, POOL, filters, wanted)
    return found if len(found) == len(wanted) else {}


def ask(
    user: Any, scope: str, filters: dict[str, str], measure: str, by: str, window: str
) -> Payload:
    """The numbers by group; of all together where every single group is hidden."""
    payload = answer(user, measure, by, filters, scope=scope, window=window)
    hidden = all(group.get("suppressed") for group in payload["groups"])
    if by and payload["groups"] and hidden and measure != "volume":
        payload = answer(user, measure, (), filters, scope=scope, window=window)
        payload["suppressed"] = True
    return payload
