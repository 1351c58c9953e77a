"""The facts of pain by window.

Whether there is pain is told by the nearest visit that says so. Sites may come from
another visit of the window, and intensity from a third, but only from one that agrees
with what was said before: never "no pain" of one day with the sites of another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from outcomes import choices
from outcomes.choices import PainSite
from outcomes.models.fact_column import FactColumn, Kind
from outcomes.models.outcome_columns import (
    RESIDUAL_PAIN,
    SEGMENTAL_COURSES,
    at,
    labelled,
    with_day,
)
from outcomes.models.reasons import OF_A_VISIT, TOO_EARLY, reason_column
from outcomes.windows import RESIDUAL_PAIN_WINDOWS, Window


def nrs_reasons_sql() -> str:
    """The reasons given for one of the intensities, the first that there is."""
    fields = choices.PAIN_NRS_FIELDS.values()
    return ", ".join(f"reasons ->> '{name}'" for name in fields)


# Sites as they are told apart: root, wound and muscle pain count as local, tract pain as
# below the level. Each is a column of its own; a visit may find several.
SITES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "local": (
        _("local, root or wound pain"),
        (PainSite.LOCAL, PainSite.RADICULAR, PainSite.SURGICAL),
    ),
    "segmental": (_("segmental pain"), (PainSite.SEGMENTAL,)),
    "below_level": (_("pain below the level"), (PainSite.BELOW, PainSite.FUNICULAR)),
}


def pain_sites_sql() -> str:
    """Whether a visit found pain at each site; NULL where it does not say where."""
    return ",\n    ".join(
        f"CASE WHEN NOT pain THEN false ELSE sites && {_texts(codes)} END AS {name}"
        for name, (_label, codes) in SITES.items()
    )


def _texts(codes: tuple[str, ...]) -> str:
    """The codes as an array of the database."""
    return f"ARRAY{list(map(str, codes))}::varchar[]"


def pain_columns(window: Window) -> Iterator[FactColumn]:
    """Pain, its sites and its intensity; from the 3-month window on residual pain."""
    w = window.name
    pain = FactColumn(
        f"pain_present_{w}",
        Kind.FLAG,
        labelled(_("pain"), window),
        at("pain", window),
        definition=_("Any pain, by the nearest visit that tells of it."),
    )
    yield from with_day(pain, window, "pain_day", "pain_why")
    for name, (label, _codes) in SITES.items():
        site = FactColumn(
            f"pain_{name}_{w}",
            Kind.FLAG,
            labelled(label, window),
            at(name, window),
            definition=_(
                "With or without other sites, by the nearest visit that names the "
                "sites and agrees on whether there is pain."
            ),
        )
        yield from with_day(site, window, "site_day", "site_why")
    yield from _intensity_columns(window)
    if window in RESIDUAL_PAIN_WINDOWS:
        yield from _residual_columns(window)


def _intensity_columns(window: Window) -> Iterator[FactColumn]:
    w = window.name
    yield FactColumn(
        f"pain_nrs_kind_{w}",
        Kind.TEXT,
        labelled(_("intensity asked for"), window),
        at("pain_nrs_kind", window),
        values=tuple(choices.PainKind.choices),
    )
    segmental = FactColumn(
        f"pain_segmental_nrs_{w}",
        Kind.WHOLE,
        labelled(_("NRS, segmental"), window),
        at("segmental_nrs", window),
        definition=_("0 where the visit found no segmental pain."),
    )
    yield from with_day(segmental, window, "nrs_day", "segmental_nrs_why")
    worst = FactColumn(
        f"pain_worst_nrs_{w}",
        Kind.WHOLE,
        labelled(_("NRS, worst site"), window),
        at("worst_nrs", window),
        definition=_("Of all sites, “other” included; 0 where there was no pain."),
    )
    yield from with_day(worst, window, "nrs_day", "worst_nrs_why")


def _residual_columns(window: Window) -> Iterator[FactColumn]:
    """Pain put down to the tumour or its operation, at a visit from day 91 on."""
    w = window.name
    for name, (label, _codes) in SITES.items():
        flag = FactColumn(
            f"residual_{name}_pain_{w}",
            Kind.FLAG,
            labelled(_("residual %(what)s") % {"what": label}, window),
            at(f"residual_{name}", window),
            definition=_("At a visit from day 91 on, with or without other sites."),
        )
        yield from with_reason(flag, window, "residual_why")
    site = FactColumn(
        f"residual_pain_{w}",
        Kind.TEXT,
        labelled(_("residual pain"), window),
        at("residual_class", window),
        definition=_(
            "Its only site, or mixed, at a visit from day 91 on; “other” sites left out."
        ),
        values=RESIDUAL_PAIN,
    )
    yield from with_reason(site, window, "residual_why")
    worst = FactColumn(
        f"residual_pain_nrs_{w}",
        Kind.WHOLE,
        labelled(_("NRS, worst site of residual pain"), window),
        at("residual_pain_nrs", window),
        definition=_(
            "Of the sites that count as residual pain, so without “other”; 0 where "
            "residual pain is none."
        ),
    )
    yield from with_reason(worst, window, "residual_nrs_why")
    yield FactColumn(
        f"segmental_pain_course_{w}",
        Kind.TEXT,
        labelled(_("course of segmental pain"), window),
        at("segmental_course", window),
        definition=_(
            "Segmental pain at the visit against before the operation. The categories "
            "together are the cases whose residual segmental pain is known."
        ),
        values=SEGMENTAL_COURSES,
    )


def with_reason(column: FactColumn, window: Window, why: str) -> Iterator[FactColumn]:
    """A value of residual pain with the reason where it is empty."""
    yield column
    yield reason_column(column, at(why, window), (*OF_A_VISIT, TOO_EARLY))
