"""A question whose answer would have very many groups is refused, not worked on."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from outcomes.measures.events import EventMeasure
from outcomes.measures.grouping import MOST_GROUPS, check_few_groups
from outcomes.summaries import compute


def test_as_many_groups_as_allowed_are_answered() -> None:
    check_few_groups([(n % MOST_GROUPS, 1) for n in range(500)], ("sex",))
    check_few_groups([(n,) for n in range(500)], ())


def test_more_groups_are_refused_before_anything_is_concluded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [(str(n), None, None, None, *[0] * 9) for n in range(MOST_GROUPS + 1)]

    def concluded(*_given: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(EventMeasure, "reduce", lambda *_given: rows)
    monkeypatch.setattr(EventMeasure, "conclude", concluded)
    with pytest.raises(ValidationError) as refused:
        compute("recurrence", "sex")
    (error,) = refused.value.error_dict["by"]
    assert error.code == "too_many_groups"
    assert "65 such groups, more than 64" in error.messages[0]
