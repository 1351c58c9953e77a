"""Tells the apps below what this one adds: rules, required rows, verification.

Imports run one way, so the write path of ``cases`` asks registers that are filled here.
"""

from __future__ import annotations

from cases import completeness as completeness_of_cases
from cases import verification as verification_of_cases
from outcomes import completeness, verification
from outcomes import rules as outcome_rules
from outcomes.models import VitalStatus
from registry import rules


def declare() -> None:
    """Called once, when the models are there."""
    rules.add_kinds(*outcome_rules.KINDS)
    rules.add_rules(*outcome_rules.RULES)
    completeness_of_cases.REQUIRED_ROWS.extend(completeness.ROWS)
    completeness_of_cases.SECTIONS.update(completeness.SECTIONS)
    completeness_of_cases.READ_WITH.extend(completeness.READ_WITH)
    verification_of_cases.POLICIES.update(verification.POLICIES)
    verification_of_cases.CONTINUED.add(VitalStatus)
