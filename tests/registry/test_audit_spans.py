"""Sets of row numbers, against Python's own sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from registry.audit.spans import in_words, numbers_in, size, spans_of, without

numbers = st.sets(st.integers(-40, 40))


@given(numbers)
def test_spans_hold_the_numbers_and_are_apart(chosen: set[int]) -> None:
    spans = spans_of(sorted(chosen))
    assert list(numbers_in(spans)) == sorted(chosen)
    assert size(spans) == len(chosen)
    for (_first, last), (following, _last) in zip(spans, spans[1:], strict=False):
        assert last + 1 < following


@given(numbers, numbers)
def test_what_is_taken_out_is_gone_and_nothing_else(
    chosen: set[int], taken: set[int]
) -> None:
    left = without(spans_of(sorted(chosen)), spans_of(sorted(taken)))
    assert set(numbers_in(left)) == chosen - taken


def test_long_spans_cost_nothing() -> None:
    assert without([(1, 2**62)], [(5, 2**61)]) == [(1, 4), (2**61 + 1, 2**62)]
    assert in_words((3, 3)) == "3"
    assert in_words((3, 9)) == "3 to 9"
