"""Rules between the rows of the operation, by the ids of the data-quality table.

The words speak of both rows alike: they stand at whichever of the two was saved.
Where the table is stricter than a ward can be, docs/decisions/0011 says so.
"""

from cases.rules import days, resection
from cases.rules.rows import KINDS

RULES = (*days.RULES, *resection.RULES)

__all__ = ["KINDS", "RULES"]
