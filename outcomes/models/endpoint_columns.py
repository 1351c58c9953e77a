"""The endpoints: recurrence, regrowth, new lesions, and survival free of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from outcomes.models.fact_column import FactColumn, Kind, precision_of
from outcomes.models.outcome_columns import EXCLUSIONS

LAST_MRI_CENSORS = _("Without the event: days to the last MRI after the operation.")
CENSORED, DEATH = ("0", _("Censored")), ("2", _("Death before it"))


def days_of(name: str, label: Any, expression: str, definition: Any = "") -> FactColumn:
    return FactColumn(
        name, Kind.WHOLE, label, expression, definition=definition, unit=_("days")
    )


def event_of(
    name: str, label: Any, expression: str, definition: Any = ""
) -> FactColumn:
    return FactColumn(name, Kind.FLAG, label, expression, definition=definition)


def status_of(
    name: str,
    label: Any,
    expression: str,
    definition: Any,
    event: Any,
    *more: tuple[str, Any],
) -> FactColumn:
    """A competing-event code: 0 censored, 1 the event, 2 death, 3 what else competes."""
    values = (CENSORED, ("1", event), DEATH, *more)
    return FactColumn(
        name, Kind.WHOLE, label, expression, definition=definition, values=values
    )


def _exclusion(name: str, label: Any) -> FactColumn:
    return FactColumn(
        name,
        Kind.TEXT,
        label,
        f"CASE WHEN operation.id IS NULL THEN 'not_operated' ELSE followed.{name} END",
        values=EXCLUSIONS,
    )


# The studies that could have shown an event, and the last of them.
SEEN_AT_ALL = ("followed.n_images", "followed.image_day")
SEEN_AFTER_STAGES = ("followed.n_images_after_stages", "followed.free_image_day")


def _seen_again(kind: str, population: str, seen: tuple[str, str] = SEEN_AT_ALL) -> str:
    """Recorded, or not while an MRI could have shown it; else not known."""
    return (
        f"CASE WHEN NOT {population} THEN NULL WHEN followed.{kind}s > 0 THEN true"
        f" WHEN {seen[0]} > 0 THEN false END"
    )


def _time_to(kind: str, population: str, seen: tuple[str, str] = SEEN_AT_ALL) -> str:
    return (
        f"CASE WHEN NOT {population} THEN NULL"
        f" WHEN followed.{kind}s > 0 THEN followed.{kind}_day"
        f" WHEN {seen[0]} > 0 THEN {seen[1]} END"
    )


def _known(kind: str, population: str) -> str:
    return (
        f"CASE WHEN NOT {population} THEN NULL"
        f" WHEN followed.{kind}s > 0 THEN followed.{kind}_known"
        " WHEN followed.n_images > 0 THEN followed.image_known END"
    )


def _last_clear(kind: str, population: str) -> str:
    return (
        f"CASE WHEN {population} AND (followed.{kind}s = 0"
        f" OR followed.{kind}_day IS NOT NULL) THEN followed.no_{kind}_day END"
    )


def _first_of(endpoint: str, event_day: str) -> str:
    """1 for the event, 2 for death before it, 0 for neither, within the endpoint."""
    return (
        "CASE WHEN followed.case_id IS NULL"
        f" OR followed.{endpoint}_exclusion IS NOT NULL THEN NULL"
        f" WHEN followed.{event_day} <= coalesce(followed.death_day,"
        f" followed.{event_day}) THEN 1"
        " WHEN followed.death_day IS NOT NULL THEN 2 ELSE 0 END"
    )


def _survival(
    endpoint: str, event_day: str, seen: tuple[str, str] = SEEN_AT_ALL
) -> tuple[str, str]:
    """Whether the event or death came, and the days to it or to the last MRI."""
    return (
        (
            f"CASE WHEN followed.case_id IS NOT NULL AND followed.{endpoint}_exclusion"
            f" IS NULL THEN coalesce(followed.{event_day}, followed.death_day)"
            " IS NOT NULL END"
        ),
        (
            f"CASE WHEN followed.{endpoint}_exclusion IS NULL THEN coalesce("
            f"least(followed.{event_day}, followed.death_day), {seen[1]}) END"
        ),
    )


RFS_EVENT, RFS_DAYS = _survival("rfs", "recurrence_day", SEEN_AFTER_STAGES)
PFS_EVENT, PFS_DAYS = _survival("pfs", "progression_day")
EARLY_DEATHS = _("A death within 91 days counts although no MRI could be made.")


def _recurrence() -> Iterator[FactColumn]:
    free = "followed.was_free"
    yield event_of(
        "recurrence_event",
        _("recurrence"),
        _seen_again("recurrence", free, SEEN_AFTER_STAGES),
        _(
            "After GTR on MRI, be it of the last planned stage; not known without an "
            "MRI after it."
        ),
    )
    yield days_of(
        "recurrence_days",
        _("time to recurrence"),
        _time_to("recurrence", free, SEEN_AFTER_STAGES),
        LAST_MRI_CENSORS,
    )
    yield precision_of(
        "recurrence_days", _("time to recurrence"), _known("recurrence", free)
    )
    yield days_of(
        "recurrence_last_clear_day",
        _("last MRI without recurrence"),
        _last_clear("recurrence", free),
        _(
            "Before the recurrence, which came between this day and its own; without "
            "one the last clear MRI. Empty: none was clear."
        ),
    )
    yield status_of(
        "ttr_status",
        _("recurrence, death competing"),
        _first_of("rfs", "recurrence_day"),
        _("Of the cases of recurrence-free survival: 1 − RFS is the sum of 1 and 2."),
        _("Recurrence"),
    )
    yield days_of(
        "ttr_days",
        _("time to recurrence or competing death"),
        RFS_DAYS,
        LAST_MRI_CENSORS,
    )


def _regrowth() -> Iterator[FactColumn]:
    left = "followed.had_residual"
    yield event_of(
        "regrowth_event",
        _("regrowth"),
        _seen_again("regrowth", left),
        _("Growth of a residual (NTR, STR, PR or biopsy on MRI)."),
    )
    yield days_of(
        "regrowth_days",
        _("time to regrowth"),
        _time_to("regrowth", left),
        LAST_MRI_CENSORS,
    )
    yield precision_of("regrowth_days", _("time to regrowth"), _known("regrowth", left))
    yield days_of(
        "regrowth_last_clear_day",
        _("last MRI without regrowth"),
        _last_clear("regrowth", left),
        _("Before the regrowth, else the last MRI on which nothing had grown."),
    )
    yield status_of(
        "ttg_status",
        _("regrowth, re-operation and death competing"),
        "CASE WHEN NOT followed.growth_is_known THEN NULL"
        " WHEN followed.regrowth_day = followed.growth_ended_day THEN 1"
        " WHEN followed.reoperation_day = followed.growth_ended_day THEN 3"
        " WHEN followed.death_day = followed.growth_ended_day THEN 2"
        " WHEN followed.case_id IS NOT NULL THEN 0 END",
        _("Of the cases with a residual after the last planned stage."),
        _("Regrowth"),
        ("3", _("Re-operation before it")),
    )
    yield days_of(
        "ttg_days",
        _("time to regrowth or a competing event"),
        "CASE WHEN followed.growth_is_known"
        " THEN coalesce(followed.growth_ended_day, followed.image_day) END",
        LAST_MRI_CENSORS,
    )


def _new_lesion() -> Iterator[FactColumn]:
    operated = "(operation.id IS NOT NULL)"
    yield event_of(
        "new_lesion_event",
        _("new lesion elsewhere"),
        _seen_again("new_lesion", operated),
        _("Neither a recurrence nor a regrowth."),
    )
    yield days_of(
        "new_lesion_days",
        _("time to a new lesion"),
        _time_to("new_lesion", operated),
        LAST_MRI_CENSORS,
    )
    yield precision_of(
        "new_lesion_days", _("time to a new lesion"), _known("new_lesion", operated)
    )


def _event_free() -> Iterator[FactColumn]:
    yield event_of(
        "rfs_event",
        _("recurrence or death"),
        RFS_EVENT,
        _(
            "After GTR on MRI; a new lesion elsewhere does not count. A death within 91 "
            "days counts although no MRI could be made, by the surgeon's extent."
        ),
    )
    yield days_of("rfs_days", _("recurrence-free survival"), RFS_DAYS, LAST_MRI_CENSORS)
    yield _exclusion("rfs_exclusion", _("why not in recurrence-free survival"))
    yield event_of(
        "pfs_event", _("recurrence, regrowth or death"), PFS_EVENT, EARLY_DEATHS
    )
    yield days_of(
        "pfs_days", _("progression-free survival"), PFS_DAYS, LAST_MRI_CENSORS
    )
    yield _exclusion("pfs_exclusion", _("why not in progression-free survival"))
    yield status_of(
        "ttp_status",
        _("recurrence or regrowth, death competing"),
        _first_of("pfs", "progression_day"),
        _("Of the cases of progression-free survival."),
        _("Recurrence or regrowth"),
    )
    yield days_of(
        "ttp_days",
        _("time to progression or competing death"),
        PFS_DAYS,
        LAST_MRI_CENSORS,
    )


ENDPOINT_COLUMNS: tuple[FactColumn, ...] = tuple(
    column
    for columns in (
        _recurrence,
        _regrowth,
        _new_lesion,
        _event_free,
    )
    for column in columns()
)
