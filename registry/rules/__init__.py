"""Rules between rows of one patient, asked from every row that they speak of.

A rule is one object: the id of the data-quality table (R01 to R75), a severity, words
and a predicate over all rows of a patient. Apps register their kinds of rows and their
rules; the write path asks them once, in one SELECT, after a row was saved and before
the transaction ends. So it makes no difference which of two rows came second, or which
of them was changed, voided or restored.

A save is refused for what it broke: a contradiction that stood before and in which the
saved row has no part stays a finding on the page and stops nobody's other work.
"""

from registry.rules.asking import (
    Change,
    Finding,
    change_of,
    check,
    findings_in,
    findings_of,
)
from registry.rules.declared import (
    KINDS,
    RULES,
    Breach,
    CrossRule,
    Kind,
    PatientRows,
    Row,
    Severity,
    add_kinds,
    add_rules,
    fields_of,
)
from registry.rules.periods import Period, ordered, period, shown
from registry.rules.rows import row_of, rows_of

__all__ = [
    "KINDS",
    "RULES",
    "Breach",
    "Change",
    "CrossRule",
    "Finding",
    "Kind",
    "PatientRows",
    "Period",
    "Row",
    "Severity",
    "add_kinds",
    "add_rules",
    "change_of",
    "check",
    "fields_of",
    "findings_in",
    "findings_of",
    "ordered",
    "period",
    "row_of",
    "rows_of",
    "shown",
]
