"""Rules between dates known in part refuse what no day allows, and nothing else."""

from __future__ import annotations

from datetime import date
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from registry.days import PartialDay, first_and_last
from registry.rules import PatientRows, Row, ordered

NEAR = st.dates(date(2013, 11, 20), date(2014, 3, 10))
DAYS = st.builds(PartialDay.known, NEAR, st.sampled_from(["day", "month", "year"]))


def is_refused(earlier: PartialDay, later: PartialDay, same_day: bool) -> bool:
    rows = PatientRows(
        (
            Row("operation", 1, "OPN-1", 1, {"surgery_date": earlier}),
            Row("recurrence", 2, "REC-2", 1, {"detected_on": later}),
        )
    )
    rule = ordered(
        ("operation", "surgery_date"),
        ("recurrence", "detected_on"),
        same_day=same_day,
    )
    return bool(list(rule(rows)))


@given(DAYS, DAYS, st.booleans())
def test_refused_exactly_if_no_pair_of_days_satisfies_the_rule(
    earlier: PartialDay, later: PartialDay, same_day: bool
) -> None:
    ends = product(first_and_last(earlier), first_and_last(later))
    allowed = any(one <= other if same_day else one < other for one, other in ends)
    assert is_refused(earlier, later, same_day) == (not allowed)
