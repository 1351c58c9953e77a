"""The base of every result: frozen, comparable, serialisable to strict JSON."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

SMALLEST_P = 1e-300


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """Base class of all results; subclasses are frozen keyword-only dataclasses."""

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists, numbers, strings and None; NaN and infinities are None.

        No p value is 0: what is below 1e-300, or too small for the machine's numbers,
        is given as 1e-300 with ``p_is_bound`` true, to be read as "less than".
        """
        found = {
            field.name: jsonable(getattr(self, field.name))
            for field in dataclasses.fields(self)
        }
        p_value = found.get("p_value")
        if isinstance(p_value, float) and p_value < SMALLEST_P:
            found |= {"p_value": SMALLEST_P, "p_is_bound": True}
        return found


@dataclasses.dataclass(frozen=True, kw_only=True)
class Interval(Result):
    """An estimate with its confidence limits and the name of their method.

    ``value`` is None where the estimate is not defined; ``lower`` or ``upper`` is
    None where that limit does not exist.
    """

    value: float | None
    lower: float | None
    upper: float | None
    method: str
    level: float = 0.95


@dataclasses.dataclass(frozen=True, kw_only=True)
class TestResult(Result):
    """A hypothesis test, or the reason why it cannot be made.

    ``estimable`` is False exactly when ``p_value`` is None, and ``reason`` then says
    why in words a clinician understands. ``smallest_p`` is the smallest p that the same
    cases could have had, had they fallen otherwise; None where it was not looked for.
    """

    __test__ = False  # not a test case for pytest

    name: str
    estimable: bool
    p_value: float | None = None
    statistic: float | None = None
    df: float | None = None
    reason: str | None = None
    smallest_p: float | None = None


def not_estimable(name: str, reason: str) -> TestResult:
    """A test that was refused, with its reason."""
    return TestResult(name=name, estimable=False, reason=reason)


def finite_exp(value: float) -> float | None:
    """e to ``value``; None where a ratio is beyond the numbers of the machine."""
    return math.exp(value) if value < 700 else None


def jsonable(value: Any) -> Any:
    """``value`` as strict JSON allows it; numbers keep full precision."""
    if isinstance(value, Result):
        return value.to_json()
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [jsonable(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
