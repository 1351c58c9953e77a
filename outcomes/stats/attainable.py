"""One rule for every exact test: no p where none could have been 0.05 or less.

Given how many cases there are and what they had in common, an exact test can give only
some p values. Where the smallest of them is above 0.05 the p says how few the cases are
and nothing about the groups; the reason and that smallest p are told in its place.

Reference: Tarone 1990, Biometrics 46:515 (such tests take no part in an adjustment).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TypeVar

from outcomes.stats.result import SMALLEST_P, TestResult

REACHED = 0.05
# So much more probable is equally probable, as R and SciPy count in exact tests.
RELATIVE_TOLERANCE = 1e-7

SomeTest = TypeVar("SomeTest", bound=TestResult)


def if_reachable(test: SomeTest, smallest: float) -> SomeTest:
    """The test, without its p where ``smallest``, its smallest possible p, is too large."""
    if is_reachable(smallest):
        return dataclasses.replace(test, smallest_p=smallest)
    return dataclasses.replace(
        test,
        estimable=False,
        p_value=None,
        reason=unreachable(smallest),
        smallest_p=smallest,
    )


def is_reachable(smallest: float) -> bool:
    """Whether p can be 0.05 or less, but for rounding."""
    return smallest <= REACHED * (1 + 1e-9)


def unreachable(smallest: float) -> str:
    """Why a test was not made whose smallest possible p is ``smallest``."""
    said = f"{smallest:.2g}"
    at_best = f"just above {REACHED}" if said == f"{REACHED}" else f"{said} at best"
    return (
        "too little was observed: however these cases had fallen, p could not have "
        f"been {REACHED} or less ({at_best})"
    )


def smallest_of_signs(changed: int) -> float:
    """Of a test on the signs of so many pairs: all of one sign, or all of the other."""
    return max(min(2.0 ** (1 - changed), 1.0), SMALLEST_P)


def smallest_of_ends(log_chances: Sequence[float]) -> float:
    """Of a test that adds up outcomes at most as probable, of one mode, by both ends."""
    rarest = float(min(log_chances))
    tied = [one for one in log_chances if one <= rarest + RELATIVE_TOLERANCE]
    return max(min(sum(map(math.exp, tied)), 1.0), SMALLEST_P)
