"""Rules between what happens afterwards and the rest, by the ids of the table."""

from outcomes.rules import days, events, visits
from outcomes.rules.rows import KINDS

RULES = (*days.RULES, *visits.RULES, *events.RULES)

__all__ = ["KINDS", "RULES"]
