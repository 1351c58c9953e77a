"""Stored values in the words that people read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import dateformat
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from registry.days import precision_of
from registry.fields import FlagField, MissingReason, MultiChoiceField
from registry.reading import text_of_value

# Codes that have one colour on every page.
MEANINGS = {
    "intramedullary": "intramedullary",
    "intradural_extramedullary": "extramedullary",
    "gtr": "gtr",
    "ntr": "ntr",
    "str": "str",
    "pr": "pr",
}


def shown(field: Any, value: Any) -> str | None:
    """A value of a described field in words; None where there is none."""
    if value in (None, "", []):
        return None
    if isinstance(field, FlagField):
        return _("Yes") if value else _("No")
    if isinstance(field, MultiChoiceField):
        labels = dict(field.options.choices)
        return ", ".join(str(labels.get(code, code)) for code in value)
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    text = str(text_of_value(value))
    return text.replace("-", "−") if isinstance(value, Decimal | int) else text


def shown_with_unit(field: Any, value: Any) -> str | None:
    """As :func:`shown`, with the unit behind numbers."""
    text = shown(field, value)
    return f"{text} {field.unit}" if text and field.unit else text


def day_in_words(day: date) -> str:
    """``3 May 2014``, ``May 2014`` or ``2014``, as much as is known."""
    forms = {"year": "Y", "month": "F Y"}
    return dateformat.format(day, forms.get(precision_of(day), "j F Y"))


def reason_shown(reason: str | None) -> str:
    """A missing reason in words."""
    return str(dict(MissingReason.choices).get(reason, "")) if reason else ""


def fact(record: Any, name: str) -> dict[str, Any]:
    """One line of a definition list for a field of a record."""
    field = record._meta.get_field(name)
    value = getattr(record, name)
    return {
        "name": name,
        "label": capfirst(str(field.verbose_name)),
        "value": shown(field, value),
        "unit": field.unit,
        "reason": reason_shown(getattr(record, "missing", {}).get(name)),
        "hint": field.definition,
        "key": MEANINGS.get(value) if isinstance(value, str) else None,
    }


def facts(record: Any, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Lines for the fields that have a value or a reason, or are needed."""
    lines = []
    for name in names:
        field = record._meta.get_field(name)
        answered = getattr(record, name) not in (None, "", [])
        if answered or name in getattr(record, "missing", {}) or wanted(record, field):
            lines.append(fact(record, name))
    return lines


def wanted(record: Any, field: Any) -> bool:
    """Whether the record is incomplete without the field."""
    return bool(record.applicable(field))


def levels_shown(rostral: str | None, caudal: str | None) -> str:
    """``T5–T7``, or ``T5`` for one level; empty when unknown."""
    if not rostral:
        return caudal or ""
    return rostral if caudal in (None, rostral) else f"{rostral}–{caudal}"
