"""Sets of row numbers as inclusive spans, sorted and apart from each other.

``[(1, 4), (6, 6)]`` is 1, 2, 3, 4 and 6. A span may be as long as a bigint is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

Span = tuple[int, int]


def spans_of(numbers: Iterable[int]) -> list[Span]:
    """The spans of ascending numbers."""
    spans: list[Span] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return spans


def without(spans: Iterable[Span], taken: Sequence[Span]) -> list[Span]:
    """What is left of the spans when the others are taken out."""
    left: list[Span] = []
    place = 0
    for first, last in spans:
        while place < len(taken) and taken[place][1] < first:
            place += 1
        ahead = place
        while ahead < len(taken) and taken[ahead][0] <= last:
            start, stop = taken[ahead]
            if first < start:
                left.append((first, start - 1))
            first = max(first, stop + 1)
            ahead += 1
        if first <= last:
            left.append((first, last))
    return left


def numbers_in(spans: Iterable[Span]) -> Iterator[int]:
    """Each number of the spans."""
    for first, last in spans:
        yield from range(first, last + 1)


def size(spans: Iterable[Span]) -> int:
    """How many numbers there are."""
    return sum(last - first + 1 for first, last in spans)


def in_words(span: Span) -> str:
    """``7`` or ``7 to 12``."""
    first, last = span
    return str(first) if first == last else f"{first} to {last}"
