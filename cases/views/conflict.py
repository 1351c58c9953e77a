"""Two people changed the same record: what each wrote, side by side."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.text import capfirst

from registry.days import same_day
from registry.display import reason_shown, shown_with_unit
from registry.forms import RecordForm
from registry.models import partial_days
from registry.records import BLANK, StaleVersion

NOT_CARRIED = {"csrfmiddlewaretoken", "version", "draft_version", "acknowledge"}


def conflict_context(
    form: RecordForm, posted: Any, stale: StaleVersion, opened_version: int
) -> dict[str, Any]:
    """What the conflict page shows, and what it sends again."""
    current = stale.current
    before = current.events.filter(version=opened_version).order_by("-pk").first()
    names = [
        name
        for name in stale.differing
        if form.place_of(name)
        and not same(answer_in(form, name), answer_of(current, name))
    ]
    differences = [difference(form, name, current, before) for name in names]
    return {
        "differences": differences,
        "carried": carried(posted, {f"keep_{name}" for name in names}),
        "record_version": current.version,
        "theirs_by": str(current.updated_by),
        "theirs_at": timezone.localtime(current.updated_at).strftime("%H:%M"),
    }


def difference(
    form: RecordForm, name: str, current: Any, before: Any
) -> dict[str, Any]:
    """One field in three versions. Where only they changed it, theirs is chosen."""
    field = current._meta.get_field(name)
    mine = answer_in(form, name)
    old = answer_of(before, name) if before else None
    return {
        "name": name,
        "label": capfirst(str(field.verbose_name)),
        "old": words(field, old) if old else None,
        "mine": words(field, mine),
        "theirs": words(field, answer_of(current, name)),
        "keep": "theirs" if old is not None and same(mine, old) else "mine",
    }


def answer_in(form: RecordForm, name: str) -> tuple[Any, str | None]:
    """Value and missing reason as they were sent."""
    return form.values().get(name), form.missing().get(name)


def answer_of(record: Any, name: str) -> tuple[Any, str | None]:
    """Value and missing reason of a field."""
    value = partial_days(vars(record)).get(name, getattr(record, name))
    return value, getattr(record, "missing", {}).get(name)


def same(first: tuple[Any, str | None], second: tuple[Any, str | None]) -> bool:
    one, other = (
        None if answer[0] in BLANK else answer[0] for answer in (first, second)
    )
    return same_day(one, other) and first[1] == second[1]


def words(field: Any, answer: tuple[Any, str | None]) -> str | None:
    value, reason = answer
    return shown_with_unit(field, value) or reason_shown(reason) or None


def carried(posted: Any, asked_again: set[str]) -> list[tuple[str, str]]:
    """What was typed, to be sent along with the choice."""
    return [
        (name, value)
        for name, values in posted.lists()
        for value in values
        if name not in NOT_CARRIED and name not in asked_again
    ]
